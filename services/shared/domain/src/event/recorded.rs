//! The usage event: one attempt of one request.

use super::outcome::{Outcome, Status};
use crate::attribution::{Attribution, TaskSource};
use crate::currency::Currency;
use crate::ids::{
    BudgetId, ClientId, EventId, KeyId, MemberId, PriceVersionId, ProducerId, ProjectId, TeamId,
};
use crate::lane::Lane;
use crate::price::Unrated;
use crate::usage::{PricedLine, Usage};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// One attempt of one request: who, what, how much, at which price. Decimals are strings on the wire; counts are
/// numbers; times are RFC 3339 in UTC. Absent dimensions are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UsageRecorded {
    /// Decides what is a duplicate. UUIDv7, or derived for imports.
    pub event_id: EventId,
    /// The spool (or inbox) that the event came through.
    pub producer: ProducerId,
    /// How often that spool had been opened.
    pub epoch: u32,
    /// Hash of the key: partition of the log.
    pub lane: Lane,
    /// Dense per producer and lane; assigned when the event becomes shippable.
    #[serde(skip_serializing_if = "super::is_unset", default)]
    pub seq: u64,

    /// When the request was admitted (or, for imports, when the usage happened).
    pub occurred_at: Timestamp,
    /// When the event was written to the spool or the inbox.
    pub recorded_at: Timestamp,
    /// Billing day in the team's zone, fixed at admission.
    pub team_day: Date,
    /// Billing day in the client's zone (the team's where there is no client), fixed at admission.
    pub client_day: Date,

    pub team: TeamId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub member: Option<MemberId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project: Option<ProjectId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task_source: Option<TaskSource>,
    /// The end user that the request named (OpenAI's `user`, Anthropic's `metadata.user_id`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_user: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub tags: BTreeMap<String, String>,

    /// The id that the client was given; several attempts may share it.
    pub request_id: String,
    /// 1 for the first attempt of a request.
    pub attempt: u32,
    /// The client said that it was retrying (`x-stainless-retry-count` above 0).
    pub client_retry: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_agent: Option<String>,
    /// Keyed hash of the caller's network prefix: tells origins apart, names none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<String>,
    /// Keyed hash of the first messages: tells a loop from new work, never content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prompt_print: Option<String>,

    /// The provider's name in the team's configuration.
    pub provider: String,
    /// What was called: `chat`, `embeddings`, `responses`, `messages`, ...
    pub endpoint: String,
    pub model_requested: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model_served: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service_tier: Option<String>,
    /// The provider's own id of the request, for its support and its bill.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upstream_request_id: Option<String>,

    pub status: Status,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_code: Option<String>,

    /// Disjoint buckets that add up to what the provider reported.
    pub usage: Usage,
    /// The provider's usage object, unchanged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usage_raw: Option<RawJson>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub price_version: Option<PriceVersionId>,
    /// Quantity, unit price and amount per bucket.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<PricedLine>,
    /// Sum of the lines, exact at 18 decimals; absent while unrated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<Decimal>,
    /// The team's ledger currency.
    pub currency: Currency,
    /// Why there is no cost. Never set together with `cost`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unrated: Option<Unrated>,
    /// What a foreign system or the provider itself said that it cost; kept beside ours, never used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reported_cost: Option<Decimal>,

    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latency_ms: Option<u64>,
    /// Time to the first byte of the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ttft_ms: Option<u64>,
    pub streamed: bool,

    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub holds: Vec<Hold>,

    /// For usage from elsewhere: the system it came from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// For usage from elsewhere: its id there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_id: Option<String>,
}

/// What was held for this attempt in one budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hold {
    pub budget: BudgetId,
    /// The budget's period that the attempt is charged to, for example `2026-11`.
    pub period: String,
    pub amount: Decimal,
}

/// A piece of JSON kept exactly as it arrived.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Takes over a JSON text.
    ///
    /// # Errors
    /// When the text is not valid JSON.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl schemars::JsonSchema for RawJson {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RawJson".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "any JSON, kept as it arrived" })
    }
}

impl UsageRecorded {
    /// The dimensions that pay.
    #[must_use]
    pub fn attribution(&self) -> Attribution {
        Attribution {
            team: self.team,
            key: self.key,
            member: self.member,
            project: self.project,
            client: self.client,
            environment: self.environment.clone(),
            tool: self.tool.clone(),
        }
    }

    /// The model that reports name: what was served, else what was asked for.
    #[must_use]
    pub fn model(&self) -> &str {
        self.model_served.as_deref().unwrap_or(&self.model_requested)
    }
}
