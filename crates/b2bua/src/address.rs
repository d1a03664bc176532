//! Addresses of the center as SIP writes them, in both directions.

use std::sync::Arc;

use tandem_center::call::Address;
use tandem_sip::header::NameAddr;
use tandem_sip::ua::ExtraHeader;
use tandem_sip::uri::Uri;

use crate::call::Shown;
use crate::trunk::Trunk;

/// Longest caller's name that is kept, in bytes.
const NAME_MAX: usize = 128;

/// The center's address for a URI: a number where the user part is one, else the SIP address.
pub(crate) fn of_uri(uri: &Uri<'_>) -> Address {
    let Some(user) = uri.user() else {
        return match uri {
            Uri::Sip(sip) => Address::Sip(text(sip.without_headers())),
            _ => Address::Anonymous,
        };
    };
    if user.eq_ignore_ascii_case(b"anonymous") {
        return Address::Anonymous;
    }
    if let Some(number) = number(user) {
        return Address::Phone(number.into());
    }
    match uri {
        Uri::Sip(sip) => Address::Sip(plain(sip.user, sip.host.to_string().as_bytes(), sip.port)),
        _ => Address::Phone(text(user)),
    }
}

/// The name in front of an address, readable, without its quotes, cut to [`NAME_MAX`].
pub(crate) fn display_name(from: &NameAddr<'_>) -> Arc<str> {
    let name = from.display_name();
    let name = String::from_utf8_lossy(&name);
    let clean: String = name.chars().filter(|c| !c.is_control()).collect();
    let mut end = clean.len().min(NAME_MAX);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    Arc::from(clean.get(..end).unwrap_or_default().trim())
}

/// The Request-URI that calls an address over a trunk, at the given host and port.
pub(crate) fn request_uri(trunk: &Trunk, address: &Address, host: &str, port: Option<u16>) -> Arc<[u8]> {
    let text = match address {
        Address::Sip(uri) => uri.to_string(),
        Address::Phone(number) => {
            let mut text = format!("sip:{}@{}", escaped(number), bracketed(host));
            push_port(&mut text, port);
            push_phone(&mut text, trunk);
            text
        }
        Address::Anonymous => "sip:anonymous@anonymous.invalid".to_owned(),
    };
    text.into_bytes().into()
}

/// To without tag: the address as people read it, without transport.
pub(crate) fn to(trunk: &Trunk, address: &Address, host: &str) -> Arc<[u8]> {
    let text = match address {
        Address::Phone(number) => {
            let user_phone = if trunk.profile.phone_uris { ";user=phone" } else { "" };
            format!("<sip:{}@{}{user_phone}>", escaped(number), bracketed(host))
        }
        Address::Sip(uri) => format!("<{uri}>"),
        Address::Anonymous => "<sip:anonymous@anonymous.invalid>".to_owned(),
    };
    text.into_bytes().into()
}

/// From without tag: the caller, in our own domain. Microsoft looks blocked numbers and names up by it.
pub(crate) fn from(trunk: &Trunk, caller: &Address, name: &str) -> Arc<[u8]> {
    let mut text = String::new();
    if !name.is_empty() {
        text.push('"');
        for c in name.chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push_str("\" ");
    }
    match user_of(caller) {
        Some(user) => {
            let user_phone = if trunk.profile.phone_uris { ";user=phone" } else { "" };
            text.push_str(&format!("<sip:{user}@{}{user_phone}>", bracketed(&trunk.host)));
        }
        None => text.push_str("<sip:anonymous@anonymous.invalid>"),
    }
    text.into_bytes().into()
}

/// Who the caller is as we vouch for it, for networks that believe that (RFC 3325); that no number is to be shown where
/// there is none (RFC 3323). For a caller of another network we vouch as little as that network did to us.
pub(crate) fn assertion(trunk: &Trunk, shown: &Shown) -> Option<ExtraHeader> {
    if !trunk.profile.asserts_identity {
        return None;
    }
    let (name, value) = match user_of(&shown.address) {
        Some(_) if !shown.chosen => return None,
        Some(user) => ("P-Asserted-Identity", format!("<sip:{user}@{}>", bracketed(&trunk.host))),
        None => ("Privacy", "id".to_owned()),
    };
    Some((name.into(), value.into_bytes().into_boxed_slice()))
}

