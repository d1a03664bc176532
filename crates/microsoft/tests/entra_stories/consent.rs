//! A customer's administrator lets Tandem in, and nobody else can.

use std::time::Duration;

use serde_json::json;
use tandem_microsoft::entra::cloud::Cloud;
use tandem_microsoft::entra::consent::{
    CONSENT_WAIT, ConsentCallback, ConsentFault, ConsentProof, ConsentRequest, Stage,
};
use tandem_microsoft::entra::token::UserToken;
use tandem_microsoft::id::EntraTenantId;
use tandem_microsoft::secret::Secret;

use crate::world::*;

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";

fn asked(tenant: Option<EntraTenantId>) -> (String, ConsentProof) {
    let cloud = Cloud::public();
    ConsentRequest {
        cloud: &cloud,
        client: client(),
        redirect_uri: "https://tandem.example/consented",
        tenant,
    }
    .begin(NOW, &mut random())
}

fn given(proof: &ConsentProof, tenant: &str) -> ConsentCallback {
    let text = format!(
        "admin_consent=True&tenant={tenant}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&state={}",
        proof.state().expose()
    );
    ConsentCallback::parse(&text).unwrap()
}

fn came_in(changes: serde_json::Value) -> UserToken {
    let token = Signer::entra().token(&signed_in("nonce", changes));
    rules().check_sign_in(&token, &keys(), &Secret::new("nonce"), NOW).unwrap()
}

#[test]
fn consent_counts_after_both_proofs_in_either_order() {
    for token_first in [true, false] {
        let (address, mut proof) = asked(None);
        let (host, query) = address.split_once('?').unwrap();
        assert_eq!(host, "https://login.microsoftonline.com/organizations/v2.0/adminconsent");
        assert_eq!(field(&fields(query.as_bytes()), "scope"), "https://graph.microsoft.com/.default");
        assert_eq!(field(&fields(query.as_bytes()), "state"), proof.state().expose());

        let callback = given(&proof, CONTOSO);
        assert_eq!(proof.returned(callback, NOW), Ok(tenant(CONTOSO)));
        let administrator = came_in(json!({"wids": [REPORTS_READER, GLOBAL_ADMINISTRATOR]}));
        if token_first {
            let stage = proof.got_token(tenant(CONTOSO), NOW).unwrap();
            assert!(matches!(stage, Stage::Returned { has_token: true, administrator: None, .. }));
            proof.signed_in(&administrator, NOW).unwrap();
        } else {
            let stage = proof.signed_in(&administrator, NOW).unwrap();
            assert!(matches!(stage, Stage::Returned { has_token: false, administrator: Some(_), .. }));
            proof.got_token(tenant(CONTOSO), NOW).unwrap();
        }
        assert_eq!(proof.stage(), Stage::Proved { tenant: tenant(CONTOSO), administrator: person(ASA) });
    }
}

#[test]
fn a_claimed_tenant_is_not_believed() {
    // Somebody of Contoso calls our address with Fabrikam's id, where others have consented before.
    let (_, mut proof) = asked(None);
    let callback = given(&proof, FABRIKAM);
    assert_eq!(proof.returned(callback, NOW), Ok(tenant(FABRIKAM)));
    proof.got_token(tenant(FABRIKAM), NOW).unwrap();
    let of_contoso = came_in(json!({"wids": [GLOBAL_ADMINISTRATOR]}));
    assert_eq!(proof.signed_in(&of_contoso, NOW), Err(ConsentFault::OtherTenant(tenant(CONTOSO))));
    assert!(matches!(proof.stage(), Stage::Returned { administrator: None, .. }));
    assert_eq!(proof.got_token(tenant(CONTOSO), NOW), Err(ConsentFault::OtherTenant(tenant(CONTOSO))));
}

#[test]
fn the_tenant_that_was_meant_is_the_one_that_consents() {
    let (address, mut proof) = asked(Some(tenant(CONTOSO)));
    assert!(address.starts_with(&format!("https://login.microsoftonline.com/{CONTOSO}/v2.0/adminconsent?")));
    let callback = given(&proof, FABRIKAM);
    assert_eq!(proof.returned(callback, NOW), Err(ConsentFault::OtherTenant(tenant(FABRIKAM))));
    assert_eq!(proof.stage(), Stage::Asked);
}

#[test]
fn only_an_administrator_of_the_tenant_vouches() {
    let (_, mut proof) = asked(None);
    let callback = given(&proof, CONTOSO);
    proof.returned(callback, NOW).unwrap();
    for (changes, fault) in [
        (json!({"wids": []}), ConsentFault::NotAdministrator),
        (json!({"wids": [REPORTS_READER]}), ConsentFault::NotAdministrator),
        (json!({"wids": [GLOBAL_ADMINISTRATOR], "acct": 1}), ConsentFault::NotAdministrator),
        (json!({}), ConsentFault::RolesUnknown),
        (json!({"roles": ["Administrator"]}), ConsentFault::RolesUnknown),
    ] {
        assert_eq!(proof.signed_in(&came_in(changes), NOW), Err(fault.clone()));
        assert!(!fault.code().is_empty() && !fault.remedy().is_empty());
    }
    let mut asked_graph = came_in(json!({}));
    asked_graph.directory_roles = Some(vec![GLOBAL_ADMINISTRATOR.parse().unwrap()]);
    assert!(proof.signed_in(&asked_graph, NOW).is_ok());
}

#[test]
fn steps_come_in_order_once_and_in_time() {
    let (_, mut proof) = asked(None);
    assert_eq!(proof.got_token(tenant(CONTOSO), NOW), Err(ConsentFault::TooEarly));
    let stranger = ConsentCallback { state: Secret::new("guessed"), outcome: Ok(tenant(CONTOSO)) };
    assert_eq!(proof.returned(stranger, NOW), Err(ConsentFault::UnknownState));
    let callback = given(&proof, CONTOSO);
    assert_eq!(proof.returned(callback.clone(), NOW.after(CONSENT_WAIT)), Err(ConsentFault::Late));
    proof.returned(callback.clone(), NOW).unwrap();
    assert_eq!(proof.returned(callback, NOW), Err(ConsentFault::UnknownState));
    let late = NOW.after(CONSENT_WAIT + Duration::from_secs(1));
    assert_eq!(proof.got_token(tenant(CONTOSO), late), Err(ConsentFault::Late));
}

#[test]
fn who_declines_is_told_so() {
    let (_, mut proof) = asked(None);
    let text = format!(
        "error=access_denied&error_description=AADSTS65004%3A+User+declined+to+consent&state={}",
        proof.state().expose()
    );
    let fault = proof.returned(ConsentCallback::parse(&text).unwrap(), NOW).unwrap_err();
    assert_eq!(fault.code(), "entra_consent_declined");
}

#[test]
fn an_answer_that_says_nothing_is_refused() {
    for text in [
        "",
        "state=a",
        "state=a&admin_consent=True",
        "state=a&admin_consent=True&tenant=contoso.example",
        "state=a&admin_consent=False&tenant=c0a7050f-0000-4000-8000-000000000001",
        "admin_consent=True&tenant=c0a7050f-0000-4000-8000-000000000001",
        "state=a&admin_consent=True&tenant=c0a7050f-0000-4000-8000-000000000001&tenant=fab00000-0000-4000-8000-000000000002",
    ] {
        assert_eq!(ConsentCallback::parse(text), Err(ConsentFault::Malformed), "{text}");
    }
}
