//! The configuration of a test, as an operator would write it.

use std::fmt;

use super::sound::{tone, wav};
use super::{Lab, http, lab};

/// The text of a configuration file.
pub(crate) struct Config {
    network: String,
    text: String,
}

impl Config {
    /// The program at its address, with music that can be recognised. No interface, nobody in it.
    pub(crate) fn new(lab: &Lab) -> Config {
        lab.write("music.wav", wav(tone::MUSIC, 2));
        lab.write("root", http::ROOT);
        let text = r#"
data = "data"
log = { level = "debug" }
http = { listen = "NET.1:8080", token_file = "root" }
prompts = { song = "music.wav" }

[[media]]
name = "sound"
bind = "NET.1"
ports = [20000, 29999]
"#;
        Config { network: lab.network().to_owned(), text: String::new() }.and(text)
    }

    /// With a line "lab" for telephones over UDP, and one "lab-tcp" for those over TCP.
    pub(crate) fn plain(lab: &Lab) -> Config {
        Config::new(lab).and(
            r#"
[[interfaces]]
name = "udp"
transport = "udp"
bind = "NET.1:5060"

[[interfaces]]
name = "tcp"
transport = "tcp"
bind = "NET.1:5060"

[[trunks]]
name = "lab"
profile = "carrier"
interface = "udp"
media = "sound"
peers = ["NET.0/24"]

[[trunks]]
name = "lab-tcp"
profile = "carrier"
interface = "tcp"
media = "sound"
peers = ["NET.0/24"]
"#,
        )
    }

    /// A line "carrier" over which numbers can be called: all of them are telephones at the customers' address.
    pub(crate) fn with_carrier(self) -> Config {
        self.and(&format!(
            r#"
[[trunks]]
name = "carrier"
profile = "carrier"
interface = "udp"
media = "sound"
proxies = ["NET.{host}:5060"]
peers = ["NET.{host}"]
"#,
            host = lab::CUSTOMER
        ))
    }

    /// More about the queue.
    pub(crate) fn queue(self, more: &str) -> Config {
        self.replacing("name = \"Support\"\n", &format!("name = \"Support\"\n{more}\n"))
    }

    /// More about an agent.
    pub(crate) fn agent(self, id: &str, more: &str) -> Config {
        let name = format!("name = \"Agent {id}\"\n");
        self.replacing(&name, &format!("{name}{more}\n"))
    }

    /// More about the step that lets direct callers into the queue.
    pub(crate) fn step(self, more: &str) -> Config {
        let step = "[flows.direct.steps.support]\n";
        self.replacing(step, &format!("{step}{more}\n"))
    }

    /// A further queue, and a number from which callers get straight into it. Its agents need no wrap-up.
    pub(crate) fn with_other_queue(self, id: &str, number: &str, more: &str) -> Config {
        self.and(&format!(
            r#"
[[queues]]
id = "{id}"
name = "Queue {id}"
wrap_up_s = 0
{more}

[[numbers]]
dialled = "{number}"
flow = "{id}"

[flows.{id}]
start = "queue"

[flows.{id}.steps.queue]
enqueue = "{id}"
"#
        ))
    }

    /// A menu that leads to the queue with 1, and the queue "support" with these times.
    pub(crate) fn with_queue(self, ring_s: u32, wrap_up_s: u32) -> Config {
        self.and(&format!(
            r#"
[[queues]]
id = "support"
name = "Support"
music = "song"
ring_timeout_s = {ring_s}
wrap_up_s = {wrap_up_s}

[[numbers]]
dialled = "+15550123"
flow = "main"

[[numbers]]
dialled = "+15550199"
flow = "direct"

[flows.main]
start = "menu"

[flows.main.steps.menu]
menu = {{ prompts = ["beep"], digits = {{ "1" = "support" }}, timeout_s = 30, retries = 0 }}

[flows.main.steps.support]
enqueue = "support"

[flows.direct]
start = "support"

[flows.direct.steps.support]
enqueue = "support"
"#
        ))
    }

    /// An agent of the queue at one of the lab's addresses.
    pub(crate) fn with_agent(self, id: &str, host: u8) -> Config {
        self.with_agent_at(id, "lab", &format!("sip:{id}@NET.{host}:5060"))
    }

    /// An agent of these queues at one of the lab's addresses.
    pub(crate) fn with_agent_of(self, queues: &[&str], id: &str, host: u8) -> Config {
        let of_one = self.with_agent_at(id, "lab", &format!("sip:{id}@NET.{host}:5060"));
        let (before, agent) = of_one.text.rsplit_once("queues = [\"support\"]").unwrap();
        let text = format!("{before}queues = {queues:?}{agent}");
        Config { text, ..of_one }
    }

    /// An agent of the queue at any address, over any line.
    pub(crate) fn with_agent_at(self, id: &str, line: &str, sip: &str) -> Config {
        self.and(&format!(
            r#"
[[agents]]
id = "{id}"
name = "Agent {id}"
ring = {{ line = "{line}", sip = "{sip}" }}
queues = ["support"]
starts = "available"
"#
        ))
    }

    /// One text in place of another, which must be there.
    pub(crate) fn replacing(mut self, from: &str, to: &str) -> Config {
        assert!(self.text.contains(from), "no {from:?} in {}", self.text);
        self.text = self.text.replace(from, &to.replace("NET", &self.network));
        self
    }

    /// More text. `NET` becomes the first three numbers of the lab's addresses.
    pub(crate) fn and(mut self, text: &str) -> Config {
        self.text.push_str(&text.replace("NET", &self.network));
        self
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The usual center: telephones over UDP and TCP, and "ada" at the first agent's address.
pub(crate) fn usual(lab: &Lab) -> Config {
    Config::plain(lab).with_queue(15, 1).with_agent("ada", lab::AGENT)
}
