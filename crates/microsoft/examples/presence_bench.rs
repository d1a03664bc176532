//! What a change of presence costs between its arrival and its news, with 10,000 people watched.
//!
//! `cargo run --release -p tandem-microsoft --example presence_bench`: one JSON line for each figure. Nothing is sent: the
//! deliveries are sealed here, as Graph seals them, with a certificate of the tests.

#![expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]

use std::time::{Duration, Instant};

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use tandem_microsoft::graph::call::{Call, Moment, Operation};
use tandem_microsoft::graph::certificate::{KeyPair, KeyPairs};
use tandem_microsoft::graph::notification::{Delivery, What};
use tandem_microsoft::graph::subscription::{Notify, date_time};
use tandem_microsoft::graph::throttle::{Limits, Throttle};
use tandem_microsoft::graph::watch::{CallId, Output, Settings, Watcher};
use tandem_microsoft::http::Response;
use tandem_microsoft::id::{EntraTenantId, Guid, ObjectId};
use tandem_microsoft::time::UnixTime;

type Failure = Box<dyn std::error::Error>;

const TENANT: EntraTenantId = EntraTenantId(Guid::from_octets([0xee; 16]));
const PEOPLE: u32 = 10_000;
const ACCOUNTS: u8 = 16;
const CHANGES: usize = 2_000;
const CERTIFICATE: &[u8] = include_bytes!("../tests/vectors/graph_1.cert.der");
const KEY: &[u8] = include_bytes!("../tests/vectors/graph_1.key.der");

fn main() -> Result<(), Failure> {
    let keys = KeyPairs::new(KeyPair::new("bench", CERTIFICATE.to_vec(), KEY)?);
    let mut world = World::new(&keys);
    world.settle();
    let bodies: Vec<Vec<u8>> = (0..CHANGES).map(|n| world.delivery(n)).collect::<Result<_, _>>()?;
    let (mut whole, mut opening, mut deciding) = (Vec::new(), Vec::new(), Vec::new());
    for body in &bodies {
        let begun = Instant::now();
        let delivery = Delivery::parse(body)?;
        let item = delivery.items.first().ok_or("an item")?;
        world.watcher.admits(item)?;
        let What::Changed { content: Some(content), .. } = &item.what else {
            return Err("no content".into());
        };
        let opening_at = Instant::now();
        let opened = keys.open(content);
        opening.push(opening_at.elapsed());
        let deciding_at = Instant::now();
        world.watcher.handle_notification(world.now, item, Some(opened));
        let news = std::iter::from_fn(|| world.watcher.poll_output())
            .any(|output| matches!(output, Output::Changed { .. }));
        deciding.push(deciding_at.elapsed());
        whole.push(begun.elapsed());
        if !news {
            return Err("a change that was not told".into());
        }
    }
    say("presence.notification", &mut whole);
    say("presence.notification.open", &mut opening);
    say("presence.notification.decide", &mut deciding);
    say("presence.poll.650", &mut world.polls);
    let rate = f64::from(u32::try_from(CHANGES)?) / whole.iter().sum::<Duration>().as_secs_f64();
    println!(
        "{{\"system\":\"tandem\",\"name\":\"presence.notifications\",\"value\":{rate:.0},\"unit\":\"1/s\"}}"
    );
    Ok(())
}

fn say(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    for (of, percent) in [("p50", 50), ("p99", 99)] {
        let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
        let value = times.get(place).copied().unwrap_or_default().as_secs_f64() * 1e6;
        println!("{{\"system\":\"tandem\",\"name\":\"{name}.{of}\",\"value\":{value:.1},\"unit\":\"us\"}}");
    }
}

/// A watcher that everything was answered to.
struct World {
    now: Moment,
    watcher: Watcher,
    throttle: Throttle,
    subscriptions: Vec<(String, String, Vec<String>)>,
    public: OaepPublicEncryptingKey,
    thumbprint: String,
    random: StdRng,
    polls: Vec<Duration>,
}

