//! Embeddings, images and transcription in OpenAI's shapes.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::number::Count;
use super::observed::Reading;
use super::split::{InputParts, OutputParts, equal, sum};
use super::stream::{Chunk, Progress};
use super::{Bucket, CacheConvention, Usage, UsageError};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EmbeddingUsage {
    prompt_tokens: Count,
    total_tokens: Count,
}

/// Embeddings have input only: the total is the prompt.
pub(crate) fn embeddings(usage: &[u8]) -> Result<Reading, UsageError> {
    let raw: EmbeddingUsage = serde_json::from_slice(usage)?;
    let (prompt, total) =
        (raw.prompt_tokens.given("prompt_tokens")?, raw.total_tokens.given("total_tokens")?);
    let tokens = prompt.or(total).ok_or(UsageError::Missing { field: "prompt_tokens" })?;
    equal("total_tokens", tokens, total.unwrap_or(tokens))?;
    Ok(Reading::of(Usage::new().with(Bucket::InputUncached, tokens)))
}

/// One object for images and for audio: the fields have the same names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MediaUsage<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    input_tokens: Count,
    #[serde(alias = "input_token_details")]
    input_tokens_details: Option<Kinds>,
    output_tokens: Count,
    #[serde(alias = "output_token_details")]
    output_tokens_details: Option<Kinds>,
    total_tokens: Count,
    seconds: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kinds {
    audio_tokens: Count,
    image_tokens: Count,
    cached_tokens: Count,
}

/// Image models put out image tokens; where the parts are not named, all output is image.
pub(crate) fn images(usage: &[u8]) -> Result<Reading, UsageError> {
    let raw: MediaUsage<'_> = serde_json::from_slice(usage)?;
    let output = raw.output_tokens.required("output_tokens")?;
    let image = match &raw.output_tokens_details {
        Some(kinds) => kinds.image_tokens.given("image_tokens")?.unwrap_or(output),
        None => output,
    };
    tokens(&raw, OutputParts { total: output, image, ..OutputParts::default() })
}

/// Transcription is billed by tokens or by whole seconds begun, as `type` says.
pub(crate) fn transcription(usage: &[u8]) -> Result<Reading, UsageError> {
    let raw: MediaUsage<'_> = serde_json::from_slice(usage)?;
    if raw.kind.as_deref() == Some("duration") {
        return Ok(Reading::of(Usage::new().with(Bucket::Seconds, raw.seconds.rounded_up("seconds")?)));
    }
    let output = raw.output_tokens.required("output_tokens")?;
    tokens(&raw, OutputParts { total: output, ..OutputParts::default() })
}

fn tokens(raw: &MediaUsage<'_>, output: OutputParts) -> Result<Reading, UsageError> {
    let none = Kinds::default();
    let kinds = raw.input_tokens_details.as_ref().unwrap_or(&none);
    let input = InputParts {
        total: raw.input_tokens.required("input_tokens")?,
        cached: kinds.cached_tokens.or_zero("cached_tokens")?,
        audio: kinds.audio_tokens.or_zero("audio_tokens")?,
        image: kinds.image_tokens.or_zero("image_tokens")?,
        ..InputParts::default()
    };
    if let Some(total) = raw.total_tokens.given("total_tokens")? {
        equal("total_tokens", sum("total_tokens", &[input.total, output.total])?, total)?;
    }
    let mut buckets = Usage::new();
    input.put(CacheConvention::Inclusive, &mut buckets)?;
    output.put(&mut buckets)?;
    Ok(Reading::of(buckets))
}

#[derive(Debug, Deserialize)]
struct MediaAnswer<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    data: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    duration: Count,
}

/// Reads an answer or an event of a stream. Where there is no usage object, images are counted by the piece and
/// audio by its duration, in an object of the same meaning.
pub(crate) fn observe(
    progress: &mut Progress,
    payload: &[u8],
    whole: bool,
) -> Result<Chunk, serde_json::Error> {
    let answer: MediaAnswer<'_> = serde_json::from_slice(payload)?;
    progress.served(answer.model, None);
    progress.failed(answer.error);
    let ends = |kind: &str| kind.ends_with(".completed") || kind.ends_with(".done");
    progress.finished |= answer.error.is_none() && (whole || answer.kind.as_deref().is_some_and(ends));
    if let Some(usage) = answer.usage {
        progress.replace_usage(usage);
        return Ok(Chunk { has_usage: true, usage_only: false });
    }
    progress.images = answer.data.map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
    progress.seconds = answer.duration.rounded_up("duration").ok();
    Ok(Chunk::default())
}
