//! Events that carry no usage: refusals, counted, and what a producer still owes.

use crate::ids::{EventId, KeyId, ProducerId, TeamId};
use crate::lane::Lane;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Requests that were refused, counted per key, reason, model and window, so that a retry storm can not flood the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RequestsRefused {
    pub event_id: EventId,
    pub producer: ProducerId,
    pub epoch: u32,
    pub lane: Lane,
    #[serde(skip_serializing_if = "super::is_unset", default)]
    pub seq: u64,
    /// Start of the window in which the requests were refused.
    pub occurred_at: Timestamp,
    /// Length of the window in seconds.
    pub window_s: u32,
    pub recorded_at: Timestamp,
    pub team_day: Date,
    pub team: TeamId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyId>,
    /// The code that the client was given, for example `model_not_allowed`.
    pub reason: String,
    pub http_status: u16,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// How many requests.
    pub count: u64,
}

/// What a producer still owes: with it, reporting can say up to when its answers are complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ProducerHeartbeat {
    pub event_id: EventId,
    pub producer: ProducerId,
    pub epoch: u32,
    pub lane: Lane,
    #[serde(skip_serializing_if = "super::is_unset", default)]
    pub seq: u64,
    /// When the statement was made.
    pub occurred_at: Timestamp,
    /// When the oldest call that is still under way was admitted; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub oldest_unsettled_at: Option<Timestamp>,
    /// The last `seq` per lane that had been given out; lanes without any are left out.
    pub last_seq: BTreeMap<u8, u64>,
    /// The producer ends here and sends nothing more until a later epoch.
    pub closing: bool,
}

impl ProducerHeartbeat {
    /// Everything that this producer admitted before this moment is in the log, once the lanes are read up to
    /// `last_seq`.
    #[must_use]
    pub fn complete_until(&self) -> Timestamp {
        self.oldest_unsettled_at.map_or(self.occurred_at, |oldest| oldest.min(self.occurred_at))
    }
}
