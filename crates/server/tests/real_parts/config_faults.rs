//! A configuration with any key wrong is refused, by `tandem check` and by `tandem serve`, and the message names the key
//! and the remedy.

use std::fmt::Write;
use std::process::Command;

use crate::parts::authority::Authority;
use crate::parts::process::run;
use crate::parts::sound::wav;
use crate::parts::tandem::PROGRAM;
use crate::parts::{Lab, lab};

/// Every key there is, each with a value that is right.
const RIGHT: &str = r#"
data = "data"

[http]
listen = "NET.1:8080"
certificate = "tandem.pem"
key = "tandem.key"
token_file = "token"

[log]
format = "text"
level = "info"

[dns]
servers = ["NET.9:5353"]

[sip]
unknown_peers = "drop"

[relay]
threads = 2

[[interfaces]]
name = "udp"
transport = "udp"
bind = "NET.1:5060"
advertised = "NET.1:5060"

[[interfaces]]
name = "tls"
transport = "tls"
bind = "NET.1:5061"
certificates = [{ certificate = "tandem.pem", key = "tandem.key" }]
trust = "ca.pem"
client_certificate = "required"

[[media]]
name = "sound"
bind = "NET.1"
advertised = "NET.1"
ports = [20000, 39999]

[[trunks]]
name = "lab"
profile = "carrier"
interface = "udp"
media = "sound"
proxies = ["NET.3:5060"]
peers = ["NET.0/24"]
srtp = "accepted"
latch = false
keep_alive_s = 60
user = "tandem"
password_file = "password"

[[trunks]]
name = "teams"
profile = "direct_routing"
interface = "tls"
media = "sound"
fqdn = "sbc1.contoso.example"
proxies = ["sip.proxy.example:5061"]
peers = ["52.112.0.0/14"]
peer_names = ["sip.proxy.example"]

[prompts]
welcome = "welcome.wav"

[[agents]]
id = "ada"
name = "Ada Byron"
ring = { line = "lab", sip = "sip:ada@NET.3" }
queues = ["support"]
starts = "available"

[[queues]]
id = "support"
name = "Support"
music = "music"
announce = ["welcome"]
ring_timeout_s = 15
wrap_up_s = 30
max_waiting = 1000
max_wait_s = 3600

[[numbers]]
dialled = "+15550123"
line = "lab"
flow = "main"

[flows.main]
start = "hello"

[flows.main.steps.hello]
play = ["welcome"]
then = "menu"

[flows.main.steps.menu]
menu = { prompts = ["beep"], digits = { "1" = "support" }, timeout_s = 5, retries = 2, invalid = ["beep"], otherwise = "support" }

[flows.main.steps.support]
enqueue = "support"
otherwise = "bye"

[flows.main.steps.bye]
hang_up = true

[flows.other]
file = "other.toml"

[offers]
missed_rest_s = 60
declined_rest_s = 30
unreachable_rest_s = 30

[limits]
calls = 5000
call_s = 43200
"#;

