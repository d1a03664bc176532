//! An administrator lets Tandem into a tenant, and proves that it is theirs to let.
//!
//! "Admin consent on the Microsoft identity platform". Entra ID sends the administrator's browser back with the tenant's id,
//! but nobody vouches for that id: anybody can call the address with any. So the tenant counts as onboarded only after two
//! proofs: we got a token of our own in it (someone there has consented), and a person signed in who administers it
//! (who sits at the browser is of that tenant).

use std::time::Duration;

use url::form_urlencoded;

use super::cloud::{Authority, Cloud};
use super::code_flow::{Parameters, unguessable, with_query};
use super::refusal::{Blame, Refusal};
use super::token::UserToken;
use crate::id::{ClientId, EntraTenantId, Guid, ObjectId};
use crate::secret::Secret;
use crate::time::UnixTime;

/// What consent is asked for.
#[derive(Clone, Debug)]
pub struct ConsentRequest<'a> {
    /// The cloud.
    pub cloud: &'a Cloud,
    /// Our application.
    pub client: ClientId,
    /// Where the browser is to come back to; registered, letter by letter.
    pub redirect_uri: &'a str,
    /// The tenant, if it is known; else whichever the administrator is of.
    pub tenant: Option<EntraTenantId>,
}

/// One onboarding of one tenant, from the question to the proof.
#[derive(Debug)]
pub struct ConsentProof {
    state: Secret,
    expected: Option<EntraTenantId>,
    expires: UnixTime,
    stage: Stage,
}

/// How far an onboarding is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The administrator was sent to Entra ID.
    Asked,
    /// The browser came back and claims that this tenant has consented.
    Returned {
        /// The tenant that is claimed, unproved.
        claimed: EntraTenantId,
        /// Whether we got a token of our own in it.
        has_token: bool,
        /// Its administrator who signed in.
        administrator: Option<ObjectId>,
    },
    /// Both proofs are there.
    Proved {
        /// The tenant.
        tenant: EntraTenantId,
        /// Who let us in.
        administrator: ObjectId,
    },
}

/// What the browser brought back from Entra ID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsentCallback {
    /// Which onboarding it is about, as we named it.
    pub state: Secret,
    /// The tenant that is claimed to have consented, or why none has.
    pub outcome: Result<EntraTenantId, Refusal>,
}

/// Why an onboarding does not go on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConsentFault {
    /// What the browser brought cannot be read.
    #[error("the answer to the consent cannot be read")]
    Malformed,
    /// It is about another onboarding, or about one that has come back already.
    #[error("no consent of this name is awaited")]
    UnknownState,
    /// It took longer than [`CONSENT_WAIT`].
    #[error("the consent took too long")]
    Late,
    /// Another tenant has consented, or signed in, than the one that is onboarded.
    #[error("the tenant {0} is not the one that is onboarded")]
    OtherTenant(EntraTenantId),
    /// A guest, or somebody without a role that may consent.
    #[error("the person does not administer the tenant")]
    NotAdministrator,
    /// The token does not tell directory roles: they are to be read from Graph (`/me/memberOf`) and put in.
    #[error("the person's directory roles are not known")]
    RolesUnknown,
    /// A step came before its time.
    #[error("the consent has not come back yet")]
    TooEarly,
    /// Consent was not given.
    #[error("Entra ID refused: {0}")]
    Refused(Refusal),
}

impl ConsentRequest<'_> {
    /// The address to send the administrator's browser to, and the onboarding that begins with it.
    #[must_use]
    pub fn begin(&self, now: UnixTime, random: &mut dyn rand::RngCore) -> (String, ConsentProof) {
        let state = unguessable(random);
        let authority = self.tenant.map_or(Authority::Organizations, Authority::Tenant);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client.to_string())
            .append_pair("scope", &self.cloud.graph_default_scope())
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("state", state.expose())
            .finish();
        let address = with_query(&format!("{}/{authority}/v2.0/adminconsent", self.cloud.login), &query);
        let expires = now.after(CONSENT_WAIT);
        (address, ConsentProof { state, expected: self.tenant, expires, stage: Stage::Asked })
    }
}

impl ConsentProof {
    /// The name of this onboarding, which comes back in the [`ConsentCallback`]. Like that of a sign-in, it belongs into a
    /// cookie of the browser too.
    #[must_use]
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// How far it is.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// From then on it goes no further.
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// The browser came back. The tenant that is told is only claimed: now get a token for it, and have an administrator
    /// of it sign in.
    ///
    /// # Errors
    /// See [`ConsentFault`].
    pub fn returned(
        &mut self,
        callback: ConsentCallback,
        now: UnixTime,
    ) -> Result<EntraTenantId, ConsentFault> {
        if callback.state != self.state || self.stage != Stage::Asked {
            return Err(ConsentFault::UnknownState);
        }
        self.in_time(now)?;
        let claimed = callback.outcome.map_err(ConsentFault::Refused)?;
        if self.expected.is_some_and(|expected| expected != claimed) {
            return Err(ConsentFault::OtherTenant(claimed));
        }
        self.stage = Stage::Returned { claimed, has_token: false, administrator: None };
        Ok(claimed)
    }

