//! Refusals, counted: one event for each key, reason, model and window, so that a retry storm can not flood the log.
//!
//! Only callers whose key is known are counted: strangers have no team to report to, and would choose our keys.

use crate::call::to_us;
use crate::config::ShipConfig;
use crate::control::Caller;
use crate::core::Core;
use crate::refusal::Refusal;
use crate::spool::SpoolError;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tallystick_domain::attribution::clip_text;
use tallystick_domain::event::{Event, RequestsRefused};
use tallystick_domain::{EventId, KeyId, Lane};
use tallystick_schemas::spooled;

/// The counts of the current window.
pub(crate) struct Refusals {
    window: Duration,
    distinct: usize,
    counts: Mutex<HashMap<Counted, Count>>,
}

/// What is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Counted {
    key: KeyId,
    window_start: i64,
    reason: &'static str,
    model: Option<String>,
}

#[derive(Clone)]
struct Count {
    caller: Arc<Caller>,
    status: u16,
    count: u64,
}

impl Refusals {
    pub(crate) fn new(config: &ShipConfig) -> Self {
        Self { window: config.refused_window, distinct: config.refused_distinct, counts: Mutex::default() }
    }

    /// Counts one refusal.
    pub(crate) fn count(&self, caller: &Arc<Caller>, refusal: &Refusal, model: Option<&str>, now: Timestamp) {
        let length = i64::try_from(self.window.as_secs()).unwrap_or(i64::MAX).max(1);
        let second = now.as_second();
        let window_start = second - second.rem_euclid(length);
        let mut counted =
            Counted { key: caller.key.id, window_start, reason: refusal.code, model: model.map(clip_text) };
        let mut counts = self.lock();
        if counts.len() >= self.distinct && !counts.contains_key(&counted) {
            counted.model = None;
        }
        let status = refusal.status.as_u16();
        let new = || Count { caller: Arc::clone(caller), status, count: 0 };
        counts.entry(counted).or_insert_with(new).count += 1;
    }

    /// Takes the windows that have ended; all of them when the process ends.
    fn take(&self, now: Timestamp, all: bool) -> Vec<(Counted, Count)> {
        let length = i64::try_from(self.window.as_secs()).unwrap_or(i64::MAX);
        let over = |counted: &Counted| all || counted.window_start.saturating_add(length) <= now.as_second();
        self.lock().extract_if(|counted, _| over(counted)).collect()
    }

    fn put_back(&self, left: impl Iterator<Item = (Counted, Count)>) {
        let mut counts = self.lock();
        for (counted, count) in left {
            match counts.get_mut(&counted) {
                Some(known) => known.count += count.count,
                None => drop(counts.insert(counted, count)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Counted, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the windows that have ended to the spool. What finds no room is kept for the next time.
pub(crate) fn flush(core: &Core, all: bool) {
    let now = core.clock.now();
    let mut ended = core.refused.take(now, all).into_iter();
    while let Some((counted, count)) = ended.next() {
        match note(core, &counted, &count, now) {
            Ok(()) => {}
            Err(SpoolError::NoRoom) => {
                core.refused.put_back(std::iter::once((counted, count)).chain(ended));
                return;
            }
            Err(error) => {
                tracing::error!(error.message = %error, refused.count = count.count, "counted refusals were not written");
            }
        }
    }
}

fn note(core: &Core, counted: &Counted, count: &Count, now: Timestamp) -> Result<(), SpoolError> {
    let identity = core.spool.identity();
    let occurred_at = Timestamp::from_second(counted.window_start).unwrap_or(now);
    let team = &count.caller.team.team;
    let event = RequestsRefused {
        event_id: core.ids.typed(EventId::from_uuid),
        producer: identity.producer,
        epoch: identity.epoch,
        lane: Lane::of_key(counted.key),
        seq: 0,
        occurred_at,
        window_s: u32::try_from(core.refused.window.as_secs()).unwrap_or(u32::MAX),
        recorded_at: now,
        team_day: team.zone.day_of(occurred_at),
        team: team.id,
        key: Some(counted.key),
        reason: counted.reason.to_owned(),
        http_status: count.status,
        model: counted.model.clone(),
        count: count.count,
    };
    let (lane, id) = (event.lane, event.event_id);
    match spooled::pack(&Event::Refused(event), None) {
        Ok(frame) => core.spool.note(lane, id, to_us(now), frame.into()).map(drop),
        Err(error) => {
            tracing::error!(error.message = %error, "counted refusals could not be encoded");
            Ok(())
        }
    }
}