/// What is wrong: a text of the right file, the text in its place, and the key that must be named.
const WRONG: &[(&str, &str, &str)] = &[
    ("data = \"data\"", "data = 7", "data"),
    ("data = \"data\"", "data = \"password/below-a-file\"", "data"),
    ("data = \"data\"", "dada = \"data\"", "dada"),
    ("listen = \"NET.1:8080\"", "listen = \"everywhere\"", "listen"),
    (
        "listen = \"NET.1:8080\"\ncertificate = \"tandem.pem\"",
        "listen = \"0.0.0.0:8080\"",
        "http.certificate",
    ),
    ("certificate = \"tandem.pem\"\nkey", "certificate = \"missing.pem\"\nkey", "http.certificate"),
    ("certificate = \"tandem.pem\"\nkey", "certificate = \"password\"\nkey", "http.certificate"),
    ("key = \"tandem.key\"\ntoken", "key = \"missing.key\"\ntoken", "http.key"),
    ("key = \"tandem.key\"\ntoken", "key = \"other.key\"\ntoken", "http.key"),
    ("token_file = \"token\"", "token_file = \"missing\"", "http.token_file"),
    ("token_file = \"token\"", "token_file = \"password\"", "http.token_file"),
    ("token_file = \"token\"", "token_file = \"token\"\nframe_ancestors = [\"*\"]", "http.frame_ancestors"),
    (
        "token_file = \"token\"",
        "token_file = \"token\"\ntrusted_proxies = [\"0.0.0.0/0\"]",
        "http.trusted_proxies",
    ),
    ("format = \"text\"", "format = \"xml\"", "xml"),
    ("level = \"info\"", "level = \"loud\"", "loud"),
    ("servers = [\"NET.9:5353\"]", "servers = [\"dns.example\"]", "servers"),
    ("unknown_peers = \"drop\"", "unknown_peers = \"ignore\"", "ignore"),
    ("threads = 2", "threads = 0", "relay.threads"),
    ("threads = 2", "threads = 65", "relay.threads"),
    ("name = \"udp\"", "name = \"tls\"", "interfaces.tls"),
    ("transport = \"udp\"", "transport = \"sctp\"", "sctp"),
    ("bind = \"NET.1:5060\"", "bind = \"NET.1\"", "bind"),
    ("bind = \"NET.1:5060\"", "bind = \"192.0.2.1:5060\"", "interfaces.udp"),
    (
        "bind = \"NET.1:5060\"\nadvertised = \"NET.1:5060\"",
        "bind = \"0.0.0.0:5060\"",
        "interfaces.udp.advertised",
    ),
    ("advertised = \"NET.1:5060\"", "advertised = \"a b\"", "interfaces.udp.advertised"),
    (
        "advertised = \"NET.1:5060\"",
        "certificates = [{ certificate = \"tandem.pem\", key = \"tandem.key\" }]",
        "interfaces.udp.certificates",
    ),
    (
        "certificates = [{ certificate = \"tandem.pem\", key = \"tandem.key\" }]",
        "",
        "interfaces.tls.certificates",
    ),
    ("[{ certificate = \"tandem.pem\",", "[{ certificate = \"missing.pem\",", "interfaces.tls.certificates"),
    ("[{ certificate = \"tandem.pem\",", "[{ certificate = \"password\",", "interfaces.tls.certificates"),
    ("key = \"tandem.key\" }]", "key = \"other.key\" }]", "interfaces.tls.certificates"),
    ("trust = \"ca.pem\"", "trust = \"missing.pem\"", "interfaces.tls.trust"),
    ("trust = \"ca.pem\"", "trust = \"password\"", "interfaces.tls.trust"),
    ("client_certificate = \"required\"", "client_certificate = \"never\"", "never"),
    ("name = \"sound\"\nbind = \"NET.1\"", "name = \"sound\"\nbind = \"here\"", "bind"),
    ("name = \"sound\"\nbind = \"NET.1\"", "name = \"sound\"\nbind = \"192.0.2.1\"", "media.sound"),
    (
        "name = \"sound\"\nbind = \"NET.1\"\nadvertised = \"NET.1\"",
        "name = \"sound\"\nbind = \"0.0.0.0\"",
        "media.sound.advertised",
    ),
    ("ports = [20000, 39999]", "ports = [20000]", "ports"),
    ("ports = [20000, 39999]", "ports = [20999, 20000]", "media.sound.ports"),
    ("ports = [20000, 39999]", "ports = [80, 20000]", "media.sound.ports"),
    ("name = \"teams\"", "name = \"lab\"", "trunks.lab"),
    ("profile = \"carrier\"", "profile = \"zoom\"", "zoom"),
    ("interface = \"udp\"", "interface = \"upd\"", "trunks.lab.interface"),
    ("interface = \"tls\"", "interface = \"udp\"", "trunks.teams.interface"),
    ("interface = \"udp\"\nmedia = \"sound\"", "interface = \"udp\"\nmedia = \"noise\"", "trunks.lab.media"),
    ("fqdn = \"sbc1.contoso.example\"", "", "trunks.teams.fqdn"),
    ("fqdn = \"sbc1.contoso.example\"", "fqdn = \"203.0.113.10\"", "trunks.teams.fqdn"),
    ("proxies = [\"NET.3:5060\"]", "proxies = [\"sip:NET.3\"]", "trunks.lab.proxies"),
    ("peers = [\"NET.0/24\"]", "peers = [\"NET.0/42\"]", "trunks.lab.peers"),
    ("peers = [\"NET.0/24\"]", "peers = [\"sip.example.com\"]", "trunks.lab.peers"),
    ("peers = [\"NET.0/24\"]", "", "trunks.lab.peers"),
    ("peer_names = [\"sip.proxy.example\"]", "peer_names = \"sip.proxy.example\"", "peer_names"),
    ("srtp = \"accepted\"", "srtp = \"maybe\"", "maybe"),
    ("latch = false", "latch = \"no\"", "latch"),
    ("keep_alive_s = 60", "keep_alive_s = 5", "trunks.lab.keep_alive_s"),
    ("user = \"tandem\"", "", "trunks.lab.user"),
    ("password_file = \"password\"", "password_file = \"missing\"", "trunks.lab.password_file"),
    ("welcome = \"welcome.wav\"", "welcome = \"missing.wav\"", "prompts.welcome"),
    ("welcome = \"welcome.wav\"", "welcome = \"password\"", "prompts.welcome"),
    ("id = \"ada\"", "id = \"a b\"", "agents"),
    ("name = \"Ada Byron\"", "name = \"\"", "agents.ada.name"),
    ("line = \"lab\", sip", "line = \"bal\", sip", "agents.ada.ring.line"),
    ("sip = \"sip:ada@NET.3\"", "sip = \"ada\"", "agents.ada.ring"),
    ("sip = \"sip:ada@NET.3\"", "phone = \"0049 89\"", "agents.ada.ring"),
    ("sip = \"sip:ada@NET.3\"", "sip = \"sip:ada@NET.3\", phone = \"+14255550101\"", "agents.ada.ring"),
    ("queues = [\"support\"]", "queues = [\"suport\"]", "agents.ada.queues"),
    ("starts = \"available\"", "starts = \"asleep\"", "asleep"),
    ("id = \"support\"", "id = \"\"", "queues"),
    ("name = \"Support\"", "name = \"\"", "queues.support.name"),
    ("music = \"music\"", "music = \"noise\"", "queues.support.music"),
    ("announce = [\"welcome\"]", "announce = [\"wellcome\"]", "queues.support.announce"),
    ("ring_timeout_s = 15", "ring_timeout_s = 4", "queues.support.ring_timeout_s"),
    ("wrap_up_s = 30", "wrap_up_s = 3601", "queues.support.wrap_up_s"),
    ("max_waiting = 1000", "max_waiting = 100001", "queues.support.max_waiting"),
    ("max_wait_s = 3600", "max_wait_s = 9", "queues.support.max_wait_s"),
    ("dialled = \"+15550123\"", "dialled = \"help\"", "numbers"),
    ("line = \"lab\"\nflow", "line = \"bal\"\nflow", "line"),
    ("flow = \"main\"", "flow = \"mane\"", "flow"),
    ("start = \"hello\"", "start = \"hallo\"", "flows.main.start"),
    ("play = [\"welcome\"]", "play = []", "flows.main.steps.hello.play"),
    ("play = [\"welcome\"]", "play = [\"wellcome\"]", "flows.main.steps.hello.play"),
    ("then = \"menu\"", "then = \"menue\"", "flows.main.steps.hello.then"),
    ("prompts = [\"beep\"]", "prompts = [\"peep\"]", "flows.main.steps.menu.menu.prompts"),
    ("\"1\" = \"support\"", "\"A\" = \"support\"", "flows.main.steps.menu.menu.digits"),
    ("\"1\" = \"support\"", "\"1\" = \"suport\"", "flows.main.steps.menu.menu.digits"),
    ("timeout_s = 5", "timeout_s = 0", "flows.main.steps.menu.menu.timeout_s"),
    ("retries = 2", "retries = 11", "flows.main.steps.menu.menu.retries"),
    ("invalid = [\"beep\"]", "invalid = [\"peep\"]", "flows.main.steps.menu.menu.invalid"),
    ("otherwise = \"support\" }", "otherwise = \"suport\" }", "flows.main.steps.menu.menu.otherwise"),
    ("enqueue = \"support\"", "enqueue = \"suport\"", "flows.main.steps.support.enqueue"),
    ("otherwise = \"bye\"", "otherwise = \"by\"", "flows.main.steps.support.otherwise"),
    ("hang_up = true", "hang_up = false", "flows.main.steps.bye"),
    ("file = \"other.toml\"", "file = \"missing.toml\"", "flows.other.file"),
    ("file = \"other.toml\"", "file = \"password\"", "flows.other.file"),
    ("file = \"other.toml\"", "file = \"other.toml\"\nstart = \"bye\"", "flows.other"),
    ("missed_rest_s = 60", "missed_rest_s = 86401", "offers.missed_rest_s"),
    ("declined_rest_s = 30", "declined_rest_s = 0", "offers.declined_rest_s"),
    ("unreachable_rest_s = 30", "unreachable_rest_s = 0", "offers.unreachable_rest_s"),
    ("calls = 5000", "calls = 0", "limits.calls"),
    ("call_s = 43200", "call_s = 59", "limits.call_s"),
    ("[limits]", "[limit]", "limit"),
    ("[limits]", "[limits", "line 1"),
];

