//! A token that arrives is believed only if everything about it holds.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tandem_microsoft::entra::cloud::Cloud;
use tandem_microsoft::entra::jwt::{JwtFault, TOKEN_OCTETS_MAX};
use tandem_microsoft::entra::refusal::Blame;
use tandem_microsoft::entra::tab::{TEAMS_CLIENTS, TEAMS_DESKTOP};
use tandem_microsoft::entra::token::{ApiToken, Groups, TokenFault, TokenRules};
use tandem_microsoft::time::UnixTime;

use crate::fuzz::{GOOD, GOOD_AT, KEYS};
use crate::world::*;

fn check(token: &str) -> Result<ApiToken, TokenFault> {
    rules().check(token, &keys(), |id| id == tenant(CONTOSO), NOW)
}

fn check_claims(claims: &Value) -> Result<ApiToken, TokenFault> {
    check(&Signer::entra().token(claims))
}

fn user(token: Result<ApiToken, TokenFault>) -> tandem_microsoft::entra::token::UserToken {
    match token {
        Ok(ApiToken::User(user)) => user,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_comes_through_teams() {
    let asa = user(check_claims(&asa(json!({}))));
    assert_eq!(asa.tenant, tenant(CONTOSO));
    assert_eq!(asa.user, person(ASA));
    assert_eq!(asa.caller, TEAMS_WEB.parse().unwrap());
    assert_eq!(asa.name.as_deref(), Some("Åsa Öberg"));
    assert_eq!(asa.preferred_username.as_deref(), Some("asa@contoso.example"));
    assert_eq!(asa.roles, ["Supervisor"]);
    assert_eq!(asa.groups, Groups::None);
    assert_eq!(asa.is_guest, None);
    assert_eq!(asa.expires, UnixTime(NOW.0 + 3900));
    assert_eq!(asa.token_id.as_deref(), Some("kQ7"));
    assert!(!format!("{asa:?}").contains("berg"), "a name is not printed");
}

#[test]
fn a_tab_lives_in_each_of_teams_clients_and_our_own_page_is_a_client_too() {
    for id in TEAMS_CLIENTS.iter().map(|(id, _)| *id).chain([client()]) {
        assert_eq!(user(check_claims(&asa(json!({"azp": id.to_string()})))).caller, id);
    }
    let only_teams_web = TokenRules { callers: [TEAMS_WEB.parse().unwrap()].into(), ..rules() };
    let from_desktop = Signer::entra().token(&asa(json!({"azp": TEAMS_DESKTOP.to_string()})));
    assert_eq!(
        only_teams_web.check(&from_desktop, &keys(), |_| true, NOW),
        Err(TokenFault::Caller(TEAMS_DESKTOP))
    );
}

#[test]
fn a_token_that_another_library_signed_is_believed() {
    let keys = keys_of(serde_json::from_str::<Value>(KEYS).unwrap()["keys"].as_array().unwrap());
    let asa = user(rules().check(GOOD.trim_end(), &keys, |_| true, GOOD_AT));
    assert_eq!((asa.user, asa.roles), (person(ASA), vec!["Supervisor".to_owned()]));
}

#[test]
fn a_program_comes_with_its_roles() {
    let Ok(ApiToken::App(app)) = check_claims(&program(json!({}))) else { panic!() };
    assert_eq!((app.app, app.principal), (FABRIKAM.parse().unwrap(), person(ASA)));
    assert_eq!(app.roles, ["Reports"]);
    assert_eq!(check_claims(&program(json!({"roles": null}))), Err(TokenFault::NoRole));
    assert_eq!(check_claims(&program(json!({"idtyp": "user"}))), Err(TokenFault::Claim("idtyp")));
    assert!(check_claims(&program(json!({"idtyp": null}))).is_ok(), "the claim is optional");
}

#[test]
fn an_id_token_is_no_credential_though_it_has_roles_and_the_same_audience() {
    let id_token = signed_in("nonce", json!({"roles": ["Administrator"]}));
    assert_eq!(check_claims(&id_token), Err(TokenFault::Claim("azp")));
    let with_caller = signed_in("nonce", json!({"roles": ["Administrator"], "azp": TANDEM}));
    assert_eq!(check_claims(&with_caller), Err(TokenFault::Claim("sub")));
}

#[test]
fn what_does_not_hold_is_told() {
    let table = [
        (json!({"aud": "00000003-0000-0000-c000-000000000000"}), TokenFault::Audience),
        (json!({"aud": "api://tandem"}), TokenFault::Audience),
        (json!({"iss": issuer(FABRIKAM)}), TokenFault::Issuer),
        (
            json!({"iss": "https://login.evil.example/c0a7050f-0000-4000-8000-000000000001/v2.0"}),
            TokenFault::Issuer,
        ),
        (json!({"iss": ANY_TENANT}), TokenFault::Issuer),
        (json!({"iss": format!("https://sts.windows.net/{CONTOSO}/")}), TokenFault::Issuer),
        (json!({"tid": FABRIKAM}), TokenFault::Issuer),
        (json!({"tid": "contoso.example"}), TokenFault::Claim("tid")),
        (json!({"tid": FABRIKAM, "iss": issuer(FABRIKAM)}), TokenFault::NotOnboarded(tenant(FABRIKAM))),
        (json!({"ver": "3.0"}), TokenFault::Version),
        (json!({"ver": null}), TokenFault::Version),
        (json!({"exp": NOW.0 - 300}), TokenFault::Expired(UnixTime(NOW.0 - 300))),
        (json!({"nbf": NOW.0 + 301}), TokenFault::NotYet(UnixTime(NOW.0 + 301))),
        (json!({"iat": NOW.0 + 301}), TokenFault::NotYet(UnixTime(NOW.0 + 301))),
        (json!({"azp": null}), TokenFault::Claim("azp")),
        (json!({"azp": FABRIKAM}), TokenFault::Caller(FABRIKAM.parse().unwrap())),
        (json!({"scp": "User.Read"}), TokenFault::Scope),
        (json!({"scp": "not_access_as_user access_as_users"}), TokenFault::Scope),
        (json!({"scp": ""}), TokenFault::Scope),
        (json!({"oid": null}), TokenFault::Claim("oid")),
        (json!({"idtyp": "app"}), TokenFault::Claim("idtyp")),
        (json!({"exp": null}), TokenFault::Unreadable(JwtFault::Malformed)),
        (json!({"exp": "never"}), TokenFault::Unreadable(JwtFault::Malformed)),
        (json!({"aud": [TANDEM]}), TokenFault::Unreadable(JwtFault::Malformed)),
        (json!({"roles": "Administrator"}), TokenFault::Unreadable(JwtFault::Malformed)),
    ];
    for (changes, fault) in table {
        assert_eq!(check_claims(&asa(changes.clone())), Err(fault), "{changes}");
        assert!(!fault.code().is_empty() && !fault.remedy().is_empty());
    }
}

#[test]
fn clocks_may_differ_by_five_minutes_and_no_more() {
    assert!(check_claims(&asa(json!({"exp": NOW.0 - 299}))).is_ok());
    assert!(check_claims(&asa(json!({"nbf": NOW.0 + 300, "iat": NOW.0 + 300}))).is_ok());
    let lax = TokenRules { skew: std::time::Duration::from_secs(86_400), ..rules() };
    let old = Signer::entra().token(&asa(json!({"exp": NOW.0 - 301})));
    assert_eq!(
        lax.check(&old, &keys(), |_| true, NOW),
        Err(TokenFault::Expired(UnixTime(NOW.0 - 301))),
        "a larger setting counts as five minutes"
    );
    assert_eq!(check_claims(&asa(json!({"exp": u64::MAX}))).map(|_| ()), Ok(()));
}

#[test]
fn only_rs256_is_believed() {
    let claims = asa(json!({}));
    let public = Signer::entra().entry(FIRST_KEY, ANY_TENANT)["n"].as_str().unwrap().to_owned();
    let unsigned = |alg: &str| format!("{}.{}.", part(&json!({"alg": alg, "kid": FIRST_KEY})), part(&claims));
    let signed_by_the_public_key = {
        let text = format!("{}.{}", part(&json!({"alg": "HS256", "kid": FIRST_KEY})), part(&claims));
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac))
    };
    let algorithm = Err(TokenFault::Unreadable(JwtFault::Algorithm));
    for alg in ["none", "None", "NONE", "nOnE", "HS256", "RS384", "PS256", "ES256", "rs256", ""] {
        assert_eq!(check(&unsigned(alg)), algorithm, "{alg}");
        let signed = Signer::entra().sign(&json!({"alg": alg, "kid": FIRST_KEY}), &claims);
        assert_eq!(check(&signed), algorithm, "{alg}");
    }
    assert_eq!(check(&signed_by_the_public_key), algorithm);
    assert_eq!(check(&unsigned("RS256")), Err(TokenFault::Signature));
}

