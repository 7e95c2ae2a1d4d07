//! The request body: a borrowed view of the few fields that are read, and edits that leave every other byte alone.
//!
//! Cost: one pass over the bytes; nothing is copied unless a stream has to be asked for its usage.

use crate::endpoint::Call;
use crate::refusal::Refusal;
use bytes::{BufMut as _, Bytes, BytesMut};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use tallystick_domain::attribution::check_text;

/// How many of the first messages make the print of a prompt.
const PRINTED_MESSAGES: usize = 2;
/// How many bytes of each of them, and of an embedding's input.
const PRINTED_BYTES: usize = 4096;
/// The longest session id that is looked at, in bytes.
const SESSION_BYTES: usize = 256;

/// The fields that are read. Everything else passes untouched, known or not.
#[derive(Debug, Deserialize)]
pub(crate) struct View<'a> {
    #[serde(borrow)]
    pub(crate) model: Cow<'a, str>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(borrow, default, deserialize_with = "present")]
    stream_options: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    max_completion_tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    n: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

/// Reads a body.
///
/// # Errors
/// `400` with the position of what is wrong, or the name of the field.
pub(crate) fn read(body: &[u8]) -> Result<View<'_>, Refusal> {
    let view: View<'_> = serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_data() {
            "the body is not what this endpoint takes"
        } else {
            "the body is not valid JSON"
        };
        Refusal::invalid(format!("{what}: {}", redacted(&error)))
    })?;
    kept("model", &view.model)?;
    if view.model.is_empty() {
        return Err(Refusal::invalid("model is empty; name the model that you want").about("model"));
    }
    if let Some(user) = &view.user {
        kept("user", user)?;
    }
    Ok(view)
}

/// The error without the values that serde_json quotes: they may be somebody's prompt.
fn redacted(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line(), error.column());
    if text.starts_with("missing field") || text.starts_with("duplicate field") {
        return text;
    }
    format!("see {place}")
}

/// Refuses a text that is going to be kept and can not be.
pub(crate) fn kept(field: &'static str, text: &str) -> Result<(), Refusal> {
    check_text(field, text).map_err(|error| Refusal::invalid(error.to_string()).about(field))
}

impl View<'_> {
    pub(crate) fn streams(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    /// The most output tokens that the client allows, over all choices; `None` where it names no cap.
    pub(crate) fn output_cap(&self) -> Option<u64> {
        let number = |raw: Option<&RawValue>| serde_json::from_str::<u64>(raw?.get()).ok();
        let cap = number(self.max_completion_tokens).or_else(|| number(self.max_tokens))?;
        Some(cap.saturating_mul(number(self.n).unwrap_or(1).max(1)))
    }

    /// Bytes that the model has to read, as far as can be told without a tokenizer.
    pub(crate) fn input_bytes(&self, body: &[u8]) -> u64 {
        let parts =
            [self.messages, self.input].into_iter().flatten().map(|raw| raw.get().len()).sum::<usize>();
        let bytes = if parts == 0 { body.len() } else { parts };
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// The session that a tool names in the body.
    pub(crate) fn session(&self, call: Call) -> Option<String> {
        let text = |raw: &RawValue| serde_json::from_str::<Cow<'_, str>>(raw.get()).ok().map(Cow::into_owned);
        if let Some(session) = self.session_id.and_then(text).filter(|session| is_session(session)) {
            return Some(session);
        }
        let fields: SessionFields<'_> = serde_json::from_str(self.metadata?.get()).ok()?;
        let named = fields.session_id.filter(|session| is_session(session));
        if let Some(session) = named {
            return Some(session.into_owned());
        }
        let user = fields.user_id.filter(|_| call == Call::Messages)?;
        let (_, session) = user.rsplit_once("_session_")?;
        is_session(session).then(|| session.to_owned())
    }

    /// The end user that the request names.
    pub(crate) fn end_user(&self, call: Call) -> Option<String> {
        if let Some(user) = &self.user {
            return (!user.is_empty()).then(|| user.to_string());
        }
        let fields: SessionFields<'_> = serde_json::from_str(self.metadata?.get()).ok()?;
        let user = fields.user_id.filter(|_| call == Call::Messages)?;
        (check_text("metadata.user_id", &user).is_ok() && !user.is_empty()).then(|| user.into_owned())
    }

    /// Hands the beginnings of the first messages (or of the input) to `take`; false when there are none.
    pub(crate) fn print(&self, mut take: impl FnMut(&[u8])) -> bool {
        let mut cut = |raw: &RawValue| {
            let bytes = raw.get().as_bytes();
            take(&bytes[..bytes.len().min(PRINTED_BYTES)]);
        };
        if let Some(messages) = self.messages {
            let first = First { left: PRINTED_MESSAGES, take: &mut cut };
            // Stopping early leaves the array unread, which is an error to serde_json and not to us.
            let stopped = first.deserialize(&mut serde_json::Deserializer::from_str(messages.get()));
            drop(stopped);
            return true;
        }
        if let Some(input) = self.input {
            cut(input);
        }
        self.input.is_some()
    }

    /// Whether the client itself asked for the usage of its stream.
    pub(crate) fn asked_for_usage(&self) -> bool {
        self.stream_options
            .and_then(|raw| serde_json::from_str::<StreamOptions<'_>>(raw.get()).ok())
            .and_then(|options| options.include_usage)
            .is_some_and(|raw| raw.get() == "true")
    }
}

fn is_session(text: &str) -> bool {
    !text.is_empty() && text.len() <= SESSION_BYTES && check_text("session", text).is_ok()
}

#[derive(Deserialize)]
struct SessionFields<'a> {
    #[serde(borrow, default)]
    session_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct StreamOptions<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    include_usage: Option<&'a RawValue>,
}

/// A member that is there, also when it is null: an edit has to replace it, not to add a second one.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Visits the first elements of an array, then stops.
struct First<'t> {
    left: usize,
    take: &'t mut dyn FnMut(&RawValue),
}

