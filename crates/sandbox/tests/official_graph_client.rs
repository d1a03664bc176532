//! Microsoft's own client library for Graph, unchanged, against the sandbox.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tandem_sandbox::config::AppConfig;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP, TANDEM_SECRET};
use tandem_sandbox::directory::AppId;

use crate::common::{config, start};
use crate::official_clients::run_node;

/// With TANDEM_GRAPH_RECORD the exchanges are written to that file, and the key that opens the notifications beside
/// it: scripts/check-contracts holds them against the contract.
#[tokio::test]
async fn the_graph_client_reads_follows_writes_and_subscribes() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["tandem.example".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let mut app = AppConfig::tandem();
    app.permissions.push("Application.Read.All".to_owned());
    let mut config = config("graph_client");
    config.apps = vec![app];
    config.web.record = std::env::var_os("TANDEM_GRAPH_RECORD").map(PathBuf::from);
    let record = config.web.record.clone();
    let sandbox = start(config).await;
    let addresses = sandbox.addresses();
    let key_file = match &record {
        Some(record) => record.with_extension("key.pem"),
        None => addresses.root.with_file_name("subscriber.key.pem"),
    };
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let scopes = ["User.Read", "Presence.Read.All"];
    let token = sandbox.cloud().with(|now, state| {
        let alice = state.directory.user_named("alice").unwrap().clone();
        let app = AppId::new(TANDEM_APP);
        state.entra.graph_user_token(now, &alice.tenant, &app, &alice.object_id, &scopes)
    });
    let environment = vec![
        ("NODE_EXTRA_CA_CERTS", addresses.root.display().to_string()),
        ("SANDBOX_HTTP", format!("http://localhost:{}", addresses.http.port())),
        ("SANDBOX_HTTPS", format!("https://localhost:{}", addresses.https.port())),
        ("TENANT", CONTOSO.to_owned()),
        ("APP", TANDEM_APP.to_owned()),
        ("SECRET", TANDEM_SECRET.to_owned()),
        ("USER_TOKEN", token),
        ("CERTIFICATE", STANDARD.encode(certificate.der())),
        ("KEY_FILE", key_file.display().to_string()),
    ];
    run_node("graph.test.mjs", environment).await;
}
