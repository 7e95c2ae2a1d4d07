//! The start: recovery, a segment under the new identity, the threads.

use super::format::{Position, SEGMENT_HEAD, SegmentHead, Seqs};
use super::fs::SpoolFs;
use super::handle::OpenIntent;
use super::keeper::{self, Checkpoint};
use super::recovery::{self, Found};
use super::state::{Marks, Segment, Shared, Signal, Spare, State};
use super::writer::{Current, Writer, begin_segment};
use super::{Identity, LockedSpool, SEGMENTS, SPARE, ShipReader, Spool, SpoolConfig, SpoolError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use tokio::sync::watch;

/// A running spool and what the last run left.
#[derive(Debug)]
pub struct Opened {
    /// For the request path.
    pub spool: Spool,
    /// For the shipper.
    pub reader: ShipReader,
    /// Intents without settlement, oldest first. The caller settles each as estimated.
    pub unsettled: Vec<RecoveredIntent>,
    /// Bytes of a torn write that were cut off; nobody had been told that they were durable.
    pub truncated_bytes: u64,
}

/// An intent that a former run left open.
#[must_use]
pub struct RecoveredIntent {
    /// Under which name the intent was written. Its settlement is written under the present one.
    pub identity: Identity,
    /// The payload of the `INTENT`.
    pub payload: Vec<u8>,
    /// The payload of its latest `PROGRESS`.
    pub progress: Option<Vec<u8>>,
    /// To be settled.
    pub open: OpenIntent,
}

impl std::fmt::Debug for RecoveredIntent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecoveredIntent")
            .field("id", &self.open.id())
            .field("identity", &self.identity)
            .finish()
    }
}

/// Whether the directory holds segments already.
pub(crate) fn has_segments(fs: &dyn SpoolFs, segments: &Path) -> Result<bool, SpoolError> {
    let names = fs.list(segments).map_err(SpoolError::io("list", segments))?;
    Ok(names.iter().any(|name| name.ends_with(".seg")))
}

pub(crate) fn open(
    locked: LockedSpool,
    identity: Identity,
    config: SpoolConfig,
) -> Result<Opened, SpoolError> {
    let LockedSpool { fs, dir, guard, .. } = locked;
    let found = recovery::recover(fs.as_ref(), &dir)?;
    let seqs =
        found.as_ref().filter(|f| f.identity.producer == identity.producer).map_or([0; 64], |f| f.seqs);
    let current = first_segment(fs.as_ref(), &dir, &config, identity, found.as_ref(), seqs)?;
    let mut found = found.unwrap_or_else(|| nothing(identity, current.index));
    let (jobs, inbox) = mpsc::channel();
    let unsettled = std::mem::take(&mut found.unsettled);
    let truncated_bytes = found.truncated;
    let mut state = first_state(found, &current, &config, seqs);
    let mut tokens = Vec::with_capacity(unsettled.len());
    for (id, intent) in unsettled {
        let token = state.adopt(intent.time_us, intent.segment, config.settle_place());
        tokens.push((token, id, intent));
    }
    let acked = state.acked;
    let signal = watch::Sender::new(Signal { durable: state.durable, poisoned: false, closed: false });
    let shared = Arc::new(Shared {
        fs,
        dir,
        config,
        identity,
        state: Mutex::new(state),
        work: Condvar::new(),
        spare_changed: Condvar::new(),
        jobs,
        signal,
        #[cfg(test)]
        planted: super::tests::Planted::default(),
    });
    shared.request_spare(&mut shared.lock());
    let writer = start(&shared, inbox, current, seqs, guard)?;
    let mut unsettled: Vec<RecoveredIntent> = tokens
        .into_iter()
        .map(|(token, id, intent)| RecoveredIntent {
            identity: intent.identity,
            payload: intent.payload,
            progress: intent.progress,
            open: OpenIntent::new(Arc::clone(&shared), token, intent.lane, id, intent.time_us),
        })
        .collect();
    unsettled.sort_by_key(|intent| (intent.open.admitted_us(), intent.open.id()));
    let reader = ShipReader::new(Arc::clone(&shared), acked);
    Ok(Opened { spool: Spool::new(shared, writer), reader, unsettled, truncated_bytes })
}

fn start(
    shared: &Arc<Shared>,
    inbox: mpsc::Receiver<keeper::Job>,
    current: Current,
    seqs: Seqs,
    guard: Box<dyn Send>,
) -> Result<std::thread::JoinHandle<()>, SpoolError> {
    let failed = |source| SpoolError::io("start the threads of", &shared.dir)(source);
    let kept = Arc::clone(shared);
    let keeper = std::thread::Builder::new()
        .name("spool-keeper".to_owned())
        .spawn(move || keeper::run(&kept, &inbox))
        .map_err(failed)?;
    let writer = Writer { shared: Arc::clone(shared), current, seqs, buffer: Vec::new(), keeper, guard };
    let writer = std::thread::Builder::new().name("spool-writer".to_owned()).spawn(move || writer.run());
    writer.map_err(|source| SpoolError::io("start the threads of", &shared.dir)(source))
}

/// Begins the segment of this start, in the spare that the last run left or in a new one.
fn first_segment(
    fs: &dyn SpoolFs,
    dir: &Path,
    config: &SpoolConfig,
    identity: Identity,
    found: Option<&Found>,
    seqs: Seqs,
) -> Result<Current, SpoolError> {
    let segments = dir.join(SEGMENTS);
    let spare = fs.open(&segments.join(SPARE)).and_then(|file| file.size());
    if !spare.is_ok_and(|size| size == u64::from(config.segment_bytes)) {
        keeper::make_spare(fs, &segments, config.segment_bytes)?;
    }
    let newest = found.and_then(|f| f.segments.last_key_value());
    let head = SegmentHead {
        index: newest.map_or(1, |(index, _)| index + 1),
        identity,
        previous_end: newest.map_or(0, |(_, segment)| segment.end),
        previous_time_us: newest.map_or(0, |(_, segment)| segment.newest_us),
        seqs,
    };
    begin_segment(fs, &segments, &head)
}

fn nothing(identity: Identity, index: u64) -> Found {
    let checkpoint = Checkpoint { acked: Position::start_of(index), needed_from: index };
    Found {
        segments: BTreeMap::new(),
        identity,
        seqs: [0; 64],
        checkpoint,
        marks: Marks::default(),
        unsettled: HashMap::new(),
        truncated: 0,
    }
}

fn first_state(found: Found, current: &Current, config: &SpoolConfig, seqs: Seqs) -> State {
    let mut segments = found.segments;
    segments.insert(current.index, Segment { end: current.offset, newest_us: 0, open: 0 });
    State {
        queue: Vec::new(),
        queued_bytes: 0,
        reserved: 0,
        left: u64::from(config.segment_bytes) - SEGMENT_HEAD as u64,
        spare: Spare::Preparing,
        closing: false,
        poisoned: false,
        fence_us: 0,
        next_token: 0,
        unsettled: BTreeSet::new(),
        open: HashMap::new(),
        segments,
        durable: Position { segment: current.index, offset: current.offset },
        last_seq: seqs,
        marks: found.marks,
        acked: found.checkpoint.acked,
        saved: found.checkpoint,
        abandoned: 0,
    }
}

impl State {
    /// Takes over an intent of a former run; its `open` count stands in the segment already.
    fn adopt(&mut self, time_us: u64, segment: u64, place: u64) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        self.reserved += place;
        self.unsettled.insert((time_us, token));
        self.open.insert(token, segment);
        token
    }
}
