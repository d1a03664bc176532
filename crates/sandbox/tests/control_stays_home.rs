//! The control never leaves loopback.

use crate::common::{config, http, raw_http, start};
use tandem_sandbox::SandboxError;

#[tokio::test]
async fn another_address_is_refused_at_start() {
    let mut config = config("control-elsewhere");
    config.control = "0.0.0.0:0".parse().unwrap();
    let refused = tandem_sandbox::run(config, std::future::pending()).await;
    assert!(matches!(refused, Err(SandboxError::ControlNotLoopback(_))));
}

#[tokio::test]
async fn a_page_under_a_foreign_name_is_refused() {
    let sandbox = start(config("control-rebound")).await;
    let control = sandbox.addresses().control;
    let (status, _) = raw_http(control, "GET", "/", "evil.example:80", None).await;
    assert_eq!(status, 403);
    for host in ["localhost:8090", "127.0.0.1", "[::1]:80"] {
        assert_eq!(raw_http(control, "GET", "/", host, None).await.0, 200, "{host}");
    }
}

#[tokio::test]
async fn it_says_where_everything_is() {
    let sandbox = start(config("control-addresses")).await;
    let (status, addresses) = http(sandbox.addresses().control, "GET", "/", None).await;
    assert_eq!(status, 200);
    assert_eq!(addresses["dns"], sandbox.addresses().dns.to_string());
    let root = std::fs::read_to_string(addresses["root"].as_str().unwrap()).unwrap();
    assert!(root.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[tokio::test]
async fn stopped_means_closed() {
    let sandbox = start(config("control-stopped")).await;
    let control = sandbox.addresses().control;
    sandbox.stop().await;
    assert!(tokio::net::TcpStream::connect(control).await.is_err());
}
