//! Which connection carries what, and who may open one ("Direct Routing: protocols", "Plan Direct Routing").

use std::io::{Read, Write};
use std::net::TcpStream;

use rcgen::{ExtendedKeyUsagePurpose, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use rustls::crypto::aws_lc_rs::cipher_suite;
use rustls::version::{TLS12, TLS13};

use crate::parts::authority::{Authority, Identity};
use crate::parts::lab::{AGENT, CALLER, TANDEM, THIRD};
use crate::parts::names::Names;
use crate::parts::peer::{Connection, Listener, Opening};
use crate::parts::wire::{PLAIN, header, sdp};
use crate::parts::{Config, Lab, PATIENCE, Sipp, Tandem};

const PROXY: &str = "sip.proxy.example";
const OURS: &str = "sbc1.contoso.example";

/// A proxy that is known by its name, the program with a trunk to it, and an agent behind each.
struct World {
    lab: Lab,
    authority: Authority,
    proxy: Identity,
    listener: Listener,
    _names: Names,
    tandem: Tandem,
}

impl World {
    /// With the program's own OPTIONS every so many seconds, or never.
    fn new(keep_alive_s: u32) -> World {
        let lab = Lab::new();
        let authority = Authority::new(&lab);
        authority.writes("tandem", &[OURS]);
        World::with(lab, authority, keep_alive_s)
    }

    fn with(lab: Lab, authority: Authority, keep_alive_s: u32) -> World {
        let names = Names::serve(&format!("{}:5353", lab.ip(THIRD)), &[(PROXY, &lab.ip(THIRD))]);
        let proxy = authority.signs(&[PROXY]);
        let listener = Listener::at(&format!("{}:5061", lab.ip(THIRD)), &authority.root_pem(), &proxy);
        let text = format!(
            r#"
[dns]
servers = ["NET.{THIRD}:5353"]

[sip]
unknown_peers = "refuse"

[[interfaces]]
name = "tls"
transport = "tls"
bind = "NET.1:5061"
certificates = [{{ certificate = "tandem.pem", key = "tandem.key" }}]
trust = "ca.pem"

[[trunks]]
name = "teams"
profile = "direct_routing"
interface = "tls"
media = "sound"
fqdn = "{OURS}"
proxies = ["{PROXY}:5061"]
peers = ["NET.{THIRD}"]
peer_names = ["{PROXY}"]
srtp = "forbidden"
keep_alive_s = {keep_alive_s}

[[agents]]
id = "tia"
name = "Agent tia"
ring = {{ line = "teams", phone = "+14255550101" }}
queues = ["support"]
starts = "offline"
"#
        );
        let config = Config::plain(&lab).with_queue(15, 1).with_agent("ada", AGENT).and(&text);
        let tandem = Tandem::start(&lab, config);
        World { lab, authority, proxy, listener, _names: names, tandem }
    }

    fn address(&self) -> String {
        format!("{}:5061", self.lab.ip(TANDEM))
    }

    /// A connection that the proxy opens to the program.
    fn connect(&self) -> Connection {
        self.connect_as(Some(&self.proxy)).expect("a connection to the program")
    }

    fn connect_as(&self, identity: Option<&Identity>) -> std::io::Result<Connection> {
        let root = self.authority.root_pem();
        let from = &self.lab.ip(THIRD);
        Opening { from, root: &root, identity, versions: &[&TLS13, &TLS12], suite: None }
            .open(&self.address())
    }

    /// A request from the proxy's side; routed back to the proxy by its name.
    fn request(&self, method: &str, call: &str, body: &str) -> String {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:+15550199@{OURS}:5061;user=phone;transport=tls SIP/2.0\r\n\
             VIA: SIP/2.0/TLS {0}:5061;branch=z9hG4bK{call}{method}\r\n\
             FROM: <sip:+14255550199@{PROXY}:5061;user=phone>;tag=from{call}\r\n\
             TO: <sip:+15550199@{OURS}:5061;user=phone>\r\n\
             CALL-ID: {call}\r\nCSEQ: 1 {method}\r\nMAX-FORWARDS: 70\r\n\
             RECORD-ROUTE: <sip:{PROXY}:5061;transport=tls;lr>\r\n\
             CONTACT: <sip:api.{PROXY}:443;x-i=1234>\r\n{kind}CONTENT-LENGTH: {1}\r\n\r\n{body}",
            self.lab.ip(THIRD),
            body.len()
        )
    }

    /// An answer to a request of the program.
    fn answer(&self, request: &str, status: &str, body: &str) -> String {
        let copy = |name| header(request, name).unwrap_or_else(|| panic!("{name} in {request}"));
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "SIP/2.0 {status}\r\nVIA: {}\r\nFROM: {}\r\nTO: {};tag=to\r\nCALL-ID: {}\r\nCSEQ: {}\r\n\
             RECORD-ROUTE: <sip:{PROXY}:5061;transport=tls;lr>\r\n\
             CONTACT: <sip:api.{PROXY}:443;x-i=1234>\r\n{kind}CONTENT-LENGTH: {}\r\n\r\n{body}",
            copy("Via"),
            copy("From"),
            copy("To").split(";tag=").next().unwrap(),
            copy("Call-ID"),
            copy("CSeq"),
            body.len()
        )
    }

    /// A description of the proxy's sound.
    fn sdp(&self) -> String {
        sdp(&self.lab.ip(THIRD), PLAIN)
    }

    /// A caller is connected to the agent behind the proxy; the connection over which the program rang.
    fn rings_out(&self) -> (crate::parts::sipp::Running, Connection, String) {
        self.tandem.set_agent("ada", "offline");
        self.tandem.set_agent("tia", "available");
        let caller = Sipp::new(&self.lab, "caller", CALLER).once().pauses_ms(6000).args(&["-s", "+15550199"]);
        let caller = caller.calls(&self.lab.sip(TANDEM));
        let mut ours = self.listener.accept();
        let invite = ours.receive_one("INVITE ");
        ours.send(&self.answer(&invite, "180 Ringing", ""));
        ours.send(&self.answer(&invite, "200 OK", &self.sdp()));
        ours.receive_one("ACK ");
        (caller, ours, invite)
    }
}

