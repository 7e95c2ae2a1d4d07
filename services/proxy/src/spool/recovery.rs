//! What a start reads from the disk: counters, open intents, what is not shipped, and whether all of it holds together.
//!
//! 1. Heads of all segments. The indices must have no gap; each head vouches for the end of the segment before it.
//! 2. Entries of every segment that the checkpoint still needs. In a sealed segment they must fill it exactly. Numbers
//!    must be dense, and agree with the table in the next head.
//! 3. The end of the newest segment. Damage there is a torn write, unless a valid entry behind it was written when the damaged
//!    place had already been synced. A torn end is cut off.
//! 4. What the last batch wrote is written once more and synced: after a crash without power loss it may be in memory
//!    only, and after a failed fsync the system may believe it is on disk though it is not.
//!
//! Cost: one read of what is not shipped, at the speed of the disk.

use super::format::{Decoded, Head, Kind, Position, RECORD_HEAD, SEGMENT_HEAD, Seqs, claimed_len, decode};
use super::fs::SpoolFs;
use super::keeper::{Checkpoint, read_checkpoint};
use super::reader::{Cursor, Step};
use super::state::{Mark, Marks, Segment};
use super::{Identity, SEGMENTS, SHIPPED, SpoolError, segment_name};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use tallystick_domain::{EventId, Lane};

/// An intent without settlement, as it stands on disk.
#[derive(Debug)]
pub(crate) struct Unsettled {
    pub(crate) lane: Lane,
    pub(crate) time_us: u64,
    pub(crate) segment: u64,
    pub(crate) identity: Identity,
    pub(crate) payload: Vec<u8>,
    pub(crate) progress: Option<Vec<u8>>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) segments: BTreeMap<u64, Segment>,
    /// Identity of the newest segment.
    pub(crate) identity: Identity,
    pub(crate) seqs: Seqs,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) marks: Marks,
    pub(crate) unsettled: HashMap<EventId, Unsettled>,
    /// Bytes of a torn write that were cut off.
    pub(crate) truncated: u64,
}

/// Reads the directory; `None` when the spool is new.
pub(crate) fn recover(fs: &dyn SpoolFs, dir: &Path) -> Result<Option<Found>, SpoolError> {
    let segments_dir = dir.join(SEGMENTS);
    let indices = indices(fs, &segments_dir)?;
    let checkpoint_path = dir.join(SHIPPED);
    let checkpoint = read_checkpoint(fs, dir)?;
    let (Some(first), Some(last)) = (indices.first().copied(), indices.last().copied()) else {
        return match checkpoint {
            None => Ok(None),
            Some(_) => Err(SpoolError::corrupt(&checkpoint_path, 0, "there is a checkpoint but no segment")),
        };
    };
    if let Some(gap) = indices.windows(2).find(|pair| pair[0] + 1 != pair[1]) {
        return Err(SpoolError::corrupt(
            &segments_dir.join(segment_name(gap[0] + 1)),
            0,
            "segment is missing",
        ));
    }
    let fallback = Checkpoint { acked: Position::start_of(first), needed_from: first };
    let checkpoint = checkpoint.unwrap_or(fallback);
    if checkpoint.needed_from < first
        || checkpoint.needed_from > checkpoint.acked.segment
        || checkpoint.acked.segment > last
    {
        return Err(SpoolError::corrupt(
            &checkpoint_path,
            0,
            "the checkpoint names segments that are not there",
        ));
    }
    let mut scan = Scan::new(fs, segments_dir, checkpoint)?;
    for index in first..=last {
        scan.segment(index, last)?;
    }
    Ok(Some(scan.found))
}

fn indices(fs: &dyn SpoolFs, segments: &Path) -> Result<Vec<u64>, SpoolError> {
    let names = fs.list(segments).map_err(SpoolError::io("list", segments))?;
    let mut indices: Vec<u64> =
        names.iter().filter_map(|name| name.strip_suffix(".seg")).filter_map(|n| n.parse().ok()).collect();
    indices.sort_unstable();
    Ok(indices)
}

