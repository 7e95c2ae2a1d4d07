//! Which usage object is being read, and how its provider counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Reading, UsageError, anthropic, chat, gemini, media, responses};

/// The API whose usage object it is. In JSON the name that foreign usage events use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// OpenAI's chat completions and everything shaped like them, the older completions included.
    #[serde(alias = "completions")]
    Chat,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
    /// Gemini's `generateContent`.
    Gemini,
    /// OpenAI-shaped embeddings.
    Embeddings,
    /// OpenAI-shaped image generation and editing.
    Images,
    /// OpenAI-shaped transcription and translation of audio.
    Transcription,
}

/// Whether the reported input count already includes what was read from and written to a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheConvention {
    /// Cached tokens are part of the input count (OpenAI, Gemini).
    Inclusive,
    /// Cached tokens stand beside the input count (Anthropic).
    Exclusive,
}

/// Whether the reported output count already includes reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReasoningConvention {
    /// Reasoning is part of the output count (OpenAI, Anthropic).
    Inside,
    /// Reasoning stands beside the output count (Gemini).
    Outside,
    /// Inside, unless the reported total only adds up with reasoning outside (xAI in OpenAI's shape).
    ByTotal,
}

/// How to read one provider's usage object. The conventions are part of it: without them the same numbers mean
/// different quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// The shape of the object.
    pub api: Api,
    /// What the input count includes.
    pub cache: CacheConvention,
    /// What the output count includes.
    pub reasoning: ReasoningConvention,
}

impl Dialect {
    /// The conventions that an API's makers document.
    #[must_use]
    pub const fn of(api: Api) -> Self {
        let (cache, reasoning) = match api {
            Api::Messages => (CacheConvention::Exclusive, ReasoningConvention::Inside),
            Api::Gemini => (CacheConvention::Inclusive, ReasoningConvention::Outside),
            Api::Chat | Api::Responses => (CacheConvention::Inclusive, ReasoningConvention::ByTotal),
            Api::Embeddings | Api::Images | Api::Transcription => {
                (CacheConvention::Inclusive, ReasoningConvention::Inside)
            }
        };
        Self { api, cache, reasoning }
    }
}

/// Reads a provider's usage object into disjoint buckets that add up to its totals.
///
/// # Errors
/// When the object is not what the dialect promises: malformed, incomplete, negative, fractional, beyond bounds,
/// or parts that contradict their total.
pub fn normalise(dialect: Dialect, usage: &[u8]) -> Result<Reading, UsageError> {
    match dialect.api {
        Api::Chat => chat::normalise(dialect, usage),
        Api::Responses => responses::normalise(dialect, usage),
        Api::Messages => anthropic::normalise(dialect, usage),
        Api::Gemini => gemini::normalise(dialect, usage),
        Api::Embeddings => media::embeddings(usage),
        Api::Images => media::images(usage),
        Api::Transcription => media::transcription(usage),
    }
}