/// A connection over which the program has sent nothing but answers.
#[track_caller]
fn carries_no_request(world: &World, theirs: &mut Connection) {
    theirs.send(&world.request("OPTIONS", "last-word", ""));
    theirs.receive_one("SIP/2.0 200 ");
}

#[test]
fn requests_go_over_our_own_connection_and_answers_over_that_of_the_request() {
    let world = World::new(0);
    let mut theirs = world.connect();
    theirs.send(&world.request("OPTIONS", "their-ping", ""));
    let answer = theirs.receive_one("SIP/2.0 200 ");
    assert!(header(&answer, "Contact").unwrap().contains(OURS), "{answer}");
    assert!(world.listener.is_idle(), "nothing was to be sent over a connection of our own yet");

    let (mut caller, ours, invite) = world.rings_out();
    assert_eq!(ours.asked_for.as_deref(), Some(PROXY), "the name that is asked for");
    assert_eq!(ours.names, [OURS], "our certificate in the client's role");
    assert_eq!(ours.remote.to_string(), world.lab.ip(TANDEM), "the address we are known by");
    assert!(header(&invite, "Contact").unwrap().contains(OURS), "{invite}");

    caller.ends_well();
    world.tandem.wait_closed(1).tells(&["connected tia", "conversation_ended caller", "closed handled"]);
    let mut ours = ours;
    let bye = ours.receive_one("BYE sip:api.sip.proxy.example:443;x-i=1234 ");
    assert!(header(&bye, "Route").unwrap().contains(PROXY), "{bye}");
    ours.send(&world.answer(&bye, "200 OK", ""));
    carries_no_request(&world, &mut theirs);
}

#[test]
fn a_call_outlives_the_connections_of_its_peer() {
    let world = World::new(0);
    let _agent = Sipp::new(&world.lab, "agent-hangs-up", AGENT).pauses_ms(6000).answers();
    let mut theirs = world.connect();
    theirs.send(&world.request("INVITE", "inbound", &world.sdp()));
    let answer = theirs.receive_one("SIP/2.0 200 ");
    let ack = world.request("ACK", "inbound", "");
    let to = format!("TO: {}\r\n", header(&answer, "To").unwrap());
    theirs.send(&ack.replace(&format!("TO: <sip:+15550199@{OURS}:5061;user=phone>\r\n"), &to));
    world.tandem.wait_stage("connected");
    drop(theirs);

    // The agent hangs up: the BYE goes to where the route points, over a connection that we open.
    let mut ours = world.listener.accept();
    let bye = ours.receive_one("BYE sip:api.sip.proxy.example:443;x-i=1234 ");
    assert_eq!(ours.asked_for.as_deref(), Some(PROXY));
    ours.send(&world.answer(&bye, "200 OK", ""));
    world.tandem.wait_closed(1).tells(&["connected ada", "conversation_ended agent", "closed handled"]);
}

#[test]
fn a_connection_of_ours_that_was_closed_is_opened_again() {
    let world = World::new(0);
    let (mut caller, ours, _) = world.rings_out();
    drop(ours);
    world.tandem.wait_stage("connected");
    let mut again = world.listener.accept();
    let bye = again.receive_one("BYE ");
    again.send(&world.answer(&bye, "200 OK", ""));
    caller.ends_well();
    world.tandem.wait_closed(1).tells(&["connected tia", "conversation_ended caller", "closed handled"]);
}

