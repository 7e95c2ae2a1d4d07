//! Reading back: the cursor over one segment, the shipper's reader, and the resend of what is still kept.

use super::format::{
    Decoded, Head, Kind, Position, RECORD_HEAD, SEGMENT_HEAD, SegmentHead, claimed_len, decode,
};
use super::fs::{SegmentFile, SpoolFs};
use super::state::{Shared, Signal};
use super::{Identity, SpoolError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tallystick_domain::{EventId, Lane};
use tokio::sync::watch;

const CHUNK: usize = 256 << 10;

/// What a cursor found.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    Entry {
        head: Head,
        payload: &'a [u8],
        end: u64,
    },
    /// Zeros, or the limit.
    End,
    /// Damage at the cursor's place.
    Bad(&'static str),
}

/// Walks the entries of one segment up to a limit, in large reads.
pub(crate) struct Cursor {
    file: Box<dyn SegmentFile>,
    path: PathBuf,
    pub(crate) head: SegmentHead,
    /// Where the next entry stands.
    pub(crate) at: u64,
    /// Nothing is read from here on.
    pub(crate) limit: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
}

impl Cursor {
    pub(crate) fn open(fs: &dyn SpoolFs, path: &Path, index: u64) -> Result<Self, SpoolError> {
        let file = fs.open(path).map_err(SpoolError::io("open", path))?;
        let mut bytes = [0; SEGMENT_HEAD];
        let read = file.read_at(&mut bytes, 0).map_err(SpoolError::io("read", path))?;
        let head = SegmentHead::decode(&bytes[..read]).map_err(|why| SpoolError::corrupt(path, 0, why))?;
        if head.index != index {
            return Err(SpoolError::corrupt(path, 0, "segment has another index than its name"));
        }
        let path = path.to_owned();
        let at = SEGMENT_HEAD as u64;
        Ok(Self { file, path, head, at, limit: at, buffer: Vec::new(), buffer_at: 0 })
    }

    pub(crate) fn corrupt(&self, reason: &'static str) -> SpoolError {
        SpoolError::corrupt(&self.path, self.at, reason)
    }

    /// The next entry; the cursor moves behind it. At `End` and `Bad` it stays.
    pub(crate) fn next(&mut self) -> Result<Step<'_>, SpoolError> {
        if self.at >= self.limit {
            return Ok(Step::End);
        }
        self.fill(RECORD_HEAD)?;
        let claimed = if self.view().len() < 4 { 0 } else { claimed_len(self.view()) };
        if claimed as u64 <= self.limit - self.at {
            self.fill(claimed)?;
        }
        let start = self.view_start();
        let place = Position { segment: self.head.index, offset: self.at };
        Ok(match decode(&self.buffer[start..], place) {
            Decoded::Entry { head, payload, len } => {
                self.at += len as u64;
                Step::Entry { head, payload, end: self.at }
            }
            Decoded::End => Step::End,
            Decoded::Bad(why) => Step::Bad(why),
        })
    }

    fn view_start(&self) -> usize {
        usize::try_from(self.at - self.buffer_at).expect("the buffer is smaller than a segment")
    }

    fn view(&self) -> &[u8] {
        &self.buffer[self.view_start()..]
    }

    /// Makes `want` bytes from `at` on available, or all up to the limit.
    fn fill(&mut self, want: usize) -> Result<(), SpoolError> {
        let rest = usize::try_from(self.limit - self.at).unwrap_or(usize::MAX);
        let have_from = self.buffer_at <= self.at && self.at <= self.buffer_at + self.buffer.len() as u64;
        if have_from && self.view().len() >= want.min(rest) {
            return Ok(());
        }
        self.buffer.resize(want.max(CHUNK).min(rest), 0);
        self.buffer_at = self.at;
        let read =
            self.file.read_at(&mut self.buffer, self.at).map_err(SpoolError::io("read", &self.path))?;
        self.buffer.truncate(read);
        Ok(())
    }
}

/// An entry for the log, with the name under which it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shippable {
    /// Producer and epoch of its segment; after a copy or restore not those of this process.
    pub identity: Identity,
    /// [`Kind::Settle`] or [`Kind::Note`].
    pub kind: Kind,
    /// Its lane.
    pub lane: Lane,
    /// Its number in (producer, lane).
    pub seq: u64,
    /// When it was recorded, microseconds since 1970.
    pub time_us: u64,
    /// The event's id.
    pub id: EventId,
    /// As it was handed in.
    pub payload: Vec<u8>,
}

impl Shippable {
    fn new(identity: Identity, head: Head, payload: &[u8]) -> Self {
        let Head { kind, lane, seq, time_us, id, .. } = head;
        Self { identity, kind, lane, seq, time_us, id, payload: payload.to_vec() }
    }
}

/// Entries in the order of writing, and the place behind the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipBatch {
    /// At least one.
    pub entries: Vec<Shippable>,
    /// To be acknowledged when the log has them all.
    pub end: Position,
}

/// The walk over durable entries that reader and resend share.
struct Walk {
    shared: Arc<Shared>,
    at: Position,
    cursor: Option<Cursor>,
}

impl Walk {
    fn new(shared: Arc<Shared>, at: Position) -> Self {
        Self { shared, at, cursor: None }
    }

