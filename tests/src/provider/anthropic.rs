//! Anthropic's `POST /v1/messages`: parameter checks and the body of an unstreamed answer.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use serde_json::{Value, json};

use super::anthropic_stream;
use super::call::Call;
use super::chat::answer_words;
use super::deliver::{Answer, deliver};
use super::errors::{ApiError, Dialect};
use super::fault::Fault;
use super::random::roll;
use super::state::State;
use super::tariff::Tariff;
use super::tokens::Tokens;

pub(crate) async fn messages(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let mut call = match Call::open(&state, Dialect::Anthropic, request).await {
        Ok(call) => call,
        Err(answer) => return *answer,
    };
    let (tariff, cap) = match check(&call.body) {
        Ok(checked) => checked,
        Err(error) => return call.refuse(&error),
    };
    let tokens = call.meter(tariff, Some(cap), "standard");
    let answer = if call.tab.line.streamed {
        anthropic_stream::frames(&call, tokens)
    } else {
        Answer::Whole(message(&call, tokens).into())
    };
    deliver(call, answer).await
}

fn check(body: &Value) -> Result<(&'static Tariff, u64), ApiError> {
    let missing = |message| ApiError::bad(None, None, message);
    let model = body["model"].as_str().ok_or_else(|| missing("model: Field required"))?;
    let tariff = Tariff::of(model).filter(|tariff| tariff.is_anthropic());
    let tariff = tariff.ok_or_else(|| ApiError::no_such_model(Dialect::Anthropic, model))?;
    let cap = body["max_tokens"].as_u64().ok_or_else(|| missing("max_tokens: Field required"))?;
    if body["messages"].as_array().is_none_or(Vec::is_empty) {
        return Err(missing("messages: at least one message is required"));
    }
    Ok((tariff, cap))
}

/// Usage as Anthropic writes it: input excludes what went through the cache.
pub(crate) fn usage(call: &Call, tokens: Tokens, output: u64) -> Value {
    json!({
        "input_tokens": tokens.prompt - tokens.cached - tokens.cache_write - tokens.cache_write_hour,
        "cache_creation_input_tokens": tokens.cache_write + tokens.cache_write_hour,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write,
            "ephemeral_1h_input_tokens": tokens.cache_write_hour,
        },
        "output_tokens": output,
        "service_tier": call.tab.line.tier,
    })
}

/// The envelope of a message with no content yet.
pub(crate) fn envelope(call: &Call) -> Value {
    json!({
        "id": format!("msg_01{:022x}", roll(&[call.text, call.tab.line.seq])),
        "type": "message",
        "role": "assistant",
        "model": call.tab.line.served,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    })
}

pub(crate) fn stop_reason(tokens: Tokens) -> &'static str {
    if tokens.capped { "max_tokens" } else { "end_turn" }
}

fn message(call: &Call, tokens: Tokens) -> Vec<u8> {
    let mut message = envelope(call);
    message["content"] = json!([{"type": "text", "text": answer_words(call, tokens).join(" ")}]);
    message["stop_reason"] = json!(stop_reason(tokens));
    if call.marks.fault != Some(Fault::NoUsage) {
        message["usage"] = usage(call, tokens, tokens.completion);
    }
    serde_json::to_vec(&message).unwrap_or_default()
}
