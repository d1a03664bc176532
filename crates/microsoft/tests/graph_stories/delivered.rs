//! What is sent to our open endpoint: read, bounded, and believed only when it is proved.

use serde_json::json;
use tandem_microsoft::graph::notification::{
    DELIVERY_OCTETS_MAX, Delivery, Distrust, ITEMS_MAX, Lifecycle, MEMORY_KEPT, Memory, TOKENS_MAX,
    Unreadable, What, validation_token,
};
use tandem_microsoft::graph::subscription::SubscriptionId;
use tandem_microsoft::id::EntraTenantId;
use tandem_microsoft::secret::Secret;
use tandem_microsoft::time::UnixTime;

const ONE: &str = "11111111-1111-1111-1111-111111111111";
const TWO: &str = "22222222-2222-2222-2222-222222222222";

fn tenant(text: &str) -> EntraTenantId {
    text.parse().unwrap()
}

fn rich(tenant: &str, number: usize) -> serde_json::Value {
    json!({
        "id": "n", "subscriptionId": "s1", "subscriptionExpirationDateTime": "2027-01-15T08:00:00Z",
        "clientState": "state", "changeType": "updated", "tenantId": tenant,
        "resource": format!("communications/presences('{ONE}')"),
        "resourceData": {"@odata.type": "#Microsoft.Graph.presence", "@odata.id": "x", "id": ONE},
        "encryptedContent": {
            "data": "AAAA", "dataSignature": "BBBB", "dataKey": format!("{number:08}"),
            "encryptionCertificateId": "c", "encryptionCertificateThumbprint": "T"
        }
    })
}

fn parse(body: &serde_json::Value) -> Delivery {
    Delivery::parse(body.to_string().as_bytes()).unwrap()
}

/// A token names the tenant that it proves; `forged` proves none.
fn check(token: &Secret) -> Option<EntraTenantId> {
    token.expose().parse().ok()
}

#[test]
fn items_of_all_kinds_are_read_from_one_delivery() {
    let delivery = parse(&json!({
        "value": [
            rich(ONE, 1),
            {"subscriptionId": "s2", "changeType": "updated", "tenantId": TWO, "resource": "x",
             "resourceData": {"id": TWO}},
            {"subscriptionId": "s3", "organizationId": TWO, "clientState": "c",
             "lifecycleEvent": "reauthorizationRequired"},
            {"subscriptionId": "s4", "lifecycleEvent": "subscriptionRemoved"},
            {"changeType": "updated"},
            {"subscriptionId": "../s5"},
            7,
        ],
        "validationTokens": [ONE]
    }));
    assert_eq!((delivery.items.len(), delivery.strange, delivery.tokens.len()), (4, 3, 1));
    assert!(delivery.is_rich() && delivery.items[0].is_rich() && !delivery.items[1].is_rich());
    assert_eq!(delivery.items[2].tenant, Some(tenant(TWO)));
    assert_eq!(delivery.items[2].what, What::Lifecycle(Lifecycle::ReauthorisationRequired));
    assert_eq!(delivery.items[3].what, What::Lifecycle(Lifecycle::Removed));
    assert_eq!(delivery.items[0].client_state, Some(Secret::new("state")));
}

#[test]
fn encrypted_content_needs_a_good_token_for_its_tenant() {
    let prove = |items: serde_json::Value, tokens: &[&str]| {
        parse(&json!({"value": items, "validationTokens": tokens})).prove(check)
    };
    let both = || json!([rich(ONE, 1), rich(TWO, 2)]);
    assert_eq!(prove(both(), &[ONE, TWO]), Ok(()));
    assert_eq!(prove(both(), &[ONE]), Err(Distrust::NoToken));
    assert_eq!(prove(both(), &[]), Err(Distrust::NoToken));
    assert_eq!(prove(both(), &[ONE, TWO, "forged"]), Err(Distrust::WrongToken), "one wrong, all suspect");
    assert_eq!(prove(json!([rich(ONE, 1)]), &[ONE, TWO]), Err(Distrust::WrongToken), "of no item's tenant");
    let mut without_tenant = rich(ONE, 1);
    without_tenant.as_object_mut().unwrap().remove("tenantId");
    assert_eq!(prove(json!([rich(ONE, 1), without_tenant]), &[ONE]), Err(Distrust::NoToken));
}

#[test]
fn what_only_names_a_change_needs_no_token() {
    let basic = json!({"value": [{"subscriptionId": "s", "changeType": "updated", "tenantId": ONE}]});
    assert_eq!(parse(&basic).prove(check), Ok(()));
}