impl World {
    fn new(keys: &KeyPairs) -> World {
        let now = Moment { at: Instant::now(), unix: UnixTime(1_800_000_000) };
        let notify = Notify {
            url: "https://tandem.test/changes".into(),
            lifecycle_url: "https://tandem.test/life".into(),
            encrypt_for: Some(keys.current().encrypt_for()),
        };
        let settings = Settings { notify: Some(notify), ..Settings::default() };
        let mut watcher = Watcher::new(TENANT, settings, [1; 32]);
        watcher.set_accounts(now, (1..=ACCOUNTS).map(|n| ObjectId(Guid::from_octets([n; 16]))));
        watcher.watch(now, (0..PEOPLE).map(person));
        let public = PrivateDecryptingKey::from_pkcs8(KEY)
            .ok()
            .and_then(|key| OaepPublicEncryptingKey::new(key.public_key()).ok());
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, CERTIFICATE);
        World {
            now,
            watcher,
            throttle: Throttle::new(&Limits::default(), 1),
            subscriptions: Vec::new(),
            #[expect(clippy::expect_used, reason = "the key of the tests is an RSA key")]
            public: public.expect("an RSA key"),
            thumbprint: sha1.as_ref().iter().map(|octet| format!("{octet:02X}")).collect(),
            random: StdRng::seed_from_u64(1),
            polls: Vec::new(),
        }
    }

    /// Answers everything that is asked in the first ten seconds.
    fn settle(&mut self) {
        for _ in 0..1000 {
            self.now.at += Duration::from_millis(10);
            self.watcher.handle_timeout(self.now, &mut self.throttle);
            let asked: Vec<_> = std::iter::from_fn(|| self.watcher.poll_output()).collect();
            for output in asked {
                if let Output::Call { id, call } = output {
                    self.answer(id, &call);
                }
            }
        }
        while self.watcher.poll_output().is_some() {}
    }

    fn answer(&mut self, id: CallId, call: &Call) {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let json = if call.operation == Operation::ReadPresences {
            let ids = body["ids"].as_array().cloned().unwrap_or_default();
            let said = ids.iter().map(|id| {
                json!({"id": id, "availability": "Available", "activity": "Available", "statusMessage": null,
                       "outOfOfficeSettings": {"isOutOfOffice": false, "message": null}, "sequenceNumber": null})
            });
            json!({"value": said.collect::<Vec<_>>()})
        } else {
            let id = format!("subscription-{}", self.subscriptions.len());
            let people = body["resource"].as_str().unwrap_or_default();
            let people = people.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
            let state = body["clientState"].as_str().unwrap_or_default().to_owned();
            self.subscriptions.push((id.clone(), state, people));
            json!({"id": id, "expirationDateTime": date_time(self.now.unix.after(Duration::from_secs(3300)))})
        };
        let answer = Ok(Response { status: 200, headers: Vec::new(), body: json.to_string().into_bytes() });
        let begun = Instant::now();
        self.watcher.handle_answer(self.now, id, &answer, &mut self.throttle);
        if call.operation == Operation::ReadPresences {
            self.polls.push(begun.elapsed());
        }
    }

    /// A delivery that one person is in a call now, or free again.
    fn delivery(&mut self, number: usize) -> Result<Vec<u8>, Failure> {
        let (id, state, people) =
            self.subscriptions.get(number % self.subscriptions.len().max(1)).ok_or("no subscription")?;
        let person = people.get((number / 16) % people.len().max(1)).ok_or("nobody")?;
        let content = json!({
            "@odata.type": "#microsoft.graph.presence", "@odata.id": format!("communications/presences('{person}')"),
            "id": person, "availability": "Busy", "activity": "InACall"
        });
        let sealed = seal(&self.public, &mut self.random, &self.thumbprint, content.to_string().as_bytes())?;
        let item = json!({
            "subscriptionId": id, "clientState": state, "changeType": "updated", "tenantId": TENANT,
            "resource": format!("communications/presences('{person}')"), "resourceData": {"id": person},
            "encryptedContent": sealed
        });
        Ok(json!({"value": [item], "validationTokens": []}).to_string().into_bytes())
    }
}

fn person(number: u32) -> ObjectId {
    let mut octets = [0xa0; 16];
    octets[..4].copy_from_slice(&number.to_be_bytes());
    ObjectId(Guid::from_octets(octets))
}

/// Encrypts as Graph does.
fn seal(
    public: &OaepPublicEncryptingKey,
    random: &mut StdRng,
    thumbprint: &str,
    content: &[u8],
) -> Result<Value, Failure> {
    let mut data_key = [0u8; 32];
    random.fill(&mut data_key);
    let mut data = content.to_vec();
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &data_key)?)?;
    let vector = FixedLength::<16>::try_from(data_key.get(..16).ok_or("16 octets")?)?;
    key.less_safe_encrypt(&mut data, EncryptionContext::Iv128(vector))?;
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &data_key), &data);
    let mut sealed_key = vec![0; public.ciphertext_size()];
    let sealed_key = public.encrypt(&OAEP_SHA1_MGF1SHA1, &data_key, &mut sealed_key, None)?;
    Ok(json!({
        "data": STANDARD.encode(&data), "dataSignature": STANDARD.encode(signature.as_ref()),
        "dataKey": STANDARD.encode(sealed_key), "encryptionCertificateId": "bench",
        "encryptionCertificateThumbprint": thumbprint
    }))
}