#[test]
fn a_signature_of_someone_else_is_told() {
    let forged = Signer::stranger().token(&asa(json!({})));
    assert_eq!(check(&forged), Err(TokenFault::Signature));
    assert_eq!(check(&forged).unwrap_err().blame(), Blame::Sender);
    let mine = Signer::entra().token(&asa(json!({})));
    let (signed, _) = mine.rsplit_once('.').unwrap();
    let (_, other) = forged.rsplit_once('.').unwrap();
    assert_eq!(check(&format!("{signed}.{other}")), Err(TokenFault::Signature));
    assert_eq!(check(&format!("{signed}.")), Err(TokenFault::Signature));
}

#[test]
fn a_key_that_the_token_brings_along_is_not_used() {
    let header = json!({
        "alg": "RS256", "kid": FIRST_KEY,
        "jwk": Signer::stranger().entry(FIRST_KEY, ANY_TENANT),
        "jku": "https://login.evil.example/keys", "x5u": "https://login.evil.example/certificate",
    });
    assert_eq!(check(&Signer::stranger().sign(&header, &asa(json!({})))), Err(TokenFault::Signature));
}

#[test]
fn a_forged_token_does_not_tell_which_tenants_are_served() {
    for id in [CONTOSO, FABRIKAM] {
        let forged = Signer::stranger().token(&asa(json!({"tid": id, "iss": issuer(id)})));
        assert_eq!(check(&forged), Err(TokenFault::Signature));
    }
}

