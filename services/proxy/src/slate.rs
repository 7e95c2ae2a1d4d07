//! The slate: what was sent while the disk was still busy with its intent.
//!
//! An intent is queued for the spool and the call is sent at once; until the spool's thread has written it, a process that
//! is killed would forget a call that the provider bills. So every call first writes its intent into a slot of this file,
//! which the operating system keeps when the process dies, and wipes it once the spool has it. A start takes over what
//! is left. No sync: a power loss is what `intent = "before_send"` is for.
//!
//! ```text
//! slot  len u32 | crc32c u32 | lane u8 | id 16 | payload      len 0: free
//! ```
//!
//! Cost: two small writes into the page cache per call, no thread is woken. A slot that can not be written is no loss:
//! the call then waits for the disk before it is sent.
//!
//! Invariants: a slot is wiped only after its intent is durable; one process writes the file (the spool's lock);
//! something that was settled and is still here is settled again under the same event id, which the fold knows.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tallystick_domain::{EventId, Lane};
use tallystick_runtime::SharedClock;
use uuid::Uuid;

const HEAD: usize = 25;
/// A slot whose call was dropped without an answer from the disk is used again after this time: by then the intent is
/// on disk, or the spool has failed for good.
const LINGER: Duration = Duration::from_secs(60);

/// The file and its free slots.
pub(crate) struct Slate {
    file: File,
    slot_bytes: usize,
    clock: SharedClock,
    /// Slots and the monotonic time from which each may be used.
    free: Mutex<VecDeque<(u32, Duration)>>,
}

/// An intent that a former process left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) id: EventId,
    pub(crate) lane: Lane,
    pub(crate) payload: Vec<u8>,
}

/// A slot in use.
pub(crate) struct Slot {
    slate: Arc<Slate>,
    number: u32,
    wiped: bool,
}

impl Slate {
    /// Opens the file with room for `slots` intents of up to `payload_bytes`, and gives what a former process left in it.
    /// Blocking.
    pub(crate) fn open(
        path: &Path,
        slots: usize,
        payload_bytes: u32,
        clock: SharedClock,
    ) -> io::Result<(Arc<Self>, Vec<Left>)> {
        let slot_bytes = HEAD + payload_bytes as usize;
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let left = read(&file, slot_bytes)?;
        let free = (0..slots).map(|number| (number, Duration::ZERO)).collect();
        Ok((Arc::new(Self { file, slot_bytes, clock, free: Mutex::new(free) }), left))
    }

