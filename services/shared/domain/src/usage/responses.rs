//! OpenAI's responses: the same totals as chat under other names, and server tools that are billed per call but
//! counted only in the output items.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::chat::settle_totals;
use super::number::{Count, TextBytes};
use super::observed::Reading;
use super::split::{InputParts, OutputParts};
use super::stream::{Chunk, Progress};
use super::{Dialect, Usage, UsageError};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResponsesUsage {
    input_tokens: Count,
    input_tokens_details: Option<InputDetails>,
    output_tokens: Count,
    output_tokens_details: Option<OutputDetails>,
    total_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Count,
    cache_write_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
}

pub(crate) fn normalise(dialect: Dialect, usage: &[u8]) -> Result<Reading, UsageError> {
    let raw: ResponsesUsage = serde_json::from_slice(usage)?;
    let details = raw.input_tokens_details.unwrap_or_default();
    let input = InputParts {
        total: raw.input_tokens.required("input_tokens")?,
        cached: details.cached_tokens.or_zero("cached_tokens")?,
        written: details.cache_write_tokens.or_zero("cache_write_tokens")?,
        audio: details.audio_tokens.or_zero("audio_tokens")?,
        image: details.image_tokens.or_zero("image_tokens")?,
        ..InputParts::default()
    };
    let details = raw.output_tokens_details.unwrap_or_default();
    let mut output = OutputParts {
        total: raw.output_tokens.required("output_tokens")?,
        reasoning: details.reasoning_tokens.or_zero("reasoning_tokens")?,
        audio: details.audio_tokens.or_zero("audio_tokens")?,
        image: details.image_tokens.or_zero("image_tokens")?,
    };
    settle_totals(dialect, &input, &mut output, raw.total_tokens.given("total_tokens")?)?;
    let mut buckets = Usage::new();
    input.put(dialect.cache, &mut buckets)?;
    output.put(&mut buckets)?;
    Ok(Reading::of(buckets))
}

#[derive(Debug, Deserialize)]
struct StreamEvent<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    response: Option<Response<'a>>,
    delta: Option<TextBytes>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<Vec<Item<'a>>>,
}

#[derive(Debug, Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    action: Option<Action<'a>>,
    content: Option<TextBytes>,
    arguments: Option<TextBytes>,
}

#[derive(Debug, Deserialize)]
struct Action<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
}

impl Item<'_> {
    /// Opening or searching within a page that was found is not billed as a search.
    fn is_search(&self) -> bool {
        let action = self.action.as_ref().and_then(|action| action.kind.as_deref());
        self.kind.as_deref() == Some("web_search_call") && action.is_none_or(|action| action == "search")
    }
}

/// Reads one event of a stream.
pub(crate) fn observe_event(progress: &mut Progress, payload: &[u8]) -> Result<Chunk, serde_json::Error> {
    let event: StreamEvent<'_> = serde_json::from_slice(payload)?;
    let kind = event.kind.as_deref().unwrap_or_default();
    if kind == "error" {
        progress.failed(event.error);
        progress.failed_with(event.code.as_deref().unwrap_or(kind));
    }
    if kind.ends_with(".delta") {
        progress.wrote(event.delta.map_or(0, |text| text.0));
    }
    let ended = matches!(kind, "response.completed" | "response.incomplete" | "response.failed");
    progress.finished |= ended;
    Ok(event.response.map_or_else(Chunk::default, |response| observe_response(progress, response)))
}

/// Reads a whole answer.
pub(crate) fn observe_body(progress: &mut Progress, body: &[u8]) -> Result<Chunk, serde_json::Error> {
    let response: Response<'_> = serde_json::from_slice(body)?;
    progress.finished |= matches!(response.status.as_deref(), Some("completed" | "incomplete" | "failed"));
    for item in response.output.iter().flatten() {
        for text in [item.content, item.arguments].into_iter().flatten() {
            progress.wrote(text.0);
        }
    }
    Ok(observe_response(progress, response))
}

fn observe_response(progress: &mut Progress, response: Response<'_>) -> Chunk {
    progress.served(response.model, response.service_tier);
    progress.failed(response.error);
    let searches = response.output.iter().flatten().filter(|item| item.is_search()).count();
    progress.searches = progress.searches.max(u64::try_from(searches).unwrap_or(u64::MAX));
    let Some(usage) = response.usage else { return Chunk::default() };
    progress.replace_usage(usage);
    Chunk { has_usage: true, usage_only: false }
}
