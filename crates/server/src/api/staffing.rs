//! Staffing over the API: how many agents a load needs, by Erlang C and A.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::{Deserialize, Serialize};
use tandem_metrics::erlang::{self, Load, LoadFault, Steady, Target};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody};

/// The load and the aim.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Need {
    /// How many calls come in an interval.
    pub calls: f64,
    /// The length of the interval in seconds; default 1800.
    pub interval_s: Option<f64>,
    /// The mean handle time in seconds: talk, hold and wrap-up.
    pub aht_s: f64,
    /// The share of callers to be answered in time, above 0 and below 1; default 0.8.
    pub target: Option<f64>,
    /// In time is within so many seconds; default 20.
    pub within_s: Option<f64>,
    /// The mean patience of callers in seconds: how long they would wait before they give up. Default: they wait for ever
    /// (Erlang C).
    pub patience_s: Option<f64>,
    /// At most this share of their time may agents work, above 0 and at most 1. Default: whatever comes.
    pub occupancy: Option<f64>,
    /// The share of the paid time that is not for calls, from 0 to below 1; default 0.
    pub shrinkage: Option<f64>,
}

/// How many agents are needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Staffing {
    /// `erlang_c` (callers wait for ever) or `erlang_a` (callers give up).
    pub model: String,
    /// The offered load in erlangs.
    pub erlangs: f64,
    /// The fewest agents that reach the aim.
    pub agents: u32,
    /// How many to plan for, with the shrinkage.
    pub scheduled: u32,
    /// What comes of it with this many agents, and with a few less and more.
    pub table: Vec<Staffed>,
}

/// What comes of a number of agents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Staffed {
    /// How many agents.
    pub agents: u32,
    /// More comes in than can be served: the line grows without end, and nothing else can be said.
    pub unstable: bool,
    /// The share of all callers answered in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_level: Option<f64>,
    /// The mean wait of those answered, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asa_s: Option<f64>,
    /// The share of callers who give up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abandonment: Option<f64>,
    /// The share of their time in which agents work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<f64>,
}

/// How many agents a load needs.
#[utoipa::path(
    get, path = "/api/v1/staffing", tag = "reports", operation_id = "staffing", params(Need),
    responses(
        (status = 200, description = "The fewest agents that reach the aim.", body = Staffing),
        (status = 400, description = "A parameter is wrong, or the load cannot be computed with.", body = ErrorBody),
    )
)]
pub(super) async fn compute(need: Result<Query<Need>, QueryRejection>) -> Result<Json<Staffing>, ApiError> {
    let Query(need) = need?;
    // Large loads take a processor for a while.
    let computed = tokio::task::spawn_blocking(move || need.staff()).await;
    let ending = |_| ApiError::unavailable("busy", "the program is ending", "try again when it is running");
    Ok(Json(computed.map_err(ending)??))
}

impl Need {
    fn staff(&self) -> Result<Staffing, ApiError> {
        let (target, within) = (self.target.unwrap_or(0.8), self.within_s.unwrap_or(20.0));
        let share = |name: &str, value: f64, fits: bool| {
            let message = format!("{name} cannot be {value}");
            let fault =
                || ApiError::bad_request("bad_share", message, "send a share such as 0.8").field(name);
            if fits { Ok(()) } else { Err(fault()) }
        };
        share("target", target, target > 0.0 && target < 1.0)?;
        share(
            "shrinkage",
            self.shrinkage.unwrap_or_default(),
            (0.0..1.0).contains(&self.shrinkage.unwrap_or_default()),
        )?;
        share(
            "occupancy",
            self.occupancy.unwrap_or(1.0),
            self.occupancy.is_none_or(|most| most > 0.0 && most <= 1.0),
        )?;
        if !(0.0..=3600.0).contains(&within) {
            let message = "within_s is 0 to 3600";
            return Err(ApiError::bad_request("bad_threshold", message, "send seconds").field("within_s"));
        }
        let load = Load::per_period(self.calls, self.interval_s.unwrap_or(1800.0), self.aht_s);
        if load.erlangs() > ERLANGS_MAX {
            let message = format!("the load is above {ERLANGS_MAX} erlangs");
            return Err(ApiError::bad_request("bad_load", message, "ask for a part of it"));
        }
        let aim =
            Target { service_level: Some((target, within)), occupancy: self.occupancy, ..Target::default() };
        let (model, found) = match self.patience_s {
            None => {
                ("erlang_c", erlang::staff_waiting(load, &aim).map(|found| found.map(|found| found.agents)))
            }
            Some(patience) => {
                let found = erlang::staff_patient(load, patience, &aim);
                ("erlang_a", found.map(|found| found.map(|found| found.agents)))
            }
        };
        let unreachable = || {
            let message = "no number of agents reaches the aim";
            ApiError::bad_request("bad_load", message, "ask for less")
        };
        let agents = found.map_err(refused)?.ok_or_else(unreachable)?;
        let scheduled =
            erlang::scheduled(agents, self.shrinkage.unwrap_or_default()).ok_or_else(unreachable)?;
        let around = agents.saturating_sub(AROUND).max(1)..=agents.saturating_add(AROUND);
        let table: Result<Vec<Staffed>, LoadFault> =
            around.map(|agents| self.with(load, agents, within)).collect();
        let table = table.map_err(refused)?;
        Ok(Staffing { model: model.to_owned(), erlangs: load.erlangs(), agents, scheduled, table })
    }

    fn with(&self, load: Load, agents: u32, within: f64) -> Result<Staffed, LoadFault> {
        let unknown = Staffed {
            agents,
            unstable: false,
            service_level: None,
            asa_s: None,
            abandonment: None,
            occupancy: None,
        };
        Ok(match self.patience_s {
            None => match erlang::waiting(load, agents, within)? {
                Steady::Unstable => Staffed { unstable: true, ..unknown },
                Steady::Steady(queue) => Staffed {
                    service_level: Some(queue.service_level),
                    asa_s: Some(queue.speed_of_answer_s),
                    abandonment: Some(0.0),
                    occupancy: Some(queue.occupancy),
                    ..unknown
                },
            },
            Some(patience) => {
                let queue = erlang::patient(load, agents, patience, within)?;
                Staffed {
                    service_level: Some(queue.answered_within),
                    asa_s: Some(queue.speed_of_answer_s),
                    abandonment: Some(queue.abandonment),
                    occupancy: Some(queue.occupancy),
                    ..unknown
                }
            }
        })
    }
}

fn refused(fault: LoadFault) -> ApiError {
    let field = match fault {
        LoadFault::NotPositive => "calls",
        LoadFault::TooMuch | LoadFault::NoAgents => "aht_s",
        LoadFault::NoPatience => "patience_s",
    };
    ApiError::bad_request("bad_load", fault.to_string(), "send finite numbers above 0").field(field)
}

/// More are refused here: the answer is to come at once.
const ERLANGS_MAX: f64 = 20_000.0;

/// How many agents less and more are shown.
const AROUND: u32 = 3;