impl<'de> DeserializeSeed<'de> for First<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for First<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for _ in 0..self.left {
            match seq.next_element::<&RawValue>()? {
                Some(element) => (self.take)(element),
                None => break,
            }
        }
        Ok(())
    }
}

/// The body with `stream_options.include_usage` set to true and every other byte as it was.
///
/// # Errors
/// `400` when `stream_options` is neither an object nor null: the provider would refuse it too.
pub(crate) fn ask_for_usage(body: &Bytes, view: &View<'_>) -> Result<Bytes, Refusal> {
    const ASK: &[u8] = b"\"include_usage\":true";
    let Some(options) = view.stream_options else {
        let open = body.iter().position(|byte| *byte == b'{').expect("the body was read as an object");
        return Ok(splice(body, open + 1..open + 1, &[b"\"stream_options\":{", ASK, b"},"]));
    };
    let at = offset(body, options.get());
    let text = options.get();
    if text == "null" {
        return Ok(splice(body, at..at + text.len(), &[b"{", ASK, b"}"]));
    }
    let invalid = || Refusal::invalid("stream_options must be an object").about("stream_options");
    let fields: Fields = serde_json::from_str(text).map_err(|_| invalid())?;
    let parsed: StreamOptions<'_> = serde_json::from_str(text).map_err(|_| invalid())?;
    if let Some(present) = parsed.include_usage {
        let from = offset(body, present.get());
        return Ok(splice(body, from..from + present.get().len(), &[b"true"]));
    }
    let comma: &[u8] = if fields.any { b"," } else { b"" };
    Ok(splice(body, at + 1..at + 1, &[ASK, comma]))
}

/// Whether an object has any member.
struct Fields {
    any: bool,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut any = false;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    any = true;
                }
                Ok(Fields { any })
            }
        }
        deserializer.deserialize_map(Look)
    }
}

/// Where a borrowed part lies in the body.
fn offset(body: &[u8], part: &str) -> usize {
    let at = (part.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
    assert!(at.saturating_add(part.len()) <= body.len(), "a borrowed part lies within the body");
    at
}

fn splice(body: &[u8], replace: std::ops::Range<usize>, with: &[&[u8]]) -> Bytes {
    let added: usize = with.iter().map(|part| part.len()).sum();
    let mut out = BytesMut::with_capacity(body.len() + added);
    out.put_slice(&body[..replace.start]);
    for part in with {
        out.put_slice(part);
    }
    out.put_slice(&body[replace.end..]);
    out.freeze()
}

#[cfg(test)]
mod tests;
