//! Telephones on the carrier's side that are called: each does what it was told, over real UDP.

use serde_json::{Value, json};
use tandem_sandbox::config::StreamConfig;

use crate::callers::facing;
use crate::common::{event, hears_tone, http};

/// Lets somebody call a telephone that does this; gives the controls of caller and telephone.
async fn called(name: &str, phone: Value) -> (std::net::SocketAddr, std::net::SocketAddr, impl Sized) {
    let (near, far) = facing(name, None).await;
    let (at, there) = (near.addresses().control, far.addresses().control);
    assert_eq!(http(there, "PUT", "/phones/+14255550177", Some(phone)).await.0, 204);
    http(at, "POST", "/callers", Some(json!({"number": "+14255550177", "tone_hz": 440}))).await;
    (at, there, (near, far))
}

#[tokio::test]
async fn one_that_is_busy_refuses_and_one_that_declines_rings_first() {
    let (at, _, _running) = called("phones-busy", json!({"reaction": "busy"})).await;
    let ended = event(at, |event| event["event"] == "caller_ended").await;
    assert_eq!((&ended["by"], &ended["status"]), (&json!("border"), &json!(486)));
    let (at, _, _running) = called("phones-no", json!({"reaction": {"decline": {"after_ms": 100}}})).await;
    event(at, |event| event["event"] == "caller_progress" && event["status"] == 180).await;
    let ended = event(at, |event| event["event"] == "caller_ended").await;
    assert_eq!(ended["status"], 603);
}

#[tokio::test]
async fn one_that_sends_the_call_on_says_so_before_somebody_else_answers() {
    let forward = json!({"reaction": {"forward": {"after_ms": 50, "answered_after_ms": 100}}});
    let (at, _, _running) = called("phones-forward", forward).await;
    event(at, |event| event["event"] == "caller_progress" && event["status"] == 181).await;
    event(at, |event| hears_tone(event, "caller_hears", 1850)).await;
}

#[tokio::test]
async fn a_voicemail_greets() {
    let (at, _, _running) = called("phones-mail", json!({"reaction": {"voicemail": {"after_ms": 50}}})).await;
    event(at, |event| hears_tone(event, "caller_hears", 1950)).await;
}

#[tokio::test]
async fn whoever_answers_presses_keys_and_hangs_up() {
    let phone = json!({
        "reaction": {"answer": {"after_ms": 0}},
        "presses": [{"digits": "1", "at_ms": 100}], "hang_up_after_ms": 800
    });
    let (at, there, _running) = called("phones-press", phone).await;
    event(at, |event| event["event"] == "caller_digit" && event["digit"] == "1").await;
    let ended = event(there, |event| event["event"] == "caller_ended").await;
    assert_eq!(ended["by"], "caller");
    event(at, |event| event["event"] == "caller_ended" && event["by"] == "border").await;
}

#[tokio::test]
async fn a_telephone_that_is_not_told_otherwise_answers() {
    let (at, there, _running) = called("phones-default", json!({"reaction": "no_answer"})).await;
    let (_, phones) = http(there, "GET", "/phones", None).await;
    assert_eq!(phones["+14255550177"]["reaction"], "no_answer");
    event(at, |event| event["event"] == "caller_progress" && event["status"] == 180).await;
    assert_eq!(http(there, "DELETE", "/phones/+14255550177", None).await.0, 204);
    http(at, "POST", "/callers", Some(json!({"number": "+14255550177"}))).await;
    event(at, |event| event["event"] == "caller_answered" && event["caller"] == 2).await;
    let (_, callers) = http(at, "GET", "/callers", None).await;
    assert_eq!(callers[0]["state"], "calling", "the first one is still waiting");
}

#[tokio::test]
async fn keys_that_no_telephone_has_are_refused() {
    let (near, _far) = facing("phones-keys", None).await;
    let phone = json!({"presses": [{"digits": "x", "at_ms": 0}]});
    assert_eq!(http(near.addresses().control, "PUT", "/phones/1", Some(phone)).await.0, 422);
}

#[tokio::test]
async fn a_caller_who_hears_a_beep_leaves_a_message() {
    let (near, far) = facing("phones-message", None).await;
    let (at, there) = (near.addresses().control, far.addresses().control);
    let beep = json!({"reaction": {"answer": {"after_ms": 0}}, "tone_hz": 1000});
    http(there, "PUT", "/phones/+14255550177", Some(beep)).await;
    let script = json!({
        "number": "+14255550177", "voice": "silence", "tone_hz": 440,
        "message_ms": 700, "message_ends": "#", "patience_ms": 60_000
    });
    http(at, "POST", "/callers", Some(script)).await;
    event(there, |event| hears_tone(event, "caller_hears", 440)).await;
    event(at, |event| event["event"] == "caller_spoke").await;
    event(there, |event| event["event"] == "caller_digit" && event["digit"] == "#").await;
    let (_, callers) = http(at, "GET", "/callers", None).await;
    assert_eq!(callers[0]["state"], "talking", "a key ends the message, not the call");
}

#[tokio::test]
async fn callers_of_the_stream_press_for_a_callback_and_hang_up_after_a_message() {
    let stream = StreamConfig {
        per_hour: 36_000,
        at_once_max: 4,
        digits: [].into(),
        callback_percent: 100,
        callback_digit: '7',
        callback_after_ms: 0,
        message_s: 1,
        ..StreamConfig::default()
    };
    let (near, far) = facing("phones-stream", Some(stream)).await;
    let (at, there) = (near.addresses().control, far.addresses().control);
    let beep = json!({"reaction": {"answer": {"after_ms": 0}}, "tone_hz": 1000});
    http(there, "PUT", "/phones/+14255550100", Some(beep)).await;
    event(at, |event| event["event"] == "caller_spoke").await;
    event(at, |event| event["event"] == "caller_ended" && event["by"] == "caller").await;
    event(there, |event| event["event"] == "caller_digit" && event["digit"] == "7").await;
}