#[test]
fn all_tokens_are_looked_at_even_after_a_wrong_one() {
    let delivery = parse(&json!({"value": [rich(ONE, 1)], "validationTokens": ["forged", ONE]}));
    let mut seen = 0;
    let proof = delivery.prove(|token| {
        seen += 1;
        check(token)
    });
    assert_eq!((proof, seen), (Err(Distrust::WrongToken), 2));
}

#[test]
fn what_is_too_large_is_not_read() {
    let large = vec![b' '; DELIVERY_OCTETS_MAX + 1];
    assert_eq!(Delivery::parse(&large).unwrap_err(), Unreadable::TooLarge);
    let items = vec![json!({"subscriptionId": "s"}); ITEMS_MAX + 1];
    let body = json!({"value": items}).to_string();
    assert_eq!(Delivery::parse(body.as_bytes()).unwrap_err(), Unreadable::TooLarge);
    let tokens = vec!["t"; TOKENS_MAX + 1];
    let body = json!({"value": [], "validationTokens": tokens}).to_string();
    assert_eq!(Delivery::parse(body.as_bytes()).unwrap_err(), Unreadable::TooLarge);
    for nothing in ["", "{}", "[]", "null", "{\"value\":7}"] {
        assert_eq!(Delivery::parse(nothing.as_bytes()).unwrap_err(), Unreadable::Malformed, "{nothing}");
    }
}

#[test]
fn what_strangers_fill_a_body_with_is_passed_over_or_refused() {
    let filled = |before: &str, with: &str, after: &str| {
        let room = DELIVERY_OCTETS_MAX - before.len() - after.len();
        let fill = format!("{with},").repeat(room / (with.len() + 1));
        format!("{before}{}{after}", fill.trim_end_matches(','))
    };
    for with in [r#"{"":0}"#, "[]", "0", r#""""#] {
        let items = filled(r#"{"value":["#, with, "]}");
        assert_eq!(Delivery::parse(items.as_bytes()).unwrap_err(), Unreadable::TooLarge, "{with}");
        // One item is as long as the body, and holds nothing that is an item's.
        let item = filled(r#"{"value":[{"subscriptionId":"s","x":["#, with, "]}]}");
        let read = Delivery::parse(item.as_bytes()).unwrap();
        assert_eq!((read.items.len(), read.strange), (1, 0), "{with}");
    }
    let tokens = filled(r#"{"value":[],"validationTokens":["#, r#""""#, "]}");
    assert_eq!(Delivery::parse(tokens.as_bytes()).unwrap_err(), Unreadable::TooLarge);
    let deep = format!(r#"{{"value":[{}]}}"#, "[".repeat(DELIVERY_OCTETS_MAX / 2));
    assert_eq!(Delivery::parse(deep.as_bytes()).unwrap_err(), Unreadable::Malformed);
    let half = DELIVERY_OCTETS_MAX / 2 - 16;
    let deep = format!(r#"{{"value":[{}{}]}}"#, "[".repeat(half), "]".repeat(half));
    assert_eq!(Delivery::parse(deep.as_bytes()).unwrap().strange, 1);
}

#[test]
fn a_copy_is_known_for_as_long_as_graph_repeats_itself() {
    let item = |number: usize| parse(&json!({"value": [rich(ONE, number)]})).items.remove(0);
    let now = UnixTime(1_800_000_000);
    let mut memory = Memory::new();
    let first = item(0);
    assert!(memory.is_new(now, &first));
    assert!(!memory.is_new(now, &first));
    let mut of_another = first.clone();
    of_another.subscription = SubscriptionId::new("s2").unwrap();
    assert!(memory.is_new(now, &of_another), "the same content for another subscription is another item");
    for number in 1..1000 {
        assert!(memory.is_new(now, &item(number)));
    }
    let end = now.after(MEMORY_KEPT);
    assert!(!memory.is_new(UnixTime(end.0 - 1), &first));
    assert!(memory.is_new(end, &first), "forgotten, so that memory does not grow for ever");
}

#[test]
fn a_validation_is_answered_with_the_decoded_text() {
    let token = validation_token("validationToken=Validation%3A+Testing+client%20app%2B%3Cscript%3E&x=1");
    assert_eq!(token.as_deref(), Some("Validation: Testing client app+<script>"));
    assert_eq!(validation_token("validationtoken=a"), None);
    assert_eq!(validation_token(""), None);
    assert_eq!(validation_token(&format!("validationToken={}", "a".repeat(9000))), None);
}
