//! OpenAI's `POST /v1/embeddings`: texts or token lists in, vectors as floats or as base64 out.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::call::Call;
use super::deliver::{Answer, deliver};
use super::errors::{ApiError, Dialect};
use super::fault::Fault;
use super::random::{hash, roll};
use super::state::State;
use super::tariff::Tariff;

/// Most inputs of one request.
const MOST_INPUTS: usize = 2048;

pub(crate) async fn embeddings(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let mut call = match Call::open(&state, Dialect::OpenAi, request).await {
        Ok(call) => call,
        Err(answer) => return *answer,
    };
    let (tariff, inputs) = match check(&call.body) {
        Ok(checked) => checked,
        Err(error) => return call.refuse(&error),
    };
    call.marks.cached = Some(0);
    call.marks.completion = Some(0);
    let tokens = call.meter(tariff, None, "default");
    let whole: u64 = if tariff.model.ends_with("large") { 3072 } else { 1536 };
    let dimensions = call.body["dimensions"].as_u64().unwrap_or(whole).min(whole);
    let encoded = call.body["encoding_format"] == "base64";
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector(hash(input.as_bytes()), dimensions);
            json!({"object": "embedding", "index": index, "embedding": written(&vector, encoded)})
        })
        .collect();
    let mut body = json!({"object": "list", "data": data, "model": tariff.served});
    if call.marks.fault != Some(Fault::NoUsage) {
        body["usage"] = json!({"prompt_tokens": tokens.prompt, "total_tokens": tokens.prompt});
    }
    let body = serde_json::to_vec_pretty(&body).unwrap_or_default();
    deliver(call, Answer::Whole(body.into())).await
}

fn check(body: &Value) -> Result<(&'static Tariff, Vec<String>), ApiError> {
    let Some(model) = body["model"].as_str() else {
        return Err(ApiError::bad(None, None, "you must provide a model parameter"));
    };
    let tariff = Tariff::of(model).filter(|tariff| tariff.rates.output == 0);
    let tariff = tariff.ok_or_else(|| ApiError::no_such_model(Dialect::OpenAi, model))?;
    let inputs = match &body["input"] {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) if items.iter().all(Value::is_number) && !items.is_empty() => {
            vec![body["input"].to_string()]
        }
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    if inputs.is_empty() || inputs.len() > MOST_INPUTS {
        return Err(ApiError::bad(
            Some("input"),
            None,
            "'$.input' is invalid. Please check the API reference.",
        ));
    }
    Ok((tariff, inputs))
}

/// Numbers in [-1, 1) that depend on the text alone.
fn vector(text: u64, dimensions: u64) -> Vec<f32> {
    let number = |index| {
        let draw = u16::try_from(roll(&[text, index]) >> 48).unwrap_or(0);
        f32::from(draw) / 32_768.0 - 1.0
    };
    (0..dimensions).map(number).collect()
}

fn written(vector: &[f32], encoded: bool) -> Value {
    if encoded {
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        return Value::String(STANDARD.encode(bytes));
    }
    json!(vector)
}