#[test]
fn our_options_come_over_one_connection_again_and_again() {
    let world = World::new(10);
    let mut ours = world.listener.accept();
    for _ in 0..2 {
        let options = ours.receive_one("OPTIONS ");
        assert!(header(&options, "Contact").unwrap().contains(OURS), "{options}");
        assert!(header(&options, "Allow").unwrap().contains("REFER"), "{options}");
        ours.send(&world.answer(&options, "200 OK", ""));
    }
    assert!(world.listener.is_idle());
    let trunks = world.tandem.get("/api/v1/trunks").to_string();
    assert!(trunks.contains("\"up\""), "{trunks}");
}

#[test]
fn certificates_are_judged_in_the_clients_role() {
    let world = World::new(0);
    let authority = &world.authority;
    let for_servers = authority.signs_with(&[PROXY], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let expired = authority.signs_with(&[PROXY], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let not_yet = authority.signs_with(&[PROXY], |params| params.not_before = date_time_ymd(2900, 1, 1));
    let unknown = Authority::stranger(&world.lab).signs(&[PROXY]);
    let other = authority.signs(&["sip.other.example"]);

    // Microsoft's certificates carry Server Authentication only, also when Microsoft calls.
    for (what, identity) in [("both usages", &world.proxy), ("server authentication only", &for_servers)] {
        let mut theirs = world.connect_as(Some(identity)).unwrap_or_else(|error| panic!("{what}: {error}"));
        theirs.send(&world.request("OPTIONS", "accepted", ""));
        theirs.receive_one("SIP/2.0 200 ");
    }
    // A certificate in order, of somebody else: believed, and nobody we know.
    let mut theirs = world.connect_as(Some(&other)).unwrap();
    theirs.send(&world.request("OPTIONS", "other", ""));
    theirs.receive_one("SIP/2.0 403 ");

    let refused = [
        ("expired", Some(&expired)),
        ("not yet valid", Some(&not_yet)),
        ("unknown", Some(&unknown)),
        ("none", None),
    ];
    for (what, identity) in refused {
        // With TLS 1.3 the refusal comes after the client's handshake is over.
        let answer = world.connect_as(identity).and_then(|mut theirs| {
            theirs.try_send(&world.request("OPTIONS", "refused", ""))?;
            theirs.try_receive()
        });
        assert!(answer.is_err(), "with the certificate {what:?}: {answer:?}");
    }
}

#[test]
fn tls_is_1_2_or_1_3_with_the_suites_that_microsoft_names() {
    let lab = Lab::new();
    let authority = Authority::new(&lab);
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    authority.writes_with_key("tandem", &[OURS], &key);
    let world = World::with(lab, authority, 0);
    let (root, from) = (world.authority.root_pem(), world.lab.ip(THIRD));
    let open = |versions, suite| {
        Opening { from: &from, root: &root, identity: Some(&world.proxy), versions, suite }
            .open(&world.address())
    };
    for (versions, suite) in [
        (&[&TLS12][..], Some(cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)),
        (&[&TLS12][..], Some(cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)),
        (&[&TLS13][..], None),
    ] {
        let mut theirs = open(versions, suite).unwrap_or_else(|error| panic!("{suite:?}: {error}"));
        theirs.send(&world.request("OPTIONS", "suite", ""));
        theirs.receive_one("SIP/2.0 200 ");
    }

    // TLS 1.1: a hello as it was written before 2008, with two suites of its time.
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x13, 0xc0, 0x14, 1, 0]);
    let extensions =
        [&[0, 10, 0, 4, 0, 2, 0, 23][..], &[0, 11, 0, 2, 1, 0], &[0, 13, 0, 4, 0, 2, 4, 1]].concat();
    hello.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    hello.extend(extensions);
    let length = u16::try_from(hello.len()).unwrap();
    let handshake = [&[1, 0][..], &length.to_be_bytes(), &hello].concat();
    let record = [&[0x16, 3, 1][..], &(length + 4).to_be_bytes(), &handshake].concat();
    let mut stream = TcpStream::connect(world.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&record).unwrap();
    let mut alert = [0; 7];
    stream.read_exact(&mut alert).unwrap();
    // A fatal alert: protocol_version.
    assert_eq!((alert[0], alert[5], alert[6]), (21, 2, 70), "{alert:?}");
}

#[test]
fn strangers_who_say_nothing_block_nobody_and_a_ping_is_answered() {
    let world = World::new(0);
    // From 127.0.0.1, from which no trunk takes anything; more than there are places for handshakes.
    let mut silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(world.address()).unwrap()).collect();
    for (number, stream) in silent.iter_mut().enumerate() {
        // The beginning of a record that never goes on. One that was closed already takes nothing.
        let _ = stream.write_all(&[0x16, 3, 1, 2, 0, 1][..number % 7]);
    }
    let mut theirs = world.connect();
    theirs.send("\r\n\r\n");
    assert_eq!(theirs.receive_bytes(2), "\r\n", "RFC 5626 section 3.5.1");
    theirs.send(&world.request("OPTIONS", "beside", ""));
    theirs.receive_one("SIP/2.0 200 ");
    drop(silent);
}
