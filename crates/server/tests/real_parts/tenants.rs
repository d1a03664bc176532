//! Two customers on one program: each is called over a trunk of both by its own numbers, has people, queues, music and
//! messages of its own, and sees nothing of the other.

use serde_json::{Value, json};

use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM};
use crate::parts::sound::wav;
use crate::parts::{Config, Lab, Sipp, Tandem, http, tone};

/// A customer with one queue and one agent, whose telephone rings at a host. Both use the same ids.
fn customer(lab: &Lab, name: &str, number: &str, host: u8, music: u32) {
    lab.write(&format!("{name}.wav"), wav(music, 2));
    let text = format!(
        r#"
prompts = {{ song = "{name}.wav" }}

[[agents]]
id = "ada"
name = "Ada of {name}"
ring = {{ line = "lab", sip = "sip:ada@{at}" }}
queues = ["support"]
starts = "available"

[[queues]]
id = "support"
name = "Support of {name}"
music = "song"
wrap_up_s = 0
when_no_agents = {{ voicemail = true }}
voicemail = {{ greeting = ["beep"], silence_s = 3 }}

[[numbers]]
dialled = "{number}"
flow = "main"

[flows.main]
start = "queue"

[flows.main.steps.queue]
enqueue = "support"
"#,
        at = lab.sip(host)
    );
    lab.write(&format!("{name}.toml"), text);
}

/// Both customers on one program, which is asked on behalf of one of them.
struct House {
    lab: Lab,
    tandem: Tandem,
}

impl House {
    fn new() -> House {
        let lab = Lab::new();
        customer(&lab, "north", "+15550101", AGENT, tone::MUSIC);
        customer(&lab, "south", "+15550202", SECOND_AGENT, tone::THIRD);
        let tenants = r#"
[tenants.north]
name = "North"
file = "north.toml"

[tenants.south]
name = "South"
file = "south.toml"
"#;
        let config = Config::plain(&lab).replacing("prompts = { song = \"music.wav\" }\n", "").and(tenants);
        let tandem = Tandem::start(&lab, config);
        House { lab, tandem }
    }

    fn get(&self, tenant: &str, path: &str) -> Value {
        let (status, body) = http::ask_of(&self.tandem.address(), tenant, "GET", path, None).unwrap();
        assert_eq!(status, 200, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    fn closed(&self, tenant: &str) -> Vec<Value> {
        self.get(tenant, "/api/v1/calls?state=closed")["calls"].as_array().unwrap().clone()
    }

    fn wait_closed(&self, tenant: &str) -> Value {
        crate::parts::until("a call is closed", || self.closed(tenant).into_iter().next())
    }
}

#[test]
fn the_number_says_whose_a_call_is_and_only_the_people_of_that_customer_are_rung() {
    let house = House::new();
    let north = Sipp::new(&house.lab, "agent", AGENT).pauses_ms(50).says(tone::AGENT, 4.0).answers();
    let south = Sipp::new(&house.lab, "agent", SECOND_AGENT)
        .named("agent-south")
        .pauses_ms(50)
        .says(tone::AGENT, 4.0)
        .answers();
    let caller = Sipp::new(&house.lab, "caller", CALLER).once().dials("+15550202").pauses_ms(3500);
    let mut caller = caller.says(tone::CALLER, 3.4).calls(&house.lab.sip(TANDEM));
    caller.ends_well();
    let call = house.wait_closed("south");
    assert_eq!(call["agent"], "ada");
    south.ear().heard().has(tone::CALLER);
    drop(north);
    assert!(house.closed("north").is_empty(), "the other customer has seen nothing");
    let number = house.get("north", "/api/v1/queues")["number"].as_u64().unwrap();
    let later = house.get("north", "/api/v1/queues")["number"].as_u64().unwrap();
    assert_eq!(number, later);
    let totals =
        |tenant: &str| house.get(tenant, "/api/v1/queues")["queues"][0]["totals"]["answered"].clone();
    assert_eq!((totals("north"), totals("south")), (json!(0), json!(1)));
}

#[test]
fn a_number_of_nobody_is_refused_and_is_in_no_journal() {
    let house = House::new();
    let caller = Sipp::new(&house.lab, "caller-refused", CALLER).once().dials("+15550999");
    caller.calls(&house.lab.sip(TANDEM)).ends_well();
    for tenant in ["north", "south"] {
        assert!(house.closed(tenant).is_empty(), "{tenant}");
    }
}

#[test]
fn each_waits_with_its_own_music_and_its_messages_lie_apart() {
    let house = House::new();
    let breaks = json!({ "state": "offline" });
    let put =
        http::ask_of(&house.tandem.address(), "south", "PUT", "/api/v1/agents/ada/state", Some(&breaks));
    assert_eq!(put.unwrap().0, 200);
    let caller = Sipp::new(&house.lab, "caller", CALLER).once().dials("+15550202").pauses_ms(5000);
    caller.says(tone::CALLER, 4.0).presses("0.5:1").calls(&house.lab.sip(TANDEM)).ends_well();
    let folder = |tenant: &str| house.lab.path(&format!("data/recordings/{tenant}"));
    // While it is written it has another name.
    let recording = crate::parts::until("the message is kept", || {
        let mut files = folder("south").read_dir().ok()?.filter_map(|file| Some(file.ok()?.path()));
        files.find(|file| file.extension().is_some_and(|kind| kind == "wav"))
    });
    assert!(!folder("north").exists());
    let id = recording.file_stem().unwrap().to_str().unwrap().to_owned();
    let path = format!("/api/v1/recordings/{id}");
    let (status, _) = http::ask_of(&house.tandem.address(), "north", "GET", &path, None).unwrap();
    assert_eq!(status, 404, "another customer's message is not there");
    let (status, _) = http::ask_of(&house.tandem.address(), "south", "GET", &path, None).unwrap();
    assert_eq!(status, 200);
}

#[test]
fn ada_of_the_one_is_not_ada_of_the_other() {
    let house = House::new();
    let breaks = json!({ "state": "break" });
    let put =
        http::ask_of(&house.tandem.address(), "north", "PUT", "/api/v1/agents/ada/state", Some(&breaks));
    assert_eq!(put.unwrap().0, 200);
    let state = |tenant: &str| house.get(tenant, "/api/v1/agents/ada")["state"].clone();
    assert_eq!((state("north"), state("south")), (json!("break"), json!("available")));
    let (status, body) =
        http::ask_of(&house.tandem.address(), "east", "GET", "/api/v1/agents/ada", None).unwrap();
    assert_eq!(status, 404, "{body}");
}
