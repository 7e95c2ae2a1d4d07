//! Gemini's `usageMetadata`: the prompt includes the cache, thoughts lie outside the candidates, and tool use adds
//! input of its own. `totalTokenCount` is the sum of prompt, candidates, tool use and thoughts.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::number::{Count, TextBytes};
use super::observed::Reading;
use super::split::{InputParts, OutputParts, equal, sum};
use super::stream::{Chunk, Progress};
use super::{CacheConvention, Dialect, ReasoningConvention, Usage, UsageError};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UsageMetadata<'a> {
    prompt_token_count: Count,
    cached_content_token_count: Count,
    candidates_token_count: Count,
    thoughts_token_count: Count,
    tool_use_prompt_token_count: Count,
    total_token_count: Count,
    #[serde(borrow)]
    prompt_tokens_details: Option<Vec<Modality<'a>>>,
    #[serde(borrow)]
    cache_tokens_details: Option<Vec<Modality<'a>>>,
    #[serde(borrow)]
    candidates_tokens_details: Option<Vec<Modality<'a>>>,
    #[serde(borrow)]
    tool_use_prompt_tokens_details: Option<Vec<Modality<'a>>>,
    #[serde(borrow)]
    traffic_type: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modality<'a> {
    #[serde(borrow)]
    modality: Option<Cow<'a, str>>,
    token_count: Count,
}

/// Audio and visual tokens of a list of details.
fn kinds(details: Option<&Vec<Modality<'_>>>) -> Result<(u64, u64), UsageError> {
    let (mut audio, mut image) = (0, 0);
    for part in details.into_iter().flatten() {
        let count = part.token_count.or_zero("tokenCount")?;
        match part.modality.as_deref() {
            Some("AUDIO") => audio = sum("tokenCount", &[audio, count])?,
            Some("IMAGE" | "VIDEO" | "DOCUMENT") => image = sum("tokenCount", &[image, count])?,
            _ => {}
        }
    }
    Ok((audio, image))
}

pub(crate) fn normalise(dialect: Dialect, usage: &[u8]) -> Result<Reading, UsageError> {
    let raw: UsageMetadata<'_> = serde_json::from_slice(usage)?;
    let prompt = raw.prompt_token_count.or_zero("promptTokenCount")?;
    let tool_use = raw.tool_use_prompt_token_count.or_zero("toolUsePromptTokenCount")?;
    let cached = raw.cached_content_token_count.or_zero("cachedContentTokenCount")?;
    let (audio, image) = kinds(raw.prompt_tokens_details.as_ref())?;
    let (tool_audio, tool_image) = kinds(raw.tool_use_prompt_tokens_details.as_ref())?;
    let (cached_audio, cached_image) = kinds(raw.cache_tokens_details.as_ref())?;
    let (output_audio, output_image) = kinds(raw.candidates_tokens_details.as_ref())?;
    let thoughts = raw.thoughts_token_count.or_zero("thoughtsTokenCount")?;
    let candidates = raw.candidates_token_count.or_zero("candidatesTokenCount")?;
    let output = match dialect.reasoning {
        ReasoningConvention::Inside => candidates,
        ReasoningConvention::Outside | ReasoningConvention::ByTotal => {
            sum("candidatesTokenCount", &[candidates, thoughts])?
        }
    };
    let input = InputParts {
        total: sum("promptTokenCount", &[prompt, tool_use])?,
        cached,
        cached_audio,
        cached_image,
        written: 0,
        audio: sum("promptTokensDetails", &[audio, tool_audio])?,
        image: sum("promptTokensDetails", &[image, tool_image])?,
    };
    match raw.total_token_count.given("totalTokenCount")? {
        Some(total) => {
            let beside = if dialect.cache == CacheConvention::Exclusive { cached } else { 0 };
            equal("totalTokenCount", sum("totalTokenCount", &[input.total, beside, output])?, total)?;
        }
        None if raw.prompt_token_count == Count::Absent => {
            return Err(UsageError::Missing { field: "promptTokenCount" });
        }
        None => {}
    }
    let mut buckets = Usage::new();
    input.put(dialect.cache, &mut buckets)?;
    OutputParts { total: output, reasoning: thoughts, audio: output_audio, image: output_image }
        .put(&mut buckets)?;
    Ok(Reading { usage: buckets, service_tier: raw.traffic_type.map(Cow::into_owned), others: Vec::new() })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GeminiChunk<'a> {
    #[serde(borrow)]
    model_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    candidates: Option<Vec<Candidate>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<TextBytes>,
    grounding_metadata: Option<Grounding>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    parts: Option<Vec<Part>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Part {
    text: Option<TextBytes>,
    function_call: Option<TextBytes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Grounding {
    web_search_queries: Option<Vec<TextBytes>>,
}

/// Reads one chunk of a stream, or a whole answer: both have the same outline.
pub(crate) fn observe(progress: &mut Progress, payload: &[u8]) -> Result<Chunk, serde_json::Error> {
    let chunk: GeminiChunk<'_> = serde_json::from_slice(payload)?;
    progress.served(chunk.model_version, None);
    progress.failed(chunk.error);
    for candidate in chunk.candidates.iter().flatten() {
        progress.finished |= candidate.finish_reason.is_some();
        for part in candidate.content.iter().flat_map(|content| content.parts.iter().flatten()) {
            for text in [part.text, part.function_call].into_iter().flatten() {
                progress.wrote(text.0);
            }
        }
        let queries =
            candidate.grounding_metadata.iter().flat_map(|found| found.web_search_queries.iter().flatten());
        let queries = u64::try_from(queries.count()).unwrap_or(u64::MAX);
        let billed = if bills_by_grounded_request(progress.model()) { queries.min(1) } else { queries };
        progress.searches = progress.searches.max(billed);
    }
    let Some(usage) = chunk.usage_metadata else { return Ok(Chunk::default()) };
    progress.replace_usage(usage);
    Ok(Chunk { has_usage: true, usage_only: false })
}

/// Up to version 2.5 one grounded answer is one billed search, however many queries it took; later models bill
/// each query.
fn bills_by_grounded_request(model: Option<&str>) -> bool {
    model.is_some_and(|model| model.starts_with("gemini-1") || model.starts_with("gemini-2"))
}
