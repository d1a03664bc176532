//! A webhook goes on where it was, tells what went wrong, and can be sent back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Office, refusal, tenant, webhook};
use tandem_store::FactNumber;
use tandem_store::register::{DELIVERIES_KEPT, DeliveryRow, Noun, Refusal, WEBHOOKS_MAX, WebhookRow};

fn delivery(number: u64, attempt: u32, status: Option<u16>) -> DeliveryRow {
    DeliveryRow {
        entry: 0,
        number: FactNumber(number),
        attempt,
        at_ms: 1_000 + i64::from(attempt),
        status,
        took_ms: 20,
        error: status.is_none().then(|| "no answer".to_owned()),
    }
}

#[test]
fn it_goes_on_where_it_was_after_a_restart() {
    let office = Office::new();
    let contoso = tenant("contoso");
    office.register.webhook_put(&contoso, &webhook("crm")).unwrap();
    let first = [delivery(11, 1, None), delivery(11, 2, Some(200))];
    let moved = Some((FactNumber(10), FactNumber(11)));
    office.register.deliveries_append(&contoso, "crm", &first, moved).unwrap();
    let office = office.restart();
    let row = office.register.webhook(&contoso, "crm").unwrap().unwrap();
    assert_eq!(row.cursor, FactNumber(11));
    let log = office.register.deliveries(&contoso, "crm", None, 10).unwrap();
    let expected = [(2, 11, Some(200)), (1, 11, None)];
    assert_eq!(log.iter().map(|row| (row.entry, row.number.0, row.status)).collect::<Vec<_>>(), expected);
    assert_eq!(
        office.register.deliveries(&contoso, "crm", Some(2), 10).unwrap()[0].error.as_deref(),
        Some("no answer")
    );
    // Changed by an administrator, it goes on where it is.
    let paused = WebhookRow { state: "paused".into(), cursor: FactNumber(0), ..webhook("crm") };
    office.register.webhook_put(&contoso, &paused).unwrap();
    let row = office.register.webhook(&contoso, "crm").unwrap().unwrap();
    assert_eq!((row.cursor, row.state.as_str()), (FactNumber(11), "paused"));
}

#[test]
fn sent_back_while_something_is_under_way_it_stays_back() {
    let office = Office::new();
    let contoso = tenant("contoso");
    office.register.webhook_put(&contoso, &webhook("crm")).unwrap();
    office.register.webhook_move(&contoso, "crm", FactNumber(3)).unwrap();
    let moved = Some((FactNumber(10), FactNumber(11)));
    office.register.deliveries_append(&contoso, "crm", &[delivery(11, 1, Some(204))], moved).unwrap();
    assert_eq!(office.register.webhook(&contoso, "crm").unwrap().unwrap().cursor, FactNumber(3));
    let unknown = office.register.webhook_move(&tenant("fabrikam"), "crm", FactNumber(1)).unwrap_err();
    assert_eq!(refusal(unknown), Refusal::Unknown(Noun::Webhook));
}

#[test]
fn its_log_keeps_the_last_attempts_and_goes_with_it() {
    let office = Office::new();
    let contoso = tenant("contoso");
    office.register.webhook_put(&contoso, &webhook("crm")).unwrap();
    let many: Vec<DeliveryRow> =
        (1..=DELIVERIES_KEPT.unsigned_abs() + 5).map(|number| delivery(number, 1, Some(200))).collect();
    office.register.deliveries_append(&contoso, "crm", &many, None).unwrap();
    let log = office.register.deliveries(&contoso, "crm", None, usize::MAX).unwrap();
    assert_eq!(log.len().to_string(), DELIVERIES_KEPT.to_string());
    assert_eq!(log.last().unwrap().number, FactNumber(6));
    assert!(office.register.webhook_remove(&contoso, "crm").unwrap());
    assert_eq!(office.register.deliveries(&contoso, "crm", None, 10).unwrap(), []);
    let late = office.register.deliveries_append(&contoso, "crm", &many[..1], None).unwrap_err();
    assert_eq!(refusal(late), Refusal::Unknown(Noun::Webhook));
}

#[test]
fn there_are_only_so_many() {
    let office = Office::new();
    let contoso = tenant("contoso");
    for number in 0..WEBHOOKS_MAX {
        office.register.webhook_put(&contoso, &webhook(&format!("w{number}"))).unwrap();
    }
    let full = Refusal::Full { noun: Noun::Webhook, most: WEBHOOKS_MAX };
    assert_eq!(refusal(office.register.webhook_put(&contoso, &webhook("one-more")).unwrap_err()), full);
    office.register.webhook_put(&contoso, &webhook("w0")).unwrap();
    assert_eq!(office.register.webhooks(&contoso).unwrap().len(), WEBHOOKS_MAX as usize);
}
