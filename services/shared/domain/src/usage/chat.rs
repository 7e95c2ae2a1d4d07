//! OpenAI's chat completions and their many look-alikes (DeepSeek, Kimi, xAI, Groq, Mistral, OpenRouter).
//!
//! Details are subsets of the totals. Accepted and rejected prediction tokens are billed as output and have no
//! bucket of their own.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::number::{Count, TextBytes};
use super::observed::Reading;
use super::split::{InputParts, OutputParts, agreed, equal, sum};
use super::stream::{Chunk, Progress};
use super::{CacheConvention, Dialect, ReasoningConvention, Usage, UsageError};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChatUsage {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// Kimi, and Anthropic's own compatibility layer.
    cached_tokens: Count,
    /// DeepSeek.
    prompt_cache_hit_tokens: Count,
    prompt_cache_miss_tokens: Count,
    /// Gateways that pass Anthropic's field on.
    cache_creation_input_tokens: Count,
    /// xAI's and Perplexity's older place for it.
    reasoning_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Count,
    cache_write_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
}

pub(crate) fn normalise(dialect: Dialect, usage: &[u8]) -> Result<Reading, UsageError> {
    let raw: ChatUsage = serde_json::from_slice(usage)?;
    let input = input(&raw)?;
    let details = raw.completion_tokens_details.unwrap_or_default();
    let mut output = OutputParts {
        total: raw.completion_tokens.or_zero("completion_tokens")?,
        reasoning: agreed(
            "reasoning_tokens",
            details.reasoning_tokens.or_zero("reasoning_tokens")?,
            raw.reasoning_tokens.or_zero("reasoning_tokens")?,
        )?,
        audio: details.audio_tokens.or_zero("audio_tokens")?,
        image: details.image_tokens.or_zero("image_tokens")?,
    };
    settle_totals(dialect, &input, &mut output, raw.total_tokens.given("total_tokens")?)?;
    let mut buckets = Usage::new();
    input.put(dialect.cache, &mut buckets)?;
    output.put(&mut buckets)?;
    Ok(Reading::of(buckets))
}

fn input(raw: &ChatUsage) -> Result<InputParts, UsageError> {
    let total = raw.prompt_tokens.required("prompt_tokens")?;
    let none = PromptDetails::default();
    let details = raw.prompt_tokens_details.as_ref().unwrap_or(&none);
    let hit = raw.prompt_cache_hit_tokens.or_zero("prompt_cache_hit_tokens")?;
    if let Some(miss) = raw.prompt_cache_miss_tokens.given("prompt_cache_miss_tokens")? {
        equal(
            "prompt_cache_hit_tokens and prompt_cache_miss_tokens",
            sum("prompt_tokens", &[hit, miss])?,
            total,
        )?;
    }
    let named = details.cached_tokens.or_zero("cached_tokens")?;
    let cached = agreed("cached_tokens", named, raw.cached_tokens.or_zero("cached_tokens")?)?;
    Ok(InputParts {
        total,
        cached: agreed("cached_tokens", cached, hit)?,
        written: agreed(
            "cache_write_tokens",
            details.cache_write_tokens.or_zero("cache_write_tokens")?,
            raw.cache_creation_input_tokens.or_zero("cache_creation_input_tokens")?,
        )?,
        audio: details.audio_tokens.or_zero("audio_tokens")?,
        image: details.image_tokens.or_zero("image_tokens")?,
        ..InputParts::default()
    })
}

/// Checks the grand total and, where reasoning lies outside the output count, brings it inside.
pub(crate) fn settle_totals(
    dialect: Dialect,
    input: &InputParts,
    output: &mut OutputParts,
    total: Option<u64>,
) -> Result<(), UsageError> {
    let with_reasoning = sum("output_tokens", &[output.total, output.reasoning])?;
    let all_input = match dialect.cache {
        CacheConvention::Inclusive => input.total,
        CacheConvention::Exclusive => sum("input_tokens", &[input.total, input.cached, input.written])?,
    };
    let fits = |output: u64| {
        total.is_none_or(|total| [all_input, input.total].map(|i| i.saturating_add(output)).contains(&total))
    };
    let outside = match dialect.reasoning {
        ReasoningConvention::Inside => false,
        ReasoningConvention::Outside => true,
        ReasoningConvention::ByTotal => total.is_some() && !fits(output.total) && fits(with_reasoning),
    };
    if outside {
        output.total = with_reasoning;
    }
    match total {
        Some(total) if !fits(output.total) => Err(UsageError::Inconsistent {
            what: "total_tokens",
            parts: all_input.saturating_add(output.total),
            total,
        }),
        _ => Ok(()),
    }
}

#[derive(Debug, Deserialize)]
struct ChatChunk<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    x_groq: Option<Groq<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    choices: Option<Vec<Choice>>,
}

#[derive(Debug, Deserialize)]
struct Groq<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    delta: Option<Delta>,
    message: Option<Delta>,
    text: Option<TextBytes>,
    finish_reason: Option<TextBytes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delta {
    content: Option<TextBytes>,
    reasoning: Option<TextBytes>,
    reasoning_content: Option<TextBytes>,
    refusal: Option<TextBytes>,
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToolCall {
    function: Option<TextBytes>,
}

impl Delta {
    fn bytes(&self) -> u64 {
        let texts = [self.content, self.reasoning, self.reasoning_content, self.refusal];
        let calls = self.tool_calls.iter().flatten().map(|call| call.function);
        texts.into_iter().chain(calls).flatten().fold(0, |sum: u64, text| sum.saturating_add(text.0))
    }
}

/// Reads one chunk of a stream, or a whole answer: both have the same outline.
pub(crate) fn observe(progress: &mut Progress, payload: &[u8]) -> Result<Chunk, serde_json::Error> {
    let chunk: ChatChunk<'_> = serde_json::from_slice(payload)?;
    progress.served(chunk.model, chunk.service_tier);
    progress.failed(chunk.error);
    let mut seen = Chunk::default();
    let choices = chunk.choices.unwrap_or_default();
    if let Some(usage) = chunk.usage.or(chunk.x_groq.and_then(|groq| groq.usage)) {
        progress.replace_usage(usage);
        seen.has_usage = true;
        seen.usage_only = choices.is_empty();
    }
    for choice in &choices {
        let parts = choice.delta.iter().chain(&choice.message).map(Delta::bytes);
        let text = choice.text.map_or(0, |text| text.0);
        progress.wrote(parts.fold(text, u64::saturating_add));
        if choice.finish_reason.is_some() {
            progress.finished = true;
        }
    }
    Ok(seen)
}
