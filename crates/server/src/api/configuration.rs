//! The configuration of the installation, brought into force while it runs.

use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::scope::OfInstallation;
use super::trail::Noted;
use crate::reload::{self, ReloadFault, Reloaded};

/// What came into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InForce {
    /// Customers who were not there before, by id.
    pub tenants_added: Vec<String>,
    /// Customers whose contact center, name, lines or time of keeping changed. A prompt of which the file alone changed is in
    /// force too, and not told.
    pub tenants_changed: Vec<String>,
    /// Trunks that were not there before, by name.
    pub trunks_added: Vec<String>,
    /// How many people of the configuration came, left or changed.
    pub people_changed: u64,
}

/// Brings what the configuration file says now into force, while calls go on.
///
/// The file is checked as a whole: if anything is wrong with it, or a key changed that is read at the start only, nothing
/// changes at all. SIGHUP does the same.
#[utoipa::path(
    post, path = "/api/v1/configuration/reload", tag = "tenants", operation_id = "configuration_reload",
    responses(
        (status = 200, description = "The file is in force.", body = InForce),
        (status = 401, description = "Nobody is known by this token.", body = ErrorBody),
        (status = 403, description = "The caller does not run the installation.", body = ErrorBody),
        (status = 409, description = "A key changed that is read at the start only, the program was not started from a file, or \
                                      somebody of the configuration is somebody else in the register.", body = ErrorBody),
        (status = 422, description = "The file has faults; the message has one in each line.", body = ErrorBody),
        (status = 503, description = "The program is ending, or the journal of a further customer cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn reload(scope: OfInstallation) -> Result<(Extension<Noted>, Json<InForce>), ApiError> {
    let reloads = scope.api.reloads.as_ref().ok_or(ReloadFault::NoFile)?;
    let reloaded = reloads.reload(scope.caller.clone()).await?;
    let noted = Noted { object: Some(reload::OBJECT.to_owned()), detail: reloaded.detail() };
    Ok((Extension(noted), Json(reloaded.into())))
}

impl From<Reloaded> for InForce {
    fn from(reloaded: Reloaded) -> InForce {
        let Reloaded { tenants_added, tenants_changed, trunks_added, people_changed } = reloaded;
        InForce {
            tenants_added: tenants_added.iter().map(ToString::to_string).collect(),
            tenants_changed: tenants_changed.iter().map(ToString::to_string).collect(),
            trunks_added: trunks_added.iter().map(ToString::to_string).collect(),
            people_changed: u64::try_from(people_changed).unwrap_or(u64::MAX),
        }
    }
}

impl From<ReloadFault> for ApiError {
    fn from(fault: ReloadFault) -> ApiError {
        let message = match &fault {
            // The code says what they are of.
            ReloadFault::Faulty(faults) => faults.to_string(),
            other => other.to_string(),
        };
        match fault {
            ReloadFault::NoFile => {
                let remedy = "start it with tandem serve --config, and change that file";
                ApiError::new(StatusCode::CONFLICT, "no_configuration_file", message, remedy)
            }
            ReloadFault::Faulty(_) => {
                let remedy = "mend the file and ask again; nothing was changed";
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "configuration_faulty", message, remedy)
            }
            ReloadFault::NeedsRestart(keys) => {
                let remedy = "take that back to have the rest in force now, or restart when there are few calls; nothing was \
                              changed";
                ApiError::new(StatusCode::CONFLICT, "restart_needed", message, remedy).field(&keys.join(", "))
            }
            ReloadFault::Certificate(_) => {
                let remedy = "mend the files and ask again; those from before are still shown";
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "configuration_faulty", message, remedy)
            }
            ReloadFault::People(fault) => fault.into(),
            ReloadFault::Journal { .. } => {
                ApiError::unavailable("journal_unreadable", message, "look into the log; nothing was changed")
            }
            ReloadFault::Ending => {
                ApiError::unavailable("ending", message, "it reads the file at its next start")
            }
        }
    }
}
