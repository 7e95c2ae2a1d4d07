//! Waiting until what was sent is in the ledger: by the numbers and the watermark that the API states.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::client::{Api, Query};
use crate::error::{CliError, Outcome};

/// How often the API is asked.
const ASK_EVERY: Duration = Duration::from_millis(60);
/// Longest wait; a machine that needs more has another problem.
const PATIENCE: Duration = Duration::from_secs(120);

/// What must be in the ledger.
pub(super) struct Awaited {
    /// First billing day.
    pub(super) from: String,
    /// The day after the last.
    pub(super) to: String,
    /// Requests on these days.
    pub(super) requests: u64,
    /// Everything before this moment must be in.
    pub(super) complete_until: Timestamp,
}

/// Waits; gives the sums of these days.
pub(super) async fn folded(api: &Api, awaited: &Awaited, progress: impl Fn(u64)) -> Outcome<Value> {
    let query = Query::new().with("from", Some(&awaited.from)).with("to", Some(&awaited.to)).on("/usage");
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let usage = api.get(&query).await?;
        let there = usage.pointer("/total/requests").and_then(Value::as_u64).unwrap_or(0);
        let watermark: Option<Timestamp> = usage["watermark"].as_str().and_then(|text| text.parse().ok());
        progress(there);
        if there >= awaited.requests && watermark.is_some_and(|at| at >= awaited.complete_until) {
            return Ok(usage);
        }
        if Instant::now() >= deadline {
            let what = format!(
                "the ledger holds {there} of {} requests after {} s",
                awaited.requests,
                PATIENCE.as_secs()
            );
            return Err(CliError::new(what).advise("the log above says what holds it up"));
        }
    }
}