    /// Forgets what a former process left, once it is settled. Blocking.
    pub(crate) fn wipe(&self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// Writes an intent down; `None` when there is no slot for it, and the caller has to wait for the disk.
    pub(crate) fn write(self: &Arc<Self>, id: EventId, lane: Lane, payload: &[u8]) -> Option<Slot> {
        if HEAD + payload.len() > self.slot_bytes {
            return None;
        }
        let number = self.take()?;
        let mut bytes = Vec::with_capacity(HEAD + payload.len());
        bytes.extend_from_slice(&u32::try_from(payload.len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.push(lane.get());
        bytes.extend_from_slice(id.as_uuid().as_bytes());
        bytes.extend_from_slice(payload);
        let crc = crc32c::crc32c(&bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        if let Err(error) = self.file.write_all_at(&bytes, self.offset(number)) {
            tracing::warn!(error.message = %error, "an intent was not written to the slate, waiting for the disk instead");
            self.lock().push_back((number, Duration::ZERO));
            return None;
        }
        Some(Slot { slate: Arc::clone(self), number, wiped: false })
    }

    fn take(&self) -> Option<u32> {
        let now = self.clock.monotonic();
        let mut free = self.lock();
        let (number, from) = free.pop_front()?;
        if from > now {
            free.push_front((number, from));
            return None;
        }
        Some(number)
    }

    fn offset(&self, number: u32) -> u64 {
        u64::from(number) * self.slot_bytes as u64
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u32, Duration)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// The intent is durable in the spool.
    pub(crate) fn wipe(mut self) {
        self.wiped = true;
        let slate = &self.slate;
        match slate.file.write_all_at(&[0; 4], slate.offset(self.number)) {
            Ok(()) => slate.lock().push_front((self.number, Duration::ZERO)),
            Err(error) => {
                tracing::warn!(error.message = %error, "a slot of the slate was not wiped and is not used again");
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.wiped {
            let from = self.slate.clock.monotonic().saturating_add(LINGER);
            self.slate.lock().push_back((self.number, from));
        }
    }
}

/// Every whole intent in the file. What is torn was being written when the process died: nothing had been sent then.
fn read(file: &File, slot_bytes: usize) -> io::Result<Vec<Left>> {
    let length = file.metadata()?.len();
    let mut left = Vec::new();
    let mut at = 0;
    let mut slot = vec![0; slot_bytes];
    while at < length {
        let readable = usize::try_from(length - at).unwrap_or(slot_bytes).min(slot_bytes);
        file.read_exact_at(&mut slot[..readable], at)?;
        left.extend(parse(&slot[..readable]));
        at += slot_bytes as u64;
    }
    Ok(left)
}

fn parse(slot: &[u8]) -> Option<Left> {
    let word = |at: usize| Some(u32::from_le_bytes(slot.get(at..at + 4)?.try_into().ok()?));
    let length = word(0).filter(|length| *length > 0)? as usize;
    let body = slot.get(8..HEAD + length)?;
    if crc32c::crc32c(body) != word(4)? {
        return None;
    }
    let lane = Lane::new(*body.first()?)?;
    let id = EventId::from_uuid(Uuid::from_slice(body.get(1..17)?).ok()?);
    Some(Left { id, lane, payload: body.get(17..)?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tallystick_runtime::TestClock;

    fn open(dir: &Path, clock: &TestClock) -> (Arc<Slate>, Vec<Left>) {
        Slate::open(&dir.join("slate"), 2, 32, clock.shared()).unwrap()
    }

    fn left(name: &[u8]) -> Left {
        Left { id: EventId::derived("test", &[name]), lane: Lane::new(9).unwrap(), payload: name.to_vec() }
    }

    fn write(slate: &Arc<Slate>, name: &[u8]) -> Option<Slot> {
        let Left { id, lane, payload } = left(name);
        slate.write(id, lane, &payload)
    }

    #[test]
    fn what_was_not_wiped_is_found_by_the_next_process_until_it_is_settled() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at("2026-11-23T00:00:00Z").unwrap());
        let (slate, nothing) = open(dir.path(), &clock);
        assert!(nothing.is_empty());
        let (kept, gone) = (write(&slate, b"kept").unwrap(), write(&slate, b"gone").unwrap());
        gone.wipe();
        drop((kept, slate));
        let (slate, found) = open(dir.path(), &clock);
        assert_eq!(found, [left(b"kept")]);
        slate.wipe().unwrap();
        assert!(open(dir.path(), &clock).1.is_empty());
    }

    #[test]
    fn without_a_free_slot_or_with_too_much_to_write_the_caller_waits_for_the_disk() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at("2026-11-23T00:00:00Z").unwrap());
        let (slate, _) = open(dir.path(), &clock);
        assert!(write(&slate, &[7; 33]).is_none());
        let (first, second) = (write(&slate, b"1").unwrap(), write(&slate, b"2").unwrap());
        assert!(write(&slate, b"3").is_none());
        drop(first);
        assert!(write(&slate, b"3").is_none(), "its intent may not be on disk yet");
        clock.advance(LINGER);
        let third = write(&slate, b"3").unwrap();
        second.wipe();
        assert!(write(&slate, b"4").is_some());
        third.wipe();
    }

    #[test]
    fn a_torn_slot_is_passed_over() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::at("2026-11-23T00:00:00Z").unwrap());
        let (slate, _) = open(dir.path(), &clock);
        let slots = (write(&slate, b"torn").unwrap(), write(&slate, b"whole").unwrap());
        slate.file.write_all_at(b"X", (HEAD + 1) as u64).unwrap();
        assert_eq!(open(dir.path(), &clock).1, [left(b"whole")]);
        drop(slots);
    }
}
