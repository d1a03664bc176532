//! The pages that people see: who are you, is it really you, do you consent, and what went wrong.
//!
//! Plain HTML that works with a keyboard, a screen reader and without scripts; English or French.

use std::fmt::Write;

use crate::directory::{Directory, EntraTenantId, ObjectId, User};
use crate::entra::fault::{Fault, Ids};

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// By `ui_locales` or `Accept-Language`: the first of the two that is named.
    pub fn of(wish: &str) -> Self {
        let mut names = wish.split([',', ' ']).map(|name| name.trim().to_ascii_lowercase());
        match names.find(|name| name.starts_with("en") || name.starts_with("fr")) {
            Some(name) if name.starts_with("fr") => Self::French,
            _ => Self::English,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    fn say(self, english: &'static str, french: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }
}

/// What all pages of one sign-in have in common.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The language.
    pub language: Language,
    /// What the application is called.
    pub app: &'a str,
    /// Where the form goes to: path and query.
    pub action: &'a str,
    /// What the form carries along.
    pub hidden: Vec<(&'static str, String)>,
}

/// Who are you?
pub fn choose(
    frame: &Frame<'_>,
    directory: &Directory,
    tenants: &[EntraTenantId],
    signed_in: &[(EntraTenantId, ObjectId)],
    hint: Option<&str>,
    fault: Option<&Fault>,
) -> String {
    let language = frame.language;
    let mut body = format!(
        "<p>{} <strong>{}</strong></p>",
        language.say("to continue to", "pour continuer vers"),
        escape(frame.app)
    );
    alert(&mut body, fault);
    let hinted = |user: &User| {
        hint.is_some_and(|hint| {
            user.principal.eq_ignore_ascii_case(hint)
                || user.mail.eq_ignore_ascii_case(hint)
                || user.object_id.as_str() == hint
        })
    };
    for tenant in tenants.iter().filter_map(|tenant| directory.tenant(tenant)).take(TENANTS_SHOWN_MAX) {
        let mut people: Vec<&User> = tenant.users.values().collect();
        people.sort_by_cached_key(|user| (!hinted(user), user.name.clone()));
        people.truncate(PEOPLE_SHOWN_MAX);
        let _ = write!(body, "<h2>{}</h2><ul>", escape(&tenant.name));
        for user in people {
            let here = (user.tenant.clone(), user.object_id.clone());
            let mut note = user.job_title.clone();
            if signed_in.contains(&here) {
                note = language.say("Signed in", "Session ouverte").to_owned();
            } else if !user.enabled {
                note = language.say("Account disabled", "Compte désactivé").to_owned();
            } else if user.guest {
                note = language.say("Guest", "Invité").to_owned();
            }
            let _ = write!(
                body,
                "<li><button name=\"user\" value=\"{id}\"{focus}><span class=\"who\">{name}</span>\
                 <span>{principal}</span><span class=\"note\">{note}</span></button></li>",
                id = escape(&user.id),
                focus = if hinted(user) { " autofocus" } else { "" },
                name = escape(&user.name),
                principal = escape(&user.principal),
                note = escape(&note),
            );
        }
        body.push_str("</ul>");
    }
    cancel(&mut body, language);
    let mut typed = String::new();
    let _ = write!(
        typed,
        "<label for=\"typed\">{}</label><input id=\"typed\" name=\"user\" autocomplete=\"username\" spellcheck=\"false\" \
         required><button class=\"main\">{}</button>",
        language.say("Use another account: its name or address", "Autre compte : son nom ou son adresse"),
        language.say("Next", "Suivant"),
    );
    let body = form(frame, &body) + &form(frame, &typed);
    document(frame, language.say("Pick an account", "Choisir un compte"), &body)
}

/// The password.
pub fn password(frame: &Frame<'_>, user: &User, fault: Option<&Fault>) -> String {
    let language = frame.language;
    let mut body = format!("<p>{}</p>", escape(&user.principal));
    alert(&mut body, fault);
    let _ = write!(
        body,
        "<label for=\"password\">{}</label><input id=\"password\" name=\"password\" type=\"password\" \
         autocomplete=\"current-password\" required autofocus><button class=\"main\">{}</button>",
        language.say("Password", "Mot de passe"),
        language.say("Sign in", "Se connecter"),
    );
    cancel(&mut body, language);
    document(frame, language.say("Enter password", "Entrer le mot de passe"), &form(frame, &body))
}

/// More than a password.
pub fn approve(frame: &Frame<'_>, user: &User) -> String {
    let language = frame.language;
    let mut body = format!(
        "<p>{}</p><p>{}</p><button class=\"main\" name=\"mfa\" value=\"approved\" autofocus>{}</button>",
        escape(&user.principal),
        language.say(
            "Your organization asks for more than a password. The button stands for the app on your phone.",
            "Votre organisation demande plus qu’un mot de passe. Le bouton tient lieu de l’application de votre téléphone."
        ),
        language.say("Approve", "Approuver"),
    );
    cancel(&mut body, language);
    document(
        frame,
        language.say("Approve sign-in request", "Approuver la demande de connexion"),
        &form(frame, &body),
    )
}

/// What is asked of somebody who consents.
#[derive(Clone, Debug)]
pub struct Consent<'a> {
    /// Who.
    pub user: &'a User,
    /// Permissions in the person's name.
    pub delegated: Vec<String>,
    /// Permissions of the application in its own.
    pub permissions: Vec<String>,
    /// It is for the whole tenant, of this name.
    pub tenant: Option<&'a str>,
}

/// Do you consent?
pub fn consent(frame: &Frame<'_>, consent: &Consent<'_>) -> String {
    let language = frame.language;
    let mut body =
        format!("<p>{}</p><p><strong>{}</strong></p>", escape(&consent.user.principal), escape(frame.app));
    if let Some(tenant) = consent.tenant {
        let _ = write!(
            body,
            "<p>{} <strong>{}</strong>.</p>",
            language.say(
                "If you accept, this app will get access to these resources for all people of",
                "Si vous acceptez, cette application aura accès à ces ressources pour toutes les personnes de"
            ),
            escape(tenant)
        );
    }
    let mut list = |title: &str, names: &[String]| {
        if !names.is_empty() {
            let _ = write!(body, "<h2>{title}</h2><ul class=\"plain\">");
            for name in names {
                let _ = write!(body, "<li>{}</li>", escape(name));
            }
            body.push_str("</ul>");
        }
    };
    list(
        language.say("In the name of the person signed in", "Au nom de la personne connectée"),
        &consent.delegated,
    );
    list(language.say("Without anybody signed in", "Sans personne connectée"), &consent.permissions);
    if consent.tenant.is_none() && consent.user.administrator {
        let _ = write!(
            body,
            "<p><input type=\"checkbox\" id=\"everyone\" name=\"everyone\" value=\"yes\"> \
             <label class=\"beside\" for=\"everyone\">{}</label></p>",
            language.say("Consent on behalf of your organization", "Consentir au nom de votre organisation"),
        );
    }
    let _ = write!(
        body,
        "<button class=\"main\" name=\"consent\" value=\"accept\" autofocus>{}</button>\
         <button class=\"quiet\" name=\"consent\" value=\"decline\">{}</button>",
        language.say("Accept", "Accepter"),
        language.say("Cancel", "Annuler"),
    );
    document(frame, language.say("Permissions requested", "Autorisations demandées"), &form(frame, &body))
}

/// The code of a device.
pub fn device(frame: &Frame<'_>, fault: Option<&Fault>) -> String {
    let language = frame.language;
    let mut body = String::new();
    alert(&mut body, fault);
    let _ = write!(
        body,
        "<label for=\"otc\">{}</label><input id=\"otc\" name=\"otc\" autocomplete=\"one-time-code\" required autofocus>\
         <button class=\"main\">{}</button>",
        language.say("Code shown on your device", "Code affiché sur votre appareil"),
        language.say("Next", "Suivant"),
    );
    document(frame, language.say("Enter code", "Entrer le code"), &form(frame, &body))
}

/// A message, such as after signing out.
pub fn message(
    language: Language,
    title: (&'static str, &'static str),
    text: (&'static str, &'static str),
) -> String {
    let frame = Frame { language, app: "", action: "", hidden: Vec::new() };
    document(&frame, language.say(title.0, title.1), &format!("<p>{}</p>", language.say(text.0, text.1)))
}

/// What went wrong, with a way back if there is one.
pub fn fault(language: Language, fault: &Fault, ids: &Ids, back: Option<&str>) -> String {
    let frame = Frame { language, app: "", action: "", hidden: Vec::new() };
    let mut body = String::new();
    alert(&mut body, Some(fault));
    let _ = write!(
        body,
        "<dl><dt>Request Id</dt><dd>{}</dd><dt>Correlation Id</dt><dd>{}</dd><dt>Timestamp</dt><dd>{}</dd></dl>",
        escape(&ids.trace),
        escape(&ids.correlation),
        ids.at
    );
    if let Some(back) = back {
        let _ = write!(
            body,
            "<p><a class=\"quiet\" href=\"{}\">{}</a></p>",
            escape(back),
            language.say(
                "Return to the application without signing in",
                "Revenir à l’application sans se connecter"
            )
        );
    }
    document(
        &frame,
        language.say("Sorry, but we’re having trouble signing you in", "Impossible de vous connecter"),
        &body,
    )
}

/// Sends an answer back by a form that sends itself; `nonce` lets its script run.
pub fn form_post(language: Language, to: &str, pairs: &[(&str, &str)], nonce: &str) -> String {
    let mut fields = String::new();
    for (name, value) in pairs {
        let _ =
            write!(fields, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value));
    }
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{working}</title></head><body>\
         <form id=\"answer\" method=\"post\" action=\"{}\">{fields}<button>{}</button></form>\
         <script nonce=\"{nonce}\">document.getElementById('answer').submit();</script></body></html>",
        language.code(),
        escape(to),
        language.say("Continue", "Continuer"),
        working = language.say("Working…", "Un instant…"),
    )
}