fn folder() -> Lab {
    let lab = Lab::new();
    let authority = Authority::new(&lab);
    authority.writes("tandem", &["sbc1.contoso.example", &lab.ip(lab::TANDEM)]);
    authority.writes("other", &["sbc2.contoso.example"]);
    lab.write("token", "0123456789abcdef0123456789abcdef");
    lab.write("password", "secret");
    lab.write("welcome.wav", wav(440, 1));
    lab.write("other.toml", "start = \"bye\"\n[steps.bye]\nhang_up = true\n");
    lab
}

/// Whether the program takes a file, and what it says, the same on every machine.
fn judge(lab: &Lab, how: &[&str], text: &str) -> (Option<i32>, String) {
    let file = lab.write("tandem.toml", text.replace("NET", lab.network()));
    // `serve` with a file in order would serve on: it is given a while.
    let mut command = Command::new("timeout");
    let (code, said) = run(command.args(["60", PROGRAM]).args(how).arg("--config").arg(file));
    let said = said.replace(&lab.folder().display().to_string(), "FOLDER").replace(lab.network(), "NET");
    (code, said)
}

#[test]
fn every_wrong_key_is_named_with_its_remedy() {
    let lab = folder();
    let (code, said) = judge(&lab, &["check", "--offline"], RIGHT);
    assert_eq!(code, Some(0), "the right file is right: {said}");

    let mut all = String::new();
    let mut faults = Vec::new();
    for (right, wrong, key) in WRONG {
        assert_eq!(RIGHT.matches(right).count(), 1, "{right:?} stands once in the right file");
        let text = RIGHT.replace(right, wrong);
        let shown = wrong.lines().last().unwrap_or("nothing");
        let (checked, check_says) = judge(&lab, &["check", "--offline"], &text);
        let (served, serve_says) = judge(&lab, &["serve"], &text);
        for (how, code, said) in [("check", checked, &check_says), ("serve", served, &serve_says)] {
            if code != Some(1) || !said.contains(key) {
                faults.push(format!(
                    "tandem {how} with `{shown}` exits {code:?} and does not name {key}: {said}"
                ));
            }
        }
        writeln!(all, "{}\n{}", wrong.replace('\n', " | "), serve_says.trim_end()).unwrap();
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), WRONG.len(), faults.join("\n"));
    insta::assert_snapshot!("messages", all);
}
