//! Each token is asked for once, kept, and renewed before it is over.

use std::time::Duration;

use tandem_microsoft::entra::cache::{
    FETCH_WAIT, Held, Holder, REFUSED_PAUSE_MAX, TOKENS_MAX, TokenCache, TokenHash, TokenKey,
};
use tandem_microsoft::entra::client::TokenGrant;
use tandem_microsoft::entra::refusal::{Reason, Refusal};
use tandem_microsoft::id::{EntraTenantId, Guid};
use tandem_microsoft::secret::Secret;
use tandem_microsoft::time::UnixTime;

use crate::world::*;

const MINUTE: Duration = Duration::from_secs(60);

fn key(tenant: EntraTenantId) -> TokenKey {
    TokenKey { tenant, holder: Holder::App, scopes: "https://graph.microsoft.com/.default".to_owned() }
}

fn grant(token: &str, life: Duration) -> TokenGrant {
    TokenGrant {
        access_token: Secret::new(token),
        life,
        refresh_token: None,
        id_token: None,
        scopes: Vec::new(),
    }
}

fn refusal(reason: Reason) -> Refusal {
    Refusal { reason, ..Refusal::unreachable() }
}

fn refused_until(held: Held) -> UnixTime {
    let Held::Refused(_, until) = held else { panic!("{held:?}") };
    until
}

#[test]
fn one_fetches_and_the_others_wait() {
    let (mut cache, key) = (TokenCache::default(), key(tenant(CONTOSO)));
    assert_eq!(cache.get(&key, NOW), Held::Fetch);
    assert_eq!(cache.get(&key, NOW), Held::Wait);
    cache.fetched(&key, Ok(&grant("first", 60 * MINUTE)), NOW);
    assert_eq!(cache.get(&key, NOW), Held::Token(Secret::new("first")));
}

#[test]
fn it_is_renewed_five_minutes_before_its_end_while_the_old_one_serves() {
    let (mut cache, key) = (TokenCache::default(), key(tenant(CONTOSO)));
    cache.fetched(&key, Ok(&grant("first", 60 * MINUTE)), NOW);
    let first = || Secret::new("first");
    assert_eq!(cache.get(&key, NOW.after(55 * MINUTE - Duration::from_secs(1))), Held::Token(first()));
    let near = NOW.after(55 * MINUTE);
    assert_eq!(cache.get(&key, near), Held::Renew(first()));
    assert_eq!(cache.get(&key, near), Held::Token(first()), "only one renews");
    cache.fetched(&key, Err(&refusal(Reason::Unreachable)), near);
    assert_eq!(
        cache.get(&key, near),
        Held::Token(first()),
        "the old one is good though the new did not come"
    );
    assert_eq!(cache.get(&key, near.after(MINUTE)), Held::Renew(first()));
    cache.fetched(&key, Ok(&grant("second", 60 * MINUTE)), near.after(MINUTE));
    assert_eq!(cache.get(&key, near.after(6 * MINUTE)), Held::Token(Secret::new("second")));
}

#[test]
fn a_short_token_serves_for_half_of_its_life_at_least() {
    let (mut cache, key) = (TokenCache::default(), key(tenant(CONTOSO)));
    cache.fetched(&key, Ok(&grant("short", 2 * MINUTE)), NOW);
    assert!(matches!(cache.get(&key, NOW.after(Duration::from_secs(59))), Held::Token(_)));
    assert!(matches!(cache.get(&key, NOW.after(MINUTE)), Held::Renew(_)));
    assert_eq!(cache.get(&key, NOW.after(2 * MINUTE)), Held::Fetch);
}

#[test]
fn a_fetch_that_never_ends_is_taken_over() {
    let (mut cache, key) = (TokenCache::default(), key(tenant(CONTOSO)));
    assert_eq!(cache.get(&key, NOW), Held::Fetch);
    assert_eq!(cache.get(&key, NOW.after(FETCH_WAIT).before(Duration::from_secs(1))), Held::Wait);
    assert_eq!(cache.get(&key, NOW.after(FETCH_WAIT)), Held::Fetch);
}

