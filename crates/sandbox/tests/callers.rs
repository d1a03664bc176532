//! Callers of the carrier, over real UDP; the border controller is another carrier, whose people answer.

use std::net::SocketAddr;

use serde_json::json;
use tandem_sandbox::Running;
use tandem_sandbox::config::{CarrierConfig, StreamConfig};

use crate::common::{config, event, hears_tone, http, start};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Two sandboxes whose carriers face each other; the first one's callers call the second one's people.
pub(crate) async fn facing(name: &str, stream: Option<StreamConfig>) -> (Running, Running) {
    let mut far = config(&format!("{name}-far"));
    far.carrier = Some(CarrierConfig { address: address("127.0.0.11:0"), ..CarrierConfig::default() });
    let far = start(far).await;
    let border = far.addresses().carrier.unwrap();
    let mut near = config(&format!("{name}-near"));
    near.carrier =
        Some(CarrierConfig { address: address("127.0.0.10:0"), border, stream, ..CarrierConfig::default() });
    (start(near).await, far)
}

#[tokio::test]
async fn a_caller_is_heard_hears_presses_keys_and_hangs_up() {
    let (near, far) = facing("callers-script", None).await;
    let (at, far) = (near.addresses().control, far.addresses().control);
    let script = json!({
        "number": "+14255550100", "tone_hz": 770,
        "presses": [{"digits": "1", "at_ms": 0}, {"digits": "4#", "at_ms": 400}],
        "hang_up_after_ms": 2500
    });
    let (status, placed) = http(at, "POST", "/callers", Some(script)).await;
    assert_eq!((status, &placed["caller"]), (201, &json!(1)));
    event(at, |event| event["event"] == "caller_progress" && event["status"] == 180).await;
    event(at, |event| hears_tone(event, "caller_hears", 1650)).await;
    event(far, |event| hears_tone(event, "caller_hears", 770)).await;
    event(far, |event| event["event"] == "caller_digit" && event["digit"] == "#").await;
    let ended = event(far, |event| event["event"] == "caller_ended").await;
    assert_eq!(ended["by"], "border");
    let (_, callers) = http(far, "GET", "/callers", None).await;
    assert_eq!(callers[0]["heard"]["digits"], "14#");
    assert_eq!(callers[0]["script"]["from"], "+12065550142");
    let (_, callers) = http(at, "GET", "/callers", None).await;
    assert_eq!((&callers[0]["state"], &callers[0]["ended_by"]), (&json!("ended"), &json!("caller")));
}

#[tokio::test]
async fn a_caller_gives_up_before_the_answer() {
    let (near, far) = facing("callers-early", None).await;
    let script = json!({"number": "+14255550100", "give_up_after_ms": 300});
    http(near.addresses().control, "POST", "/callers", Some(script)).await;
    let ended = event(near.addresses().control, |event| event["event"] == "caller_ended").await;
    assert_eq!(ended["by"], "caller");
    event(far.addresses().control, |event| event["event"] == "caller_ended").await;
}

#[tokio::test]
async fn a_caller_who_hears_no_person_loses_patience() {
    let (near, _far) = facing("callers-patience", None).await;
    let script = json!({"number": "+14255550100", "patience_ms": 700, "talk_ms": 100_000});
    http(near.addresses().control, "POST", "/callers", Some(script)).await;
    let ended = event(near.addresses().control, |event| event["event"] == "caller_ended").await;
    assert_eq!(ended["by"], "caller");
}

#[tokio::test]
async fn callers_come_by_themselves() {
    let stream = StreamConfig { per_hour: 36_000, at_once_max: 3, ..StreamConfig::default() };
    let (near, _far) = facing("callers-stream", Some(stream)).await;
    let at = near.addresses().control;
    event(at, |event| event["event"] == "caller_answered" && event["caller"].as_u64() >= Some(2)).await;
    let (_, callers) = http(at, "GET", "/callers", None).await;
    assert!(callers.as_array().unwrap().len() <= 3);
    assert_eq!(http(at, "DELETE", "/callers/stream", None).await.0, 204);
    let (_, stream) = http(at, "GET", "/callers/stream", None).await;
    assert!(stream.is_null());
}

#[tokio::test]
async fn what_cannot_be_called_or_pressed_is_refused() {
    let (near, _far) = facing("callers-refused", None).await;
    let at = near.addresses().control;
    for script in
        [json!({"number": "sip:x"}), json!({"presses": [{"digits": "e", "at_ms": 0}]}), json!({"x": 1})]
    {
        assert_eq!(http(at, "POST", "/callers", Some(script)).await.0, 422);
    }
    assert_eq!(http(at, "POST", "/callers/9/press", Some(json!({"digits": "1"}))).await.0, 404);
    assert_eq!(http(at, "POST", "/callers/9/hangup", None).await.0, 404);
}
