//! `tallystick status`: what was spent this month, and whether the instance is well.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Api, Body};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{self, count, money, print_object, short_time};

pub(crate) async fn run(context: &Context) -> Outcome {
    let api = context.api()?;
    let team = api.get("/team").await?;
    let usage = api.get("/usage").await?;
    let ready = readiness(&api).await;
    let status = json!({
        "url": api.url(),
        "team": {"name": team["name"], "zone": team["zone"], "currency": team["currency"]},
        "month_to_date": {"from": usage["from"], "to": usage["to"], "total": usage["total"]},
        "watermark": usage["watermark"],
        "ready": ready["ready"],
        "checks": ready["checks"],
    });
    if context.json {
        return print_object(context, &status);
    }
    let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let cost = text("/month_to_date/total/cost").parse().unwrap_or_default();
    output::line(&format!("{} at {}", text("/team/name"), text("/url")))?;
    output::line(&format!(
        "this month  {} in {} requests, {} failed",
        money(cost, &text("/team/currency")),
        count(number("/month_to_date/total/requests")),
        count(number("/month_to_date/total/failed")),
    ))?;
    let complete = status["watermark"].as_str().map_or("no usage yet".to_owned(), short_time);
    output::line(&format!("complete    up to {complete}"))?;
    output::line(&format!("ready       {}", if status["ready"] == true { "yes" } else { "no" }))?;
    for check in status["checks"].as_array().map(Vec::as_slice).unwrap_or_default() {
        if check["ready"] != true {
            let reason = check["reason"].as_str().unwrap_or("not ready");
            output::line(&format!("  {}: {reason}", check["name"].as_str().unwrap_or("-")))?;
        }
    }
    Ok(())
}

/// What `/readyz` says, whatever its status.
pub(crate) async fn readiness(api: &Api) -> Value {
    let unknown = json!({"ready": false, "checks": []});
    match api.call(Method::GET, "/readyz", Body::None).await {
        Ok(reply) => reply.json().unwrap_or(unknown),
        Err(_) => unknown,
    }
}
