//! The example in docs/ works as it stands, with a SIPp agent and nothing else.

use std::path::Path;

use crate::parts::{Lab, Sipp, Tandem, http, tone};

#[test]
fn the_documented_example_takes_a_call() {
    // It says 127.0.0.1 and well-known ports: one at a time on this machine.
    let lock = std::fs::File::create(std::env::temp_dir().join("tandem-example.lock")).unwrap();
    lock.lock().unwrap();
    let lab = Lab::new();
    let example = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tandem.example.toml"));
    let config = lab.write("tandem.toml", std::fs::read(example).unwrap());
    lab.write("tandem.token", http::ROOT);
    let tandem = Tandem::start_file(config, lab.path("tandem.log"), "127.0.0.1:8080".to_owned());

    let agent = Sipp::at(&lab, "agent", "127.0.0.1", 5090).pauses_ms(200).says(tone::AGENT, 3.0);
    let agent = agent.sound_at(17000).answers();
    let caller = Sipp::at(&lab, "caller", "127.0.0.1", 5070).once().pauses_ms(5000).says(tone::CALLER, 4.5);
    let mut caller = caller.presses("1:1").sound_at(17010).calls("127.0.0.1:5060");
    caller.ends_well();
    tandem.wait_closed(1).tells(&[
        "menu_chosen 1",
        "connected ada",
        "conversation_ended caller",
        "closed handled",
    ]);
    caller.ear().heard().has(tone::AGENT);
    agent.ear().heard().has(tone::CALLER);
}
