//! What comes from Microsoft Graph, and from whoever pretends to be it: nothing panics, and no changed content is opened.

use tandem_microsoft::graph::batch::Batch;
use tandem_microsoft::graph::call::Answer;
use tandem_microsoft::graph::certificate::{KeyPair, KeyPairs};
use tandem_microsoft::graph::fault::Fault;
use tandem_microsoft::graph::members::{self, MembersReading};
use tandem_microsoft::graph::notification::{
    DELIVERY_OCTETS_MAX, Delivery, ITEMS_MAX, Memory, What, validation_token,
};
use tandem_microsoft::graph::permissions::GrantsReading;
use tandem_microsoft::graph::presence::{self, Presences};
use tandem_microsoft::graph::{call::Operation, photo, profile, subscription};
use tandem_microsoft::http::Response;
use tandem_microsoft::id::{ClientId, Guid, ObjectId};
use tandem_microsoft::time::UnixTime;

/// A delivery with content that is sealed for [`keys`], and a token.
pub const DELIVERY: &str = include_str!("../../crates/microsoft/tests/vectors/graph_delivery.json");

/// Answers of Graph, one of each kind.
pub const ANSWERS: &[&str] = &[
    r#"{"value":[{"id":"01010101-0101-0101-0101-010101010101","availability":"Busy","activity":"InACall","sequenceNumber":"A12","outOfOfficeSettings":{"isOutOfOffice":true},"workLocation":{"workLocationType":"office"}}]}"#,
    r#"{"id":"7f1b","resource":"/communications/presences","notificationUrl":"https://t.test/","expirationDateTime":"2027-01-15T08:00:00.9356913Z"}"#,
    r##"{"value":[{"@odata.type":"#microsoft.graph.user","id":"01010101-0101-0101-0101-010101010101"}],"@odata.nextLink":"https://graph.test/v1.0/x"}"##,
    r#"{"value":[{"id":"01010101-0101-0101-0101-010101010101","appId":"cccccccc-cccc-cccc-cccc-cccccccccccc"}]}"#,
    r#"{"responses":[{"id":"0","status":429,"headers":{"Retry-After":"9"},"body":{"error":{"code":"TooManyRequests"}}}]}"#,
    r#"{"error":{"code":"Authorization_RequestDenied","message":"m","innerError":{"request-id":"r","date":"d"}}}"#,
    r#"{"id":"x","skills":["COBOL","Français"]}"#,
];

/// A delivery: what is opened of it is what was sealed, whatever stands around it.
pub fn delivery(data: &[u8]) {
    let Ok(delivery) = Delivery::parse(data) else { return };
    assert!(data.len() <= DELIVERY_OCTETS_MAX && delivery.items.len() <= ITEMS_MAX);
    let keys = keys();
    let mut memory = Memory::new();
    // Nobody vouches for it, so nothing that is encrypted is believed.
    assert!(!delivery.is_rich() || delivery.prove(|_| None).is_err());
    for item in &delivery.items {
        let new = memory.is_new(UnixTime(1_800_000_000), item);
        let What::Changed { content: Some(content), .. } = &item.what else {
            assert!(new, "what has no content is never a copy");
            continue;
        };
        assert!(!memory.is_new(UnixTime(1_800_000_000), item));
        if let Ok(opened) = keys.open(content) {
            let (_, presence) = presence::from_resource(&opened).expect("only what was sealed is opened");
            assert_eq!((&*presence.availability, &*presence.activity), ("Busy", "InACall"));
        }
    }
}

/// The query of a request to the endpoint.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(token) = validation_token(text) {
        assert!(token.len() <= 3 * text.len(), "decoded, with a mark for each octet that is no text");
    }
}

/// A body that Graph answered with, taken for an answer to everything.
pub fn answer(data: &[u8]) {
    let asked: Vec<ObjectId> = (1..4u8).map(|n| ObjectId(Guid::from_octets([n; 16]))).collect();
    for status in [200, 400, 429] {
        let answer: Answer = Ok(Response { status, headers: Vec::new(), body: data.to_vec() });
        if let Ok(presences) = Presences::from_answer(&asked, &answer) {
            assert_eq!(presences.said.len() + presences.omitted.len(), asked.len(), "each once");
        }
        if let Err(fault) = Fault::check(Operation::ReadUsers, &answer) {
            assert!(fault.code.len() <= 128 && fault.request_id.len() <= 128);
        }
        let _ = (subscription::granted(Operation::SubscribePresence, &answer), subscription::listed(&answer));
        let _ = (MembersReading::new(asked[0]).handle_answer(&answer), members::checked(&answer));
        let _ = GrantsReading::new(ClientId(Guid::from_octets([0xcc; 16]))).handle_answer(&answer);
        let _ = (profile::skills(&answer), photo::answered(&answer));
        let mut batch = Batch::new();
        batch.push(profile::read(asked[0])).expect("an empty batch takes it");
        if let Ok(answered) = batch.answers(&answer) {
            assert_eq!(answered.len(), 1);
        }
    }
}

/// Our key pair.
fn keys() -> KeyPairs {
    let certificate = include_bytes!("../../crates/microsoft/tests/vectors/graph_1.cert.der").to_vec();
    let key = include_bytes!("../../crates/microsoft/tests/vectors/graph_1.key.der");
    KeyPairs::new(KeyPair::new("tandem-1", certificate, key).expect("an RSA key"))
}
