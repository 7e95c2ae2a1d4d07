//! The keeper: a thread beside the writer for what must not hold up a batch: zeroing the spare segment and saving the
//! checkpoint. Its files are replaced whole, so a failure here loses nothing and the next try starts afresh; that is why it
//! does not poison the spool.

use super::format::Position;
use super::fs::{self, SpoolFs};
use super::state::{Shared, Spare};
use super::{SHIPPED, SPARE, SpoolError};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, mpsc};

static ZEROS: [u8; 1 << 18] = [0; 1 << 18];

/// The content of the file `shipped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Everything before it is acknowledged by the log.
    pub(crate) acked: Position,
    /// Segments before this one are shipped and have no open intent; they are kept for a resend only.
    pub(crate) needed_from: u64,
}

pub(crate) enum Job {
    Spare,
    Checkpoint,
    Stop,
}

/// Runs until `Stop`; then saves the checkpoint a last time.
pub(crate) fn run(shared: &Arc<Shared>, jobs: &mpsc::Receiver<Job>) {
    let _at_the_end = NoSpareComes(Arc::clone(shared));
    for job in jobs {
        match job {
            Job::Spare => prepare(shared),
            Job::Checkpoint => save(shared),
            Job::Stop => break,
        }
    }
    save(shared);
}

/// Whichever way the keeper ends, a writer that waits for a spare learns that none comes.
struct NoSpareComes(Arc<Shared>);

impl Drop for NoSpareComes {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.spare == Spare::Preparing {
            state.spare = Spare::Failed;
        }
        drop(state);
        self.0.spare_changed.notify_all();
    }
}

fn prepare(shared: &Shared) {
    let made = make_spare(shared.fs.as_ref(), &shared.segments_dir(), shared.config.segment_bytes);
    if let Err(error) = &made {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "no spare segment, nothing new may be admitted"
        );
    }
    shared.lock().spare = if made.is_ok() { Spare::Ready } else { Spare::Failed };
    shared.spare_changed.notify_all();
}

fn save(shared: &Shared) {
    let checkpoint = {
        let state = shared.lock();
        let checkpoint = Checkpoint { acked: state.acked, needed_from: state.needed_from() };
        if checkpoint == state.saved {
            return;
        }
        checkpoint
    };
    match write_checkpoint(shared.fs.as_ref(), &shared.dir, checkpoint) {
        Ok(()) => shared.lock().saved = checkpoint,
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "checkpoint not saved, shipped entries may be sent again after a restart"
        ),
    }
}

/// The file is one line of checksum and one of JSON: a flipped digit must not move the checkpoint over what is not shipped.
pub(crate) fn write_checkpoint(
    fs: &dyn SpoolFs,
    dir: &Path,
    checkpoint: Checkpoint,
) -> Result<(), SpoolError> {
    let json = serde_json::to_string(&checkpoint).expect("a checkpoint is plain data");
    let text = format!("{:08x}\n{json}", crc32c::crc32c(json.as_bytes()));
    fs::replace(fs, dir, SHIPPED, text.as_bytes())
}

/// Reads the checkpoint; `None` when nothing was ever acknowledged.
pub(crate) fn read_checkpoint(fs: &dyn SpoolFs, dir: &Path) -> Result<Option<Checkpoint>, SpoolError> {
    let path = dir.join(SHIPPED);
    let Some(bytes) = fs::read_small(fs, &path)? else { return Ok(None) };
    let parse = || {
        let (sum, json) = std::str::from_utf8(&bytes).ok()?.split_once('\n')?;
        let intact = u32::from_str_radix(sum, 16).ok()? == crc32c::crc32c(json.as_bytes());
        intact.then(|| serde_json::from_str(json).ok()).flatten()
    };
    parse().map(Some).ok_or_else(|| SpoolError::corrupt(&path, 0, "not a checkpoint"))
}

/// Writes a segment of zeros and makes it durable under the name `spare`. After an error no part of it is left.
pub(crate) fn make_spare(fs: &dyn SpoolFs, segments: &Path, bytes: u32) -> Result<(), SpoolError> {
    let fresh = segments.join(format!("{SPARE}.new"));
    let filled = fill(fs, segments, &fresh, u64::from(bytes));
    if filled.is_err() {
        // Frees the space again; if even that fails, the next try truncates the file.
        let _ = fs.remove(&fresh);
    }
    filled
}

fn fill(fs: &dyn SpoolFs, segments: &Path, fresh: &Path, bytes: u64) -> Result<(), SpoolError> {
    let file = fs.create(fresh).map_err(SpoolError::io("create", fresh))?;
    let mut written = 0;
    while written < bytes {
        let step = (bytes - written).min(ZEROS.len() as u64);
        let zeros = &ZEROS[..usize::try_from(step).expect("at most the size of the block")];
        file.write_at(zeros, written).map_err(SpoolError::io("zero", fresh))?;
        written += step;
    }
    file.sync().map_err(SpoolError::io("sync", fresh))?;
    fs.rename(fresh, &segments.join(SPARE)).map_err(SpoolError::io("rename", fresh))?;
    fs.sync_dir(segments).map_err(SpoolError::io("sync", segments))
}
