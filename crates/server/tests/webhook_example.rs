//! The example of a program that takes events, run as it stands in docs/examples.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use axum::http::StatusCode;
use common::Shop;
use serde_json::{Value, json};
use tandem::outbound::{Outbound, OutboundSettings};
use tandem::transport::resolve::Resolver;
use tandem::webhooks::signature::{Secrets, SigningSecret};
use tandem_microsoft::http::{Method, Request};

/// The program while it runs.
struct Example {
    program: Child,
    printed: Option<BufReader<ChildStdout>>,
    url: String,
}

impl Example {
    async fn start(folder: &Path) -> Example {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/webhook_receiver/receiver.py");
        let mut program = Command::new("python3")
            .arg(path)
            .args(["--port", "0", "--secret"])
            .arg(folder.join("secret.txt"))
            .arg("--last")
            .arg(folder.join("last.txt"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there");
        let printed = program.stdout.take().map(BufReader::new);
        let mut example = Example { program, printed, url: String::new() };
        example.url = example.line().await;
        example
    }

    /// The next line that it prints.
    async fn line(&mut self) -> String {
        let mut printed = self.printed.take().unwrap();
        let (printed, line) = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            printed.read_line(&mut line).unwrap();
            (printed, line)
        })
        .await
        .unwrap();
        self.printed = Some(printed);
        line.trim().to_owned()
    }

    async fn event(&mut self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[tokio::test]
async fn the_example_takes_what_is_signed_new_and_not_old() {
    let shop = Shop::open().await;
    let mut example = Example::start(shop.path()).await;
    let wanted = json!({ "url": example.url, "types": ["call.arrived"] }).to_string();
    let (status, created) = shop.post("/api/v1/webhooks", &wanted).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let (id, secret) = (created["webhook"]["id"].as_str().unwrap(), created["secret"].as_str().unwrap());
    std::fs::write(shop.path().join("secret.txt"), secret).unwrap();

    shop.call(1).await;
    let first = example.event().await;
    assert_eq!(first["type"], "call.arrived");

    // Told again, it is taken and not done again: the next that is printed is the test.
    let again = json!({ "number": first["number"] }).to_string();
    let (_, resent) = shop.post(&format!("/api/v1/webhooks/{id}/resend"), &again).await;
    assert_eq!(resent["taken"], true, "{resent}");
    let (_, test) = shop.post(&format!("/api/v1/webhooks/{id}/test"), "").await;
    assert_eq!(test["taken"], true, "{test}");
    assert_eq!(example.event().await["type"], "webhook.test");

    // Whoever wants to do it again sets back what is remembered, and asks for a replay.
    let before = first["number"].as_u64().unwrap() - 1;
    std::fs::write(shop.path().join("last.txt"), format!("{before}\n")).unwrap();
    let (status, replayed) =
        shop.post(&format!("/api/v1/webhooks/{id}/replay"), &json!({ "after": before }).to_string()).await;
    assert_eq!(status, StatusCode::OK, "{replayed}");
    let again = example.event().await;
    assert_eq!((&again["id"], &again["number"]), (&first["id"], &first["number"]));

    // While the secret is replaced, the old one is good for as long as it is said.
    let (_, rotated) = shop.post(&format!("/api/v1/webhooks/{id}/secret"), "").await;
    shop.call(2).await;
    assert_eq!(example.event().await["type"], "call.arrived");
    std::fs::write(shop.path().join("secret.txt"), rotated["secret"].as_str().unwrap()).unwrap();
    shop.call(3).await;
    assert_eq!(example.event().await["type"], "call.arrived");

    let body = json!({ "id": "evt_default_9", "number": 1_000_000, "type": "call.arrived" }).to_string();
    let now = i64::try_from(tandem::identity::now().as_millis()).unwrap();
    let good = Secrets::new(SigningSecret::parse(rotated["secret"].as_str().unwrap()).unwrap());
    let forged = Secrets::new(SigningSecret::new([7; 32]));
    let ten_minutes = 600_000;
    for (what, secrets, at_ms, said, status) in [
        ("by somebody else", &forged, now, &*body, 401),
        ("old", &good, now - ten_minutes, &*body, 401),
        ("of the future", &good, now + ten_minutes, &*body, 401),
        ("changed on the way", &good, now, "{}", 401),
        ("good", &good, now, &*body, 204),
    ] {
        let mut request = Request::new(Method::Post, &example.url)
            .header("webhook-id", "evt_default_9")
            .header("webhook-timestamp", (at_ms / 1_000).to_string())
            .header("webhook-signature", secrets.signature("evt_default_9", at_ms, body.as_bytes()));
        request.body = said.as_bytes().to_vec();
        assert_eq!(plain().send(request).await.unwrap().status, status, "{what}");
    }
    assert_eq!(example.event().await["number"], 1_000_000);
}

fn plain() -> Outbound {
    let resolver = Resolver::new(&["127.0.0.1:1".parse().unwrap()]).unwrap();
    Outbound::new(&OutboundSettings::microsoft(None), resolver).unwrap()
}
