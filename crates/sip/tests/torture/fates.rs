//! The torture messages of RFC 4475 and RFC 5118 get the answers these RFCs ask for; those of Teams are understood.

use std::net::Ipv6Addr;

use tandem_sip::build::Writer;
use tandem_sip::fault::ParseError;
use tandem_sip::framing::{Event, Framer};
use tandem_sip::header::{HeaderName, Refresher, Replaces, Transport};
use tandem_sip::message::{Message, RawMessage, StartLine};
use tandem_sip::method::Method;
use tandem_sip::screening::{Abilities, screen};
use tandem_sip::status::StatusCode;
use tandem_sip::uri::{Host, Uri};

use crate::fixtures::{self, Fate, Fixture, all, bytes};

/// A user agent that is also a registrar, as the fixtures need one.
const ABILITIES: Abilities<'static> = Abilities {
    methods: &[
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Message,
        Method::Notify,
        Method::Options,
        Method::Refer,
        Method::Register,
    ],
    extensions: &["replaces", "timer"],
    bodies: &["application/sdp", "multipart/mixed"],
};

fn message(name: &str) -> Message {
    Message::parse_datagram(bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What becomes of a datagram, and the answer if there is one.
fn fate(datagram: &'static [u8]) -> (Fate, Option<Vec<u8>>) {
    match Message::parse_datagram(datagram) {
        Err(ParseError::Unanswerable(_)) => (Fate::Drop, None),
        Err(ParseError::Fault(fault)) => {
            let reason = fault.cause.to_string();
            (Fate::Answer(fault.status.code()), Some(answer(&fault.message, fault.status, reason.as_bytes())))
        }
        Ok(message) => match screen(&message, &ABILITIES) {
            None => (Fate::Take, None),
            Some(refusal) => {
                (Fate::Answer(refusal.status().code()), Some(answer(&message, refusal.status(), b"")))
            }
        },
    }
}

fn answer(request: &RawMessage, status: StatusCode, reason: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::response(&mut out, status, reason);
    writer.reply_to(request, status, Some(b"ours"), "192.0.2.99:5060".parse().ok());
    assert_eq!(writer.finish(), Ok(()));
    out
}

#[test]
fn every_message_meets_its_fate() {
    for Fixture { name, bytes, fate: expected } in all() {
        assert_eq!(fate(bytes).0, expected, "{name}");
    }
}

#[test]
fn every_answer_goes_back_the_way_the_request_came() {
    for Fixture { name, bytes, .. } in all() {
        let Some(answer) = fate(bytes).1 else { continue };
        let text: String = answer.iter().map(|b| *b as char).collect();
        assert!(text.contains("\r\nVia: SIP"), "{name}");
        assert!(text.ends_with("Content-Length: 0\r\n\r\n"), "{name}");
        // What lacks a header, or has one twice or broken, gets an answer of which the same is true.
        let faithful = !["insuf", "multi01", "scalar02", "quotbal", "badinv01"].contains(&name);
        assert_eq!(Message::parse_datagram(answer).is_ok(), faithful, "{name}");
    }
}

#[test]
fn no_message_with_a_length_costs_the_connection() {
    for Fixture { name, bytes, .. } in all() {
        // Content-Length is missing, wrong, or leaves other bytes behind the message.
        if ["inv2543", "clerr", "ncl", "mcl01", "dblreq"].contains(&name) {
            continue;
        }
        let mut framer = Framer::default();
        framer.push(bytes);
        framer.push(fixtures::bytes("options"));
        let first = framer.poll();
        let is_message = matches!(first, Some(Event::Message(_) | Event::Faulty(_)));
        assert!(is_message, "{name}: {first:?}");
        assert!(matches!(framer.poll(), Some(Event::Message(m)) if m.method() == Method::Options), "{name}");
    }
}

#[test]
fn a_tortuous_invite_is_read_to_the_end() {
    let invite = message("wsinv");
    assert_eq!((invite.cseq().number, invite.method(), invite.max_forwards()), (9, Method::Invite, Some(68)));
    assert_eq!(invite.to().tag(), Some(&b"wsinv1"[..]));
    assert_eq!(&*invite.from().display_name(), b"Q. A. Caller \\\"");
    assert_eq!(invite.from().tag(), Some(&b"wsinv2"[..]));
    let branches: Vec<_> = invite.vias().map(|via| via.unwrap().branch().unwrap()).collect();
    assert_eq!(branches, [b"390skdjuw".as_slice(), b"z9hG4bK9ikj8", b"z9hG4bK30239"]);
    assert_eq!(invite.header(HeaderName::Subject), Some(&b""[..]));
    assert_eq!(
        invite.header(HeaderName::Other(b"newfangledheader")),
        Some(&b"a new value   goes on here"[..])
    );
    let contact = invite.contact().unwrap().unwrap();
    assert_eq!(
        (&*contact.display_name(), contact.params.value("newparam")),
        (&b"Quoted \"\""[..], Some(&b"newvalue"[..]))
    );
    assert_eq!(
        invite.routes().next().unwrap().unwrap().uri,
        b"sip:services.example.com;lr;odd=unwise;a-param"
    );
}

#[test]
fn odd_characters_are_kept_as_they_are() {
    let odd = message("intmeth");
    assert_eq!(odd.method(), Method::Other(b"!odd-Method0123456789_*+`.%indeed'~"));
    assert_eq!(&*odd.to().display_name(), b"BEL:\x07 NUL:\0 DEL:\x7f");
    assert_eq!(odd.from().tag(), Some(&b"_token~1'+`*%!-."[..]));
    assert_eq!(odd.header(HeaderName::Other(b"ODD.header-!.%*+_`'~")).map(<[u8]>::len), Some(12));
    let uri = Uri::parse(odd.request_uri().unwrap()).unwrap();
    assert_eq!(uri.user(), Some(&b"1_odd.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"[..]));
    assert_eq!(uri.as_sip().unwrap().password, Some(&b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"[..]));

    assert_eq!(message("esc02").method(), Method::Other(b"RE%47IST%45R"));
    assert_eq!(message("esc02").headers(HeaderName::Contact).count(), 2, "C%6Fntact is another header");
    let nulls: Vec<_> = message("escnull").contacts().map(|c| c.unwrap().uri.len()).collect();
    assert_eq!(nulls, [25, 28]);
    let user = message("semiuri");
    assert_eq!(
        Uri::parse(user.request_uri().unwrap()).unwrap().user(),
        Some(&b"user;par=u%40example.net"[..])
    );
    assert_eq!(message("lwsdisp").from().display, b"caller");
    assert_eq!(message("baddn").to().display, b"Roe, Richard");
    assert_eq!(message("badaspec").to().uri, b"sip:richard.roe@example.org");
    match message("unreason").start_line() {
        StartLine::Response { status, reason } => {
            assert_eq!((status.code(), reason), (200, "= 2**3 * 5**2 но сто - простое".as_bytes()));
        }
        request => panic!("{request:?}"),
    }
}

#[test]
fn long_values_and_many_vias_are_read() {
    let long = message("longreq");
    assert_eq!(long.vias().filter(Result::is_ok).count(), 33);
    assert_eq!(long.to().display.len(), 20 * 8 + "\"I have a user name of proportion\"".len());
    assert_eq!(long.from().tag().map(<[u8]>::len), Some(2 + 50 * 3 + 3));
    let transports: Vec<_> =
        message("transports").vias().map(|via| via.unwrap().transport.to_string()).collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

#[test]
fn bytes_behind_the_body_are_no_part_of_it() {
    let register = message("dblreq");
    assert_eq!((register.method(), register.body()), (Method::Register, &b""[..]));
    assert!(register.as_bytes().ends_with(b"Content-Length: 0\r\n\r\n"));
    let binary = message("mpart01");
    assert!(binary.body().ends_with(b"--7a9cbec02ceef655--\r\n"));
    assert!(binary.body().windows(256).any(|w| w.iter().enumerate().all(|(at, b)| at == usize::from(*b))));
}

#[test]
fn a_response_with_a_second_via_is_seen() {
    assert_eq!(message("bcast").vias().count(), 2);
    assert_eq!(message("zeromf").max_forwards(), Some(0));
    assert_eq!(message("badbranch").via().branch(), Some(&b"z9hG4bK"[..]));
    assert_eq!(message("inv2543").via().branch(), None);
    assert_eq!(message("inv2543").from().tag(), None);
}

#[test]
fn ipv6_addresses_are_read_everywhere() {
    let place = |name| {
        let message = message(name);
        let uri = Uri::parse(message.request_uri().unwrap_or_default()).unwrap();
        (uri.host().unwrap().to_string(), uri.port())
    };
    assert_eq!(place("port-ambiguous"), ("[2001:db8::10:5070]".into(), None));
    assert_eq!(place("port-unambiguous"), ("[2001:db8::10]".into(), Some(5070)));
    assert_eq!(place("three-colons"), place("two-colons"));
    let received = "2001:db8::9:255".parse::<Ipv6Addr>().unwrap();
    for name in ["via-received-with-delimiters", "via-received-without-delimiters"] {
        assert_eq!(message(name).via().received(), Some(received.into()), "{name}");
    }
    let mapped = message("ipv4-mapped");
    assert_eq!(mapped.via().host, Host::V6("::ffff:192.0.2.10".parse().unwrap()));
    assert_eq!(mapped.via().port, Some(19823));
}

#[test]
fn an_invite_from_teams_is_understood() {
    let invite = message("invite");
    assert_eq!(invite.from().display, b"Alice Reyes");
    assert_eq!(invite.via().transport, Transport::Tls);
    let timer = invite.session_expires().unwrap().unwrap();
    assert_eq!((timer.seconds, timer.refresher, invite.min_se()), (3600, None, Ok(Some(300))));
    assert!(invite.supports("timer") && invite.allows(Method::Notify) && !invite.allows(Method::Refer));
    assert!(invite.content_type().unwrap().unwrap().is("application/sdp"));
    let contact = invite.contact().unwrap().unwrap().parse_uri().unwrap();
    assert_eq!((contact.port(), contact.user()), (Some(443), None));
    assert_eq!(
        contact.params().value("x-c"),
        Some(&b"64ce308b2417594d8bd91a8ade8aa77d/d/8/4b30e7706660465fbbd332a888abd49a"[..])
    );
    let route = invite.record_routes().next().unwrap().unwrap().parse_uri().unwrap();
    assert!(route.as_sip().unwrap().is_loose_router());
    let refresh = message("reinvite-refresh").session_expires().unwrap().unwrap();
    assert_eq!(refresh.refresher, Some(Refresher::Uac));
}

#[test]
fn identity_and_history_are_understood() {
    let hidden = message("invite-anonymous");
    let known: Vec<_> = hidden.asserted_identities().map(|id| id.unwrap().uri).collect();
    assert_eq!(known, [b"tel:+14255550100".as_slice(), b"sip:alice@contoso.com"]);
    assert_eq!(hidden.privacy().collect::<Vec<_>>(), [b"id"]);
    let forwarded = message("invite-forwarded");
    assert_eq!(forwarded.list(HeaderName::HistoryInfo).count(), 2);
    assert_eq!(
        forwarded.referred_by().unwrap().unwrap().parse_uri().unwrap().user(),
        Some(&b"+14255550100"[..])
    );
    let refused = message("options-refused-403");
    let reason = refused.reasons().next().unwrap().unwrap();
    assert!(reason.is_q850() && reason.cause == Some(63));
    assert!(reason.text().unwrap().ends_with(b"for the presented certificate."));
    assert_eq!(message("inbound-503").retry_after(), Ok(Some(1)));
    assert_eq!(message("options-200").to().tag(), None);
}

#[test]
fn transfers_keep_what_is_opaque() {
    let refer = message("refer-to-user");
    let target = refer.refer_to().unwrap().unwrap();
    assert_eq!(
        target.uri,
        b"sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:dfcba638-4ecd-4382-8095-6160fb18aa16"
    );
    assert_eq!(target.parse_uri().unwrap().user(), None);
    let by = refer.header(HeaderName::ReferredBy).unwrap();
    assert!(by.ends_with(b"NDU%3D>") && by.len() > 200);
    assert_eq!(refer.referred_by().unwrap().unwrap().parse_uri().unwrap().params().iter().count(), 4);

    let attended = message("refer-with-replaces");
    let target = attended.refer_to().unwrap().unwrap().parse_uri().unwrap();
    let target = target.as_sip().unwrap();
    assert!(target.without_headers().ends_with(b";user=phone"));
    let escaped = target.header_field("Replaces").unwrap();
    let replaces = Replaces::parse(&escaped).unwrap();
    let invite = message("invite-with-replaces");
    assert_eq!(Some(replaces), invite.replaces().unwrap());
    assert!(invite.requires("replaces"));
    assert_eq!((replaces.to_tag, replaces.from_tag), (&b"sbc-cons-77"[..], &b"c4d0e1f2a3b44c5d"[..]));
}
