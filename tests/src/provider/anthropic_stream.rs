//! The frames of a streamed Anthropic answer.
//!
//! `message_start` names the input and a placeholder of one output token; `message_delta` carries the
//! cumulative output, which replaces the placeholder. Summing the two is the classic mistake.

use bytes::Bytes;
use serde_json::{Value, json};

use super::anthropic::{envelope, stop_reason, usage};
use super::call::Call;
use super::chat_stream::chunks;
use super::deliver::Answer;
use super::errors::{ApiError, Dialect};
use super::fault::Fault;
use super::tokens::Tokens;

fn event(payload: &Value) -> Bytes {
    let name = payload["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {payload}\n\n").into()
}

pub(crate) fn frames(call: &Call, tokens: Tokens) -> Answer {
    let metered = call.marks.fault != Some(Fault::NoUsage);
    let mut message = envelope(call);
    if metered {
        message["usage"] = usage(call, tokens, tokens.completion.min(1));
    }
    let mut frames = vec![
        event(&json!({"type": "message_start", "message": message})),
        event(
            &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
        event(&json!({"type": "ping"})),
    ];
    let head = frames.len();
    let texts = chunks(call, tokens);
    let content = texts.len();
    frames.extend(texts.into_iter().map(|text| {
        let delta = json!({"type": "text_delta", "text": text});
        event(&json!({"type": "content_block_delta", "index": 0, "delta": delta}))
    }));
    frames.push(event(&json!({"type": "content_block_stop", "index": 0})));
    let delta = json!({"stop_reason": stop_reason(tokens), "stop_sequence": null});
    let mut last = json!({"type": "message_delta", "delta": delta});
    if metered {
        last["usage"] = usage(call, tokens, tokens.completion);
    }
    frames.push(event(&last));
    frames.push(event(&json!({"type": "message_stop"})));
    let error = ApiError::of_status(Dialect::Anthropic, 503, &call.tab.line.model, None);
    let error = event(&error.body(Dialect::Anthropic, call.request_id()));
    Answer::Frames { frames, head, content, error }
}
