//! What a border controller did that Microsoft's documents or the RFCs forbid.
//!
//! The list is the heart of the sandbox as a test: a border controller that leaves it empty is ready to meet the
//! real Teams, as far as documents and captures tell.

use serde::Serialize;

/// One thing that was done wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    /// Counts from 1.
    pub number: u64,
    /// Milliseconds since the sandbox started.
    pub at_ms: u64,
    /// Which rule.
    pub rule: Rule,
    /// What follows at Teams.
    pub weight: Weight,
    /// The rule in words.
    pub says: &'static str,
    /// Where the rule is written.
    pub reference: &'static str,
    /// What was seen.
    pub seen: String,
    /// The SIP Call-ID, where there is one.
    pub call_id: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Teams refuses it, or it breaks calls.
    Breaks,
    /// It works today; the documents or certified devices do otherwise.
    Unwise,
}

/// The list of violations, bounded.
#[derive(Debug, Default)]
pub struct Violations {
    list: Vec<Violation>,
    count: u64,
}

impl Violations {
    /// Adds one. Beyond `VIOLATIONS_MAX` they are counted only.
    pub fn add(&mut self, at_ms: u64, rule: Rule, seen: impl Into<String>, call_id: Option<&[u8]>) {
        self.count += 1;
        if self.list.len() == VIOLATIONS_MAX {
            return;
        }
        let (weight, says, reference) = rule.text();
        let call_id = call_id.map(|id| String::from_utf8_lossy(id).into_owned());
        let seen = seen.into();
        tracing::warn!(?rule, %seen, "violation");
        self.list.push(Violation { number: self.count, at_ms, rule, weight, says, reference, seen, call_id });
    }

    /// All of them.
    pub fn list(&self) -> &[Violation] {
        &self.list
    }

    /// How many there were, those beyond the bound included.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Forgets all; numbers go on.
    pub fn clear(&mut self) {
        self.list.clear();
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident: $weight:ident, $reference:expr;)+) => {
        /// The rules that the sandbox watches.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Rule {
            /// All rules.
            pub const ALL: &[Rule] = &[$(Rule::$name,)+];

            fn text(self) -> (Weight, &'static str, &'static str) {
                match self {
                    $(Rule::$name => (Weight::$weight, concat!($($doc),+).trim_ascii_start(), $reference),)+
                }
            }
        }
    };
}

const SIP: &str = "Microsoft: Direct Routing - SIP protocol";
const MEDIA: &str = "Microsoft: Direct Routing - media protocols";
const PROTOCOLS: &str = "Microsoft: Direct Routing - RFC standards";
const PLAN: &str = "Microsoft: Plan Direct Routing";
const MONITOR: &str = "Microsoft: Monitor and troubleshoot Direct Routing";
const ERRORS: &str = "Microsoft: Direct Routing - SIP response codes";
const GATEWAY: &str = "Microsoft: New-CsOnlinePSTNGateway";
const CERTIFIED: &str = "practice of certified session border controllers";

