//! Anthropic's messages: cached tokens stand beside `input_tokens`, cache writes are split by lifetime, server
//! tools are counted, and one call may contain iterations of its own price.
//!
//! Iterations: the top-level counts cover the `message` iterations. A `compaction` iteration is billed at the
//! same model beside them; iterations that name another model become [`OtherModel`]s.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::number::{Count, TextBytes};
use super::observed::{OtherModel, Reading};
use super::split::{sum, take};
use super::stream::{Chunk, Progress};
use super::{Bucket, CacheConvention, Dialect, Usage, UsageError};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MessageUsage<'a> {
    input_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_creation: Option<CacheCreation>,
    output_tokens: Count,
    output_tokens_details: Option<OutputDetails>,
    server_tool_use: Option<ServerToolUse>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    inference_geo: Option<Cow<'a, str>>,
    #[serde(borrow)]
    speed: Option<Cow<'a, str>>,
    #[serde(borrow)]
    iterations: Option<Vec<Iteration<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Count,
    ephemeral_1h_input_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServerToolUse {
    web_search_requests: Count,
    web_fetch_requests: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Iteration<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    input_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_creation: Option<CacheCreation>,
    output_tokens: Count,
}

pub(crate) fn normalise(dialect: Dialect, usage: &[u8]) -> Result<Reading, UsageError> {
    let raw: MessageUsage<'_> = serde_json::from_slice(usage)?;
    let mut buckets = Usage::new();
    put_input(
        dialect.cache,
        [raw.input_tokens, raw.cache_read_input_tokens, raw.cache_creation_input_tokens],
        raw.cache_creation.as_ref(),
        &mut buckets,
    )?;
    let output = raw.output_tokens.required("output_tokens")?;
    let thinking =
        raw.output_tokens_details.unwrap_or_default().thinking_tokens.or_zero("thinking_tokens")?;
    buckets.set(Bucket::OutputText, take("thinking_tokens", output, thinking)?);
    buckets.set(Bucket::OutputReasoning, thinking);
    let tools = raw.server_tool_use.unwrap_or_default();
    buckets.set(Bucket::WebSearches, tools.web_search_requests.or_zero("web_search_requests")?);
    buckets.set(Bucket::WebFetches, tools.web_fetch_requests.or_zero("web_fetch_requests")?);

    let mut others = Vec::new();
    for iteration in raw.iterations.iter().flatten() {
        add_iteration(dialect.cache, iteration, &mut buckets, &mut others)?;
    }
    Ok(Reading { usage: buckets, service_tier: tier(raw.service_tier, raw.inference_geo, raw.speed), others })
}

/// `counts`: input, cache read, cache written.
fn put_input(
    cache: CacheConvention,
    counts: [Count; 3],
    split: Option<&CacheCreation>,
    buckets: &mut Usage,
) -> Result<(), UsageError> {
    let [input, read, written] = counts;
    let input = input.required("input_tokens")?;
    let read = read.or_zero("cache_read_input_tokens")?;
    let written = written.given("cache_creation_input_tokens")?;
    let none = CacheCreation::default();
    let split = split.unwrap_or(&none);
    let short = split.ephemeral_5m_input_tokens.or_zero("ephemeral_5m_input_tokens")?;
    let long = split.ephemeral_1h_input_tokens.or_zero("ephemeral_1h_input_tokens")?;
    let by_lifetime = sum("cache_creation", &[short, long])?;
    let written = written.unwrap_or(by_lifetime);
    let rest = take("cache_creation_input_tokens", written, by_lifetime)?;
    // Without a split the default lifetime is meant. A split that a stream stated before further writes is
    // continued when it knows one lifetime only, and is a contradiction when it knows both.
    let (short, long) = match (rest, short, long) {
        (0, _, _) | (_, _, 0) => (short.saturating_add(rest), long),
        (_, 0, _) => (0, long.saturating_add(rest)),
        _ => {
            let what = "cache_creation_input_tokens";
            return Err(UsageError::Inconsistent { what, parts: by_lifetime, total: written });
        }
    };
    let uncached = match cache {
        CacheConvention::Exclusive => input,
        CacheConvention::Inclusive => take("input_tokens", input, sum("cached", &[read, written])?)?,
    };
    sum("input_tokens", &[uncached, read, written])?;
    buckets.set(Bucket::InputUncached, uncached);
    buckets.set(Bucket::CacheRead, read);
    buckets.set(Bucket::CacheWrite5m, short);
    buckets.set(Bucket::CacheWrite1h, long);
    Ok(())
}

