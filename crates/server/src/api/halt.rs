//! A small page without scripts for browsers that were on their way between Microsoft and us, in the reader's language.

use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Where somebody stands, and what to do about it.
pub(super) struct Halt<'a> {
    pub(super) what: What,
    /// What went wrong, as one word; `None` if nothing did.
    pub(super) code: Option<&'a str>,
    /// What happened, in English or in Microsoft's words; empty if there is nothing to be said.
    pub(super) text: String,
    /// What to do, in English.
    pub(super) remedy: &'a str,
}

/// What the page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The way ends here: an Entra tenant is connected.
    Connected,
    /// An administrator has to go on.
    AdministratorNeeded,
    /// Nobody is signed in.
    NotSignedIn,
    /// No Entra tenant is connected.
    NotConnected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    English,
    French,
}

impl Halt<'_> {
    /// The page for a browser that sent these headers.
    pub(super) fn page(&self, headers: &HeaderMap) -> Response {
        let language = Language::of(headers);
        let (lang, title, done) = self.what.said(language);
        let remedy = match (language, self.code) {
            (Language::French, Some(code)) => french(code),
            (Language::English, _) | (_, None) => self.remedy,
        };
        let [done, text, remedy, code] =
            [done, &self.text, remedy, self.code.unwrap_or_default()].map(escaped);
        let html = format!(
            "<!doctype html><html lang=\"{lang}\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;\
             margin:12vh auto;padding:0 1rem}}code{{opacity:.7}}p:empty{{display:none}}</style>\
             <main><h1>{title}</h1><p>{done}</p><p lang=\"en\">{text}</p><p>{remedy}</p><p><code>{code}</code></p>\
             <p><a href=\"/\">Tandem</a></p></main></html>"
        );
        let mut response = (self.what.status(), html).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
        headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
        response
    }
}

impl What {
    const fn status(self) -> StatusCode {
        match self {
            What::Connected | What::AdministratorNeeded => StatusCode::OK,
            What::NotSignedIn | What::NotConnected => StatusCode::FORBIDDEN,
        }
    }

    /// The language, the title, and what is to be known if all went well.
    const fn said(self, language: Language) -> (&'static str, &'static str, &'static str) {
        match (language, self) {
            (Language::English, What::Connected) => {
                ("en", "Your organisation is connected", "Its people can sign in now.")
            }
            (Language::English, What::AdministratorNeeded) => {
                ("en", "Nearly there", "An administrator of your organisation has to sign in.")
            }
            (Language::English, What::NotSignedIn) => ("en", "You are not signed in", ""),
            (Language::English, What::NotConnected) => ("en", "Your organisation is not connected", ""),
            (Language::French, What::Connected) => {
                ("fr", "Votre organisation est reliée", "Ses membres peuvent se connecter maintenant.")
            }
            (Language::French, What::AdministratorNeeded) => {
                ("fr", "Presque fini", "Un administrateur de votre organisation doit se connecter.")
            }
            (Language::French, What::NotSignedIn) => ("fr", "Vous n’êtes pas connecté", ""),
            (Language::French, What::NotConnected) => ("fr", "Votre organisation n’est pas reliée", ""),
        }
    }
}

impl Language {
    /// The one of ours that the reader likes best (RFC 9110 section 12.5.4); English if there is none.
    fn of(headers: &HeaderMap) -> Language {
        let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Language::English);
        for range in wanted.split(',').take(RANGES_MAX) {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight: f32 =
                weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(0.0);
            let language =
                match tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "en" => Language::English,
                    "fr" => Language::French,
                    _ => continue,
                };
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// What to do about a code, in French.
fn french(code: &str) -> &'static str {
    let known = FRENCH.iter().find(|(known, _)| *known == code);
    known.map_or(
        "Réessayez ; l’exploitant de Tandem en trouve la raison dans le journal.",
        |(_, remedy)| remedy,
    )
}

