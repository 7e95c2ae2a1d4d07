//! What the provider remembers: settings, script, bill, counters, and how often a call was tried.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::bill::{Bill, BillLine};
use super::script::Script;

/// The key that the provider accepts where the settings name no other.
pub const DEFAULT_KEY: &str = "sk-fake-provider-0000000000000000";

/// How a provider is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Accepted keys, in either dialect. A bill line names the caller by position in this list.
    pub keys: Vec<String>,
    /// Unix seconds that the provider believes it is when it starts.
    pub started_at: u64,
    /// The first script.
    pub script: Script,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            keys: vec![DEFAULT_KEY.to_owned()],
            started_at: 1_790_000_000,
            script: Script::default(),
        }
    }
}

/// What the provider counted since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Connections that the provider reset.
    pub resets: u64,
    /// Calls of billable endpoints.
    pub calls: u64,
    /// Calls whose end is not booked yet.
    pub in_flight: u64,
    /// Most calls at once.
    pub peak_in_flight: u64,
    /// Every request header name seen, in lower case: shows what a gateway leaks.
    pub header_names: BTreeSet<String>,
}

pub(crate) struct State {
    pub(crate) settings: Settings,
    started: Instant,
    script: Mutex<Arc<Script>>,
    bill: Mutex<Bill>,
    attempts: Mutex<HashMap<u64, u32>>,
    header_names: Mutex<BTreeSet<String>>,
    calls: AtomicU64,
    in_flight: watch::Sender<u64>,
    peak: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) resets: AtomicU64,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            script: Mutex::new(Arc::new(settings.script.clone())),
            settings,
            started: Instant::now(),
            bill: Mutex::default(),
            attempts: Mutex::default(),
            header_names: Mutex::default(),
            calls: AtomicU64::new(0),
            in_flight: watch::Sender::new(0),
            peak: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            resets: AtomicU64::new(0),
        }
    }

    /// Opens a call: gives its number and counts it as in flight until its line is booked.
    pub(crate) fn begin(&self) -> u64 {
        self.in_flight.send_modify(|count| *count += 1);
        self.peak.fetch_max(*self.in_flight.borrow(), Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Books the one line of a call; the bill has it before the call stops counting as in flight.
    pub(crate) fn book(&self, line: BillLine) {
        open(&self.bill).lines.push(line);
        self.in_flight.send_modify(|count| *count -= 1);
    }

    /// How often this call was tried before.
    pub(crate) fn attempt(&self, call: u64) -> u32 {
        let mut attempts = open(&self.attempts);
        let next = attempts.entry(call).or_default();
        *next += 1;
        *next - 1
    }

    pub(crate) fn saw_headers<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let mut seen = open(&self.header_names);
        for name in names {
            if !seen.contains(name) {
                seen.insert(name.to_owned());
            }
        }
    }

    pub(crate) fn script(&self) -> Arc<Script> {
        open(&self.script).clone()
    }

    pub(crate) fn set_script(&self, script: Script) {
        *open(&self.script) = Arc::new(script);
    }

    pub(crate) fn bill(&self) -> Bill {
        open(&self.bill).clone()
    }

    /// Unix seconds by the provider's own calendar.
    pub(crate) fn now(&self) -> u64 {
        self.settings.started_at + self.started.elapsed().as_secs()
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            connections: self.connections.load(Ordering::Relaxed),
            resets: self.resets.load(Ordering::Relaxed),
            calls: self.calls.load(Ordering::Relaxed),
            in_flight: *self.in_flight.borrow(),
            peak_in_flight: self.peak.load(Ordering::Relaxed),
            header_names: open(&self.header_names).clone(),
        }
    }

    /// Waits until no call is in flight.
    pub(crate) async fn settled(&self) {
        let mut watcher = self.in_flight.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _closed = watcher.wait_for(|count| *count == 0).await;
    }
}
