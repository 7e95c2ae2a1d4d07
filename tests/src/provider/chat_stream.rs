//! The frames of a streamed chat answer.
//!
//! Order: the role, the text in chunks, the finish reason, the usage chunk with no choices (only when
//! `stream_options.include_usage` asked for it), `[DONE]`. While usage is asked for, every other chunk
//! carries `"usage":null`; otherwise the field is absent.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::call::Call;
use super::chat::{Usage, answer_words, completion_id, finish_reason};
use super::deliver::Answer;
use super::errors::{ApiError, Dialect};
use super::fault::Fault;
use super::tokens::Tokens;

pub(crate) const FINGERPRINT: &str = "fp_fa4e000000";

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    service_tier: &'a str,
    system_fingerprint: &'static str,
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

#[derive(Serialize)]
struct Choice {
    index: u32,
    delta: Delta,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Option<()>>,
}

/// One server-sent event.
pub(crate) fn frame(payload: &impl Serialize) -> Bytes {
    let mut bytes = b"data: ".to_vec();
    bytes.extend(serde_json::to_vec(payload).unwrap_or_default());
    bytes.extend(b"\n\n");
    bytes.into()
}

/// Cuts an answer into as many chunks as the call asks for; joined again they give the same text.
pub(crate) fn chunks(call: &Call, tokens: Tokens) -> Vec<String> {
    let words = answer_words(call, tokens);
    let wanted = call.marks.chunks.unwrap_or((words.len() / 4).clamp(1, 16));
    let size = words.len().div_ceil(wanted.max(1)).max(1);
    let mut chunks: Vec<String> = words.chunks(size).map(|part| part.join(" ")).collect();
    for chunk in chunks.iter_mut().skip(1) {
        chunk.insert(0, ' ');
    }
    // More chunks than words: the rest is empty, as real streams have them too.
    chunks.resize(chunks.len().max(call.marks.chunks.unwrap_or(0)), String::new());
    chunks
}

pub(crate) fn frames(call: &Call, tokens: Tokens) -> Answer {
    let asked = call.body["stream_options"]["include_usage"] == Value::Bool(true);
    let id = completion_id(call);
    let chunk = |choices: Vec<Choice>, usage: Option<Option<Usage>>| {
        frame(&Chunk {
            id: &id,
            object: "chat.completion.chunk",
            created: call.now(),
            model: &call.tab.line.served,
            service_tier: &call.tab.line.tier,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        })
    };
    let said = |delta: Delta, finish_reason| {
        let choice = Choice { index: 0, delta, logprobs: None, finish_reason };
        chunk(vec![choice], asked.then_some(None))
    };
    let opening = Delta { role: Some("assistant"), content: Some(String::new()), refusal: Some(None) };
    let mut frames = vec![said(opening, None)];
    let texts = chunks(call, tokens);
    let content = texts.len();
    frames
        .extend(texts.into_iter().map(|text| said(Delta { content: Some(text), ..Delta::default() }, None)));
    frames.push(said(Delta::default(), Some(finish_reason(tokens))));
    if asked && call.marks.fault != Some(Fault::NoUsage) {
        frames.push(chunk(Vec::new(), Some(Some(tokens.into()))));
    }
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    let error = ApiError::of_status(Dialect::OpenAi, 500, &call.tab.line.model, None);
    let error = frame(&error.body(Dialect::OpenAi, call.request_id()));
    Answer::Frames { frames, head: 1, content, error }
}