struct Scan<'a> {
    fs: &'a dyn SpoolFs,
    dir: PathBuf,
    found: Found,
    /// Offset up to which the segment was synced when its last entry was written.
    synced: u64,
    /// Whether the checkpoint was met at the border of two entries.
    met_checkpoint: bool,
    /// Whether the numbers of the segment before were counted.
    counted: bool,
}

impl<'a> Scan<'a> {
    fn new(fs: &'a dyn SpoolFs, dir: PathBuf, checkpoint: Checkpoint) -> Result<Self, SpoolError> {
        let index = checkpoint.needed_from;
        let head = Cursor::open(fs, &dir.join(segment_name(index)), index)?.head;
        let found = Found {
            segments: BTreeMap::new(),
            identity: head.identity,
            seqs: head.seqs,
            checkpoint,
            marks: Marks::default(),
            unsettled: HashMap::new(),
            truncated: 0,
        };
        Ok(Self { fs, dir, found, synced: 0, met_checkpoint: false, counted: false })
    }

    fn path(&self, index: u64) -> PathBuf {
        self.dir.join(segment_name(index))
    }

    fn segment(&mut self, index: u64, last: u64) -> Result<(), SpoolError> {
        let path = self.path(index);
        let mut cursor = Cursor::open(self.fs, &path, index)?;
        let sealed = if index < last {
            let head = Cursor::open(self.fs, &self.path(index + 1), index + 1)?.head;
            Some((head.previous_end, head.previous_time_us))
        } else {
            None
        };
        if index < self.found.checkpoint.needed_from {
            let (end, newest_us) = sealed.expect("the checkpoint names a segment up to the last");
            self.found.segments.insert(index, Segment { end, newest_us, open: 0 });
            return Ok(());
        }
        self.begin(&cursor)?;
        self.found.segments.insert(index, Segment { end: cursor.at, newest_us: 0, open: 0 });
        cursor.limit = match sealed {
            Some((end, _)) => end,
            None => file_size(self.fs, &path)?,
        };
        let reason = self.entries(&mut cursor)?;
        match sealed {
            Some((end, _)) if cursor.at != end => {
                return Err(cursor.corrupt(reason.unwrap_or("sealed segment ends too early")));
            }
            Some(_) => {}
            None => self.finish_newest(&path, &cursor, reason)?,
        }
        if let Some(segment) = self.found.segments.get_mut(&index) {
            segment.end = cursor.at;
        }
        if index == self.found.checkpoint.acked.segment && !self.met_checkpoint {
            let offset = self.found.checkpoint.acked.offset;
            return Err(SpoolError::corrupt(&path, offset, "the checkpoint is not at the end of an entry"));
        }
        Ok(())
    }

    /// Compares the head with what was counted so far.
    fn begin(&mut self, cursor: &Cursor) -> Result<(), SpoolError> {
        let head = &cursor.head;
        if self.counted
            && head.identity.producer == self.found.identity.producer
            && head.seqs != self.found.seqs
        {
            return Err(SpoolError::corrupt(
                &self.path(head.index),
                0,
                "numbers do not continue the segment before",
            ));
        }
        (self.found.identity, self.found.seqs, self.counted) = (head.identity, head.seqs, true);
        self.synced = cursor.at;
        self.meet_checkpoint(head.index, cursor.at);
        Ok(())
    }

    fn meet_checkpoint(&mut self, segment: u64, offset: u64) {
        self.met_checkpoint |= self.found.checkpoint.acked == Position { segment, offset };
    }

