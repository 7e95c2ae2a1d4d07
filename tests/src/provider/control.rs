//! The provider's own endpoints, for tests that run it as another process.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::pico::Pico;
use super::script::Script;
use super::server::check;
use super::state::State;
use super::tariff::{Rates, Tariff};

/// `GET /_bill`: `{total, lines}`; amounts are dollar strings with 12 decimals.
pub(crate) async fn bill(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let bill = state.bill();
    Json(json!({"total": bill.total(), "lines": bill.lines}))
}

/// `GET /_counters`.
pub(crate) async fn counters(Shared(state): Shared<Arc<State>>) -> Response {
    Json(state.counters()).into_response()
}

/// `GET /_settled`: answers with the counters once no call is in flight.
pub(crate) async fn settled(Shared(state): Shared<Arc<State>>) -> Response {
    state.settled().await;
    Json(state.counters()).into_response()
}

/// `POST /_script`: replaces the script; 400 with the reason when it cannot be read.
pub(crate) async fn script(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let read = serde_json::from_slice::<Script>(&body).map_err(|error| error.to_string());
    let checked = read.and_then(|script| check(&script).map(|()| script).map_err(|error| error.to_string()));
    match checked {
        Ok(script) => {
            state.set_script(script);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(reason) => (StatusCode::BAD_REQUEST, Json(json!({"error": reason}))).into_response(),
    }
}

/// `GET /_prices`: the published price list, as LiteLLM's JSON, so that a gateway can import exactly
/// what the bill is made from.
pub(crate) async fn prices() -> Response {
    let list: BTreeMap<&str, BTreeMap<String, Box<RawValue>>> =
        Tariff::all().iter().map(|tariff| (tariff.model, published(tariff))).collect();
    let body = serde_json::to_vec_pretty(&list).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn published(tariff: &Tariff) -> BTreeMap<String, Box<RawValue>> {
    let mut entry = BTreeMap::new();
    let mut put = |name: String, json: String| {
        if let Ok(value) = RawValue::from_string(json) {
            entry.insert(name, value);
        }
    };
    let provider = if tariff.is_anthropic() { "anthropic" } else { "openai" };
    let mode = if tariff.rates.output == 0 { "embedding" } else { "chat" };
    put("litellm_provider".to_owned(), format!("\"{provider}\""));
    put("mode".to_owned(), format!("\"{mode}\""));
    let mut rates = |suffix: &str, rates: &Rates| {
        put(format!("input_cost_per_token{suffix}"), Pico(rates.input).to_string());
        put(format!("output_cost_per_token{suffix}"), Pico(rates.output).to_string());
        if mode == "chat" {
            put(format!("cache_read_input_token_cost{suffix}"), Pico(rates.cached).to_string());
        }
        if tariff.is_anthropic() {
            put(format!("cache_creation_input_token_cost{suffix}"), Pico(rates.cache_write).to_string());
            let hour = Pico(rates.cache_write_hour).to_string();
            put(format!("cache_creation_input_token_cost_above_1hr{suffix}"), hour);
        }
    };
    rates("", &tariff.rates);
    for (tier, tier_rates) in tariff.tiers {
        rates(&format!("_{tier}"), tier_rates);
    }
    if let Some((threshold, long)) = &tariff.long {
        rates(&format!("_above_{}k_tokens", threshold / 1000), long);
    }
    entry
}
