//! Names of headers.

use std::fmt;

macro_rules! headers {
    ($($variant:ident = $name:literal $($compact:literal)?;)+) => {
        /// The name of a header: one that this crate knows, or any other token.
        ///
        /// Compact forms and any spelling in upper and lower case are the same name
        /// (RFC 3261 sections 7.3.1 and 7.3.3); two names compare accordingly.
        #[derive(Clone, Copy)]
        pub enum HeaderName<'a> {
            $(#[doc = concat!("`", $name, "`.")] $variant,)+
            /// A name without an entry above, as written.
            Other(&'a [u8]),
        }

        /// Every known name in the order of [`HeaderId`].
        const KNOWN: &[HeaderName<'static>] = &[$(HeaderName::$variant,)+];

        /// Every spelling with the position of its name in [`KNOWN`].
        const SPELLINGS: &[(&[u8], HeaderId)] = &[
            $(
                ($name.as_bytes(), Id::$variant as HeaderId),
                $(($compact.as_bytes(), Id::$variant as HeaderId),)?
            )+
        ];

        #[derive(Clone, Copy)]
        #[expect(clippy::enum_variant_names, reason = "Id numbers the names; Content-ID is one of them")]
        enum Id { $($variant,)+ }

        impl<'a> HeaderName<'a> {
            /// The name as RFCs write it, or as received where it is not known.
            pub const fn as_bytes(&self) -> &'a [u8] {
                match *self {
                    $(Self::$variant => $name.as_bytes(),)+
                    Self::Other(name) => name,
                }
            }

            /// The number under which a message's index keeps the name.
            pub(crate) const fn id(&self) -> HeaderId {
                match self {
                    $(Self::$variant => Id::$variant as HeaderId,)+
                    Self::Other(_) => OTHER,
                }
            }
        }
    };
}

/// A known name as a number, or [`OTHER`].
pub(crate) type HeaderId = u8;

/// The number of every name that is not known.
pub(crate) const OTHER: HeaderId = u8::MAX;

headers! {
    Accept = "Accept";
    AcceptContact = "Accept-Contact" "a";
    AcceptEncoding = "Accept-Encoding";
    AcceptLanguage = "Accept-Language";
    AlertInfo = "Alert-Info";
    Allow = "Allow";
    AllowEvents = "Allow-Events" "u";
    AuthenticationInfo = "Authentication-Info";
    Authorization = "Authorization";
    CallId = "Call-ID" "i";
    CallInfo = "Call-Info";
    Contact = "Contact" "m";
    ContentDisposition = "Content-Disposition";
    ContentEncoding = "Content-Encoding" "e";
    ContentId = "Content-ID";
    ContentLanguage = "Content-Language";
    ContentLength = "Content-Length" "l";
    ContentType = "Content-Type" "c";
    CSeq = "CSeq";
    Date = "Date";
    Diversion = "Diversion";
    ErrorInfo = "Error-Info";
    Event = "Event" "o";
    Expires = "Expires";
    From = "From" "f";
    Geolocation = "Geolocation";
    GeolocationRouting = "Geolocation-Routing";
    HistoryInfo = "History-Info";
    Identity = "Identity" "y";
    InReplyTo = "In-Reply-To";
    MaxForwards = "Max-Forwards";
    MimeVersion = "MIME-Version";
    MinExpires = "Min-Expires";
    MinSe = "Min-SE";
    Organization = "Organization";
    PAssertedIdentity = "P-Asserted-Identity";
    PEarlyMedia = "P-Early-Media";
    PPreferredIdentity = "P-Preferred-Identity";
    Path = "Path";
    Priority = "Priority";
    Privacy = "Privacy";
    ProxyAuthenticate = "Proxy-Authenticate";
    ProxyAuthorization = "Proxy-Authorization";
    ProxyRequire = "Proxy-Require";
    RAck = "RAck";
    Reason = "Reason";
    RecordRoute = "Record-Route";
    ReferSub = "Refer-Sub";
    ReferTo = "Refer-To" "r";
    ReferredBy = "Referred-By" "b";
    RejectContact = "Reject-Contact" "j";
    RemotePartyId = "Remote-Party-ID";
    Replaces = "Replaces";
    ReplyTo = "Reply-To";
    RequestDisposition = "Request-Disposition" "d";
    Require = "Require";
    RetryAfter = "Retry-After";
    Route = "Route";
    RSeq = "RSeq";
    Server = "Server";
    ServiceRoute = "Service-Route";
    SessionExpires = "Session-Expires" "x";
    Subject = "Subject" "s";
    SubscriptionState = "Subscription-State";
    Supported = "Supported" "k";
    TargetDialog = "Target-Dialog";
    Timestamp = "Timestamp";
    To = "To" "t";
    Unsupported = "Unsupported";
    UserAgent = "User-Agent";
    UserToUser = "User-to-User";
    Via = "Via" "v";
    Warning = "Warning";
    WwwAuthenticate = "WWW-Authenticate";
    XMsMediaPath = "X-MS-MediaPath";
    XMsSbc = "X-MS-SBC";
    XMsUserLocation = "X-MS-UserLocation";
    XMsUserSite = "X-MS-UserSite";
}

impl<'a> HeaderName<'a> {
    /// Reads a name in any case, long or compact. Bytes that are no token come back as `Other`.
    pub fn from_bytes(name: &'a [u8]) -> Self {
        KNOWN.get(usize::from(id_of(name))).copied().unwrap_or(Self::Other(name))
    }
}

impl PartialEq<HeaderName<'_>> for HeaderName<'_> {
    fn eq(&self, other: &HeaderName<'_>) -> bool {
        match (self, other) {
            (Self::Other(a), HeaderName::Other(b)) => a.eq_ignore_ascii_case(b),
            (Self::Other(a), b) => id_of(a) == b.id(),
            (a, HeaderName::Other(b)) => a.id() == id_of(b),
            (a, b) => a.id() == b.id(),
        }
    }
}

impl Eq for HeaderName<'_> {}

impl fmt::Display for HeaderName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for HeaderName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The number of a spelling, or [`OTHER`].
pub(crate) fn id_of(name: &[u8]) -> HeaderId {
    let mut slot = hash(name);
    loop {
        let entry = SLOTS[slot];
        let Some((spelling, id)) = SPELLINGS.get(usize::from(entry)) else { return OTHER };
        if spelling.eq_ignore_ascii_case(name) {
            return *id;
        }
        slot = (slot + 1) % SLOT_COUNT;
    }
}

/// Twice the spellings and more, so that a search meets an empty slot soon.
const SLOT_COUNT: usize = 512;
const EMPTY: u8 = u8::MAX;

/// Open-addressed table from the hash of a spelling to its position, laid out when the crate is compiled.
static SLOTS: [u8; SLOT_COUNT] = {
    assert!(SPELLINGS.len() < EMPTY as usize);
    let mut slots = [EMPTY; SLOT_COUNT];
    let mut entry = 0;
    while entry < SPELLINGS.len() {
        let mut slot = hash(SPELLINGS[entry].0);
        while slots[slot] != EMPTY {
            slot = (slot + 1) % SLOT_COUNT;
        }
        slots[slot] = entry as u8;
        entry += 1;
    }
    slots
};

/// Length, first, middle and last letter tell header names apart well enough.
const fn hash(name: &[u8]) -> usize {
    let len = name.len();
    if len == 0 {
        return 0;
    }
    let first = name[0].to_ascii_lowercase() as usize;
    let middle = name[len / 2].to_ascii_lowercase() as usize;
    let last = name[len - 1].to_ascii_lowercase() as usize;
    (len.wrapping_mul(37) ^ first.wrapping_mul(151) ^ middle.wrapping_mul(11) ^ last.wrapping_mul(67))
        % SLOT_COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_finds_its_name() {
        for (spelling, id) in SPELLINGS {
            assert_eq!(id_of(spelling), *id);
            assert_eq!(id_of(&spelling.to_ascii_uppercase()), *id);
            assert_eq!(id_of(&spelling.to_ascii_lowercase()), *id);
        }
        for name in KNOWN {
            assert_eq!(HeaderName::from_bytes(name.as_bytes()), *name);
        }
    }

    #[test]
    fn a_search_is_short() {
        let displaced = SPELLINGS.iter().filter(|(name, id)| {
            let entry = SLOTS[hash(name)];
            SPELLINGS[usize::from(entry)].1 != *id
        });
        assert!(displaced.count() < SPELLINGS.len() / 5, "choose a better hash");
    }

    #[test]
    fn unknown_names_compare_without_case() {
        assert_eq!(HeaderName::Other(b"X-Foo"), HeaderName::Other(b"x-fOO"));
        assert_ne!(HeaderName::Other(b"X-Foo"), HeaderName::Other(b"X-Bar"));
        assert_eq!(HeaderName::Other(b"v"), HeaderName::Via);
        assert_eq!(id_of(b""), OTHER);
    }
}
