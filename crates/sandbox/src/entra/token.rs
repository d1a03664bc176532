//! The token endpoint: each grant from its request to its answer.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::{AppConfig, Audience};
use crate::directory::{AppId, Directory, EntraTenantId, ObjectId, Tenant};
use crate::entra::Entra;
use crate::entra::claims::{Frame, v1_issuer, v2_issuer};
use crate::entra::client::{Credentials, Proof};
use crate::entra::discovery::{Authority, Origin};
use crate::entra::fault::Fault;
use crate::entra::grant::{Challenge, DEVICE_LIFETIME, Device, DeviceState, Found, Grant};
use crate::entra::grant::{PAGE_REFRESH_LIFETIME, REFRESH_LIFETIME};
use crate::entra::jwt::{self, Parts};
use crate::entra::params::Params;
use crate::entra::scope::{Asked, Resource};
use crate::entra::{SKEW_S, graph_token};

/// A request to the token endpoint, or to the one for devices.
#[derive(Debug)]
pub struct TokenRequest<'a> {
    /// The tenant in its address.
    pub authority: &'a Authority,
    /// Where it came to.
    pub origin: &'a Origin,
    /// The form.
    pub params: &'a Params,
    /// Its `Authorization`.
    pub authorization: Option<&'a str>,
    /// It has an `Origin`: a page in a browser sent it.
    pub cross_origin: bool,
}

/// A client that has proved who it is.
#[derive(Debug)]
struct Client {
    app: AppConfig,
    id: AppId,
    proof: Proof,
}

impl Entra {
    /// Answers at the token endpoint.
    pub(crate) fn token(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Fault> {
        let grant_type = request.params.get("grant_type").ok_or(Fault::Missing("grant_type"))?;
        match grant_type {
            "client_credentials" => self.client_credentials(directory, now, request),
            "authorization_code" => self.redeem_code(directory, now, request),
            "refresh_token" => self.refresh(directory, now, request),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => self.on_behalf_of(directory, now, request),
            "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
                self.redeem_device(directory, now, request)
            }
            other => Err(Fault::UnsupportedGrant(other.to_owned())),
        }
    }

