//! The writer: the only thread that writes entries and gives out `seq`.
//!
//! One turn: take all that is queued, encode it, one write, one fdatasync, publish, tell the waiters. While it syncs, the
//! next batch gathers; a single entry on an idle spool is written at once. A batch that does not fit into the
//! segment is cut: the first part is synced before the next segment's head, which vouches for it, is written.

use super::format::{Head, Kind, Position, SEGMENT_HEAD, SegmentHead, Seqs, encode};
use super::fs::{SegmentFile, SpoolFs};
use super::keeper::Job;
use super::state::{Mark, Queued, Segment, Shared, Signal, Spare, State};
use super::{Committed, SPARE, SpoolError, segment_name};
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

/// A segment that takes entries.
pub(crate) struct Current {
    pub(crate) file: Box<dyn SegmentFile>,
    pub(crate) index: u64,
    /// End of what is written and synced.
    pub(crate) offset: u64,
    pub(crate) newest_us: u64,
}

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) current: Current,
    pub(crate) seqs: Seqs,
    pub(crate) buffer: Vec<u8>,
    pub(crate) keeper: JoinHandle<()>,
    /// The directory's lock, given back when the threads have ended.
    pub(crate) guard: Box<dyn Send>,
}

/// What a batch has done, to be published once it is durable.
#[derive(Default)]
struct Done {
    placed: Vec<Committed>,
    /// Segments as they stand, the last one is the current.
    segments: Vec<(u64, Segment)>,
    /// Bytes that no longer count as queued, because a cut of the batch told so already.
    told: u64,
}

