//! What a key may know of itself: its models and its own facts. Neither costs anything nor goes to a provider.

use crate::control::{Caller, KeyState};
use crate::endpoint::Call;
use crate::glob;
use crate::upstream::Target;
use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `GET /v1/models`: what the key may ask for, as far as prices and the providers' own lists tell.
pub(crate) fn models(caller: &Caller, provider: Option<&str>, now: Timestamp) -> Response {
    let team = &caller.team;
    let mine = |target: &&Arc<Target>| {
        provider.is_none_or(|name| target.name == name) && glob::allows(&caller.key.providers, &target.name)
    };
    let mut found: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for target in team.targets.iter().filter(mine) {
        let priced =
            team.prices.versions().into_iter().filter(|version| version.provider == target.price_name);
        for version in priced.filter(|version| version.effective_from <= now) {
            let served = Call::ALL.iter().any(|call| target.serves(*call, &version.model, &team.prices, now));
            if served && glob::allows(&caller.key.models, &version.model) {
                let first = (version.effective_from.as_second(), target.name.clone());
                found.entry(version.model.clone()).or_insert(first);
            }
        }
        for model in target.listed_models().filter(|model| glob::allows(&caller.key.models, model)) {
            found.entry(model.to_owned()).or_insert((0, target.name.clone()));
        }
    }
    let data: Vec<Value> = found
        .into_iter()
        .map(|(id, (created, owner))| json!({ "id": id, "object": "model", "created": created, "owned_by": owner }))
        .collect();
    answer(&json!({ "object": "list", "data": data }))
}

/// `GET /v1/key`: what the proxy itself knows of the key. Amounts are not among it.
pub(crate) fn key(caller: &Caller) -> Response {
    let key = &caller.key;
    let team = &caller.team.team;
    let project = key.project.and_then(|id| caller.team.project(id)).map(|project| project.name.clone());
    let client = key.client.and_then(|id| caller.team.client_name(id));
    let state = match key.state {
        KeyState::Active => "active",
        KeyState::Suspended { .. } => "suspended",
        KeyState::Revoked => "revoked",
    };
    answer(&json!({
        "id": key.id,
        "name": key.name,
        "kind": key.kind.name(),
        "state": state,
        "expires_at": key.expires_at,
        "team": { "id": team.id, "name": team.name, "zone": team.zone.name(), "currency": team.currency },
        "member": key.member,
        "project": project,
        "client": client,
        "environment": key.environment,
        "tool": key.tool,
        "models": key.models,
        "providers": key.providers,
        "endpoints": key.endpoints,
        "may_name_client": key.may_name_client,
        "may_name_project": key.may_name_project,
    }))
}

fn answer(document: &Value) -> Response {
    let mut response = Response::new(Body::from(document.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
