//! The shared step of the inclusive dialects: cutting totals into disjoint buckets.

use super::{Bucket, CacheConvention, Usage, UsageError};

/// An input total and the parts of it that the provider names.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct InputParts {
    pub(crate) total: u64,
    pub(crate) cached: u64,
    /// Of `cached`, what is audio, where that is known.
    pub(crate) cached_audio: u64,
    /// Of `cached`, what is image, where that is known.
    pub(crate) cached_image: u64,
    pub(crate) written: u64,
    pub(crate) audio: u64,
    pub(crate) image: u64,
}

/// An output total and the parts of it that the provider names.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OutputParts {
    pub(crate) total: u64,
    pub(crate) reasoning: u64,
    pub(crate) audio: u64,
    pub(crate) image: u64,
}

impl InputParts {
    /// Puts the parts into buckets that add up to `total` (plus the cached parts, where the convention keeps
    /// those outside).
    ///
    /// Audio and image counts include their cached share. Where the provider does not say what kind the cached
    /// tokens are, they are taken to be text first, then images, then audio.
    pub(crate) fn put(self, cache: CacheConvention, usage: &mut Usage) -> Result<(), UsageError> {
        let inclusive = match cache {
            CacheConvention::Inclusive => self.total,
            CacheConvention::Exclusive => sum("input_tokens", &[self.total, self.cached, self.written])?,
        };
        let uncached = take("cached input tokens", inclusive, sum("cached", &[self.cached, self.written])?)?;
        let known = sum("cached by kind", &[self.cached_audio, self.cached_image])?;
        let mut unknown = take("cached input tokens by kind", self.cached, known)?;
        let mut audio = take("cached audio tokens", self.audio, self.cached_audio)?;
        let mut image = take("cached image tokens", self.image, self.cached_image)?;
        take("input tokens by kind", inclusive, sum("audio and image", &[self.audio, self.image])?)?;

        // Cached tokens of unknown kind that can not be text must be images or audio.
        let text =
            inclusive.saturating_sub(self.audio).saturating_sub(self.image).saturating_sub(self.written);
        unknown = unknown.saturating_sub(text);
        let from_image = unknown.min(image);
        image = image.saturating_sub(from_image);
        let from_audio = unknown.saturating_sub(from_image).min(audio);
        audio = audio.saturating_sub(from_audio);
        let cached_audio = self.cached_audio.saturating_add(from_audio);

        // Writes that can not be text are taken out of images and audio likewise.
        let excess = audio.saturating_add(image).saturating_sub(uncached);
        let less_image = excess.min(image);
        image = image.saturating_sub(less_image);
        audio = audio.saturating_sub(excess.saturating_sub(less_image));

        usage.set(Bucket::InputUncached, uncached.saturating_sub(audio).saturating_sub(image));
        usage.set(Bucket::CacheRead, self.cached.saturating_sub(cached_audio));
        usage.set(Bucket::CacheReadAudio, cached_audio);
        usage.set(Bucket::CacheWrite5m, self.written);
        usage.set(Bucket::InputAudio, audio);
        usage.set(Bucket::InputImage, image);
        Ok(())
    }
}

impl OutputParts {
    /// Puts the parts into buckets that add up to `total`.
    pub(crate) fn put(self, usage: &mut Usage) -> Result<(), UsageError> {
        let named = sum("output parts", &[self.reasoning, self.audio, self.image])?;
        usage.set(Bucket::OutputText, take("output tokens", self.total, named)?);
        usage.set(Bucket::OutputReasoning, self.reasoning);
        usage.set(Bucket::OutputAudio, self.audio);
        usage.set(Bucket::OutputImage, self.image);
        Ok(())
    }
}

/// Adds counts; more than any call can have is an error.
pub(crate) fn sum(field: &'static str, counts: &[u64]) -> Result<u64, UsageError> {
    counts
        .iter()
        .try_fold(0_u64, |sum, count| sum.checked_add(*count))
        .filter(|sum| *sum <= Usage::MAX_COUNT)
        .ok_or(UsageError::TooLarge { field })
}

/// What is left of a total without a part of it; a part larger than its total is an error.
pub(crate) fn take(what: &'static str, total: u64, part: u64) -> Result<u64, UsageError> {
    total.checked_sub(part).ok_or(UsageError::Inconsistent { what, parts: part, total })
}

/// Demands that parts add up to what is reported.
pub(crate) fn equal(what: &'static str, parts: u64, total: u64) -> Result<(), UsageError> {
    if parts == total { Ok(()) } else { Err(UsageError::Inconsistent { what, parts, total }) }
}

/// The one value of a quantity that a provider states in two places. An absent or zero statement gives way to
/// the other; two different ones are an error.
pub(crate) fn agreed(what: &'static str, first: u64, second: u64) -> Result<u64, UsageError> {
    if first == 0 || second == 0 || first == second {
        Ok(first.max(second))
    } else {
        Err(UsageError::Inconsistent { what, parts: first, total: second })
    }
}