fn alert(body: &mut String, fault: Option<&Fault>) {
    if let Some(fault) = fault {
        let _ = write!(body, "<p class=\"alert\" role=\"alert\">{}</p>", escape(&fault.text()));
    }
}

fn cancel(body: &mut String, language: Language) {
    let _ = write!(
        body,
        "<button class=\"quiet\" name=\"cancel\" value=\"yes\" formnovalidate>{}</button>",
        language.say("Cancel", "Annuler")
    );
}

/// A form that goes back to where the page came from.
fn form(frame: &Frame<'_>, fields: &str) -> String {
    let mut hidden = String::new();
    for (name, value) in &frame.hidden {
        let _ = write!(hidden, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    }
    format!("<form method=\"post\" action=\"{}\">{hidden}{fields}</form>", escape(frame.action))
}

fn document(frame: &Frame<'_>, title: &str, body: &str) -> String {
    let language = frame.language;
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main><p class=\"mark\">{}</p><h1>{title}</h1>{body}</main></body></html>",
        language.code(),
        language.say("Simulated Microsoft Entra ID", "Microsoft Entra ID simulé"),
    )
}

/// Makes text harmless in HTML, between tags and in attributes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// People of one tenant that are shown; others type their name.
const PEOPLE_SHOWN_MAX: usize = 100;
/// Tenants whose people are shown.
const TENANTS_SHOWN_MAX: usize = 20;
const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.45 'Segoe UI',system-ui,sans-serif}\
body{margin:0;background:light-dark(#f3f2f1,#1b1a19);color:light-dark(#1b1a19,#f3f2f1)}\
main{max-width:30rem;margin:4vh auto;padding:2rem 2.2rem;background:light-dark(#fff,#292827);\
box-shadow:0 2px 8px #0003}\
.mark{margin:0 0 1rem;font-weight:600;color:light-dark(#616161,#bdbdbd)}\
h1{margin:0 0 .6rem;font-size:1.5rem;font-weight:600}h2{margin:1.2rem 0 .3rem;font-size:1rem}\
ul{list-style:none;margin:0;padding:0}ul.plain{list-style:disc;padding-left:1.2rem}\
button,input,a.quiet{font:inherit}\
li button{display:grid;width:100%;text-align:left;padding:.55rem .7rem;margin:.15rem 0;border:1px solid transparent;\
background:none;color:inherit;cursor:pointer}\
li button:hover{background:light-dark(#f3f2f1,#3b3a39)}\
.who{font-weight:600}.note{font-size:.85rem;color:light-dark(#616161,#bdbdbd)}\
label{display:block;margin:.8rem 0 .2rem}label.beside{display:inline}\
input:not([type=checkbox]){width:100%;box-sizing:border-box;padding:.5rem;border:1px solid light-dark(#616161,#bdbdbd);\
background:inherit;color:inherit}\
.main{margin:1rem .5rem 0 0;padding:.5rem 1.4rem;border:0;background:#0f5ea8;color:#fff;cursor:pointer}\
button.quiet{margin:1rem 0 0;padding:.5rem 1rem;border:1px solid light-dark(#616161,#bdbdbd);background:none;\
color:inherit;cursor:pointer}\
a{color:light-dark(#0f5ea8,#8cc8ff)}\
:focus-visible{outline:3px solid light-dark(#0f5ea8,#8cc8ff);outline-offset:2px}\
.alert{padding:.6rem .8rem;border-left:4px solid #c50f1f;background:light-dark(#fdf3f4,#4a1f23)}\
dl{font-size:.85rem}dt{font-weight:600}dd{margin:0 0 .3rem}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_cannot_write_html() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
        let page = form_post(Language::English, "http://x/\"><script>", &[("state", "\"><b>")], "n");
        assert!(!page.contains("<b>") && !page.contains("x/\"><script>"));
    }

    #[test]
    fn the_language_is_the_first_that_is_known() {
        assert_eq!(Language::of("de-DE,fr-CA;q=0.8,en;q=0.5"), Language::French);
        assert_eq!(Language::of("de"), Language::English);
        assert_eq!(Language::of("en-GB,fr"), Language::English);
    }
}