    /// Takes in all entries; the answer says why it stopped at damage.
    fn entries(&mut self, cursor: &mut Cursor) -> Result<Option<&'static str>, SpoolError> {
        let (index, identity) = (cursor.head.index, cursor.head.identity);
        loop {
            let before = cursor.at;
            match cursor.next()? {
                Step::End => return Ok(None),
                Step::Bad(why) => return Ok(Some(why)),
                Step::Entry { head, payload, end } => {
                    if head.kind.ships() {
                        let last = &mut self.found.seqs[head.lane.index()];
                        *last += 1;
                        if head.seq != *last {
                            return Err(SpoolError::corrupt(
                                &self.path(index),
                                before,
                                "number is not the next of its lane",
                            ));
                        }
                        let behind = Position { segment: index, offset: end };
                        if behind > self.found.checkpoint.acked {
                            self.found.marks.push(Mark { end: behind, oldest_us: head.time_us });
                        }
                    }
                    self.synced = u64::from(head.synced);
                    self.meet_checkpoint(index, end);
                    self.found.take_in(index, identity, &head, payload);
                }
            }
        }
    }

    /// Decides whether the end of the newest segment is clean, torn or corrupt, and makes the rest durable.
    fn finish_newest(
        &mut self,
        path: &Path,
        cursor: &Cursor,
        reason: Option<&'static str>,
    ) -> Result<(), SpoolError> {
        let file = self.fs.open(path).map_err(SpoolError::io("open", path))?;
        let tail_len =
            usize::try_from(cursor.limit.saturating_sub(cursor.at)).expect("a segment fits into memory");
        let mut tail = vec![0; tail_len];
        let read = file.read_at(&mut tail, cursor.at).map_err(SpoolError::io("read", path))?;
        tail.truncate(read);
        let dirty = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if covered_by_later_entry(&tail[..dirty], Position { segment: cursor.head.index, offset: cursor.at })
        {
            return Err(cursor.corrupt(reason.unwrap_or("a gap of zeros before synced entries")));
        }
        self.found.truncated = dirty as u64;
        let kept =
            usize::try_from(cursor.at.saturating_sub(self.synced)).expect("a segment fits into memory");
        let mut unsure = vec![0; kept];
        let read = file.read_at(&mut unsure, self.synced).map_err(SpoolError::io("read", path))?;
        file.set_size(cursor.at).map_err(SpoolError::io("cut", path))?;
        file.write_at(&unsure[..read], self.synced).map_err(SpoolError::io("write", path))?;
        file.sync().map_err(SpoolError::io("sync", path))
    }
}

impl Found {
    fn take_in(&mut self, segment: u64, identity: Identity, head: &Head, payload: &[u8]) {
        if let Some(kept) = self.segments.get_mut(&segment) {
            kept.newest_us = kept.newest_us.max(head.time_us);
        }
        let open = match head.kind {
            Kind::Note => return,
            Kind::Progress => {
                if let Some(intent) = self.unsettled.get_mut(&head.id) {
                    intent.progress = Some(payload.to_vec());
                }
                return;
            }
            Kind::Settle => self.unsettled.remove(&head.id),
            Kind::Intent => {
                let (lane, time_us, payload) = (head.lane, head.time_us, payload.to_vec());
                let intent = Unsettled { lane, time_us, segment, identity, payload, progress: None };
                if let Some(kept) = self.segments.get_mut(&segment) {
                    kept.open += 1;
                }
                self.unsettled.insert(head.id, intent)
            }
        };
        if let Some(began) = open.and_then(|intent| self.segments.get_mut(&intent.segment)) {
            began.open -= 1;
        }
    }
}

/// Whether `tail`, which stands at `at` and does not begin with a valid entry, holds an entry that was written after `at` had
/// been synced. Entries are valid in their own place only, so trying every offset finds no false ones.
fn covered_by_later_entry(tail: &[u8], at: Position) -> bool {
    let mut skip = 1;
    while skip + RECORD_HEAD <= tail.len() {
        let here = &tail[skip..];
        let place = Position { segment: at.segment, offset: at.offset + skip as u64 };
        if claimed_len(here) <= here.len()
            && let Decoded::Entry { head, len, .. } = decode(here, place)
        {
            if u64::from(head.synced) > at.offset {
                return true;
            }
            skip += len;
        } else {
            skip += 1;
        }
    }
    false
}

fn file_size(fs: &dyn SpoolFs, path: &Path) -> Result<u64, SpoolError> {
    let file = fs.open(path).map_err(SpoolError::io("open", path))?;
    Ok(file.size().map_err(SpoolError::io("read", path))?.max(SEGMENT_HEAD as u64))
}
