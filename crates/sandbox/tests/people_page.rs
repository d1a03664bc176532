//! The page of people in a real browser.

use crate::common::{config, start};
use crate::official_clients::run_node;

#[tokio::test]
async fn people_are_played_by_mouse_and_by_keyboard() {
    let sandbox = start(config("people_page")).await;
    let http = format!("http://localhost:{}", sandbox.addresses().http.port());
    run_node("people.test.mjs", vec![("SANDBOX_HTTP", http)]).await;
}