impl Writer {
    pub(crate) fn run(mut self) {
        let on_panic = PoisonOnPanic(Arc::clone(&self.shared));
        while let Some(batch) = take(&self.shared) {
            match self.commit(&batch) {
                Ok(done) => self.publish(batch, done),
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "spool write failed, the spool stops"
                    );
                    poison(&self.shared, batch);
                    break;
                }
            }
        }
        drop(on_panic);
        let Self { shared, keeper, guard, .. } = self;
        // A keeper that is gone needs no stop.
        let _ = shared.jobs.send(Job::Stop);
        if keeper.join().is_err() {
            tracing::error!("spool keeper panicked");
        }
        drop(guard);
        shared.signal.send_modify(|signal| signal.closed = true);
    }

    fn commit(&mut self, batch: &[Queued]) -> Result<Done, SpoolError> {
        let mut done = Done { placed: Vec::with_capacity(batch.len()), ..Done::default() };
        self.buffer.clear();
        for entry in batch {
            let end = self.current.offset + self.buffer.len() as u64 + entry.bytes();
            if end > u64::from(self.shared.config.segment_bytes) {
                self.roll(&mut done)?;
            }
            done.placed.push(self.place(entry));
        }
        self.flush()?;
        done.segments.push((self.current.index, self.current.as_segment()));
        Ok(done)
    }

    fn place(&mut self, entry: &Queued) -> Committed {
        let at =
            Position { segment: self.current.index, offset: self.current.offset + self.buffer.len() as u64 };
        let mut seq = 0;
        if entry.kind.ships() {
            let last = &mut self.seqs[entry.lane.index()];
            *last += 1;
            seq = *last;
        }
        let synced = u32::try_from(self.current.offset).expect("segments are smaller than 4 GiB");
        let (kind, lane, id, time_us) = (entry.kind, entry.lane, entry.id, entry.time_us);
        encode(&mut self.buffer, at, &Head { kind, lane, synced, seq, time_us, id }, &entry.payload);
        self.current.newest_us = self.current.newest_us.max(time_us);
        Committed { seq, end: Position { offset: at.offset + entry.bytes(), ..at } }
    }

    fn flush(&mut self) -> Result<(), SpoolError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let path = self.shared.segment_path(self.current.index);
        let Current { file, offset, .. } = &mut self.current;
        file.write_at(&self.buffer, *offset).map_err(SpoolError::io("write", &path))?;
        #[cfg(test)]
        self.shared.planted.before_sync(&self.shared, *offset + self.buffer.len() as u64);
        file.sync().map_err(SpoolError::io("sync", &path))?;
        *offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Makes what was placed so far durable and goes on in the next segment.
    fn roll(&mut self, done: &mut Done) -> Result<(), SpoolError> {
        let bytes = self.buffer.len() as u64;
        self.flush()?;
        done.segments.push((self.current.index, self.current.as_segment()));
        self.await_spare()?;
        let head = SegmentHead {
            index: self.current.index + 1,
            identity: self.shared.identity,
            previous_end: self.current.offset,
            previous_time_us: self.current.newest_us,
            seqs: self.seqs,
        };
        self.current = begin_segment(self.shared.fs.as_ref(), &self.shared.segments_dir(), &head)?;
        let mut state = self.shared.lock();
        state.queued_bytes -= bytes;
        state.left = u64::from(self.shared.config.segment_bytes) - SEGMENT_HEAD as u64;
        self.shared.request_spare(&mut state);
        done.told += bytes;
        Ok(())
    }

    fn await_spare(&self) -> Result<(), SpoolError> {
        let mut state = self.shared.lock();
        let mut tried = false;
        loop {
            match state.spare {
                Spare::Ready => return Ok(()),
                Spare::Failed if tried => {
                    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
                    return Err(SpoolError::io("make a spare segment in", &self.shared.segments_dir())(full));
                }
                Spare::Failed => {
                    tried = true;
                    self.shared.request_spare(&mut state);
                }
                Spare::Preparing => {
                    state = self.shared.spare_changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn publish(&mut self, batch: Vec<Queued>, done: Done) {
        let mut state = self.shared.lock();
        let bytes: u64 = batch.iter().map(Queued::bytes).sum();
        state.queued_bytes -= bytes - done.told;
        state.left = u64::from(self.shared.config.segment_bytes) - self.current.offset;
        state.last_seq = self.seqs;
        for (index, fresh) in done.segments {
            let segment = state.segments.entry(index).or_insert(fresh);
            (segment.end, segment.newest_us) = (fresh.end, fresh.newest_us);
        }
        let mut oldest_us = None;
        for (entry, placed) in batch.iter().zip(&done.placed) {
            state.account(entry, placed.end.segment);
            if entry.kind.ships() {
                oldest_us = Some(oldest_us.map_or(entry.time_us, |oldest: u64| oldest.min(entry.time_us)));
            }
        }
        state.durable = Position { segment: self.current.index, offset: self.current.offset };
        let end = state.durable;
        if let Some(oldest_us) = oldest_us {
            state.marks.push(Mark { end, oldest_us });
        }
        drop(state);
        self.shared.signal.send_modify(|signal| signal.durable = end);
        for (entry, placed) in batch.into_iter().zip(done.placed) {
            // Who dropped the ticket does not want to know.
            let _ = entry.done.send(Ok(placed));
        }
    }
}

impl Current {
    fn as_segment(&self) -> Segment {
        Segment { end: self.offset, newest_us: self.newest_us, open: 0 }
    }
}

impl State {
    /// Counts an entry that became durable in `segment`.
    fn account(&mut self, entry: &Queued, segment: u64) {
        let Some((token, admitted_us)) = entry.about else { return };
        match entry.kind {
            Kind::Intent => {
                self.open.insert(token, segment);
                if let Some(segment) = self.segments.get_mut(&segment) {
                    segment.open += 1;
                }
            }
            Kind::Settle => {
                self.unsettled.remove(&(admitted_us, token));
                let began = self.open.remove(&token).and_then(|index| self.segments.get_mut(&index));
                if let Some(segment) = began {
                    segment.open -= 1;
                }
            }
            Kind::Progress | Kind::Note => {}
        }
    }
}

/// Waits for entries; `None` when the spool closes and nothing is left.
fn take(shared: &Shared) -> Option<Vec<Queued>> {
    let mut state = shared.lock();
    while state.queue.is_empty() {
        if state.closing {
            return None;
        }
        state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    Some(std::mem::take(&mut state.queue))
}

fn poison(shared: &Shared, batch: Vec<Queued>) {
    let mut state = shared.lock();
    state.poisoned = true;
    let queued = std::mem::take(&mut state.queue);
    drop(state);
    shared.signal.send_modify(|signal: &mut Signal| signal.poisoned = true);
    for entry in batch.into_iter().chain(queued) {
        // Who dropped the ticket does not want to know.
        let _ = entry.done.send(Err(SpoolError::Poisoned));
    }
}

struct PoisonOnPanic(Arc<Shared>);

impl Drop for PoisonOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            poison(&self.0, Vec::new());
            // The keeper has nobody left to work for.
            let _ = self.0.jobs.send(Job::Stop);
        }
    }
}

/// Turns the spare into the segment of `head`: head durable first, then the name, then the directory.
pub(crate) fn begin_segment(
    fs: &dyn SpoolFs,
    segments: &Path,
    head: &SegmentHead,
) -> Result<Current, SpoolError> {
    let (spare, path) = (segments.join(SPARE), segments.join(segment_name(head.index)));
    let file = fs.open(&spare).map_err(SpoolError::io("open", &spare))?;
    file.write_at(&head.encode(), 0).map_err(SpoolError::io("write", &spare))?;
    file.sync().map_err(SpoolError::io("sync", &spare))?;
    fs.rename(&spare, &path).map_err(SpoolError::io("rename", &spare))?;
    fs.sync_dir(segments).map_err(SpoolError::io("sync", segments))?;
    Ok(Current { file, index: head.index, offset: SEGMENT_HEAD as u64, newest_us: 0 })
}