    /// The next shippable entry and the place behind it; `None` at the durable watermark.
    fn next(&mut self) -> Result<Option<(Shippable, Position)>, SpoolError> {
        loop {
            let mut cursor = match self.cursor.take() {
                Some(cursor) if cursor.head.index == self.at.segment => cursor,
                _ => self.open()?,
            };
            cursor.at = self.at.offset;
            let sealed = cursor.at >= cursor.limit && self.raise_limit(&mut cursor)?;
            if cursor.at < cursor.limit {
                let entry = take_entry(&mut cursor)?;
                self.at.offset = cursor.at;
                self.cursor = Some(cursor);
                if let Some(entry) = entry {
                    return Ok(Some((entry, self.at)));
                }
            } else if sealed {
                self.at = Position::start_of(self.at.segment + 1);
            } else {
                self.cursor = Some(cursor);
                return Ok(None);
            }
        }
    }

    fn open(&self) -> Result<Cursor, SpoolError> {
        let path = self.shared.segment_path(self.at.segment);
        Cursor::open(self.shared.fs.as_ref(), &path, self.at.segment)
    }

    /// Asks how far the segment is durable by now; answers whether that is its final end.
    fn raise_limit(&self, cursor: &mut Cursor) -> Result<bool, SpoolError> {
        let state = self.shared.lock();
        let end = state.segments.get(&self.at.segment).map(|segment| segment.end);
        cursor.limit = end.ok_or_else(|| cursor.corrupt("segment was removed while it was read"))?;
        Ok(self.at.segment < state.durable.segment)
    }
}

/// Moves over one entry; `None` when it is not shippable.
fn take_entry(cursor: &mut Cursor) -> Result<Option<Shippable>, SpoolError> {
    let identity = cursor.head.identity;
    let reason = match cursor.next()? {
        Step::Entry { head, payload, .. } if head.kind.ships() => {
            return Ok(Some(Shippable::new(identity, head, payload)));
        }
        Step::Entry { .. } => return Ok(None),
        Step::End => "data ends too early",
        Step::Bad(why) => why,
    };
    Err(cursor.corrupt(reason))
}

/// The shipper's side: one per spool. It starts behind the checkpoint.
pub struct ShipReader {
    walk: Walk,
    watch: watch::Receiver<Signal>,
}

impl std::fmt::Debug for ShipReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShipReader").field("at", &self.walk.at).finish_non_exhaustive()
    }
}

impl ShipReader {
    pub(crate) fn new(shared: Arc<Shared>, at: Position) -> Self {
        let watch = shared.signal.subscribe();
        Self { walk: Walk::new(shared, at), watch }
    }

    /// What is durable now, up to so many entries and about so many payload bytes; `None` when nothing is. Reads from the
    /// page cache as a rule.
    pub fn try_next(
        &mut self,
        max_entries: usize,
        max_bytes: usize,
    ) -> Result<Option<ShipBatch>, SpoolError> {
        let (mut entries, mut bytes, mut end) = (Vec::new(), 0, self.walk.at);
        while entries.len() < max_entries && bytes < max_bytes {
            let Some((entry, behind)) = self.walk.next()? else { break };
            bytes += entry.payload.len();
            end = behind;
            entries.push(entry);
        }
        Ok((!entries.is_empty()).then_some(ShipBatch { entries, end }))
    }

    /// Waits for the next batch. What was durable before a poisoning or a close is still yielded; then it answers
    /// `Poisoned` or `Closed`. Cancel-safe.
    pub async fn next(&mut self, max_entries: usize, max_bytes: usize) -> Result<ShipBatch, SpoolError> {
        loop {
            let signal = *self.watch.borrow_and_update();
            if let Some(batch) = self.try_next(max_entries, max_bytes)? {
                return Ok(batch);
            }
            if signal.poisoned {
                return Err(SpoolError::Poisoned);
            }
            if signal.closed || self.watch.changed().await.is_err() {
                return Err(SpoolError::Closed);
            }
        }
    }

    /// The log has everything before `upto` (a batch's `end`). The checkpoint follows soon; until it is on disk a restart
    /// sends again what was acknowledged.
    pub fn ack(&self, upto: Position) {
        self.walk.shared.acknowledge(upto);
    }

    /// Goes back to what is not acknowledged, after the log refused a batch.
    pub fn rewind(&mut self) {
        self.walk.at = self.walk.shared.lock().acked;
    }
}

/// Everything shippable that is kept, from a time on. After an error it ends.
pub struct Resend {
    walk: Option<Walk>,
    from_us: u64,
}

impl Resend {
    pub(crate) fn new(shared: Arc<Shared>, from_us: u64) -> Self {
        let first = {
            let state = shared.lock();
            let kept = |(index, segment): (&u64, &super::state::Segment)| {
                (segment.newest_us >= from_us || *index == state.durable.segment).then_some(*index)
            };
            state.segments.iter().find_map(kept).unwrap_or(state.durable.segment)
        };
        Self { walk: Some(Walk::new(shared, Position::start_of(first))), from_us }
    }
}

impl Iterator for Resend {
    type Item = Result<Shippable, SpoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        let walk = self.walk.as_mut()?;
        loop {
            match walk.next() {
                Ok(Some((entry, _))) if entry.time_us < self.from_us => {}
                Ok(Some((entry, _))) => return Some(Ok(entry)),
                Ok(None) => break,
                Err(error) => {
                    self.walk = None;
                    return Some(Err(error));
                }
            }
        }
        self.walk = None;
        None
    }
}
