//! Entra and Graph over the wire: two listeners, one service, and commands that never leave loopback.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::{config, http, raw_http, start};
use tandem_sandbox::SandboxError;
use tandem_sandbox::authority::{Authority, KeyKind};
use tandem_sandbox::config::app::CONTOSO;

#[tokio::test]
async fn another_address_is_refused_at_start() {
    let mut config = config("web-elsewhere");
    config.web.https = "0.0.0.0:0".parse().unwrap();
    let refused = tandem_sandbox::run(config, std::future::pending()).await;
    assert!(matches!(refused, Err(SandboxError::WebNotLoopback(_))));
}

#[tokio::test]
async fn https_proves_microsofts_names_and_those_of_this_machine() {
    let config = config("web-https");
    let folder = config.folder.clone();
    let sandbox = start(config).await;
    let authority = Authority::open(&folder, KeyKind::Ecdsa, std::time::SystemTime::now()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.trust().unwrap())
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let https = sandbox.addresses().https;
    for name in ["login.microsoftonline.com", "graph.microsoft.com", "localhost", "127.0.0.1"] {
        let stream = TcpStream::connect(https).await.unwrap();
        let mut stream = connector.connect(ServerName::try_from(name).unwrap(), stream).await.unwrap();
        let request = format!(
            "GET /{CONTOSO}/v2.0/.well-known/openid-configuration HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(
            answer.contains(&format!("\"token_endpoint\":\"https://{name}/{CONTOSO}/oauth2/v2.0/token\""))
        );
    }
    let stranger = TcpStream::connect(https).await.unwrap();
    let name = ServerName::try_from("www.microsoft.com").unwrap();
    assert!(connector.connect(name, stranger).await.is_err());
}

#[tokio::test]
async fn commands_answer_under_loopback_names_only_and_pages_under_any() {
    let sandbox = start(config("web-commands")).await;
    let at = sandbox.addresses().http;
    let (status, _) = raw_http(at, "GET", "/sandbox/directory", "evil.example", None).await;
    assert_eq!(status, 403);
    let (status, _) =
        raw_http(at, "GET", "/common/discovery/v2.0/keys", "login.microsoftonline.com", None).await;
    assert_eq!(status, 200);
    let (status, directory) = http(at, "GET", "/sandbox/directory", None).await;
    assert_eq!(status, 200);
    assert_eq!(directory["tenants"].as_array().unwrap().len(), 2);
    assert!(!directory.to_string().contains("password"));
}

#[tokio::test]
async fn everything_can_be_played_over_http() {
    let sandbox = start(config("web-play")).await;
    let at = sandbox.addresses().http;
    let send = |method: &'static str, path: &str, body| {
        let path = path.to_owned();
        async move { http(at, method, &path, body).await }
    };
    let app = "/sandbox/tenants/fabrikam.sbc1.contoso.example/apps/11111111-2222-4333-8444-555555555555";
    let ines = Some(json!({ "user": "ines" }));
    let (status, refusal) = send("POST", "/sandbox/tab-token", ines.clone()).await;
    assert_eq!((status, &refusal["error"]), (403, &json!("resourceRequiresConsent")));
    assert_eq!(send("PUT", app, None).await.0, 204);
    let (status, answer) = send("POST", "/sandbox/tab-token", ines.clone()).await;
    assert!(status == 200 && answer["token"].is_string(), "{answer}");
    assert_eq!(send("PUT", &format!("{app}/roles/Administrator/ines"), None).await.0, 204);
    assert_eq!(send("PUT", &format!("{app}/roles/Expert/Product"), None).await.0, 204, "a group");
    assert_eq!(send("PUT", &format!("{app}/roles/Pilot/ines"), None).await.0, 404);
    assert_eq!(send("DELETE", &format!("{app}/permissions/Presence.Read.All"), None).await.0, 204);
    assert_eq!(send("DELETE", app, None).await.0, 204);
    assert_eq!(send("DELETE", app, None).await.0, 409);

    let zoe = json!({ "id": "zoe", "name": "Zoe", "object_id": "", "department": "Sales" });
    let (status, added) = send("POST", &format!("/sandbox/tenants/{CONTOSO}/users"), Some(zoe)).await;
    assert!(status == 201 && added["object_id"].is_string(), "{added}");
    let group = format!("/sandbox/tenants/{CONTOSO}/groups/Sales/members/zoe");
    assert_eq!(send("PUT", &group, None).await.0, 204);
    assert_eq!(send("PATCH", "/sandbox/people/zoe", Some(json!({ "enabled": false }))).await.0, 204);
    assert_eq!(send("POST", "/sandbox/people/zoe/revoke", None).await.0, 204);
    assert_eq!(send("DELETE", "/sandbox/people/zoe", None).await.0, 204);
    assert_eq!(send("DELETE", "/sandbox/people/zoe", None).await.0, 404);

    let (_, before) = send("GET", "/sandbox/entra/keys", None).await;
    assert_eq!(send("POST", "/sandbox/entra/keys/roll", None).await.0, 204);
    let (_, after) = send("GET", "/sandbox/entra/keys", None).await;
    assert_eq!(after[0], before[1]);
    let old = format!("/sandbox/entra/keys/{}", before[0].as_str().unwrap());
    assert_eq!(send("DELETE", &old, None).await.0, 204);
    assert_eq!(send("DELETE", &old, None).await.0, 409);

    let policy = json!({ "mfa": ["alice"], "blocked": [], "group_overage": true });
    assert_eq!(send("PUT", "/sandbox/entra/policy", Some(policy.clone())).await.0, 204);
    assert_eq!(send("GET", "/sandbox/entra/policy", None).await.1, policy);
    let trouble = json!([{ "at": "keys", "status": 503 }]);
    assert_eq!(send("PUT", "/sandbox/entra/trouble", Some(trouble)).await.0, 204);
    assert_eq!(send("GET", "/common/discovery/v2.0/keys", None).await.0, 503);
    assert_eq!(send("PUT", "/sandbox/entra/trouble", Some(json!([{ "status": 200 }]))).await.0, 422);
    assert_eq!(send("DELETE", "/sandbox/entra/trouble", None).await.0, 204);
    assert_eq!(send("GET", "/common/discovery/v2.0/keys", None).await.0, 200);
    let (_, log) = send("GET", "/sandbox/entra/log", None).await;
    assert_eq!(log.as_array().unwrap().len(), 2, "{log}");

    let (status, forged) =
        send("POST", "/sandbox/token", Some(json!({ "user": "alice", "algorithm": "none" }))).await;
    assert!(status == 200 && forged["token"].as_str().unwrap().ends_with('.'));
}

#[tokio::test]
async fn the_clock_goes_forward_only() {
    let sandbox = start(config("web-clock")).await;
    let at = sandbox.addresses().http;
    let before = sandbox.cloud().now();
    assert_eq!(http(at, "PUT", "/sandbox/clock", Some(json!({ "ahead_s": 3600 }))).await.0, 204);
    assert!(sandbox.cloud().now().duration_since(before).as_secs() >= 3600);
    assert_eq!(http(at, "PUT", "/sandbox/clock", Some(json!({ "ahead_s": 60 }))).await.0, 422);
    assert_eq!(http(at, "GET", "/sandbox/clock", None).await.1, json!({ "ahead_s": 3600 }));
}