#[test]
fn refusals_make_for_longer_and_longer_pauses() {
    let (mut cache, key) = (TokenCache::default(), key(tenant(CONTOSO)));
    let mut now = NOW;
    let mut pauses = Vec::new();
    for _ in 0..40 {
        assert_eq!(cache.get(&key, now), Held::Fetch);
        cache.fetched(&key, Err(&refusal(Reason::NotConsented)), now);
        let until = refused_until(cache.get(&key, now));
        pauses.push(until.since(now).as_secs());
        now = until;
    }
    assert_eq!(&pauses[..6], [2, 4, 8, 16, 32, 60]);
    assert_eq!(pauses.last(), Some(&REFUSED_PAUSE_MAX.as_secs()));
    assert_eq!(cache.get(&key, now), Held::Fetch);
    cache.fetched(&key, Ok(&grant("consented", 60 * MINUTE)), now);
    assert!(matches!(cache.get(&key, now), Held::Token(_)));
}

#[test]
fn microsoft_s_own_word_is_obeyed() {
    let (mut cache, key) = (TokenCache::default(), key(tenant(CONTOSO)));
    let pause = Duration::from_secs(300);
    cache.fetched(&key, Err(&refusal(Reason::Throttled { retry_after: Some(pause) })), NOW);
    assert_eq!(refused_until(cache.get(&key, NOW)), NOW.after(pause));
}

#[test]
fn a_token_that_did_not_do_is_fetched_anew() {
    let (mut cache, key) = (TokenCache::default(), key(tenant(CONTOSO)));
    cache.fetched(&key, Ok(&grant("first", 60 * MINUTE)), NOW);
    cache.discard(&key, &Secret::new("an older one"));
    assert!(matches!(cache.get(&key, NOW), Held::Token(_)));
    cache.discard(&key, &Secret::new("first"));
    assert_eq!(cache.get(&key, NOW), Held::Fetch);
}

#[test]
fn one_tenant_s_tokens_are_no_other_s() {
    let mut cache = TokenCache::default();
    cache.fetched(&key(tenant(CONTOSO)), Ok(&grant("contoso", 60 * MINUTE)), NOW);
    assert_eq!(cache.get(&key(tenant(FABRIKAM)), NOW), Held::Fetch);
    cache.forget(tenant(CONTOSO));
    assert_eq!(cache.get(&key(tenant(CONTOSO)), NOW), Held::Fetch);
    assert_eq!(cache.len(), 2);
}

#[test]
fn an_exchanged_token_is_for_the_very_token_that_was_brought() {
    let mut cache = TokenCache::default();
    let exchanged = |brought: &str| TokenKey {
        holder: Holder::OnBehalfOf(person(ASA), TokenHash::of(&Secret::new(brought))),
        ..key(tenant(CONTOSO))
    };
    cache.fetched(&exchanged("morning"), Ok(&grant("graph", 60 * MINUTE)), NOW);
    assert!(matches!(cache.get(&exchanged("morning"), NOW), Held::Token(_)));
    assert_eq!(cache.get(&exchanged("after a second factor"), NOW), Held::Fetch);
}

#[test]
fn however_many_are_asked_for_memory_is_bounded() {
    let mut cache = TokenCache::default();
    let mut random = random();
    for number in 0..TOKENS_MAX + 5 {
        let key = key(EntraTenantId(Guid::random(&mut random)));
        cache.fetched(&key, Ok(&grant("t", Duration::from_secs(600 + number as u64))), NOW);
        assert!(cache.len() <= TOKENS_MAX);
        assert!(matches!(cache.get(&key, NOW), Held::Token(_)));
    }
    assert!(cache.len() > TOKENS_MAX * 8 / 10);
}