fn add_iteration(
    cache: CacheConvention,
    iteration: &Iteration<'_>,
    buckets: &mut Usage,
    others: &mut Vec<OtherModel>,
) -> Result<(), UsageError> {
    let kind = iteration.kind.as_deref().unwrap_or("message");
    if kind == "message" {
        return Ok(());
    }
    let counts =
        [iteration.input_tokens, iteration.cache_read_input_tokens, iteration.cache_creation_input_tokens];
    let mut own = Usage::new();
    put_input(cache, counts, iteration.cache_creation.as_ref(), &mut own)?;
    own.set(Bucket::OutputText, iteration.output_tokens.required("output_tokens")?);
    match iteration.model.as_deref() {
        None if kind == "compaction" => {
            *buckets = buckets.checked_add(&own).ok_or(UsageError::TooLarge { field: "iterations" })?;
        }
        model => others.push(OtherModel { model: model.unwrap_or(kind).to_owned(), usage: own }),
    }
    Ok(())
}

/// The tier with what changes its price: where it ran (`us`) and how fast (`fast`).
fn tier(
    tier: Option<Cow<'_, str>>,
    geo: Option<Cow<'_, str>>,
    speed: Option<Cow<'_, str>>,
) -> Option<String> {
    let plain = |value: &str, usual: &[&str]| value.is_empty() || usual.contains(&value);
    let geo = geo.filter(|geo| !plain(geo, &["global", "not_available"]));
    let speed = speed.filter(|speed| !plain(speed, &["standard"]));
    if geo.is_none() && speed.is_none() {
        return tier.map(Cow::into_owned);
    }
    let mut name = tier.map_or_else(|| "standard".to_owned(), Cow::into_owned);
    for modifier in [geo, speed].into_iter().flatten() {
        name.push('+');
        name.push_str(&modifier);
    }
    Some(name)
}

#[derive(Debug, Deserialize)]
struct MessageEvent<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
    content_block: Option<Block>,
    delta: Option<Delta>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    stop_reason: Option<TextBytes>,
    content: Option<Vec<Block>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block {
    text: Option<TextBytes>,
    thinking: Option<TextBytes>,
    input: Option<TextBytes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delta {
    text: Option<TextBytes>,
    thinking: Option<TextBytes>,
    partial_json: Option<TextBytes>,
    stop_reason: Option<TextBytes>,
}

impl Block {
    fn bytes(&self) -> u64 {
        bytes([self.text, self.thinking, self.input])
    }
}

fn bytes(texts: [Option<TextBytes>; 3]) -> u64 {
    texts.into_iter().flatten().fold(0, |sum: u64, text| sum.saturating_add(text.0))
}

/// Reads one event of a stream. `message_delta` states cumulative usage: its fields replace the earlier ones.
pub(crate) fn observe_event(progress: &mut Progress, payload: &[u8]) -> Result<Chunk, serde_json::Error> {
    let event: MessageEvent<'_> = serde_json::from_slice(payload)?;
    let mut seen = Chunk::default();
    if event.kind.as_deref() == Some("message_stop") {
        progress.finished = true;
    }
    progress.failed(event.error);
    if let Some(message) = event.message {
        progress.served(message.model, None);
        if let Some(usage) = message.usage {
            progress.merge_usage(usage)?;
            seen.has_usage = true;
        }
    }
    progress.wrote(event.content_block.map_or(0, |block| block.bytes()));
    if let Some(delta) = event.delta {
        progress.wrote(bytes([delta.text, delta.thinking, delta.partial_json]));
        progress.finished |= delta.stop_reason.is_some();
    }
    if let Some(usage) = event.usage {
        progress.merge_usage(usage)?;
        seen.has_usage = true;
    }
    Ok(seen)
}

/// Reads a whole answer.
pub(crate) fn observe_body(progress: &mut Progress, body: &[u8]) -> Result<Chunk, serde_json::Error> {
    let message: Message<'_> = serde_json::from_slice(body)?;
    progress.served(message.model, None);
    progress.failed(message.error);
    progress.finished |= message.stop_reason.is_some();
    for block in message.content.iter().flatten() {
        progress.wrote(block.bytes());
    }
    let Some(usage) = message.usage else { return Ok(Chunk::default()) };
    progress.replace_usage(usage);
    Ok(Chunk { has_usage: true, usage_only: false })
}
