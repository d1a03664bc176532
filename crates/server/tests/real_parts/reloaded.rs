//! The configuration changes while calls go on: agents, customers and trunks come, and nobody who calls notices.

use serde_json::{Value, json};

use crate::parts::authority::Authority;
use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM, THIRD};
use crate::parts::peer::Opening;
use crate::parts::{Config, Lab, Sipp, Tandem, http, tone, until};

/// An agent whose telephone rings at a host, for the file of one who is alone or of a customer.
fn agent(lab: &Lab, id: &str, line: &str, host: u8) -> String {
    format!(
        r#"
[[agents]]
id = "{id}"
name = "Agent {id}"
ring = {{ line = "{line}", sip = "sip:{id}@{at}" }}
queues = ["support"]
starts = "available"
"#,
        at = lab.sip(host)
    )
}

fn queue(number: &str) -> String {
    format!(
        r#"
[[queues]]
id = "support"
name = "Support"
wrap_up_s = 0

[[numbers]]
dialled = "{number}"
flow = "main"

[flows.main]
start = "queue"

[flows.main.steps.queue]
enqueue = "support"
"#
    )
}

/// One UDP interface and a trunk for a few telephones.
fn network(lab: &Lab) -> Config {
    Config::new(lab).replacing("prompts = { song = \"music.wav\" }\n", "").and(&format!(
        r#"
[[interfaces]]
name = "udp"
transport = "udp"
bind = "NET.{TANDEM}:5060"
{}"#,
        trunk("lab", &[CALLER, AGENT], "")
    ))
}

fn trunk(name: &str, hosts: &[u8], more: &str) -> String {
    let peers: Vec<String> = hosts.iter().map(|host| format!("\"NET.{host}\"")).collect();
    format!(
        "\n[[trunks]]\nname = \"{name}\"\nprofile = \"carrier\"\ninterface = \"udp\"\nmedia = \"sound\"\n\
         peers = [{}]\n{more}\n",
        peers.join(", ")
    )
}

const NORTH: &str = "\n[tenants.north]\nname = \"North\"\nfile = \"north.toml\"\n";
const SOUTH: &str = "\n[tenants.south]\nname = \"South\"\nfile = \"south.toml\"\n";