rules! {
    /// The TLS handshake failed: no certificate, one that is not trusted, or one that does not fit.
    TlsRefused: Breaks, PLAN;
    /// A request to Teams has a Contact header, in OPTIONS and the answer to OPTIONS too.
    ContactMissing: Breaks, SIP;
    /// The host in Contact and Record-Route is the FQDN of the trunk, never an address.
    ContactIsAddress: Breaks, SIP;
    /// The host in Contact is a name that the certificate of the connection covers and that a tenant has paired.
    ContactUnknown: Breaks, SIP;
    /// The user part of Contact is not empty where there is an "@".
    ContactUserEmpty: Breaks, SIP;
    /// transport=tls in Contact is a parameter of the URI, inside the angle brackets.
    ContactTransportOutside: Unwise, SIP;
    /// URIs are sip with transport=tls; sips is not supported.
    SipsUri: Breaks, SIP;
    /// A request goes over a connection that the border controller opened, never over one that Teams opened.
    RequestOnTeamsConnection: Breaks, PROTOCOLS;
    /// A response goes back over the connection on which the request came.
    ResponseElsewhere: Breaks, PROTOCOLS;
    /// Messages are well formed, with SIP/2.0 as the version.
    Malformed: Breaks, ERRORS;
    /// Teams takes INVITE, ACK, OPTIONS, CANCEL, BYE and NOTIFY, and nothing else.
    MethodNotAllowed: Breaks, SIP;
    /// OPTIONS are sent once a minute for each name of the proxies, not more often.
    OptionsTooOften: Unwise, MONITOR;
    /// Allow names NOTIFY always; it is where Teams learns what the border controller can do.
    AllowWithoutNotify: Unwise, SIP;
    /// X-MS-SBC names the border controller in every request and response.
    XMsSbcMissing: Unwise, CERTIFIED;
    /// A call is sent after OPTIONS were answered in both directions.
    CallBeforeOptions: Breaks, SIP;
    /// An INVITE carries an offer.
    DelayedOffer: Breaks, SIP;
    /// The session description can be read.
    SdpUnreadable: Breaks, "RFC 8866";
    /// Audio is RTP/SAVP with SDES and AES_CM_128_HMAC_SHA1_80.
    SrtpMissing: Breaks, MEDIA;
    /// The address in c= is a real one; 0.0.0.0 is refused.
    ConnectionAddressZero: Breaks, ERRORS;
    /// The offer has a codec that Teams has: SILK, G.711, G.722, G.729.
    NoCommonCodec: Breaks, PLAN;
    /// One payload number means one codec.
    PayloadNumberTwice: Breaks, ERRORS;
    /// Digits are telephone-event; the description offers it.
    TelephoneEventMissing: Unwise, MEDIA;
    /// Hold is a=inactive; sendonly and recvonly are not understood.
    HoldNotInactive: Breaks, PROTOCOLS;
    /// The address and port of media stay for the life of the call: Teams sends to the first.
    MediaMoved: Breaks, PROTOCOLS;
    /// A description whose content changed has a higher version in o=, and an unchanged one the same.
    SdpVersion: Unwise, "RFC 3264 section 8";
    /// The answer to a session refresh is the description as it was.
    RefreshChanged: Unwise, "RFC 4028 section 7.4";
    /// The crypto line of an answer has the tag of the one offered.
    CryptoTagChanged: Breaks, "RFC 4568 section 5.1.3";
    /// An answer has as many media as the offer and only payload numbers that were offered.
    AnswerNotOfOffer: Breaks, "RFC 3264 section 6";
    /// 183 and 200 of one answer carry the same description.
    AnswerChanged: Unwise, MEDIA;
    /// A 200 to an INVITE with an offer carries an answer.
    AnswerMissing: Breaks, "RFC 3261 section 13.2.1";
    /// No request to Teams carries Replaces.
    ReplacesSent: Breaks, SIP;
    /// Reliable provisional responses are neither required nor used.
    ReliableProvisional: Breaks, SIP;
    /// Session-Expires is at least 300.
    SessionExpiresTooSmall: Breaks, SIP;
    /// One call is one INVITE; another for the same call is declined.
    DuplicateInvite: Breaks, ERRORS;
    /// After 603 or another final refusal the call is not tried again.
    RetryAfterRefusal: Breaks, SIP;
    /// A proxy that answered 503 is left alone until Retry-After is over.
    RetryTooEarly: Unwise, SIP;
    /// Numbers in Request-URI and From are E.164 with a plus, with user=phone in the Request-URI.
    NumberForm: Unwise, SIP;
    /// The host in From is the FQDN of the trunk.
    FromHost: Unwise, SIP;
    /// A call from Teams is answered, or provisionally answered beyond 100, within FailoverTimeSeconds.
    AnswerTooLate: Breaks, GATEWAY;
    /// A 200 to an INVITE is acknowledged.
    AckMissing: Breaks, ERRORS;
    /// A request inside a dialog has the Contact of Teams as its Request-URI and Teams' Record-Route as its Route.
    DialogRouting: Breaks, "RFC 3261 section 12.2.1.1";
    /// CSeq counts up inside a dialog.
    CSeqOrder: Breaks, "RFC 3261 section 12.2.2";
    /// A request inside a dialog belongs to a dialog that is there.
    DialogUnknown: Breaks, "RFC 3261 section 12.2.2";
    /// A transfer that Teams asks for is answered 202.
    ReferRefused: Breaks, SIP;
    /// The INVITE of a transfer has the URI of Refer-To and the Referred-By as they came, byte for byte.
    TransferChanged: Breaks, SIP;
    /// The INVITE of a transfer that failed is not sent again.
    TransferRepeated: Breaks, ERRORS;
    /// A transfer is reported by NOTIFY until a final status, with Event: refer and message/sipfrag.
    TransferNotReported: Breaks, SIP;
    /// RTP comes from the address and port of the description.
    MediaFromElsewhere: Breaks, PLAN;
    /// SRTP packets authenticate under the key of the description.
    MediaNotAuthentic: Breaks, MEDIA;
    /// RTCP is sent for the whole call, on hold too.
    RtcpMissing: Unwise, "Microsoft: Health dashboard for Direct Routing";
    /// A request or response of Teams is answered; a dialog that lives is not forgotten.
    NotAnswered: Breaks, "RFC 3261 section 8.2";
    /// A replaced call is taken: `Require: replaces` is supported, as receiver.
    ReplacesRefused: Breaks, ERRORS;
}

/// More than this is not kept.
const VIOLATIONS_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_says_what_it_means_and_where_it_stands() {
        for rule in Rule::ALL {
            let (_, says, reference) = rule.text();
            assert!(says.ends_with('.') && !reference.is_empty(), "{rule:?}");
        }
    }

    #[test]
    fn the_list_is_bounded_and_goes_on_counting() {
        let mut violations = Violations::default();
        for _ in 0..VIOLATIONS_MAX + 5 {
            violations.add(0, Rule::Malformed, "", None);
        }
        assert_eq!(
            (violations.list().len(), violations.count()),
            (VIOLATIONS_MAX, VIOLATIONS_MAX as u64 + 5)
        );
    }
}
