//! The tenants of the installation, for whoever runs it.

use axum::Json;
use serde::{Deserialize, Serialize};
use tandem_center::agent::ChosenState;
use utoipa::ToSchema;

use super::error::ErrorBody;
use super::scope::OfInstallation;

/// A customer with its own contact center.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// The id; it goes into the header `Tandem-Tenant`.
    pub id: String,
    /// What people call the customer; empty for one who is alone.
    pub name: String,
    /// Agents in the configuration.
    pub agents: u64,
    /// Agents at work.
    pub signed_in: u64,
    /// Queues in the configuration.
    pub queues: u64,
    /// Open interactions.
    pub open: u64,
}

/// All tenants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenants {
    /// The tenants, by id.
    pub tenants: Vec<Tenant>,
}

/// The tenants, without anything about their customers.
#[utoipa::path(
    get, path = "/api/v1/tenants", tag = "tenants", operation_id = "tenant_list",
    responses(
        (status = 200, description = "All tenants.", body = Tenants),
        (status = 401, description = "Nobody is known by this token.", body = ErrorBody),
        (status = 403, description = "The caller does not run the installation.", body = ErrorBody),
    )
)]
pub(super) async fn list(scope: OfInstallation) -> Json<Tenants> {
    tracing::debug!(who = ?scope.caller.who(), "the tenants are looked at");
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let desks = scope.api.desks.all();
    let tenants = desks.values().map(|desk| {
        let view = desk.live().view();
        Tenant {
            id: desk.tenant().to_string(),
            name: desk.name().to_string(),
            agents: count(view.live.agents.len()),
            signed_in: count(
                view.live.agents.values().filter(|agent| agent.chosen != ChosenState::Offline).count(),
            ),
            queues: count(view.live.queues.len()),
            open: count(view.live.interactions.len()),
        }
    });
    Json(Tenants { tenants: tenants.collect() })
}