    /// Answers at the endpoint for devices (RFC 8628).
    pub(crate) fn device(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Fault> {
        let client = AppId::new(request.params.get("client_id").ok_or(Fault::Missing("client_id"))?);
        let app = directory.app(&client).ok_or_else(|| Fault::NoApp {
            app: client.to_string(),
            tenant: request.authority.segment().to_owned(),
        })?;
        let asked = Asked::read(request.params.words("scope"), directory, request.authority.segment())?;
        let device_code = self.random_name();
        let user_code: String = (0..9)
            .filter_map(|_| self.chance.pick(USER_CODE_LETTERS))
            .map(|letter| char::from(*letter))
            .collect();
        let device = Device {
            user_code: user_code.clone(),
            client: AppId::new(&app.id),
            asked,
            state: DeviceState::Waiting,
        };
        self.devices.keep(device_code.clone(), device, now, DEVICE_LIFETIME);
        let page = format!("{}/common/oauth2/deviceauth", request.origin.browser);
        Ok(json!({
            "user_code": user_code, "device_code": device_code, "verification_uri": page,
            "expires_in": DEVICE_LIFETIME.as_secs(), "interval": 5,
            "message": format!("To sign in, use a web browser to open the page {page} and enter the code {user_code} to authenticate."),
        }))
    }

    fn client_credentials(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Fault> {
        let scope = request.params.get("scope").ok_or(Fault::MissingField("scope"))?;
        let client = self.client(directory, now, request)?;
        if client.proof == Proof::Public {
            return Err(Fault::NoCredential);
        }
        // Without a tenant in the address it can only be the one at home.
        let home = EntraTenantId::new(&client.app.home_tenant);
        let tenant = request.authority.tenant().unwrap_or(&home);
        let tenant = directory.tenant(tenant).ok_or_else(|| Fault::NoTenant(tenant.to_string()))?;
        in_tenant(&client.app, tenant)?;
        let asked = Asked::read(scope.split_whitespace(), directory, &tenant.name)?;
        if !asked.default || !asked.oidc.is_empty() {
            return Err(Fault::NotDefault(scope.to_owned()));
        }
        let principal = tenant.principals.get(&client.id);
        let object_id = principal.map_or_else(|| ObjectId::new(""), |principal| principal.id.clone());
        let frame = self.frame(tenant, &client.app, client.proof, now);
        let access_token = match &asked.resource {
            Resource::Graph => {
                let roles: Vec<String> =
                    principal.iter().flat_map(|principal| principal.permissions.iter().cloned()).collect();
                let claims = frame.graph_app_access(&object_id, &roles);
                let nonce = self.random_name();
                graph_token::write(self.keys.signing(), &nonce, &claims)
            }
            Resource::Api(api) => {
                let api = directory.app(api).ok_or(Fault::Malformed)?;
                in_tenant(api, tenant)?;
                self.sign(&frame.app_access(api, &object_id, &[]))
            }
        };
        let lifetime_s = frame.lifetime_s - 1;
        Ok(json!({
            "token_type": "Bearer", "expires_in": lifetime_s, "ext_expires_in": lifetime_s, "access_token": access_token,
        }))
    }

    fn redeem_code(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Fault> {
        let params = request.params;
        let code = params.get("code").ok_or(Fault::Missing("code"))?;
        let client = self.client(directory, now, request)?;
        let kept = match self.codes.get_mut(code, now) {
            Found::Good(kept) => kept,
            Found::Expired => return Err(Fault::GrantExpired),
            Found::Nothing => return Err(Fault::GrantUnknown),
        };
        if kept.grant.client != client.id {
            return Err(Fault::GrantUnknown);
        }
        if kept.used {
            return Err(Fault::CodeUsed);
        }
        if request.authority.tenant().is_some_and(|tenant| *tenant != kept.grant.tenant) {
            return Err(Fault::OtherAuthority);
        }
        let redirect_uri = params.get("redirect_uri").ok_or(Fault::Missing("redirect_uri"))?;
        if kept.redirect_uri != redirect_uri {
            return Err(Fault::RedirectUri { uri: redirect_uri.to_owned(), app: client.id });
        }
        match (&kept.challenge, params.get("code_verifier")) {
            (None, _) => {}
            (Some(_), None) => return Err(Fault::NoVerifier),
            (Some(challenge), Some(verifier)) if challenge.fits(verifier) => {}
            (Some(_), Some(_)) => return Err(Fault::Verifier),
        }
        match (kept.grant.page, client.proof) {
            (true, _) if !request.cross_origin => return Err(Fault::NotCrossOrigin),
            (false, Proof::Public) if !client.app.is_public() => return Err(Fault::NoCredential),
            _ => {}
        }
        kept.used = true;
        let (grant, nonce) = (kept.grant.clone(), kept.nonce.clone());
        self.issue(directory, now, &client, &grant, nonce.as_deref(), params)
    }

    fn refresh(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Fault> {
        let params = request.params;
        let token = params.get("refresh_token").ok_or(Fault::Missing("refresh_token"))?;
        let client = self.client(directory, now, request)?;
        let mut grant = match self.refresh_tokens.get(token, now) {
            Found::Good(grant) if grant.client == client.id => grant.clone(),
            Found::Good(_) | Found::Nothing => return Err(Fault::GrantUnknown),
            Found::Expired => return Err(Fault::GrantExpired),
        };
        if !grant.page && client.proof == Proof::Public && !client.app.is_public() {
            return Err(Fault::NoCredential);
        }
        if let Some(tenant) = request.authority.tenant()
            && *tenant != grant.tenant
        {
            return Err(Fault::OtherTenant { user: grant.user.to_string(), tenant: tenant.to_string() });
        }
        if let Some(scope) = params.get("scope") {
            let mut asked = Asked::read(scope.split_whitespace(), directory, request.authority.segment())?;
            // A refresh token is followed by another whether that is asked for or not.
            asked.oidc.extend(grant.asked.oidc.iter().cloned());
            grant.asked = asked;
        }
        self.consented(directory, &client, &grant)?;
        self.issue(directory, now, &client, &grant, None, params)
    }

    fn on_behalf_of(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Fault> {
        let params = request.params;
        let assertion = params.get("assertion").ok_or(Fault::Missing("assertion"))?;
        if params.get("requested_token_use") != Some("on_behalf_of") {
            return Err(Fault::Missing("requested_token_use"));
        }
        let scope = params.get("scope").ok_or(Fault::MissingField("scope"))?;
        let client = self.client(directory, now, request)?;
        if client.proof == Proof::Public {
            return Err(Fault::NoCredential);
        }
        let parts = self.own_token(assertion).ok_or(Fault::OboSignature)?;
        let audience = parts.text("aud").unwrap_or_default();
        let is_ours = directory.app_of_resource(audience).is_some_and(|api| AppId::new(&api.id) == client.id);
        if !is_ours {
            return Err(Fault::OboAudience);
        }
        let at = now.as_second();
        let ended = parts.seconds("exp").is_none_or(|exp| exp <= at);
        let begun = parts.seconds("nbf").is_some_and(|nbf| nbf <= at.saturating_add(SKEW_S));
        if ended || !begun {
            return Err(Fault::OboTime);
        }
        if parts.text("scp").is_none() {
            return Err(Fault::OboApp(client.id));
        }
        let (Some(tenant), Some(user)) = (parts.text("tid"), parts.text("oid")) else {
            return Err(Fault::OboSignature);
        };
        let (tenant, user) = (EntraTenantId::new(tenant), ObjectId::new(user));
        if request.authority.tenant().is_some_and(|named| *named != tenant) {
            return Err(Fault::NoUser {
                user: user.to_string(),
                tenant: request.authority.segment().to_owned(),
            });
        }
        let asked = Asked::read(scope.split_whitespace(), directory, tenant.as_str())?;
        let mfa = parts.text("uti").is_some_and(|uti| matches!(self.strong.get(uti, now), Found::Good(())));
        let since = parts.seconds("iat").and_then(|iat| Timestamp::from_second(iat).ok()).unwrap_or(now);
        let grant = Grant { client: client.id.clone(), tenant, user, asked, mfa, page: false, since };
        self.consented(directory, &client, &grant)?;
        self.issue(directory, now, &client, &grant, None, params)
    }

    fn redeem_device(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Fault> {
        let code = request.params.get("device_code").ok_or(Fault::Missing("device_code"))?;
        let client = self.client(directory, now, request)?;
        let device = match self.devices.get(code, now) {
            Found::Good(device) if device.client == client.id => device,
            Found::Good(_) | Found::Nothing => return Err(Fault::DeviceUnknown),
            Found::Expired => return Err(Fault::DeviceExpired),
        };
        match device.state.clone() {
            DeviceState::Waiting => Err(Fault::DevicePending),
            DeviceState::Declined => Err(Fault::Declined),
            DeviceState::Granted(grant) => self.issue(directory, now, &client, &grant, None, request.params),
        }
    }

    /// Who asks, proved as far as he proves it.
    fn client(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TokenRequest<'_>,
    ) -> Result<Client, Fault> {
        let credentials = Credentials::read(request.params, request.authorization)?;
        let id = AppId::new(&credentials.id);
        let unknown =
            || Fault::NoApp { app: credentials.id.clone(), tenant: request.authority.segment().to_owned() };
        let app = directory.app(&id).ok_or_else(unknown)?;
        if let Some(tenant) = request.authority.tenant().and_then(|tenant| directory.tenant(tenant)) {
            in_tenant(app, tenant)?;
        }
        if app.audience == Audience::AzureADMyOrg && request.authority.tenant().is_none() {
            return Err(Fault::SingleTenant(id));
        }
        let audiences = audiences(request, &self.issuer);
        let proof = credentials.prove(app, now, &audiences, &mut self.assertions)?;
        Ok(Client { app: app.clone(), id, proof })
    }

    /// Whether everything that a grant needs is granted to the client.
    fn consented(&self, directory: &Directory, client: &Client, grant: &Grant) -> Result<(), Fault> {
        let tenant =
            directory.tenant(&grant.tenant).ok_or_else(|| Fault::NoTenant(grant.tenant.to_string()))?;
        let missing = grant.asked.not_granted(&client.app, directory, tenant, Some(&grant.user));
        if missing.is_empty() && tenant.principals.contains_key(&client.id) {
            Ok(())
        } else {
            Err(Fault::NoConsent { app: client.id.clone(), name: client.app.name.clone() })
        }
    }

    /// The answer with tokens in somebody's name.
    fn issue(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        client: &Client,
        grant: &Grant,
        nonce: Option<&str>,
        params: &Params,
    ) -> Result<Value, Fault> {
        let tenant =
            directory.tenant(&grant.tenant).ok_or_else(|| Fault::NoTenant(grant.tenant.to_string()))?;
        let user = tenant
            .users
            .get(&grant.user)
            .ok_or_else(|| Fault::NoUser { user: grant.user.to_string(), tenant: tenant.name.clone() })?;
        if !user.enabled {
            return Err(Fault::Disabled);
        }
        if self.revoked.get(&grant.user).is_some_and(|at| grant.since.as_second() < *at) {
            return Err(Fault::GrantRevoked);
        }
        in_tenant(&client.app, tenant)?;
        if client.app.assignment_required && tenant.roles_of(&client.app, &user.object_id).is_empty() {
            return Err(Fault::NotAssigned { user: user.principal.clone(), app: client.id.clone() });
        }
        if self.policy.blocks(user) {
            return Err(Fault::Blocked);
        }
        if self.policy.demands_mfa(user) && !grant.mfa {
            return Err(Fault::Mfa { resource: grant.asked.resource.text().to_owned() });
        }

        let scopes = grant.asked.granted(&client.app, directory, tenant, &user.object_id);
        let mut frame = self.frame(tenant, &client.app, client.proof, now);
        let mut access = match &grant.asked.resource {
            Resource::Graph => frame.graph_user_access(user, &scopes),
            Resource::Api(api) => {
                let api = directory.app(api).ok_or(Fault::Malformed)?;
                frame.user_access(api, user, &scopes)
            }
        };
        // A client that says it understands challenges is marked as one ("Client capabilities").
        if params.get("claims").is_some_and(|claims| claims.contains("xms_cc"))
            && let Some(fields) = access.as_object_mut()
        {
            fields.insert("xms_cc".to_owned(), json!(["cp1"]));
        }
        if grant.mfa {
            self.strong.keep(frame.uti.clone(), (), now, REFRESH_LIFETIME);
        }
        let access_token = match &grant.asked.resource {
            Resource::Graph => {
                let nonce = self.random_name();
                graph_token::write(self.keys.signing(), &nonce, &access)
            }
            Resource::Api(_) => self.sign(&access),
        };
        let lifetime_s = frame.lifetime_s - 1;
        let mut answer = json!({
            "token_type": "Bearer", "scope": grant.asked.answered(&scopes), "expires_in": lifetime_s, "ext_expires_in": lifetime_s,
            "access_token": access_token,
        });
        let Some(fields) = answer.as_object_mut() else { return Err(Fault::Malformed) };
        if grant.asked.is_offline() {
            let lifetime = if grant.page { PAGE_REFRESH_LIFETIME } else { REFRESH_LIFETIME };
            let token = format!("1.{}", self.random_name());
            self.refresh_tokens.keep(token.clone(), grant.clone(), now, lifetime);
            fields.insert("refresh_token".to_owned(), token.into());
        }
        if grant.asked.oidc.contains("openid") {
            frame.uti = self.random_name();
            let claims = frame.id(user, nonce, grant.asked.oidc.contains("email"));
            fields.insert("id_token".to_owned(), self.sign(&claims).into());
        }
        if params.get("client_info") == Some("1") {
            let info = json!({ "uid": user.object_id, "utid": tenant.id });
            fields.insert("client_info".to_owned(), URL_SAFE_NO_PAD.encode(info.to_string()).into());
        }
        Ok(answer)
    }

    /// What all tokens of one answer have in common.
    pub(crate) fn frame<'a>(
        &mut self,
        tenant: &'a Tenant,
        client: &'a AppConfig,
        proof: Proof,
        now: Timestamp,
    ) -> Frame<'a> {
        // "Configurable token lifetimes": access tokens live 60 to 90 minutes, at random.
        let lifetime_s = LIFETIME_S + i64::try_from(self.chance.below(LIFETIME_SPREAD_S)).unwrap_or(0);
        Frame {
            issuer: self.issuer.clone(),
            tenant,
            client,
            proof,
            now,
            lifetime_s,
            uti: self.random_name(),
            group_overage: self.policy.group_overage,
        }
    }

    /// Signs a token that anybody can check.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let key = self.keys.signing();
        let mut header = json!({ "typ": "JWT", "alg": "RS256", "kid": key.kid });
        if claims.get("ver").and_then(Value::as_str) == Some("1.0")
            && let Some(fields) = header.as_object_mut()
        {
            fields.insert("x5t".to_owned(), key.kid.as_str().into());
        }
        jwt::write(&header, claims, |signed| key.sign(signed))
    }

    /// A token that was signed here, taken apart; its time is not looked at.
    fn own_token<'a>(&self, token: &'a str) -> Option<Parts<'a>> {
        let parts = Parts::read(token)?;
        let key = self.keys.get(parts.header_text("kid")?)?;
        let is_rs256 = parts.header_text("alg") == Some("RS256");
        let iss = parts.text("iss")?;
        let tenant = EntraTenantId::new(parts.text("tid")?);
        let is_ours = iss == v2_issuer(&self.issuer, &tenant) || iss == v1_issuer(&tenant);
        let good = is_rs256 && is_ours && key.verifies(parts.signed.as_bytes(), &parts.signature);
        good.then_some(parts)
    }
}

impl Challenge {
    fn fits(&self, verifier: &str) -> bool {
        match self {
            Self::S256(hash) => *hash == URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())),
            Self::Plain(plain) => plain == verifier,
        }
    }
}

