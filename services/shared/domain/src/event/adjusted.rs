//! Corrections: an event is never changed, it is superseded.

use super::outcome::{Outcome, Status};
use super::recorded::UsageRecorded;
use crate::currency::Currency;
use crate::ids::{ClientId, EventId, KeyId, MemberId, PriceVersionId, ProducerId, ProjectId, TeamId};
use crate::lane::Lane;
use crate::price::Unrated;
use crate::usage::{PricedLine, Usage};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Why an event was corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustReason {
    /// Rated anew, by another price version.
    Rerated,
    /// Moved to another member, project or client.
    Reattributed,
    /// The provider gave money back.
    ProviderCredit,
    /// The event should not exist.
    Voided,
    /// The truth behind an estimate arrived.
    Resolved,
}

/// Reverses what an event (or its latest adjustment) posted, and posts anew. It carries both positions, so the fold
/// reads nothing else; it is refused when `supersedes` is not the head of the target's chain any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UsageAdjusted {
    /// Derived from target, head and content: sending the same correction twice changes nothing.
    pub event_id: EventId,
    pub producer: ProducerId,
    pub epoch: u32,
    /// The lane of the target.
    pub lane: Lane,
    #[serde(skip_serializing_if = "super::is_unset", default)]
    pub seq: u64,
    pub recorded_at: Timestamp,
    pub team: TeamId,
    /// The usage event that is corrected.
    pub target: EventId,
    /// The head of the chain: the target itself, or its latest adjustment.
    pub supersedes: EventId,
    pub reason: AdjustReason,
    /// Who asked for it.
    pub actor: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// What the head posted.
    pub before: Position,
    /// What stands from now on; absent for a void.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Position>,
}

/// What one event contributes to the ledger: everything that the fold reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Position {
    pub occurred_at: Timestamp,
    pub team_day: Date,
    pub client_day: Date,
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
    pub provider: String,
    pub model: String,
    pub status: Status,
    pub outcome: Outcome,
    pub client_retry: bool,
    pub usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub price_version: Option<PriceVersionId>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<PricedLine>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<Decimal>,
    pub currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unrated: Option<Unrated>,
}

impl From<&UsageRecorded> for Position {
    fn from(event: &UsageRecorded) -> Self {
        Self {
            occurred_at: event.occurred_at,
            team_day: event.team_day,
            client_day: event.client_day,
            key: event.key,
            member: event.member,
            project: event.project,
            client: event.client,
            environment: event.environment.clone(),
            tool: event.tool.clone(),
            provider: event.provider.clone(),
            model: event.model().to_owned(),
            status: event.status,
            outcome: event.outcome,
            client_retry: event.client_retry,
            usage: event.usage,
            price_version: event.price_version,
            lines: event.lines.clone(),
            cost: event.cost,
            currency: event.currency,
            unrated: event.unrated.clone(),
        }
    }
}

impl UsageAdjusted {
    /// The id that this correction must have: the same correction of the same head has the same id.
    ///
    /// # Errors
    /// When the new position does not serialise.
    pub fn derive_id(
        target: EventId,
        supersedes: EventId,
        reason: AdjustReason,
        after: Option<&Position>,
    ) -> Result<EventId, serde_json::Error> {
        let content = serde_json::to_vec(&(reason, after))?;
        let (target, head) = (target.as_uuid(), supersedes.as_uuid());
        Ok(EventId::derived("tallystick.usage.adjusted", &[target.as_bytes(), head.as_bytes(), &content]))
    }
}