/// Our Contact: the trunk's own host, never an address where the trunk has a name; transport inside the brackets.
pub(crate) fn contact(trunk: &Trunk, user: &Address) -> Arc<[u8]> {
    let user = user_of(user).map(|user| user + "@").unwrap_or_default();
    let transport = trunk.transport.uri_name();
    format!("<sip:{user}{}:{};transport={transport}>", bracketed(&trunk.host), trunk.port).into_bytes().into()
}

/// Host and port of a SIP address given in the configuration.
pub(crate) fn host_and_port(uri: &str) -> Option<(String, Option<u16>)> {
    let parsed = Uri::parse(uri.as_bytes()).ok()?;
    let host = parsed.host()?.to_string();
    Some((host.trim_matches(['[', ']']).to_owned(), parsed.port()))
}

/// An IPv6 address in brackets, anything else as it is.
pub(crate) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// A telephone number: an optional `+`, digits, `*`, `#`; visual separators are left out.
fn number(user: &[u8]) -> Option<String> {
    let user = user.split(|&b| b == b';').next().unwrap_or_default();
    let mut number = String::with_capacity(user.len());
    for (place, &byte) in user.iter().enumerate() {
        match byte {
            b'+' if place == 0 => number.push('+'),
            b'0'..=b'9' | b'*' | b'#' => number.push(char::from(byte)),
            b'-' | b'.' | b'(' | b')' => {}
            _ => return None,
        }
    }
    number.contains(|c: char| c.is_ascii_digit()).then_some(number)
}

fn user_of(address: &Address) -> Option<String> {
    match address {
        Address::Phone(number) => Some(escaped(number)),
        Address::Sip(uri) => {
            let parsed = Uri::parse(uri.as_bytes()).ok()?;
            parsed.user().map(|user| String::from_utf8_lossy(user).into_owned())
        }
        Address::Anonymous => None,
    }
}

/// A user part: `#` and whatever is not allowed there is escaped (RFC 3261 section 25.1).
fn escaped(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for byte in user.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' | b'&' | b'=' | b'+' | b'$'
            | b',' | b';' | b'?' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn plain(user: Option<&[u8]>, host: &[u8], port: Option<u16>) -> Arc<str> {
    let mut out = String::from("sip:");
    if let Some(user) = user {
        out.push_str(&String::from_utf8_lossy(user));
        out.push('@');
    }
    out.push_str(&String::from_utf8_lossy(host));
    push_port(&mut out, port);
    Arc::from(out)
}

fn push_port(text: &mut String, port: Option<u16>) {
    if let Some(port) = port {
        text.push_str(&format!(":{port}"));
    }
}

fn push_phone(text: &mut String, trunk: &Trunk) {
    if trunk.profile.phone_uris {
        text.push_str(&format!(";user=phone;transport={}", trunk.transport.uri_name()));
    }
}

fn text(bytes: &[u8]) -> Arc<str> {
    Arc::from(String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(uri: &str) -> Address {
        of_uri(&Uri::parse(uri.as_bytes()).unwrap())
    }

    #[test]
    fn numbers_are_read_in_all_the_forms_that_networks_write() {
        assert_eq!(address("sip:+14255550100@host;user=phone"), Address::Phone("+14255550100".into()));
        assert_eq!(address("sip:+1-425-555-0100@host"), Address::Phone("+14255550100".into()));
        assert_eq!(address("sip:+14255550100;ext=12@host"), Address::Phone("+14255550100".into()));
        assert_eq!(address("sip:*21#@host"), Address::Phone("*21#".into()));
        assert_eq!(address("tel:+33-1-40-00"), Address::Phone("+3314000".into()));
        assert_eq!(address("sip:service@127.0.0.1:5060"), Address::Sip("sip:service@127.0.0.1:5060".into()));
        assert_eq!(address("sip:Anonymous@anonymous.invalid"), Address::Anonymous);
    }

    #[test]
    fn a_number_sign_is_escaped_on_the_way_out() {
        assert_eq!(escaped("*21#"), "*21%23");
    }
}
