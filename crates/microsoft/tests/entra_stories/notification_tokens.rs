//! The token beside Graph's change notifications is Graph's, for us, and of the tenant it vouches for.

use serde_json::{Value, json};
use tandem_microsoft::entra::token::{GRAPH_CHANGE_TRACKING, TokenFault};

use crate::world::*;

fn vouched(claims: &Value) -> Result<tandem_microsoft::id::EntraTenantId, TokenFault> {
    rules().check_notification(&Signer::entra().token(claims), &keys(), NOW)
}

#[test]
fn graph_vouches_in_either_version() {
    let tracking = GRAPH_CHANGE_TRACKING.to_string();
    let second = program(json!({"azp": tracking, "roles": null}));
    let first = program(json!({
        "ver": "1.0", "iss": format!("https://sts.windows.net/{FABRIKAM}/"), "tid": FABRIKAM,
        "azp": null, "appid": tracking, "roles": null,
    }));
    assert_eq!(vouched(&second), Ok(tenant(CONTOSO)));
    assert_eq!(vouched(&first), Ok(tenant(FABRIKAM)));
}

#[test]
fn nobody_else_vouches() {
    let other = program(json!({}));
    assert_eq!(vouched(&other), Err(TokenFault::Caller(FABRIKAM.parse().unwrap())));
    let for_another = program(json!({"azp": GRAPH_CHANGE_TRACKING.to_string(), "aud": FABRIKAM}));
    assert_eq!(vouched(&for_another), Err(TokenFault::Audience));
    let old = program(json!({"azp": GRAPH_CHANGE_TRACKING.to_string(), "exp": NOW.0 - 1000}));
    assert!(matches!(vouched(&old), Err(TokenFault::Expired(_))));
    let forged = program(json!({"azp": GRAPH_CHANGE_TRACKING.to_string()}));
    assert_eq!(
        rules().check_notification(&Signer::stranger().token(&forged), &keys(), NOW),
        Err(TokenFault::Signature)
    );
}