/// Writes the file anew and has it brought into force.
fn reload(lab: &Lab, tandem: &Tandem, config: &Config) -> (u16, Value) {
    lab.write("tandem.toml", config.to_string());
    let asked = http::ask(&tandem.address(), "POST", "/api/v1/configuration/reload", None);
    let (status, body) = asked.unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

#[test]
fn a_customer_comes_with_a_trunk_while_another_talks() {
    let lab = Lab::new();
    lab.write("north.toml", agent(&lab, "ada", "lab", AGENT) + &queue("+15550101"));
    let tandem = Tandem::start(&lab, network(&lab).and(NORTH));
    let _north = Sipp::new(&lab, "agent", AGENT).pauses_ms(50).says(tone::AGENT, 7.0).answers();
    let talking = Sipp::new(&lab, "caller", CALLER).once().dials("+15550101").pauses_ms(6000);
    let mut talking = talking.says(tone::CALLER, 5.5).calls(&lab.sip(TANDEM));
    let of = |tenant: &str, path: &str| {
        let (status, body) = http::ask_of(&tandem.address(), tenant, "GET", path, None).unwrap();
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    until("north talks", || {
        (of("north", "/api/v1/calls").1["calls"][0]["stage"] == "connected").then_some(())
    });
    assert_eq!(of("south", "/api/v1/queues").0, 404, "there is no such customer yet");

    lab.write("south.toml", agent(&lab, "zoe", "far", SECOND_AGENT) + &queue("+15550202"));
    let far = trunk("far", &[THIRD, SECOND_AGENT], "tenant = \"south\"");
    let (status, told) = reload(&lab, &tandem, &network(&lab).and(&far).and(NORTH).and(SOUTH));
    assert_eq!(status, 200, "{told}");
    let wanted = json!({
        "tenants_added": ["south"], "tenants_changed": [], "trunks_added": ["far"], "people_changed": 0
    });
    assert_eq!(told, wanted);

    let south = Sipp::new(&lab, "agent", SECOND_AGENT).named("south").pauses_ms(50);
    let south = south.says(tone::AGENT, 3.0).answers();
    let caller = Sipp::new(&lab, "caller", THIRD).named("second").once().dials("+15550202").pauses_ms(2500);
    caller.says(tone::CALLER, 2.4).calls(&lab.sip(TANDEM)).ends_well();
    south.ear().heard().has(tone::CALLER);
    talking.ends_well();
    let closed = |tenant| {
        until("the call is closed", || {
            of(tenant, "/api/v1/calls?state=closed").1["calls"].as_array()?.first().cloned()
        })
    };
    assert_eq!(
        (closed("north")["agent"].clone(), closed("south")["agent"].clone()),
        (json!("ada"), json!("zoe"))
    );

    let acts = |path: &str| of("south", path).1["acts"][0].clone();
    assert_eq!(acts("/api/v1/audit")["act"], "configuration.reload", "who came knows by whom");
    let told = &acts("/api/v1/installation/audit");
    assert_eq!(
        (&told["act"], &told["detail"]["tenants_added"]),
        (&json!("configuration.reload"), &json!("south"))
    );

    let (status, told) = reload(&lab, &tandem, &network(&lab).and(&far).and(NORTH).and(SOUTH));
    assert_eq!((status, &told["tenants_added"]), (200, &json!([])), "the same again changes nothing: {told}");
}

#[test]
fn an_agent_who_is_hired_takes_the_caller_who_waits() {
    let lab = Lab::new();
    let alone = |agents: &str| network(&lab).and(agents).and(&queue("+15550101"));
    let away = agent(&lab, "ada", "lab", AGENT).replace("\"available\"", "\"offline\"");
    let tandem = Tandem::start(&lab, alone(&away));
    let _bea = Sipp::new(&lab, "agent", AGENT).pauses_ms(50).says(tone::AGENT, 4.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().dials("+15550101").pauses_ms(5000);
    let mut caller = caller.says(tone::CALLER, 4.0).calls(&lab.sip(TANDEM));
    let waiting = tandem.wait_stage("waiting");

    let both = away + &agent(&lab, "bea", "lab", AGENT);
    lab.write("tandem.toml", alone(&both).to_string());
    tandem.hang_up();
    let talking = tandem.wait_stage("connected");
    assert_eq!((&talking["id"], &talking["agent"]), (&waiting["id"], &json!("bea")));
    let told = tandem.get("/api/v1/installation/audit")["acts"][0].clone();
    assert_eq!((&told["act"], &told["who"]), (&json!("configuration.reload"), &json!("console")));
    caller.ends_well();
    tandem.wait_closed(1);
}

#[test]
fn what_cannot_come_into_force_changes_nothing() {
    let lab = Lab::new();
    let alone =
        |more: &str| network(&lab).and(more).and(&agent(&lab, "ada", "lab", AGENT)).and(&queue("+15550101"));
    let tandem = Tandem::start(&lab, alone(""));
    let bea = agent(&lab, "bea", "lab", AGENT);

    let (status, told) = reload(&lab, &tandem, &alone(&bea.replace("[\"support\"]", "[\"sales\"]")));
    assert_eq!((status, &told["code"]), (422, &json!("configuration_faulty")));
    assert!(told["message"].as_str().unwrap().contains("agents.bea.queues"), "{told}");

    let (status, told) = reload(&lab, &tandem, &alone(&bea).replacing("[20000, 29999]", "[20000, 25000]"));
    assert_eq!((status, &told["code"]), (409, &json!("restart_needed")));
    assert!(told["message"].as_str().unwrap().contains("media"), "{told}");

    let agents = tandem.get("/api/v1/agents");
    assert_eq!(agents["agents"].as_array().unwrap().len(), 1, "{agents}");
    let (status, told) = reload(&lab, &tandem, &alone(&bea));
    assert_eq!((status, &told["tenants_changed"]), (200, &json!(["default"])), "{told}");
    let agents = tandem.get("/api/v1/agents");
    assert_eq!(agents["agents"].as_array().unwrap().len(), 2, "{agents}");
}

#[test]
fn a_renewed_certificate_is_shown_to_whoever_comes_next() {
    let lab = Lab::new();
    let authority = Authority::new(&lab);
    let signs = |names: &[&str]| {
        let identity = authority.signs(names);
        lab.write("sbc.pem", identity.certificate);
        lab.write("sbc.key", identity.key);
    };
    signs(&["sbc1.contoso.example"]);
    let config = Config::new(&lab).replacing("prompts = { song = \"music.wav\" }\n", "").and(&format!(
        r#"
[[interfaces]]
name = "udp"
transport = "tls"
bind = "NET.{TANDEM}:5061"
certificates = [{{ certificate = "sbc.pem", key = "sbc.key" }}]
trust = "ca.pem"
client_certificate = "optional"
{}"#,
        trunk("lab", &[CALLER], "")
    ));
    let tandem = Tandem::start(&lab, &config);
    let root = authority.root_pem();
    let connect = || {
        let (from, versions) = (lab.ip(CALLER), rustls::ALL_VERSIONS);
        let opening = Opening { from: &from, root: &root, identity: None, versions, suite: None };
        opening.open(&format!("{}:5061", lab.ip(TANDEM))).unwrap()
    };
    let mut before = connect();
    assert_eq!(before.names, ["sbc1.contoso.example"]);

    let other = authority.signs(&["sbc1.contoso.example"]);
    lab.write("sbc.key", other.key);
    let (status, told) = reload(&lab, &tandem, &config);
    assert_eq!((status, &told["code"]), (422, &json!("configuration_faulty")), "{told}");
    assert!(told["message"].as_str().unwrap().contains("interfaces.udp.certificates"), "{told}");
    assert_eq!(connect().names, ["sbc1.contoso.example"], "what was good is shown on");

    signs(&["sbc1.contoso.example", "*.sbc1.contoso.example"]);
    let (status, told) = reload(&lab, &tandem, &config);
    assert_eq!(status, 200, "{told}");
    assert_eq!(connect().names, ["sbc1.contoso.example", "*.sbc1.contoso.example"]);
    let at = lab.ip(CALLER);
    before.send(&format!(
        "OPTIONS sip:tandem SIP/2.0\r\nVia: SIP/2.0/TLS {at};branch=z9hG4bK1\r\nFrom: <sip:a@{at}>;tag=1\r\n\
         To: <sip:tandem>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ));
    assert!(before.receive().starts_with("SIP/2.0 200"), "a connection that is open goes on");
}
