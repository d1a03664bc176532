//! What a tenant has granted to us: read from a token, or from the tenant's directory.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::entra::permission::Granted;
use crate::graph::call::{Answer, Call, Caller, LINK_OCTETS_MAX, Operation, Target};
use crate::graph::fault::{Fault, FaultKind};
use crate::graph::members::Progress;
use crate::http::Method;
use crate::id::{ClientId, Guid, ObjectId};
use crate::secret::Secret;

/// What an access token of ours for Graph says was granted.
///
/// Needs no permission. Graph's tokens are not made to be checked by us, and need not be: this one came from Entra ID itself.
/// It is for showing only, never for deciding who may do what. It may be an hour older than the last consent. Nothing is
/// granted as far as a token says that cannot be read.
#[must_use]
pub fn in_token(token: &Secret) -> Granted {
    let claims = token
        .expose()
        .split('.')
        .nth(1)
        .and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok())
        .and_then(|json| serde_json::from_slice::<Claims>(&json).ok())
        .unwrap_or_default();
    let delegated = claims.scp.unwrap_or_default();
    Granted {
        application: claims.roles.unwrap_or_default().into_iter().take(GRANTS_MAX).collect(),
        delegated: delegated.split_whitespace().take(GRANTS_MAX).map(str::to_owned).collect(),
    }
}

/// Reads from the tenant's directory what it has granted to us: exact at once, but needs `Application.Read.All` itself.
///
/// Ask with [`GrantsReading::call`], hand the answer to [`GrantsReading::handle_answer`], until it is done.
#[derive(Clone, Debug)]
pub struct GrantsReading {
    application: ClientId,
    step: Step,
    /// The page to go on with.
    link: Option<String>,
    pages: u32,
    /// Our application in this tenant.
    us: Option<ObjectId>,
    /// Graph in this tenant, and the names of its permissions.
    graph: Option<ObjectId>,
    names: BTreeMap<Guid, String>,
    granted: Granted,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Who we are in this tenant.
    Us,
    /// What Graph's permissions are called.
    Names,
    /// What was granted to the application.
    Application,
    /// What was granted for everyone who signs in.
    Delegated,
}

impl GrantsReading {
    /// To read what was granted to this application.
    #[must_use]
    pub fn new(application: ClientId) -> Self {
        Self {
            application,
            step: Step::Us,
            link: None,
            pages: 0,
            us: None,
            graph: None,
            names: BTreeMap::new(),
            granted: Granted::default(),
        }
    }

    /// What to ask next.
    #[must_use]
    pub fn call(&self) -> Call {
        let (operation, caller) = (Operation::ReadGrants, Caller::Application);
        if let Some(link) = &self.link {
            return Call::new(operation, caller, Method::Get, Target::Link(link.clone()));
        }
        let us = self.us.map(|id| id.to_string()).unwrap_or_default();
        let path = match self.step {
            Step::Us => principal(self.application, "id,appId"),
            Step::Names => principal(GRAPH, "id,appId,appRoles"),
            Step::Application => format!("/servicePrincipals/{us}/appRoleAssignments"),
            Step::Delegated => format!("/servicePrincipals/{us}/oauth2PermissionGrants"),
        };
        Call::get(operation, caller, path)
    }

    /// Takes an answer.
    ///
    /// # Errors
    /// It could not be read. If our application is not in the tenant, or Graph is not, the fault is
    /// [`FaultKind::NotFound`].
    pub fn handle_answer(&mut self, answer: &Answer) -> Result<Progress<Granted>, Fault> {
        let page: Page = Fault::read(Operation::ReadGrants, answer, |response| {
            serde_json::from_slice(&response.body).ok()
        })?;
        let next = page.next.filter(|link| link.len() <= LINK_OCTETS_MAX);
        self.pages += 1;
        self.take(page.value);
        if let Some(link) = next {
            if self.pages >= PAGES_MAX || self.link.as_ref() == Some(&link) {
                return Err(fault(FaultKind::Unreadable));
            }
            self.link = Some(link);
            return Ok(Progress::More);
        }
        self.link = None;
        self.step = match self.step {
            Step::Us if self.us.is_none() => return Err(fault(FaultKind::NotFound)),
            Step::Us => Step::Names,
            Step::Names if self.graph.is_none() => return Err(fault(FaultKind::NotFound)),
            Step::Names => Step::Application,
            Step::Application => Step::Delegated,
            Step::Delegated => return Ok(Progress::Done(self.granted.clone())),
        };
        Ok(Progress::More)
    }

    fn take(&mut self, rows: Vec<Row>) {
        for row in rows {
            match self.step {
                Step::Us => self.us = self.us.or(row.id_if(self.application)),
                Step::Names => {
                    self.graph = self.graph.or(row.id_if(GRAPH));
                    for role in row.app_roles.unwrap_or_default().into_iter().take(ROLES_MAX) {
                        if let (Ok(id), Some(value)) = (role.id.parse(), role.value) {
                            self.names.insert(id, value);
                        }
                    }
                }
                Step::Application => {
                    let of_graph = row.resource() == self.graph;
                    let name = row.app_role_id.and_then(|id| self.names.get(&id.parse().ok()?));
                    if let (true, Some(name)) = (of_graph, name) {
                        insert(&mut self.granted.application, name.clone());
                    }
                }
                Step::Delegated => {
                    if row.resource() == self.graph && row.consent_type.as_deref() == Some("AllPrincipals") {
                        for scope in row.scope.unwrap_or_default().split_whitespace() {
                            insert(&mut self.granted.delegated, scope.to_owned());
                        }
                    }
                }
            }
        }
    }
}

/// Microsoft Graph itself, as an application in every tenant.
pub const GRAPH: ClientId = ClientId(Guid::literal("00000003-0000-0000-c000-000000000000"));

/// Permissions of one kind that are kept; what is beyond was not asked for.
pub const GRANTS_MAX: usize = 1_000;

/// Permissions that Graph has; it has some 800.
const ROLES_MAX: usize = 10_000;

/// Pages of one reading; more is taken for endless.
const PAGES_MAX: u32 = 100;

fn principal(application: ClientId, select: &str) -> String {
    format!("/servicePrincipals?$filter=appId%20eq%20'{application}'&$select={select}")
}

fn insert(names: &mut BTreeSet<String>, name: String) {
    if names.len() < GRANTS_MAX {
        names.insert(name);
    }
}

fn fault(kind: FaultKind) -> Fault {
    Fault {
        kind,
        operation: Operation::ReadGrants,
        status: 200,
        code: Box::default(),
        request_id: Box::default(),
    }
}

#[derive(Default, Deserialize)]
struct Claims {
    roles: Option<Vec<String>>,
    scp: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Row>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// A service principal, an assignment or a grant: each has its own part of this.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: Option<String>,
    app_id: Option<String>,
    app_roles: Option<Vec<AppRole>>,
    resource_id: Option<String>,
    app_role_id: Option<String>,
    consent_type: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct AppRole {
    #[serde(default)]
    id: String,
    value: Option<String>,
}

impl Row {
    /// Its id, if it is this application.
    fn id_if(&self, application: ClientId) -> Option<ObjectId> {
        let own: ClientId = self.app_id.as_ref()?.parse().ok()?;
        (own == application).then(|| self.id.as_ref()?.parse().ok()).flatten()
    }

    fn resource(&self) -> Option<ObjectId> {
        self.resource_id.as_ref()?.parse().ok()
    }
}
