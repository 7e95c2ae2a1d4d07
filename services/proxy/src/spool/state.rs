//! What the handles, the writer, the keeper and the reader share: the queue, the room, the watermarks.
//!
//! Room. `zeroed` is what the current and the spare segment still take. From it go the bytes that are queued, those set aside
//! for intents and settlements, and what the end of a segment may waste. An admission needs a place for both its entries in
//! the rest, so a disk that fills up by other hands can not keep an open intent from its settlement.

use super::format::{Kind, Position, RECORD_HEAD, SEGMENT_HEAD, Seqs};
use super::fs::SpoolFs;
use super::keeper::{Checkpoint, Job};
use super::{
    Committed, Completeness, Identity, NotAdmitted, SEGMENTS, SpoolConfig, SpoolError, SpoolStats,
    segment_name,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use tallystick_domain::{EventId, Lane};
use tokio::sync::{oneshot, watch};

/// The marks of unshipped batches that are kept one by one; more are merged into the last.
const MAX_MARKS: usize = 65_536;

/// An entry on its way to the writer.
pub(crate) struct Queued {
    pub(crate) kind: Kind,
    pub(crate) lane: Lane,
    pub(crate) id: EventId,
    pub(crate) time_us: u64,
    pub(crate) payload: Vec<u8>,
    /// Token and time of the admission that it belongs to.
    pub(crate) about: Option<(u64, u64)>,
    pub(crate) done: oneshot::Sender<Result<Committed, SpoolError>>,
}

impl Queued {
    pub(crate) fn bytes(&self) -> u64 {
        (RECORD_HEAD + self.payload.len()) as u64
    }
}

/// A kept segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// End of its durable data.
    pub(crate) end: u64,
    /// The newest time in it.
    pub(crate) newest_us: u64,
    /// Intents in it that are not settled.
    pub(crate) open: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spare {
    Preparing,
    Ready,
    Failed,
}

/// What watchers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) durable: Position,
    pub(crate) poisoned: bool,
    pub(crate) closed: bool,
}

/// A stretch of durable, unshipped entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) end: Position,
    pub(crate) oldest_us: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Marks(VecDeque<Mark>);

impl Marks {
    pub(crate) fn push(&mut self, mark: Mark) {
        if self.0.len() >= MAX_MARKS
            && let Some(last) = self.0.back_mut()
        {
            last.end = mark.end;
            last.oldest_us = last.oldest_us.min(mark.oldest_us);
        } else {
            self.0.push_back(mark);
        }
    }

    fn acknowledge(&mut self, upto: Position) {
        while self.0.front().is_some_and(|mark| mark.end <= upto) {
            self.0.pop_front();
        }
    }
}

pub(crate) struct State {
    pub(crate) queue: Vec<Queued>,
    pub(crate) queued_bytes: u64,
    pub(crate) reserved: u64,
    /// What the current segment still takes, as of `durable`.
    pub(crate) left: u64,
    pub(crate) spare: Spare,
    pub(crate) closing: bool,
    pub(crate) poisoned: bool,
    pub(crate) fence_us: u64,
    pub(crate) next_token: u64,
    /// Admissions that are not settled durably: (time, token).
    pub(crate) unsettled: BTreeSet<(u64, u64)>,
    /// The segment of each durable open intent, by token.
    pub(crate) open: HashMap<u64, u64>,
    pub(crate) segments: BTreeMap<u64, Segment>,
    pub(crate) durable: Position,
    pub(crate) last_seq: Seqs,
    pub(crate) marks: Marks,
    pub(crate) acked: Position,
    pub(crate) saved: Checkpoint,
    pub(crate) abandoned: u64,
}

impl State {
    /// The oldest segment that is not both shipped and settled.
    pub(crate) fn needed_from(&self) -> u64 {
        let settled = self.segments.iter().find(|(_, segment)| segment.open > 0).map(|(index, _)| *index);
        settled.unwrap_or(u64::MAX).min(self.acked.segment)
    }

    fn room(&self, config: &SpoolConfig) -> u64 {
        let spare = match self.spare {
            Spare::Ready => u64::from(config.segment_bytes) - SEGMENT_HEAD as u64,
            Spare::Preparing | Spare::Failed => 0,
        };
        (self.left + spare).saturating_sub(self.queued_bytes + self.reserved + config.waste())
    }

    fn backlog(&self) -> u64 {
        let from = self.acked;
        let bytes = |(index, segment): (&u64, &Segment)| {
            let start = if *index == from.segment { from.offset } else { SEGMENT_HEAD as u64 };
            segment.end.saturating_sub(start)
        };
        self.segments.range(from.segment..).map(bytes).sum()
    }
}