#[test]
fn a_key_signs_only_for_its_issuer() {
    let of = |issuer: &str, claims: &Value| {
        let keys = keys_of(&[Signer::entra().entry(FIRST_KEY, issuer)]);
        rules().check(&Signer::entra().token(claims), &keys, |_| true, NOW).map(|_| ())
    };
    let contoso = asa(json!({}));
    assert_eq!(of(&issuer(CONTOSO), &contoso), Ok(()));
    assert_eq!(of(&issuer(FABRIKAM), &contoso), Err(TokenFault::ForeignKey));
    assert_eq!(of("https://login.microsoftonline.us/{tenantid}/v2.0", &contoso), Err(TokenFault::ForeignKey));
    let two = keys_of(&[
        Signer::stranger().entry(FIRST_KEY, &issuer(FABRIKAM)),
        Signer::entra().entry(FIRST_KEY, &issuer(CONTOSO)),
    ]);
    assert!(rules().check(&Signer::entra().token(&contoso), &two, |_| true, NOW).is_ok());
    let for_fabrikam = Signer::stranger().token(&contoso);
    assert_eq!(rules().check(&for_fabrikam, &two, |_| true, NOW), Err(TokenFault::Signature));
}

#[test]
fn what_is_no_token_is_refused() {
    let good = Signer::entra().token(&asa(json!({})));
    let crit = json!({"alg": "RS256", "kid": FIRST_KEY, "crit": ["exp"]});
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"RS256","kid":"first-key"}"#);
    let (_, rest) = good.split_once('.').unwrap();
    for (text, fault) in [
        (String::new(), JwtFault::Malformed),
        ("..".to_owned(), JwtFault::Malformed),
        (format!("{good}.{good}"), JwtFault::Malformed),
        (format!(" {good}"), JwtFault::Malformed),
        (format!("{good}="), JwtFault::Malformed),
        (format!("{twice}.{rest}"), JwtFault::Malformed),
        (Signer::entra().sign(&crit, &asa(json!({}))), JwtFault::Malformed),
        (Signer::entra().sign(&json!({"alg": "RS256"}), &asa(json!({}))), JwtFault::NoKey),
        ("a".repeat(TOKEN_OCTETS_MAX + 1), JwtFault::TooLong),
    ] {
        assert_eq!(check(&text), Err(TokenFault::Unreadable(fault)), "{text:.60}");
    }
}

#[test]
fn version_1_comes_only_where_it_is_let_in() {
    let claims = asa(json!({
        "ver": "1.0", "iss": format!("https://sts.windows.net/{CONTOSO}/"), "aud": "api://tandem.example/7a9de300",
        "azp": null, "appid": TEAMS_WEB, "preferred_username": null, "upn": "asa@contoso.example",
    }));
    assert_eq!(check_claims(&claims), Err(TokenFault::Version));
    let rules = TokenRules {
        accepts_v1: true,
        app_id_uri: Some("api://tandem.example/7a9de300".to_owned()),
        ..TokenRules::new(Cloud::public(), client())
    };
    let check = |claims: &Value| rules.check(&Signer::entra().token(claims), &keys(), |_| true, NOW);
    assert_eq!(user(check(&claims)).preferred_username.as_deref(), Some("asa@contoso.example"));
    assert_eq!(
        check(&asa(json!({"aud": "api://tandem.example/7a9de300"}))),
        Err(TokenFault::Audience),
        "a token of version 2 names the client"
    );
}

#[test]
fn groups_that_do_not_fit_are_to_be_asked_for() {
    let groups = |changes: Value| user(check_claims(&asa(changes))).groups;
    assert_eq!(groups(json!({"groups": [FABRIKAM]})), Groups::Listed(vec![person(FABRIKAM)]));
    assert_eq!(groups(json!({"groups": []})), Groups::Listed(Vec::new()));
    let elsewhere = json!({
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/x/users/y/getMemberObjects"}},
    });
    assert_eq!(groups(elsewhere), Groups::Overage);
    assert_eq!(groups(json!({"hasgroups": true})), Groups::Overage);
    assert_eq!(groups(json!({"hasgroups": "true"})), Groups::Overage);
    assert_eq!(groups(json!({"_claim_names": {"photo": "src1"}})), Groups::None);
}

#[test]
fn a_guest_is_told() {
    let is_guest = |acct: Value| user(check_claims(&asa(json!({"acct": acct})))).is_guest;
    assert_eq!(is_guest(json!(1)), Some(true));
    assert_eq!(is_guest(json!("1")), Some(true));
    assert_eq!(is_guest(json!(0)), Some(false));
    assert_eq!(is_guest(json!({})), None);
}
