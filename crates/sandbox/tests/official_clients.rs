//! Microsoft's own client libraries, unchanged, against the sandbox: what they take for Microsoft's is faithful enough.
//!
//! They are packages of npm, pinned in tests/microsoft, and `make test` installs them. Without them these tests fail.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use aws_lc_rs::digest::{SHA256, digest};

use crate::common::{config, start};
use tandem_sandbox::config::AppConfig;
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP, TANDEM_EXPIRED_SECRET, TANDEM_SECRET};

/// Runs the tests of one file with Node.js; fails with what it said.
pub(crate) async fn run_node(file: &str, environment: Vec<(&'static str, String)>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/microsoft");
    assert!(
        folder.join("node_modules/@azure/msal-node").is_dir(),
        "Microsoft's client libraries are not installed: run `npm ci` in tests/microsoft, as `make test` does"
    );
    let mut command = Command::new("node");
    command.arg("--test").arg(file).current_dir(folder).envs(environment).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = output.expect("Node.js 20 or later is needed: https://nodejs.org");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn msal_signs_in_programs_and_people() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["tandem.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut config = config("msal");
    config.apps = vec![AppConfig { certificates: vec![certificate.pem()], ..AppConfig::tandem() }];
    let sandbox = start(config).await;
    let addresses = sandbox.addresses();
    let key_file = addresses.root.with_file_name("client.key.pem");
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let thumbprint: String =
        digest(&SHA256, certificate.der()).as_ref().iter().map(|octet| format!("{octet:02X}")).collect();
    let environment = vec![
        ("NODE_EXTRA_CA_CERTS", addresses.root.display().to_string()),
        ("SANDBOX_HTTP", format!("http://localhost:{}", addresses.http.port())),
        ("SANDBOX_HTTPS", format!("https://localhost:{}", addresses.https.port())),
        ("TENANT", CONTOSO.to_owned()),
        ("OTHER_TENANT", FABRIKAM.to_owned()),
        ("APP", TANDEM_APP.to_owned()),
        ("SECRET", TANDEM_SECRET.to_owned()),
        ("OLD_SECRET", TANDEM_EXPIRED_SECRET.to_owned()),
        ("KEY_FILE", key_file.display().to_string()),
        ("THUMBPRINT", thumbprint),
    ];
    run_node("msal.test.mjs", environment).await;
}
