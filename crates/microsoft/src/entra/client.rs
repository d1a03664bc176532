//! This installation as a client of Entra ID: every way in which it asks for a token, and the answer.

use std::time::Duration;

use serde::Deserialize;

use super::cloud::{Authority, Cloud};
use super::code_flow::Redemption;
use super::credential::{Credential, CredentialFault};
use super::refusal::Refusal;
use crate::http::{Method, Request, Response};
use crate::id::{ClientId, EntraTenantId};
use crate::secret::Secret;
use crate::time::UnixTime;

/// The registered application, with what proves it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The cloud it is registered in.
    pub cloud: Cloud,
    /// Its id.
    pub id: ClientId,
    /// Its proof.
    pub credential: Credential,
}

/// A token that was given, and what came with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenGrant {
    /// To be shown to the API it is for. What is in it is that API's matter: Graph's cannot even be checked.
    pub access_token: Secret,
    /// How long the token is good, counted from the answer.
    pub life: Duration,
    /// With which the next token is asked for without the person; only where `offline_access` was asked for.
    pub refresh_token: Option<Secret>,
    /// Who signed in, for us only; where `openid` was asked for.
    pub id_token: Option<Secret>,
    /// What the token allows; empty where it was not told.
    pub scopes: Vec<String>,
}

impl Client {
    /// Asks for a token of our own for Graph in a customer's tenant (client credentials).
    ///
    /// # Errors
    /// The credential does not work; see [`CredentialFault`].
    pub fn app_token(
        &self,
        tenant: EntraTenantId,
        now: UnixTime,
        random: &mut dyn rand::RngCore,
    ) -> Result<Request, CredentialFault> {
        let address = self.cloud.token_endpoint(Authority::Tenant(tenant));
        let scope = self.cloud.graph_default_scope();
        self.ask(&address, &[("grant_type", "client_credentials"), ("scope", &scope)], now, random)
    }

    /// Asks for the tokens of a sign-in that came back with a code.
    ///
    /// # Errors
    /// The credential does not work; see [`CredentialFault`].
    pub fn redeem(
        &self,
        redemption: &Redemption,
        now: UnixTime,
        random: &mut dyn rand::RngCore,
    ) -> Result<Request, CredentialFault> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", redemption.code.expose()),
            ("redirect_uri", redemption.redirect_uri.as_str()),
            ("code_verifier", redemption.verifier.expose()),
            ("scope", redemption.scope.as_str()),
        ];
        self.ask(&redemption.token_endpoint, &fields, now, random)
    }

    /// Asks for the next token of a person who signed in before. The answer's refresh token takes the place of this.
    ///
    /// # Errors
    /// The credential does not work; see [`CredentialFault`].
    pub fn refresh(
        &self,
        tenant: EntraTenantId,
        refresh_token: &Secret,
        scopes: &[&str],
        now: UnixTime,
        random: &mut dyn rand::RngCore,
    ) -> Result<Request, CredentialFault> {
        let address = self.cloud.token_endpoint(Authority::Tenant(tenant));
        let scope = scopes.join(" ");
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
            ("scope", scope.as_str()),
        ];
        self.ask(&address, &fields, now, random)
    }

    /// Asks to exchange a person's token for our API for one with which to call Graph as that person (on-behalf-of).
    ///
    /// The token must have been checked ([`super::token::TokenRules::check`]), and be a person's; `tenant` is its tenant.
    ///
    /// # Errors
    /// The credential does not work; see [`CredentialFault`].
    pub fn on_behalf_of(
        &self,
        tenant: EntraTenantId,
        token: &Secret,
        scopes: &[&str],
        now: UnixTime,
        random: &mut dyn rand::RngCore,
    ) -> Result<Request, CredentialFault> {
        let address = self.cloud.token_endpoint(Authority::Tenant(tenant));
        let scope = scopes.join(" ");
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", token.expose()),
            ("scope", scope.as_str()),
            ("requested_token_use", "on_behalf_of"),
        ];
        self.ask(&address, &fields, now, random)
    }

    fn ask(
        &self,
        address: &str,
        fields: &[(&str, &str)],
        now: UnixTime,
        random: &mut dyn rand::RngCore,
    ) -> Result<Request, CredentialFault> {
        let id = self.id.to_string();
        let proof = self.credential.fields(self.id, address, now, random)?;
        let proof = proof.iter().map(|(name, value)| (*name, value.expose()));
        let all = [("client_id", id.as_str())].into_iter().chain(fields.iter().copied()).chain(proof);
        Ok(Request::new(Method::Post, address).header("Accept", "application/json").form(all))
    }
}

impl TokenGrant {
    /// Reads what came for any of the requests of [`Client`]; `None` if nothing did.
    ///
    /// # Errors
    /// No token was given; see [`Refusal`].
    pub fn parse(response: Option<&Response>) -> Result<Self, Refusal> {
        let response = response.ok_or_else(Refusal::unreachable)?;
        if !response.is_success() {
            return Err(Refusal::parse(response));
        }
        let body: Body = serde_json::from_slice(&response.body).map_err(|_| Refusal::unreachable())?;
        if !body.token_type.eq_ignore_ascii_case("Bearer") || body.access_token.is_empty() {
            return Err(Refusal::unreachable());
        }
        Ok(Self {
            access_token: Secret::new(body.access_token),
            life: Duration::from_secs(body.expires_in).min(TOKEN_LIFE_MAX),
            refresh_token: body.refresh_token.map(Secret::new),
            id_token: body.id_token.map(Secret::new),
            scopes: body.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        })
    }
}

#[derive(Deserialize)]
struct Body {
    token_type: String,
    access_token: String,
    expires_in: u64,
    refresh_token: Option<String>,
    id_token: Option<String>,
    scope: Option<String>,
}

/// How long a token is kept at most: the longest that Entra ID gives out, with continuous access evaluation.
pub const TOKEN_LIFE_MAX: Duration = Duration::from_secs(28 * 60 * 60);
