//! Nobody is there: the caller leaves a message, and an agent hears it later.

use std::os::unix::fs::PermissionsExt;

use crate::parts::lab::{AGENT, CALLER, TANDEM};
use crate::parts::{Config, Lab, Sipp, Sound, Tandem, tone};

fn center(lab: &Lab) -> Tandem {
    let voicemail =
        "when_no_agents = { voicemail = true }\nvoicemail = { greeting = [\"beep\"], silence_s = 3 }";
    let config = Config::plain(lab).with_queue(15, 1).queue(voicemail).with_agent("ada", AGENT);
    Tandem::start(lab, config.replacing("starts = \"available\"", "starts = \"offline\""))
}

#[test]
fn a_message_is_left_by_hanging_up_and_heard_by_an_agent() {
    let lab = Lab::new();
    let tandem = center(&lab);
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(6000).says(tone::CALLER, 5.5);
    caller.presses("0.5:1").calls(&lab.sip(TANDEM)).ends_well();
    tandem.wait_stage("waiting");

    let folder = lab.path("data/recordings");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let message = Sound::read(file);
    message.has(tone::CALLER);
    message.has_not(1000);
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(file)), (0o700, 0o600), "it is nobody else's business");

    let ada = Sipp::new(&lab, "agent", AGENT).pauses_ms(100).says(tone::AGENT, 8.0).answers();
    tandem.set_agent("ada", "available");
    let story = tandem.wait_closed(1);
    story.tells(&[
        "message_begun",
        "message_left party_left",
        "queue_entered voicemail",
        "connected ada",
        "heard",
    ]);
    ada.ear().heard().has(tone::CALLER);
}

/// How a message ends whose caller presses these keys and waits for the end of the call.
fn ends(keys: &str) -> String {
    let lab = Lab::new();
    let tandem = center(&lab);
    let caller = Sipp::new(&lab, "caller-hears-bye", CALLER).once().says(tone::CALLER, 5.0).presses(keys);
    caller.calls(&lab.sip(TANDEM)).ends_well();
    let story = tandem.story(tandem.wait_stage("waiting")["id"].as_u64().unwrap());
    story.of("message_left")[0]["end"].as_str().unwrap().to_owned()
}

#[test]
fn a_message_ends_with_a_key() {
    assert_eq!(ends("0.5:1,4:#"), "complete");
}

#[test]
fn a_message_ends_with_silence() {
    assert_eq!(ends("0.5:1"), "silence");
}

#[test]
fn who_says_nothing_leaves_nothing() {
    let lab = Lab::new();
    let tandem = center(&lab);
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(4000).says(tone::CALLER, 0.9);
    caller.presses("0.5:1").calls(&lab.sip(TANDEM)).ends_well();
    tandem.wait_closed(1).tells(&["message_begun", "message_missed", "closed"]);
    let folder = lab.path("data/recordings");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn a_message_survives_a_power_failure() {
    let lab = Lab::new();
    let mut tandem = center(&lab);
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(4000).says(tone::CALLER, 3.5);
    caller.presses("0.5:1").calls(&lab.sip(TANDEM)).ends_well();
    tandem.wait_stage("waiting");
    // What was being recorded at that moment belongs to nobody any more.
    let folder = lab.path("data/recordings");
    std::fs::write(folder.join("00000000000000ff.part"), b"half a message").unwrap();
    tandem.kill_and_restart();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);

    let ada = Sipp::new(&lab, "agent", AGENT).pauses_ms(100).says(tone::AGENT, 6.0).answers();
    tandem.set_agent("ada", "available");
    tandem.wait_closed(1).tells(&["message_left", "connected ada", "heard"]);
    ada.ear().heard().has(tone::CALLER);
}