    /// We got a token of our own in this tenant ([`super::client::Client::app_token`]).
    ///
    /// # Errors
    /// See [`ConsentFault`].
    pub fn got_token(&mut self, tenant: EntraTenantId, now: UnixTime) -> Result<Stage, ConsentFault> {
        self.prove(tenant, now, |has_token, _| *has_token = true)
    }

    /// A person signed in ([`super::token::TokenRules::check_sign_in`]). The directory roles are those of the token, or were
    /// read from Graph with the person's own token and put in.
    ///
    /// # Errors
    /// See [`ConsentFault`].
    pub fn signed_in(&mut self, person: &UserToken, now: UnixTime) -> Result<Stage, ConsentFault> {
        let roles = person.directory_roles.as_ref().ok_or(ConsentFault::RolesUnknown)?;
        let may_consent = roles.iter().any(|role| ADMINISTRATORS.iter().any(|(id, _)| id == role));
        if person.is_guest == Some(true) || !may_consent {
            return Err(ConsentFault::NotAdministrator);
        }
        self.prove(person.tenant, now, |_, administrator| *administrator = Some(person.user))
    }

    fn prove(
        &mut self,
        tenant: EntraTenantId,
        now: UnixTime,
        step: impl FnOnce(&mut bool, &mut Option<ObjectId>),
    ) -> Result<Stage, ConsentFault> {
        let Stage::Returned { claimed, has_token, administrator } = &mut self.stage else {
            return Err(ConsentFault::TooEarly);
        };
        if now >= self.expires {
            return Err(ConsentFault::Late);
        }
        if tenant != *claimed {
            return Err(ConsentFault::OtherTenant(tenant));
        }
        step(has_token, administrator);
        if let (true, Some(administrator)) = (*has_token, *administrator) {
            self.stage = Stage::Proved { tenant, administrator };
        }
        Ok(self.stage)
    }

    fn in_time(&self, now: UnixTime) -> Result<(), ConsentFault> {
        if now < self.expires { Ok(()) } else { Err(ConsentFault::Late) }
    }
}

impl ConsentCallback {
    /// Reads the query of the address with which the browser came back.
    ///
    /// # Errors
    /// [`ConsentFault::Malformed`].
    pub fn parse(text: &str) -> Result<Self, ConsentFault> {
        const NAMES: [&str; 5] = ["admin_consent", "tenant", "state", "error", "error_description"];
        let mut parameters = Parameters::parse(text, &NAMES).ok_or(ConsentFault::Malformed)?;
        let state =
            parameters.take("state").filter(|state| !state.is_empty()).ok_or(ConsentFault::Malformed)?;
        let is_given = parameters.take("admin_consent").is_some_and(|said| said.eq_ignore_ascii_case("true"));
        let tenant = parameters.take("tenant").and_then(|id| id.parse().ok());
        let outcome = match (parameters.take("error"), is_given, tenant) {
            (Some(error), _, _) => {
                Err(Refusal::returned(error, parameters.take("error_description").unwrap_or_default()))
            }
            (None, true, Some(tenant)) => Ok(tenant),
            _ => return Err(ConsentFault::Malformed),
        };
        Ok(Self { state: Secret::new(state), outcome })
    }
}

impl ConsentFault {
    /// A name for logs, the audit trail and the API that never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "consent_malformed",
            Self::UnknownState => "consent_unknown",
            Self::Late => "consent_late",
            Self::OtherTenant(_) => "consent_other_tenant",
            Self::NotAdministrator => "consent_not_administrator",
            Self::RolesUnknown => "consent_roles_unknown",
            Self::TooEarly => "consent_too_early",
            Self::Refused(refusal) => refusal.reason.code(),
        }
    }

    /// Who can do something about it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Malformed | Self::UnknownState | Self::TooEarly => Blame::Sender,
            Self::Late | Self::OtherTenant(_) | Self::NotAdministrator => Blame::Person,
            Self::RolesUnknown => Blame::Administrator,
            Self::Refused(refusal) => refusal.reason.blame(),
        }
    }

    /// What that one can do.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Malformed | Self::UnknownState | Self::TooEarly => "Start onboarding the tenant again.",
            Self::Late => "Start onboarding the tenant again, and finish within an hour.",
            Self::OtherTenant(_) => "Consent and sign in with an account of the tenant that is onboarded.",
            Self::NotAdministrator => {
                "Sign in as an administrator of the tenant: Global, Privileged Role, Cloud Application or Application."
            }
            Self::RolesUnknown => {
                "Consent to User.Read, or set groupMembershipClaims to DirectoryRole in the app registration."
            }
            Self::Refused(refusal) => refusal.reason.remedy(),
        }
    }
}

/// How long an onboarding may take: the administrator reads what is asked for.
pub const CONSENT_WAIT: Duration = Duration::from_secs(60 * 60);

/// Template ids of the directory roles that administer a tenant's applications ("Microsoft Entra built-in roles"). The
/// first two may also consent to Graph's application permissions; the others may vouch for a consent that was given.
pub const ADMINISTRATORS: [(Guid, &str); 4] = [
    (Guid::literal("62e90394-69f5-4237-9190-012177145e10"), "Global Administrator"),
    (Guid::literal("e8611ab8-c189-46e8-94e1-60213ab1f814"), "Privileged Role Administrator"),
    (Guid::literal("158c047a-c907-4556-b7ef-446551a6b5f7"), "Cloud Application Administrator"),
    (Guid::literal("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"), "Application Administrator"),
];
