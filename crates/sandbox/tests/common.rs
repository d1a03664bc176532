//! What the tests of the sandbox share: a sandbox of its own for each, and a small HTTP client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use tandem_sandbox::Running;
use tandem_sandbox::authority::KeyKind;
use tandem_sandbox::config::{SandboxConfig, WebConfig};
use tandem_sandbox::entra::KeyRing;
use tandem_sandbox::entra::keys::KEY_FILES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An empty folder that is this test's alone.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// The keys of Entra for all tests. RSA keys take long to make: they are made once, and kept between runs.
pub(crate) fn entra_keys() -> KeyRing {
    KeyRing::open(kept_keys()).unwrap()
}

/// The folder of those keys. Tests of this process wait for the first of them to make the keys; another
/// process may make some at the same time in a folder of its own, and whoever is first is taken by all.
fn kept_keys() -> &'static Path {
    static KEPT: LazyLock<PathBuf> = LazyLock::new(|| {
        let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("entra-keys");
        if !KEY_FILES.iter().all(|name| kept.join(name).is_file()) {
            let made = kept.with_file_name(format!("entra-keys-{}", std::process::id()));
            std::fs::create_dir_all(&made).unwrap();
            KeyRing::open(&made).unwrap();
            let _ = std::fs::rename(&made, &kept);
            let _ = std::fs::remove_dir_all(&made);
        }
        kept
    });
    &KEPT
}

/// Contoso on free ports, with quick keys.
pub(crate) fn config(name: &str) -> SandboxConfig {
    let (folder, kept) = (folder(name), kept_keys());
    std::fs::create_dir_all(&folder).unwrap();
    for name in KEY_FILES {
        std::fs::copy(kept.join(name), folder.join(name)).unwrap();
    }
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut config = SandboxConfig {
        folder,
        keys: KeyKind::Ecdsa,
        dns: any,
        control: any,
        web: WebConfig::on_free_ports(),
        ..Default::default()
    };
    config.seed = Some(1);
    config.proxies.port = 0;
    config.carrier = None;
    config
}

/// A sandbox that runs until the test ends.
pub(crate) async fn start(config: SandboxConfig) -> Running {
    tandem_sandbox::run(config, std::future::pending()).await.unwrap()
}

/// One request to the control; gives the status and the JSON, null if there is none.
pub(crate) async fn http(at: SocketAddr, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let (status, text) = raw_http(at, method, path, &at.to_string(), body).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// One request to the control under any Host.
pub(crate) async fn raw_http(
    at: SocketAddr,
    method: &str,
    path: &str,
    host: &str,
    body: Option<Value>,
) -> (u16, String) {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let talk = async {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::time::timeout(LONG, talk).await.expect("the control answers");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// Nothing on loopback takes so long; a test that waits it out has failed.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// Reads events until one fits; gives it. Fails when none comes in a long time.
pub(crate) async fn event(at: SocketAddr, fits: impl Fn(&Value) -> bool) -> Value {
    let search = async {
        let mut after = 0;
        loop {
            let path = format!("/events?after={after}&wait_ms=20000");
            let (_, events) = http(at, "GET", &path, None).await;
            for event in events.as_array().unwrap_or_else(|| panic!("{events}")) {
                after = event["number"].as_u64().unwrap();
                if fits(event) {
                    return event.clone();
                }
            }
        }
    };
    match tokio::time::timeout(LONG, search).await {
        Ok(event) => event,
        Err(_) => panic!("no such event: {:#}", http(at, "GET", "/events", None).await.1),
    }
}

/// Whether an event tells that a tone near that pitch is heard.
pub(crate) fn hears_tone(event: &Value, kind: &str, hz: u64) -> bool {
    event["event"] == kind && event["sound"]["tone"].as_u64().is_some_and(|heard| heard.abs_diff(hz) <= 4)
}

/// Waits until Graph shows somebody's activity; fails when it does not come in a long time.
pub(crate) async fn shows(web: SocketAddr, user: &str, activity: &str) {
    let watch = async {
        let mut path = "/sandbox/people".to_owned();
        loop {
            let (_, everybody) = http(web, "GET", &path, None).await;
            let tenants = everybody["tenants"].as_array().cloned().unwrap_or_default();
            let mut people = tenants.iter().flat_map(|tenant| tenant["people"].as_array().unwrap());
            let found = people
                .any(|person| person["id"] == user && person["presence"]["shown"]["activity"] == activity);
            if found {
                return;
            }
            if let Some(version) = everybody["version"].as_u64() {
                path = format!("/sandbox/people?version={version}&wait_ms=1000");
            }
        }
    };
    assert!(tokio::time::timeout(LONG, watch).await.is_ok(), "{user} is not shown {activity}");
}

/// Fails unless the list of violations is empty.
pub(crate) async fn assert_clean(at: SocketAddr) {
    let (_, violations) = http(at, "GET", "/violations", None).await;
    assert_eq!(violations, serde_json::json!([]));
}
