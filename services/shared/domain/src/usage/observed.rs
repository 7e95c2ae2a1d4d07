//! What was learned from an answer: the usage, and what else rating and the event need.

use super::{Usage, UsageError};

/// A usage object in disjoint buckets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What the model that was asked for consumed.
    pub usage: Usage,
    /// The service tier, where the usage object states it. Price modifiers follow after a plus sign
    /// (`standard+us`): see [`crate::price::TierName`].
    pub service_tier: Option<String>,
    /// What other models consumed within the same call (Anthropic's advisor and fall-back iterations). They have
    /// prices of their own; a caller that can not book them separately must leave the call unrated.
    pub others: Vec<OtherModel>,
}

/// Usage of a further model inside one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherModel {
    /// The model as the provider names it.
    pub model: String,
    /// What it consumed.
    pub usage: Usage,
}

impl Reading {
    pub(crate) const fn of(usage: Usage) -> Self {
        Self { usage, service_tier: None, others: Vec::new() }
    }
}

/// Everything that a whole answer, or a stream up to now, told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The model that served, as the provider names it.
    pub model: Option<String>,
    /// The service tier that was used, from the answer or its usage object.
    pub service_tier: Option<String>,
    /// The provider's usage object (for Anthropic's streams: its fields, each as last stated).
    pub usage_raw: Option<String>,
    /// The usage in buckets; `None` when the provider stated none.
    pub reading: Option<Result<Reading, UsageError>>,
    /// Whether the answer ended by itself (a finish reason, an end event or the end marker was seen).
    pub finished: bool,
    /// The code or type of an error that the provider reported inside the answer.
    pub error: Option<String>,
    /// Bytes of generated text seen, reasoning and tool arguments included: what an estimate starts from when a
    /// stream breaks before its usage.
    pub output_bytes: u64,
    /// Payloads that were not readable as JSON of the dialect.
    pub unreadable: u64,
}

impl Observed {
    /// The usage, where it was stated and readable.
    #[must_use]
    pub fn usage(&self) -> Option<&Usage> {
        match &self.reading {
            Some(Ok(reading)) => Some(&reading.usage),
            _ => None,
        }
    }
}
