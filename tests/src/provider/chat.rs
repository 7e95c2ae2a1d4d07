//! OpenAI's `POST /v1/chat/completions`: parameter checks and the body of an unstreamed answer.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::call::Call;
use super::chat_stream;
use super::deliver::{Answer, deliver};
use super::errors::{ApiError, Dialect};
use super::fault::Fault;
use super::random::{roll, words};
use super::state::State;
use super::tariff::Tariff;
use super::tokens::Tokens;

/// Most words in one answer, so that a large usage does not need a large body.
const LONGEST_ANSWER: u64 = 256;

pub(crate) async fn completions(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let mut call = match Call::open(&state, Dialect::OpenAi, request).await {
        Ok(call) => call,
        Err(answer) => return *answer,
    };
    let tariff = match check(&call.body) {
        Ok(tariff) => tariff,
        Err(error) => return call.refuse(&error),
    };
    let cap = output_cap(&call.body);
    let tokens = call.meter(tariff, cap, "default");
    let answer = if call.tab.line.streamed {
        chat_stream::frames(&call, tokens)
    } else {
        Answer::Whole(completion(&call, tokens))
    };
    deliver(call, answer).await
}

fn output_cap(body: &Value) -> Option<u64> {
    body["max_completion_tokens"].as_u64().or(body["max_tokens"].as_u64())
}

fn check(body: &Value) -> Result<&'static Tariff, ApiError> {
    let Some(model) = body["model"].as_str() else {
        return Err(ApiError::bad(None, None, "you must provide a model parameter"));
    };
    let tariff = Tariff::of(model).filter(|tariff| !tariff.is_anthropic());
    let tariff = tariff.ok_or_else(|| ApiError::no_such_model(Dialect::OpenAi, model))?;
    if tariff.rates.output == 0 {
        return Err(ApiError::not_a_chat_model());
    }
    if body["messages"].as_array().is_none_or(Vec::is_empty) {
        let code = Some("missing_required_parameter");
        return Err(ApiError::bad(Some("messages"), code, "Missing required parameter: 'messages'."));
    }
    if !body["stream_options"].is_null() && body["stream"] != Value::Bool(true) {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(ApiError::bad(Some("stream_options"), None, message));
    }
    let reasons = model.starts_with('o') || model.starts_with("gpt-5");
    if reasons && !body["max_tokens"].is_null() {
        let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                       'max_completion_tokens' instead.";
        return Err(ApiError::bad(Some("max_tokens"), Some("unsupported_parameter"), message));
    }
    if output_cap(body) == Some(0) {
        let message =
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.";
        return Err(ApiError::bad(Some("max_tokens"), Some("integer_below_min_value"), message));
    }
    Ok(tariff)
}

/// The words of an answer, the same for the same prompt.
pub(crate) fn answer_words(call: &Call, tokens: Tokens) -> Vec<&'static str> {
    words(call.text, (tokens.completion - tokens.reasoning).min(LONGEST_ANSWER))
}

/// `chatcmpl-…`, new for every call.
pub(crate) fn completion_id(call: &Call) -> String {
    format!("chatcmpl-{:013x}{:016x}", call.tab.line.seq, roll(&[call.text, call.tab.line.seq]))
}

pub(crate) fn finish_reason(tokens: Tokens) -> &'static str {
    if tokens.capped { "length" } else { "stop" }
}

/// Usage as OpenAI writes it: details are parts of the totals.
#[derive(Serialize)]
pub(crate) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    audio_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        Self {
            prompt_tokens: tokens.prompt,
            completion_tokens: tokens.completion,
            total_tokens: tokens.prompt + tokens.completion,
            prompt_tokens_details: PromptDetails { cached_tokens: tokens.cached, audio_tokens: 0 },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: tokens.reasoning,
                audio_tokens: 0,
                accepted_prediction_tokens: 0,
                rejected_prediction_tokens: 0,
            },
        }
    }
}

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    service_tier: &'a str,
    system_fingerprint: &'static str,
}

#[derive(Serialize)]
struct Choice {
    index: u32,
    message: Message,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: String,
    refusal: Option<()>,
    annotations: [u8; 0],
}

fn completion(call: &Call, tokens: Tokens) -> Bytes {
    let content = answer_words(call, tokens).join(" ");
    let message = Message { role: "assistant", content, refusal: None, annotations: [] };
    let completion = Completion {
        id: completion_id(call),
        object: "chat.completion",
        created: call.now(),
        model: &call.tab.line.served,
        choices: [Choice { index: 0, message, logprobs: None, finish_reason: finish_reason(tokens) }],
        usage: (call.marks.fault != Some(Fault::NoUsage)).then(|| tokens.into()),
        service_tier: &call.tab.line.tier,
        system_fingerprint: chat_stream::FINGERPRINT,
    };
    serde_json::to_vec_pretty(&completion).unwrap_or_default().into()
}