/// For those who sign in or connect their organisation; what only the operator can mend stands in the log.
const FRENCH: &[(&str, &str)] = &[
    ("no_role", "Demandez un rôle à un administrateur : dans Entra ID, ou ici."),
    (
        "not_onboarded",
        "Demandez à l’exploitant de Tandem de relier votre organisation : son administrateur consent une fois.",
    ),
    (
        "of_another_tenant",
        "Adressez-vous à l’exploitant de Tandem : ce compte est connu chez un autre client.",
    ),
    ("may_not_sign_in", "Adressez-vous à un administrateur : cette personne ne peut pas se connecter."),
    (
        "sign_in_other_browser",
        "Recommencez, dans un seul navigateur, et laissez-lui garder les cookies de ce site.",
    ),
    ("sign_in_late", "Recommencez, et terminez en dix minutes."),
    ("sign_in_unknown", "Recommencez depuis la page de Tandem."),
    ("sign_in_malformed", "Recommencez depuis la page de Tandem."),
    ("sign_in_again", "Reconnectez-vous : quelque chose a changé depuis, comme le mot de passe ou le lieu."),
    ("sign_in_not_a_person", "Connectez-vous comme personne ; les programmes utilisent des clés."),
    ("sign_in_other_tenant", "Connectez-vous avec un compte de l’organisation à observer."),
    ("entra_cancelled", "Reconnectez-vous."),
    ("entra_password_wrong", "Reconnectez-vous."),
    (
        "entra_grant_worthless",
        "Reconnectez-vous : la connexion d’avant a servi, a été révoquée ou est finie.",
    ),
    (
        "entra_interaction",
        "Reconnectez-vous : votre organisation demande davantage, comme un second facteur.",
    ),
    (
        "entra_forbidden",
        "L’accès conditionnel de votre organisation l’interdit : son journal des connexions dit quelle stratégie.",
    ),
    ("entra_no_person", "Connectez-vous avec un compte de la bonne organisation, qui n’est pas désactivé."),
    ("entra_not_assigned", "Demandez à un administrateur de vous affecter à cette application."),
    ("entra_not_consented", "Un administrateur de votre organisation doit consentir à cette application."),
    (
        "entra_consent_missing",
        "Un administrateur de votre organisation doit consentir encore : il manque des autorisations.",
    ),
    (
        "entra_consent_declined",
        "L’administrateur a refusé. Expliquez-lui les autorisations, et demandez encore.",
    ),
    ("entra_throttled", "Réessayez dans un instant."),
    ("entra_unavailable", "Réessayez dans un instant."),
    ("entra_unreachable", "Réessayez dans un instant ; si cela dure, prévenez l’exploitant de Tandem."),
    ("consent_not_administrator", "Connectez-vous comme administrateur de votre organisation."),
    ("consent_other_tenant", "Consentez et connectez-vous avec des comptes de la même organisation."),
    ("consent_late", "Ouvrez le lien encore une fois, et terminez sans attendre."),
    ("consent_too_early", "Ouvrez le lien encore une fois, et consentez d’abord."),
    ("consent_unknown", "Ouvrez le lien encore une fois."),
    ("consent_malformed", "Ouvrez le lien encore une fois."),
    (
        "onboarding_link",
        "Demandez un nouveau lien à l’exploitant de Tandem : celui-ci est trop vieux, ou n’en est pas un.",
    ),
    ("onboarding_other_browser", "Ouvrez le lien encore une fois, dans un seul navigateur."),
    (
        "entra_tenant_taken",
        "Adressez-vous à l’exploitant de Tandem : votre organisation est reliée à un autre client.",
    ),
];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// Languages of a browser that are looked at.
const RANGES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wanted: &str) -> Language {
        Language::of(&HeaderMap::from_iter([(ACCEPT_LANGUAGE, wanted.parse().unwrap())]))
    }

    #[test]
    fn the_reader_s_language_is_the_one_they_like_best() {
        assert_eq!(read("fr-CH, en;q=0.8"), Language::French);
        assert_eq!(read("de, en;q=0.5, fr;q=0.9"), Language::French);
        assert_eq!(read("en-US,fr;q=0.5"), Language::English);
        for nothing in ["", "de", "fr;q=0", "*", ";;q=,,", "fr;q=x"] {
            assert_eq!(read(nothing), Language::English, "{nothing:?}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }

    #[test]
    fn what_microsoft_says_is_text_and_no_markup() {
        assert_eq!(escaped("<b>\"&"), "&lt;b&gt;&quot;&amp;");
    }

    #[test]
    fn no_code_is_translated_twice() {
        let codes: std::collections::BTreeSet<&str> = FRENCH.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes.len(), FRENCH.len());
    }
}
