//! A person signs in with a browser.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tandem_microsoft::entra::client::{Client, TokenGrant};
use tandem_microsoft::entra::cloud::{Authority, Cloud, Endpoints};
use tandem_microsoft::entra::code_flow::{
    CALLBACK_OCTETS_MAX, Callback, CallbackFault, PENDING_MAX, PendingSignIn, PendingSignIns, Prompt,
    ResponseMode, SignIn, sign_out_address,
};
use tandem_microsoft::entra::credential::Credential;
use tandem_microsoft::entra::refusal::{Blame, Reason};
use tandem_microsoft::entra::token::{TokenFault, TokenRules};
use tandem_microsoft::secret::Secret;
use tandem_microsoft::time::UnixTime;

use crate::world::*;

/// Where most of them begin.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const BACK: &str = "https://tandem.example/sign-in/back";

fn endpoints() -> Endpoints {
    Cloud::public().endpoints(Authority::Organizations)
}

fn ask(endpoints: &Endpoints) -> SignIn<'_> {
    SignIn {
        endpoints,
        client: client(),
        redirect_uri: BACK,
        scopes: &["openid", "profile"],
        response_mode: ResponseMode::Query,
        prompt: None,
        login_hint: None,
        domain_hint: None,
        claims: None,
    }
}

fn begun(now: UnixTime, random: &mut dyn rand::RngCore) -> (String, PendingSignIn) {
    ask(&endpoints()).begin(now, random)
}

fn came_back(pending: &PendingSignIn) -> Callback {
    Callback::parse(&format!("code=0.AX0&state={}&session_state=7f", pending.state().expose())).unwrap()
}