pub(crate) struct Shared {
    pub(crate) fs: Arc<dyn SpoolFs>,
    pub(crate) dir: PathBuf,
    pub(crate) config: SpoolConfig,
    pub(crate) identity: Identity,
    pub(crate) state: Mutex<State>,
    /// Wakes the writer: something is queued, or the spool closes.
    pub(crate) work: Condvar,
    /// Wakes the writer that waits for a spare segment.
    pub(crate) spare_changed: Condvar,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) signal: watch::Sender<Signal>,
    #[cfg(test)]
    pub(crate) planted: super::tests::Planted,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn segments_dir(&self) -> PathBuf {
        self.dir.join(SEGMENTS)
    }

    pub(crate) fn segment_path(&self, index: u64) -> PathBuf {
        self.segments_dir().join(segment_name(index))
    }

    /// Token and time of a new admission.
    pub(crate) fn admit(&self, now_us: u64) -> Result<(u64, u64), NotAdmitted> {
        let config = &self.config;
        let free = self.fs.free_bytes(&self.dir).unwrap_or(0);
        let mut state = self.lock();
        if state.poisoned {
            return Err(NotAdmitted::Poisoned);
        }
        if state.closing {
            return Err(NotAdmitted::Closed);
        }
        if free < config.low_water_bytes {
            return Err(NotAdmitted::LowDisk);
        }
        if state.queued_bytes >= config.queue_bytes {
            return Err(NotAdmitted::Busy);
        }
        if state.backlog() >= config.max_backlog_bytes {
            return Err(NotAdmitted::Backlog);
        }
        if state.spare == Spare::Failed {
            self.request_spare(&mut state);
        }
        let places = config.intent_place() + config.settle_place();
        if state.room(config) < places {
            return Err(if state.spare == Spare::Ready {
                NotAdmitted::InFlight
            } else {
                NotAdmitted::LowDisk
            });
        }
        state.reserved += places;
        let token = state.next_token;
        state.next_token += 1;
        let time_us = now_us.max(state.fence_us);
        state.unsettled.insert((time_us, token));
        Ok((token, time_us))
    }

    pub(crate) fn withdraw(&self, token: u64, time_us: u64) {
        let mut state = self.lock();
        state.reserved -= self.config.intent_place() + self.config.settle_place();
        state.unsettled.remove(&(time_us, token));
    }

    pub(crate) fn count_abandoned(&self) {
        self.lock().abandoned += 1;
    }

    /// Takes an entry into the queue. Intents and settlements use their places; the others need room beside them.
    pub(crate) fn submit(&self, entry: Queued) -> Result<(), SpoolError> {
        let limit = self.config.max_payload_bytes as usize;
        if entry.payload.len() > limit {
            return Err(SpoolError::TooLarge { bytes: entry.payload.len(), limit });
        }
        let mut state = self.lock();
        if state.poisoned {
            return Err(SpoolError::Poisoned);
        }
        if state.closing {
            return Err(SpoolError::Closed);
        }
        match entry.kind {
            Kind::Intent => state.reserved -= self.config.intent_place(),
            Kind::Settle => state.reserved -= self.config.settle_place(),
            Kind::Progress | Kind::Note => {
                let full = state.queued_bytes >= self.config.queue_bytes;
                if full || state.room(&self.config) < entry.bytes() {
                    return Err(SpoolError::NoRoom);
                }
            }
        }
        state.queued_bytes += entry.bytes();
        state.queue.push(entry);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    pub(crate) fn request_spare(&self, state: &mut State) {
        state.spare = Spare::Preparing;
        if self.jobs.send(Job::Spare).is_err() {
            state.spare = Spare::Failed;
        }
    }

    pub(crate) fn completeness(&self, now_us: u64) -> Completeness {
        let mut state = self.lock();
        state.fence_us = state.fence_us.max(now_us);
        let oldest_unsettled_us = state.unsettled.first().map(|(time, _)| *time);
        Completeness { at_us: state.fence_us, oldest_unsettled_us, last_seq: state.last_seq }
    }

    pub(crate) fn acknowledge(&self, upto: Position) {
        let mut state = self.lock();
        debug_assert!(upto <= state.durable, "only what is durable was yielded");
        if upto > state.acked {
            state.acked = upto;
            state.marks.acknowledge(upto);
            // The keeper is gone only after close, which saved the checkpoint; what is acknowledged later is sent again.
            let _ = self.jobs.send(Job::Checkpoint);
        }
    }

    pub(crate) fn begin_close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    pub(crate) async fn stopped(&self) -> SpoolError {
        let mut watch = self.signal.subscribe();
        let signal = watch.wait_for(|signal| signal.poisoned || signal.closed).await.map(|signal| *signal);
        if signal.is_ok_and(|signal| signal.poisoned) { SpoolError::Poisoned } else { SpoolError::Closed }
    }

    pub(crate) fn sweep(&self, now_us: u64) -> Result<usize, SpoolError> {
        let dir = self.segments_dir();
        let mut removed = 0;
        loop {
            let oldest = {
                let mut state = self.lock();
                let needed = state.saved.needed_from;
                let kept: u64 = state.segments.range(..needed).map(|(_, segment)| segment.end).sum();
                let oldest = state.segments.range(..needed).next().map(|(index, segment)| (*index, *segment));
                let expired =
                    |segment: &Segment| segment.newest_us.saturating_add(self.config.retain_us) < now_us;
                match oldest {
                    Some((index, segment)) if expired(&segment) || kept > self.config.retain_bytes => {
                        state.segments.remove(&index);
                        index
                    }
                    _ => break,
                }
            };
            let path = self.segment_path(oldest);
            self.fs.remove(&path).map_err(SpoolError::io("remove", &path))?;
            removed += 1;
        }
        if removed > 0 {
            self.fs.sync_dir(&dir).map_err(SpoolError::io("sync", &dir))?;
        }
        Ok(removed)
    }

    pub(crate) fn stats(&self) -> SpoolStats {
        let free_bytes = self.fs.free_bytes(&self.dir).unwrap_or(0);
        let state = self.lock();
        SpoolStats {
            poisoned: state.poisoned,
            backlog_bytes: state.backlog(),
            oldest_unshipped_us: state.marks.0.front().map(|mark| mark.oldest_us),
            oldest_unsettled_us: state.unsettled.first().map(|(time, _)| *time),
            unsettled: state.unsettled.len(),
            abandoned: state.abandoned,
            queued_bytes: state.queued_bytes,
            reserved_bytes: state.reserved,
            free_bytes,
            kept_segments: state.segments.len(),
            last_seq: state.last_seq,
            durable: state.durable,
            acknowledged: state.acked,
        }
    }
}
