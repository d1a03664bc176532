//! Reports over the API: queues and agents by interval, every metric with its variant, parameters and parts.

use axum::Json;
use axum::extract;
use axum::extract::rejection::QueryRejection;
use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use tandem_center::channel::Channel;
use tandem_center::id::{AgentId, QueueId};
use tandem_metrics::interval::{Calendar, Interval, Length};
use tandem_metrics::report::{Attribution, Query, Report, Settings};
use tandem_metrics::service_level::Thresholds;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody};
use super::scope::Scope;

/// What a report is about.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// From when, in microseconds since 1970 UTC. Default: a day before `to`.
    pub from: Option<u64>,
    /// Until when, in microseconds since 1970 UTC. Default: now.
    pub to: Option<u64>,
    /// The length of the intervals: `15m`, `30m`, `1h` or `1d`; default `1h`. The last 200 are kept one by one.
    #[serde(default)]
    #[param(inline)]
    pub interval: IntervalName,
    /// The time zone whose hours and days count, such as `Europe/Berlin`; default `UTC`.
    pub zone: Option<String>,
    /// Answered within so many seconds is in time: the `T` of service levels; 0 to 3600, default 20.
    pub threshold_s: Option<u32>,
    /// Who gives up within so many seconds is a short abandon: the `S` of service levels; 0 to 3600, default 5.
    pub short_s: Option<u32>,
    /// To which interval a visit belongs: `arrival`, the one in which it began (default), or `event`, the one in which
    /// it ended. Agents have no such choice.
    #[serde(default)]
    #[param(inline)]
    pub attribution: AttributionName,
    /// Only this queue, or this agent.
    pub id: Option<String>,
}

/// How long intervals are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum IntervalName {
    /// 15 minutes.
    #[serde(rename = "15m")]
    Quarter,
    /// 30 minutes.
    #[serde(rename = "30m")]
    Half,
    /// An hour.
    #[default]
    #[serde(rename = "1h")]
    Hour,
    /// A day.
    #[serde(rename = "1d")]
    Day,
}

/// To which interval a visit belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributionName {
    /// To the one in which it began.
    #[default]
    Arrival,
    /// To the one in which it ended.
    Event,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportBody {
    /// When it was read, in microseconds since 1970 UTC.
    pub at: u64,
    /// The number of the last fact in it.
    pub number: u64,
    /// The time zone.
    pub zone: String,
    /// The values by queue and channel or agent, and by time: `queue` and `channel` or `agent`, `name`, `interval`,
    /// `tally` (what was counted) and `metrics` (of agents also `work`, by channel), each with its variant, parameters, numerator and denominator (docs/metrics.md). Intervals in which
    /// nothing happened are left out.
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<serde_json::Value>,
    /// Who waits now, by queue; only in the report of queues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub now: Vec<serde_json::Value>,
    /// How many facts did not fit what was known and were left out; zero if the facts are complete.
    pub strays: u64,
}

/// Queues by interval: service levels in every variant, waits, abandonment, handling.
#[utoipa::path(
    get, path = "/api/v1/reports/queues", tag = "reports", operation_id = "report_queues", params(Asked),
    responses(
        (status = 200, description = "The report.", body = ReportBody),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 503, description = "The journal cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn queues(
    scope: Scope,
    asked: Result<extract::Query<Asked>, QueryRejection>,
) -> Result<Json<ReportBody>, ApiError> {
    let extract::Query(asked) = asked?;
    let (settings, stretch) = asked.checked()?;
    let attribution = match asked.attribution {
        AttributionName::Arrival => Attribution::Arrival,
        AttributionName::Event => Attribution::Event,
    };
    let only = asked.id.map(QueueId::new);
    let read = move |report: &Report, now: Timestamp| {
        let ids: Vec<QueueId> =
            report.queues().filter(|id| only.as_ref().is_none_or(|only| only == *id)).cloned().collect();
        let query = Query { stretch, attribution, now };
        let of_queue = |id| CHANNELS.iter().flat_map(move |channel| report.queue(id, *channel, &query));
        let rows = ids.iter().flat_map(of_queue);
        let rows = rows.map(|row| serde_json::to_value(row).unwrap_or_default()).collect();
        let waits = report.now(now).into_iter().filter(|now| ids.contains(&now.queue));
        let waits = waits.map(|now| serde_json::to_value(now).unwrap_or_default()).collect();
        ReportBody::of(report, now, rows, waits)
    };
    Ok(Json(scope.desk.report(settings, read).await?))
}