#[test]
fn the_browser_is_sent_with_everything_that_binds_the_sign_in() {
    let endpoints = endpoints();
    let full = SignIn {
        prompt: Some(Prompt::SelectAccount),
        login_hint: Some("asa@contoso.example"),
        domain_hint: Some("contoso.example"),
        claims: Some(r#"{"id_token":{}}"#),
        response_mode: ResponseMode::FormPost,
        ..ask(&endpoints)
    };
    let (address, pending) = full.begin(NOW, &mut random());
    let (host, query) = address.split_once('?').unwrap();
    assert_eq!(host, "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize");
    let fields = fields(query.as_bytes());
    for (name, value) in [
        ("client_id", TANDEM),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("response_mode", "form_post"),
        ("scope", "openid profile"),
        ("state", pending.state().expose()),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
        ("login_hint", "asa@contoso.example"),
        ("domain_hint", "contoso.example"),
        ("claims", r#"{"id_token":{}}"#),
    ] {
        assert_eq!(field(&fields, name), value);
    }
    assert_eq!(field(&fields, "code_challenge").len(), 43);
    assert_ne!(field(&fields, "nonce"), field(&fields, "state"));
}

#[test]
fn whoever_began_gets_the_tokens() {
    let mut random = random();
    let (address, pending) = begun(NOW, &mut random);
    let asked = fields(address.split_once('?').unwrap().1.as_bytes());
    let callback = came_back(&pending);
    let redemption = pending.redeem(callback, NOW.after(Duration::from_secs(599))).unwrap();
    let client = Client {
        cloud: Cloud::public(),
        id: client(),
        credential: Credential::Secret(Secret::new("s3cret&more")),
    };
    let request = client.redeem(&redemption, NOW, &mut random).unwrap();
    assert_eq!(request.url, "https://login.microsoftonline.com/organizations/oauth2/v2.0/token");
    let form = fields(&request.body);
    for (name, value) in [
        ("client_id", TANDEM),
        ("client_secret", "s3cret&more"),
        ("grant_type", "authorization_code"),
        ("code", "0.AX0"),
        ("redirect_uri", BACK),
        ("scope", "openid profile"),
    ] {
        assert_eq!(field(&form, name), value);
    }
    let verifier = field(&form, "code_verifier");
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    assert_eq!(challenge, field(&asked, "code_challenge"));

    let id_token = Signer::entra().token(&signed_in(&field(&asked, "nonce"), json!({"wids": [ASA]})));
    let grant = TokenGrant::parse(Some(&answered(
        200,
        &json!({"token_type": "Bearer", "expires_in": 4000, "access_token": "opaque", "id_token": id_token,
                "refresh_token": "0.Ab", "scope": "openid profile"}),
    )))
    .unwrap();
    assert_eq!(grant.refresh_token, Some(Secret::new("0.Ab")));
    assert_eq!((grant.life, grant.scopes.len()), (Duration::from_secs(4000), 2));
    let asa =
        rules().check_sign_in(grant.id_token.unwrap().expose(), &keys(), &redemption.nonce, NOW).unwrap();
    assert_eq!((asa.user, asa.caller), (person(ASA), client.id));
    assert_eq!(asa.directory_roles, Some(vec![ASA.parse().unwrap()]));
}

#[test]
fn an_id_token_of_another_sign_in_is_refused() {
    let check = |token: &str, nonce: &str| rules().check_sign_in(token, &keys(), &Secret::new(nonce), NOW);
    let token = |changes| Signer::entra().token(&signed_in("mine", changes));
    assert!(check(&token(json!({})), "mine").is_ok());
    assert_eq!(check(&token(json!({})), "yours"), Err(TokenFault::Nonce));
    assert_eq!(check(&token(json!({"nonce": null})), "mine"), Err(TokenFault::Nonce));
    assert_eq!(check(&token(json!({"aud": FABRIKAM})), "mine"), Err(TokenFault::Audience));
    assert_eq!(
        check(&token(json!({"scp": "access_as_user", "azp": TEAMS_WEB})), "mine"),
        Err(TokenFault::Claim("azp"))
    );
    assert_eq!(check(&token(json!({"azp": TEAMS_WEB})), "mine"), Err(TokenFault::Claim("azp")));
    assert_eq!(
        check(&Signer::stranger().token(&signed_in("mine", json!({}))), "mine"),
        Err(TokenFault::Signature)
    );
}

#[test]
fn an_id_token_of_version_1_is_refused_though_our_api_accepts_that_version() {
    let rules = TokenRules { accepts_v1: true, ..rules() };
    let old = signed_in("mine", json!({"ver": "1.0", "iss": format!("https://sts.windows.net/{CONTOSO}/")}));
    let old = Signer::entra().token(&old);
    assert_eq!(rules.check_sign_in(&old, &keys(), &Secret::new("mine"), NOW), Err(TokenFault::Version));
}

#[test]
fn a_sign_in_is_used_once_and_in_time() {
    let mut random = random();
    let mut open = PendingSignIns::new();
    let (_, pending) = begun(NOW, &mut random);
    let callback = came_back(&pending);
    open.insert(HERE, pending, "/agent", NOW);
    let (_, remembered) = open.redeem(callback.clone(), NOW).unwrap();
    assert_eq!(remembered, "/agent");
    assert_eq!(open.redeem(callback, NOW), Err((CallbackFault::UnknownState, None)));

    let (_, pending) = begun(NOW, &mut random);
    let callback = came_back(&pending);
    let late = pending.expires();
    open.insert(HERE, pending, "/agent", NOW);
    assert_eq!(open.redeem(callback, late), Err((CallbackFault::Late, Some("/agent"))));
    assert!(open.is_empty());
}

#[test]
fn a_stranger_s_state_opens_nothing() {
    let mut random = random();
    let (_, mine) = begun(NOW, &mut random);
    let (_, other) = begun(NOW, &mut random);
    assert_ne!(mine.state(), other.state());
    assert_eq!(mine.redeem(came_back(&other), NOW), Err(CallbackFault::UnknownState));
}

#[test]
fn however_many_begin_memory_is_bounded() {
    let mut random = random();
    let mut open = PendingSignIns::new();
    let mut last = None;
    for number in 0..=PENDING_MAX {
        let (_, pending) = begun(NOW, &mut random);
        last = Some(came_back(&pending));
        open.insert(Ipv4Addr::from_bits(u32::try_from(number).unwrap()).into(), pending, (), NOW);
    }
    assert_eq!(open.len(), PENDING_MAX);
    assert!(open.redeem(last.unwrap(), NOW).is_ok(), "the newest are kept");
}

#[test]
fn an_address_that_begins_without_end_keeps_nobody_else_out() {
    let mut random = random();
    let mut open = PendingSignIns::new();
    let flood = |open: &mut PendingSignIns<()>, random: &mut dyn rand::RngCore| {
        for number in 0..PENDING_MAX {
            let (_, pending) = begun(NOW, random);
            // All of a /64 is one address.
            let from = format!("2001:db8:6:66::{:x}", number % 4096).parse().unwrap();
            open.insert(from, pending, (), NOW);
        }
    };
    flood(&mut open, &mut random);
    let (_, pending) = begun(NOW, &mut random);
    let callback = came_back(&pending);
    open.insert(HERE, pending, (), NOW);
    flood(&mut open, &mut random);
    assert!(open.len() <= PENDING_MAX / 2 + 1, "{} are open", open.len());
    assert!(open.redeem(callback, NOW).is_ok());
}

#[test]
fn a_refusal_says_what_to_do() {
    let mut random = random();
    let (_, pending) = begun(NOW, &mut random);
    let state = pending.state().expose();
    let text = format!(
        "error=access_denied&error_description=AADSTS50105%3a+Not+assigned.%0d%0aTrace+ID%3a+1&state={state}"
    );
    let fault = pending.redeem(Callback::parse(&text).unwrap(), NOW).unwrap_err();
    assert_eq!((fault.code(), fault.blame()), ("entra_not_assigned", Blame::Administrator));
    let CallbackFault::Refused(refusal) = fault else { panic!() };
    assert_eq!(refusal.description, "AADSTS50105: Not assigned.");
    let cancelled = Callback::parse("error=access_denied&error_subcode=cancel&state=a").unwrap();
    assert_eq!(cancelled.outcome.unwrap_err().reason, Reason::Cancelled);
}

#[test]
fn an_answer_that_says_two_things_is_refused() {
    for text in [
        "",
        "code=a",
        "state=a",
        "state=&code=a",
        "state=a&code=",
        "state=a&code=b&code=c",
        "state=a&state=b&code=c",
        "state=a&code=b&error=c",
    ] {
        assert_eq!(Callback::parse(text), Err(CallbackFault::Malformed), "{text}");
    }
    let long = format!("state=a&code={}", "b".repeat(CALLBACK_OCTETS_MAX));
    assert_eq!(Callback::parse(&long), Err(CallbackFault::Malformed));
}

#[test]
fn signing_out_brings_the_browser_back() {
    assert_eq!(
        sign_out_address(&endpoints(), "https://tandem.example/").unwrap(),
        "https://login.microsoftonline.com/organizations/oauth2/v2.0/logout\
         ?post_logout_redirect_uri=https%3A%2F%2Ftandem.example%2F"
    );
}