/// An application is in its own tenant, and in those that consented.
pub(crate) fn in_tenant(app: &AppConfig, tenant: &Tenant) -> Result<(), Fault> {
    let id = AppId::new(&app.id);
    let at_home = EntraTenantId::new(&app.home_tenant) == tenant.id;
    if at_home || tenant.principals.contains_key(&id) {
        Ok(())
    } else {
        Err(Fault::NoApp { app: app.id.clone(), tenant: tenant.name.clone() })
    }
}

/// What an assertion may be for: the endpoint or the authority, under the name that was asked or Microsoft's own.
fn audiences(request: &TokenRequest<'_>, issuer: &str) -> Vec<String> {
    let segment = request.authority.segment();
    let hosts = [request.origin.asked.as_str(), request.origin.browser.as_str(), issuer];
    hosts
        .iter()
        .flat_map(|host| {
            ["oauth2/v2.0/token", "v2.0", ""].map(|path| {
                let whole = format!("{host}/{segment}/{path}");
                if path.is_empty() { whole.trim_end_matches('/').to_owned() } else { whole }
            })
        })
        .flat_map(|audience| [format!("{audience}/"), audience])
        .collect()
}

/// Letters of the codes that people type; none is taken for another.
const USER_CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
/// The shortest life of an access token.
const LIFETIME_S: i64 = 3600;
/// Up to so much more.
const LIFETIME_SPREAD_S: u64 = 1800;