/// Agents by interval: their time by state, occupancy, offers and handling.
#[utoipa::path(
    get, path = "/api/v1/reports/agents", tag = "reports", operation_id = "report_agents", params(Asked),
    responses(
        (status = 200, description = "The report.", body = ReportBody),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 503, description = "The journal cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn agents(
    scope: Scope,
    asked: Result<extract::Query<Asked>, QueryRejection>,
) -> Result<Json<ReportBody>, ApiError> {
    let extract::Query(asked) = asked?;
    let (settings, stretch) = asked.checked()?;
    let only = asked.id.map(AgentId::new);
    let read = move |report: &Report, now: Timestamp| {
        let ids = report.agents().filter(|id| only.as_ref().is_none_or(|only| only == *id));
        let query = Query { stretch, attribution: Attribution::Arrival, now };
        let rows = ids.flat_map(|id| report.agent(id, &query));
        let rows = rows.map(|row| serde_json::to_value(row).unwrap_or_default()).collect();
        ReportBody::of(report, now, rows, Vec::new())
    };
    Ok(Json(scope.desk.report(settings, read).await?))
}

impl Asked {
    fn checked(&self) -> Result<(Settings, Interval), ApiError> {
        let length = match self.interval {
            IntervalName::Quarter => Length::QuarterHour,
            IntervalName::Half => Length::HalfHour,
            IntervalName::Hour => Length::Hour,
            IntervalName::Day => Length::Day,
        };
        let calendar = Calendar::new(self.zone.as_deref().unwrap_or("UTC"), length).map_err(|fault| {
            ApiError::bad_request("bad_zone", fault.to_string(), "send a name of the time zone database")
                .field("zone")
        })?;
        let seconds = |name: &str, value: Option<u32>, or: u32| match value.unwrap_or(or) {
            value @ 0..=THRESHOLD_S_MAX => Ok(u64::from(value) * 1_000_000),
            _ => {
                let message = format!("{name} is 0 to {THRESHOLD_S_MAX}");
                Err(ApiError::bad_request("bad_threshold", message, "send seconds").field(name))
            }
        };
        let thresholds = Thresholds {
            answer_within_us: seconds("threshold_s", self.threshold_s, 20)?,
            short_abandon_us: seconds("short_s", self.short_s, 5)?,
        };
        // Intervals that have not begun have nothing in them: "until now" may as well be any later time.
        let to = self.to.unwrap_or(u64::MAX);
        let from = self.from.unwrap_or_else(|| self.to.unwrap_or_else(super::now_us).saturating_sub(DAY_US));
        if from > to {
            let message = "from is after to";
            return Err(ApiError::bad_request("bad_time", message, "send an earlier time").field("from"));
        }
        let settings = Settings::new(calendar, thresholds);
        Ok((settings, Interval { start: Timestamp::from_micros(from), end: Timestamp::from_micros(to) }))
    }
}

impl ReportBody {
    fn of(
        report: &Report,
        now: Timestamp,
        rows: Vec<serde_json::Value>,
        waits: Vec<serde_json::Value>,
    ) -> ReportBody {
        ReportBody {
            at: now.max(report.at()).as_micros(),
            number: report.number(),
            zone: report.settings().calendar.zone().to_owned(),
            rows,
            now: waits,
            strays: report.visits().strays(),
        }
    }
}

/// Calls, callbacks and messages are counted apart.
const CHANNELS: [Channel; 3] = [Channel::Call, Channel::Callback, Channel::Voicemail];

/// The longest threshold.
const THRESHOLD_S_MAX: u32 = 3600;

const DAY_US: u64 = 86_400 * 1_000_000;
