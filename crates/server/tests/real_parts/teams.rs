//! Agents in Teams, as the sandbox plays it by Microsoft's documents, with everything that needs a telephone that is
//! called, presses keys or speaks after a beep.

use serde_json::json;

use crate::parts::microsoft::{ALICE, BELA, Microsoft};
use crate::parts::{Config, Lab, Tandem};

const CALLBACK: &str = "overflow = [{ after_s = 1, then = { callback = true } }]\n\
    callback = { offer = [\"beep\"], line = \"carrier\", number = \"+15550199\" }";
const VOICEMAIL: &str =
    "when_no_agents = { voicemail = true }\nvoicemail = { greeting = [\"beep\"], silence_s = 3 }";

/// What a customer's telephone sends while nothing is to be heard of the customer.
const QUIET: &str = "silence";

fn with_agent(config: Config, id: &str, number: &str, more: &str) -> Config {
    config.and(&format!(
        "\n[[agents]]\nid = \"{id}\"\nname = \"{id}\"\nring = {{ line = \"teams\", phone = \"{number}\" }}\n\
         queues = [\"support\"]\n{more}\n"
    ))
}

#[test]
fn a_customer_is_called_back_by_an_agent_in_teams() {
    let lab = Lab::new();
    let microsoft = Microsoft::start(&lab);
    let config = microsoft.config(&lab).with_queue(15, 1).queue(CALLBACK);
    let tandem = Tandem::start(&lab, with_agent(config, "alice", ALICE, "starts = \"break\""));
    microsoft.wait_active();
    let presses = json!([{ "digits": "1", "at_ms": 500 }, { "digits": "1", "at_ms": 4000 }]);
    microsoft.customer_calls(json!({ "from": "+12065551234", "voice": QUIET, "presses": presses }));
    microsoft.wait_event("the customer's call is over", |event| event["event"] == "caller_ended");

    let phone = json!({ "reaction": { "answer": { "after_ms": 500 } }, "tone_hz": 850, "talk_ms": 2500 });
    microsoft.does("PUT", "/phones/+12065551234", &phone);
    tandem.set_agent("alice", "available");
    microsoft.wait_hears("call", 850);
    microsoft.wait_hears("caller", 440);
    let story = tandem.wait_closed(1);
    story.tells(&[
        "callback_promised",
        "offered alice",
        "callback_dialled",
        "connected alice",
        "closed handled",
    ]);
    let call = microsoft.wait_event("a call for alice", |event| event["event"] == "call_arrived");
    assert_eq!(call["from"], "+12065551234", "the agent sees the customer");
    microsoft.is_content();
}

#[test]
fn who_forwards_has_not_answered_and_who_presses_one_has() {
    let lab = Lab::new();
    let microsoft = Microsoft::start(&lab);
    let config = microsoft.config(&lab).with_queue(15, 1);
    let config = with_agent(config, "alice", ALICE, "starts = \"available\"");
    let config = with_agent(config, "bela", BELA, "confirm = true\nstarts = \"available\"");
    let tandem = Tandem::start(&lab, config);
    tandem.have_been_free_longest(&["alice", "bela"]);
    microsoft.wait_active();
    let forward = json!({ "reaction": { "forward": { "after_ms": 800, "answered_after_ms": 2000 } } });
    microsoft.does("PUT", "/users/alice", &forward);
    let presses = json!([{ "digits": "1", "at_ms": 1500 }]);
    let bela = json!({ "reaction": { "answer": { "after_ms": 500 } }, "presses": presses });
    microsoft.does("PUT", "/users/bela", &bela);
    let script = json!({ "tone_hz": 850, "presses": [{ "digits": "1", "at_ms": 500 }], "talk_ms": 2000 });
    microsoft.customer_calls(script);

    microsoft.wait_hears("caller", 550);
    microsoft.wait_hears("call", 850);
    tandem.wait_closed(1).tells(&[
        "offered alice",
        "ringing alice",
        "offer_ended alice forwarded",
        "offered bela",
        "connected bela",
        "closed handled",
    ]);
    microsoft.is_content();
}

#[test]
fn a_message_is_spoken_after_the_beep_and_heard_in_teams() {
    let lab = Lab::new();
    let microsoft = Microsoft::start(&lab);
    let config = microsoft.config(&lab).with_queue(15, 1).queue(VOICEMAIL);
    let tandem = Tandem::start(&lab, with_agent(config, "alice", ALICE, ""));
    microsoft.wait_active();
    let presses = json!([{ "digits": "1", "at_ms": 1500 }]);
    let script = json!({ "voice": QUIET, "tone_hz": 850, "presses": presses, "message_ms": 4000 });
    microsoft.customer_calls(script);
    microsoft.wait_event("the message is left", |event| event["event"] == "caller_spoke");
    tandem.wait_stage("waiting");

    tandem.set_agent("alice", "available");
    microsoft.wait_hears("call", 850);
    let story = tandem.wait_closed(1);
    story.tells(&["message_left", "queue_entered voicemail", "connected alice", "heard"]);
    microsoft.is_content();
}
