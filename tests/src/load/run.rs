//! Runs a stretch of a plan at a fixed concurrency.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::call::{CallResult, Target};
use super::histogram::Histogram;
use super::plan::{Kind, Plan};

/// What a run gave.
#[derive(Debug)]
pub struct Report {
    /// One result for every planned call, in the order in which they ended.
    pub results: Vec<CallResult>,
    /// From the first call's start to the last call's end.
    pub elapsed: Duration,
}

impl Report {
    /// Total latencies of the calls that fit.
    pub fn latency(&self, fits: impl Fn(&CallResult) -> bool) -> Histogram {
        let mut histogram = Histogram::default();
        self.results.iter().filter(|result| fits(result)).for_each(|result| histogram.record(result.total));
        histogram
    }

    /// How many calls there were of each kind.
    pub fn kinds(&self) -> BTreeMap<Kind, usize> {
        let mut kinds = BTreeMap::new();
        self.results.iter().for_each(|result| *kinds.entry(result.kind).or_default() += 1);
        kinds
    }
}

/// Makes the calls `range` of the plan, never more than `concurrency` at once. Cancelling it drops the
/// calls in flight, as a dying client would.
pub async fn run(target: &Target, plan: &Plan, range: Range<u64>, concurrency: usize) -> Report {
    let started = Instant::now();
    let next = Arc::new(AtomicU64::new(range.start));
    let plan = Arc::new(plan.clone());
    let mut workers = JoinSet::new();
    for _ in 0..concurrency.max(1) {
        workers.spawn(work(target.clone(), plan.clone(), next.clone(), range.end));
    }
    let results = workers.join_all().await.into_iter().flatten().collect();
    Report { results, elapsed: started.elapsed() }
}

async fn work(target: Target, plan: Arc<Plan>, next: Arc<AtomicU64>, end: u64) -> Vec<CallResult> {
    let mut results = Vec::new();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= end {
            return results;
        }
        results.push(target.call(&plan.call(index)).await);
    }
}
