//! Usage out of a stream: one payload at a time, the last statement counts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Api, Bucket, Dialect, Observed, Reading, Usage, anthropic, chat, gemini, media, normalise, responses,
};

/// What one payload was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chunk {
    /// It stated usage.
    pub has_usage: bool,
    /// It was OpenAI's extra chunk that carries usage and no choice: to be dropped when the client did not ask
    /// for it.
    pub usage_only: bool,
}

/// What was gathered so far. The dialects write into it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    seen: Observed,
    /// Anthropic's usage, field by field.
    fields: BTreeMap<String, Box<RawValue>>,
    pub(crate) finished: bool,
    pub(crate) searches: u64,
    pub(crate) images: u64,
    pub(crate) seconds: Option<u64>,
}

#[derive(Deserialize)]
struct ProviderError<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
}

impl Progress {
    pub(crate) fn model(&self) -> Option<&str> {
        self.seen.model.as_deref()
    }

    pub(crate) fn served(&mut self, model: Option<Cow<'_, str>>, tier: Option<Cow<'_, str>>) {
        if let Some(model) = model.filter(|model| !model.is_empty()) {
            replace(&mut self.seen.model, &model);
        }
        if let Some(tier) = tier {
            replace(&mut self.seen.service_tier, &tier);
        }
    }

    pub(crate) fn wrote(&mut self, bytes: u64) {
        self.seen.output_bytes = self.seen.output_bytes.saturating_add(bytes);
    }

    /// Keeps the most specific name that an error object gives itself; the first error counts.
    pub(crate) fn failed(&mut self, error: Option<&RawValue>) {
        let Some(error) = error else { return };
        let named = serde_json::from_str::<ProviderError<'_>>(error.get()).ok().and_then(|error| {
            let code = error.code.and_then(|code| serde_json::from_str::<Cow<'_, str>>(code.get()).ok());
            code.or(error.status).or(error.kind).map(Cow::into_owned)
        });
        self.failed_with(named.as_deref().unwrap_or("error"));
    }

    pub(crate) fn failed_with(&mut self, code: &str) {
        self.seen.error.get_or_insert_with(|| code.chars().take(100).collect());
    }

    pub(crate) fn replace_usage(&mut self, usage: &RawValue) {
        replace(&mut self.seen.usage_raw, usage.get());
    }

    /// Replaces the fields that are stated and not null, keeps the others.
    pub(crate) fn merge_usage(&mut self, usage: &RawValue) -> Result<(), serde_json::Error> {
        let stated: BTreeMap<String, Box<RawValue>> = serde_json::from_str(usage.get())?;
        self.fields.extend(stated.into_iter().filter(|(_, value)| value.get() != "null"));
        Ok(())
    }

    pub(crate) fn unreadable(&mut self) {
        self.seen.unreadable = self.seen.unreadable.saturating_add(1);
    }

    /// Reads the usage as last stated.
    pub(crate) fn observed(&self, dialect: Dialect) -> Observed {
        let mut seen = self.seen.clone();
        seen.finished = self.finished;
        if seen.usage_raw.is_none() && !self.fields.is_empty() {
            seen.usage_raw = serde_json::to_string(&self.fields).ok();
        }
        seen.reading = match &seen.usage_raw {
            Some(raw) => Some(normalise(dialect, raw.as_bytes())),
            None => self.counted_by_piece(dialect.api).map(|usage| Ok(Reading::of(usage))),
        };
        if let Some(Ok(reading)) = &mut seen.reading {
            if self.searches > 0 {
                reading.usage.set(Bucket::WebSearches, self.searches.min(Usage::MAX_COUNT));
            }
            if let Some(tier) = &reading.service_tier {
                seen.service_tier = Some(tier.clone());
            }
        }
        seen
    }

    fn counted_by_piece(&self, api: Api) -> Option<Usage> {
        match api {
            Api::Images if self.images > 0 => Some(Usage::new().with(Bucket::Images, self.images)),
            Api::Transcription => self.seconds.map(|seconds| Usage::new().with(Bucket::Seconds, seconds)),
            _ => None,
        }
    }
}

fn replace(place: &mut Option<String>, text: &str) {
    match place {
        Some(old) if old == text => {}
        Some(old) => {
            old.clear();
            old.push_str(text);
        }
        None => *place = Some(text.to_owned()),
    }
}

/// Follows a stream: give it the `data` payload of every frame, in order.
///
/// ```
/// use tallystick_domain::usage::{Api, Bucket, Dialect, StreamUsage};
/// let mut stream = StreamUsage::new(Dialect::of(Api::Chat));
/// stream.push(br#"{"model":"gpt-4o","choices":[{"delta":{"content":"hi"}}],"usage":null}"#);
/// let last = stream.push(br#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#);
/// assert!(last.usage_only);
/// stream.push(b"[DONE]");
/// let seen = stream.observed();
/// assert_eq!(seen.usage().unwrap().get(Bucket::InputUncached), 9);
/// assert_eq!((seen.finished, seen.output_bytes), (true, 2));
/// ```
#[derive(Debug)]
pub struct StreamUsage {
    dialect: Dialect,
    progress: Progress,
}

impl StreamUsage {
    /// A stream of which nothing was seen.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, progress: Progress::default() }
    }

    /// Reads one payload. What is not readable is counted in [`Observed::unreadable`] and passed over.
    pub fn push(&mut self, payload: &[u8]) -> Chunk {
        let payload = payload.trim_ascii();
        if payload.is_empty() {
            return Chunk::default();
        }
        if payload == b"[DONE]" {
            self.progress.finished = true;
            return Chunk::default();
        }
        let progress = &mut self.progress;
        let seen = match self.dialect.api {
            Api::Chat | Api::Embeddings => chat::observe(progress, payload),
            Api::Responses => responses::observe_event(progress, payload),
            Api::Messages => anthropic::observe_event(progress, payload),
            Api::Gemini => gemini::observe(progress, payload),
            Api::Images | Api::Transcription => media::observe(progress, payload, false),
        };
        seen.unwrap_or_else(|_| {
            self.progress.unreadable();
            Chunk::default()
        })
    }

    /// Whether the stream has ended by itself.
    #[must_use]
    pub const fn finished(&self) -> bool {
        self.progress.finished
    }

    /// Bytes of generated text so far, for an estimate while the stream runs.
    #[must_use]
    pub const fn output_bytes(&self) -> u64 {
        self.progress.seen.output_bytes
    }

    /// Everything known so far; final once the stream has ended.
    #[must_use]
    pub fn observed(&self) -> Observed {
        self.progress.observed(self.dialect)
    }
}
