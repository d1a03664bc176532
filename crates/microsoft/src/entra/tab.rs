//! The token that Teams gives to a tab, and what to tell the tab when it is not enough.
//!
//! A Teams client gets it for our API without asking the person, if the app registration has authorised that client
//! ("Enable SSO for tab apps"). It is checked as every token is ([`super::token::TokenRules::check`]); on the server it
//! can be exchanged for one for Graph ([`super::client::Client::on_behalf_of`]).

use base64::Engine as _;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::refusal::CLAIMS_OCTETS_MAX;
use crate::http::Response;
use crate::id::{ClientId, Guid};

/// Teams on the desktop and on phones.
pub const TEAMS_DESKTOP: ClientId = ClientId(Guid::literal("1fec8e78-bce4-4aaf-ab1b-5451cc387264"));
/// Teams in a browser.
pub const TEAMS_WEB: ClientId = ClientId(Guid::literal("5e3ce6c0-2b1f-4285-8d4b-75ee78787346"));
/// Microsoft 365 in a browser.
pub const MICROSOFT_365_WEB: ClientId = ClientId(Guid::literal("4765445b-32c6-49b0-83e6-1d93765276ca"));
/// Microsoft 365 on the desktop.
pub const MICROSOFT_365_DESKTOP: ClientId = ClientId(Guid::literal("0ec893e0-5785-4de6-99da-4ed124e5296c"));
/// Microsoft 365 on phones, and Outlook on the desktop.
pub const MICROSOFT_365_MOBILE: ClientId = ClientId(Guid::literal("d3590ed6-52b3-4102-aeff-aad2292ab01c"));
/// Outlook in a browser.
pub const OUTLOOK_WEB: ClientId = ClientId(Guid::literal("bc59ab01-8403-45c6-8796-ac3ef710b3e3"));
/// Outlook on phones.
pub const OUTLOOK_MOBILE: ClientId = ClientId(Guid::literal("27922004-5251-4030-b22d-91ecd9a37ea4"));

/// The clients in which a tab can live, to be authorised in the app registration, with the name to show.
pub const TEAMS_CLIENTS: [(ClientId, &str); 7] = [
    (TEAMS_DESKTOP, "Teams desktop, mobile"),
    (TEAMS_WEB, "Teams web"),
    (MICROSOFT_365_WEB, "Microsoft 365 web"),
    (MICROSOFT_365_DESKTOP, "Microsoft 365 desktop"),
    (MICROSOFT_365_MOBILE, "Microsoft 365 mobile, Outlook desktop"),
    (OUTLOOK_WEB, "Outlook web"),
    (OUTLOOK_MOBILE, "Outlook mobile"),
];

/// The value of `WWW-Authenticate` with which an API says that a person must do more, such as a second factor: the
/// claims that Entra ID demanded are handed to the client, which signs in with them.
#[must_use]
pub fn claims_challenge(claims: &str) -> String {
    format!("Bearer error=\"insufficient_claims\", claims=\"{}\"", STANDARD.encode(claims))
}

/// The claims that Graph demands when it refuses a token that is good otherwise: the person has to do more, or something
/// changed since it was issued ("Claims challenges, claims requests and client capabilities"). They stand in its
/// `WWW-Authenticate`, in Base64.
#[must_use]
pub fn claims_demanded(response: &Response) -> Option<String> {
    let challenge = response.header("WWW-Authenticate").filter(|_| response.status == 401)?;
    let (_, rest) = challenge.split_once("claims=\"")?;
    let (sealed, _) = rest.split_once('"')?;
    if sealed.len() > CLAIMS_OCTETS_MAX {
        return None;
    }
    let claims = ANY_PADDING.decode(sealed).ok()?;
    let claims: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&claims).ok()?;
    serde_json::to_string(&claims).ok()
}

/// Graph's own examples have no padding.
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(status: u16, challenge: &str) -> Response {
        let headers = vec![("www-authenticate".to_owned(), challenge.to_owned())];
        Response { status, headers, body: Vec::new() }
    }

    #[test]
    fn claims_that_graph_demands_are_read() {
        let demand = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
        let sealed = STANDARD.encode(demand);
        for sealed in [sealed.as_str(), sealed.trim_end_matches('=')] {
            let challenge = format!(
                "Bearer realm=\"\", authorization_uri=\"https://login.example/common/oauth2/authorize\", \
                 error=\"insufficient_claims\", claims=\"{sealed}\""
            );
            assert_eq!(claims_demanded(&refused(401, &challenge)).as_deref(), Some(demand));
            assert_eq!(claims_demanded(&refused(403, &challenge)), None);
        }
        for bad in ["Bearer", "Bearer claims=\"e30=", "Bearer claims=\"W10=\"", "Bearer claims=\"%\""] {
            assert_eq!(claims_demanded(&refused(401, bad)), None, "{bad}");
        }
        let long = format!("Bearer claims=\"{}\"", "A".repeat(CLAIMS_OCTETS_MAX + 1));
        assert_eq!(claims_demanded(&refused(401, &long)), None);
    }

    proptest! {
        #[test]
        fn any_challenge_is_read_or_not(text: String, sealed in "[A-Za-z0-9+/=]{0,80}") {
            let of_text = claims_demanded(&refused(401, &text));
            prop_assert!(of_text.is_none() || text.contains("claims="));
            let claims = claims_demanded(&refused(401, &format!("Bearer claims=\"{sealed}\"")));
            let is_object = claims.is_none_or(|claims| claims.as_bytes().first() == Some(&b'{'));
            prop_assert!(is_object, "claims are an object");
        }
    }

    #[test]
    fn claims_are_handed_on() {
        assert_eq!(
            claims_challenge(r#"{"access_token":{}}"#),
            r#"Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#
        );
    }

    #[test]
    fn every_client_is_named_once() {
        let mut ids: Vec<_> = TEAMS_CLIENTS.iter().map(|(id, _)| *id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), TEAMS_CLIENTS.len());
    }
}
