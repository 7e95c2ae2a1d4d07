//! The bill: what the provider charges, line by line, by its own rules.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::pico::Pico;
use super::tokens::Tokens;

/// A call's tokens, each counted in exactly one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// Prompt tokens outside the cache.
    pub input: u64,
    /// Prompt tokens read from the cache.
    pub cached: u64,
    /// Prompt tokens written to the five-minute cache.
    pub cache_write: u64,
    /// Prompt tokens written to the one-hour cache.
    pub cache_write_hour: u64,
    /// Visible output tokens.
    pub output: u64,
    /// Reasoning tokens.
    pub reasoning: u64,
}

impl From<Tokens> for Buckets {
    fn from(tokens: Tokens) -> Self {
        Self {
            input: tokens.prompt - tokens.cached - tokens.cache_write - tokens.cache_write_hour,
            cached: tokens.cached,
            cache_write: tokens.cache_write,
            cache_write_hour: tokens.cache_write_hour,
            output: tokens.completion - tokens.reasoning,
            reasoning: tokens.reasoning,
        }
    }
}

/// How a call ended, seen from the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// The whole answer was handed to the connection.
    Answered,
    /// An error status was the answer.
    Refused,
    /// The provider broke the answer off: a reset, a truncated body, an error frame.
    Broken,
    /// The client (or the gateway) was gone before the answer was complete.
    ClientGone,
}

/// One call, charged or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// Order of arrival, from 1.
    pub seq: u64,
    /// The `x-request-id` (Anthropic: `request-id`) of the answer.
    pub provider_request_id: String,
    /// The nonce in the prompt; absent when the prompt had none.
    pub nonce: Option<String>,
    /// How many calls with this nonce came before it.
    pub attempt: u32,
    /// Which of the provider's own keys called, by position; absent when none fitted.
    pub account: Option<usize>,
    /// Path of the call.
    pub endpoint: String,
    /// Model as asked for.
    pub model: String,
    /// Model that answered; empty when there is no such model.
    pub served: String,
    /// Service tier that served it.
    pub tier: String,
    /// Whether a stream was asked for.
    pub streamed: bool,
    /// HTTP status; 0 when no status line left the provider.
    pub status: u16,
    /// How it ended.
    pub end: CallEnd,
    /// The fault that was played, if any.
    pub fault: Option<Fault>,
    /// What it is charged for; all zero when it is not charged.
    pub buckets: Buckets,
    /// Whether it is charged.
    pub billed: bool,
    /// What it is charged, zero when it is not.
    pub amount: Pico,
}

/// Every call that reached the provider, in the order in which they ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// All lines, the uncharged ones included.
    pub lines: Vec<BillLine>,
}

impl Bill {
    /// What the provider asks for in all.
    pub fn total(&self) -> Pico {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// All calls with one nonce: a retried call has several.
    pub fn by_nonce(&self, nonce: &str) -> Vec<&BillLine> {
        self.lines.iter().filter(|line| line.nonce.as_deref() == Some(nonce)).collect()
    }

    /// The call that was answered with this request id.
    pub fn by_request_id(&self, id: &str) -> Option<&BillLine> {
        self.lines.iter().find(|line| line.provider_request_id == id)
    }

    /// The charged lines.
    pub fn billed(&self) -> impl Iterator<Item = &BillLine> {
        self.lines.iter().filter(|line| line.billed)
    }
}
