//! The handles that the request path holds: [`Spool`], [`Admission`], [`OpenIntent`], [`Ticket`].

use super::format::Kind;
use super::state::{Queued, Shared};
use super::{Completeness, Identity, NotAdmitted, Position, Resend, SpoolError, SpoolStats};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tallystick_domain::{EventId, Lane};
use tokio::sync::oneshot;

/// A running spool. Clones share it; when the last one is dropped, the writer finishes its queue and ends.
#[derive(Clone)]
pub struct Spool {
    running: Arc<Running>,
}

struct Running {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.begin_close();
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("identity", &self.identity()).finish_non_exhaustive()
    }
}

impl Spool {
    pub(crate) fn new(shared: Arc<Shared>, writer: JoinHandle<()>) -> Self {
        Self { running: Arc::new(Running { shared, writer: Mutex::new(Some(writer)) }) }
    }

    #[cfg(test)]
    pub(crate) fn plant(&self) -> &super::tests::Planted {
        &self.running.shared.planted
    }

    /// Under which name this process writes.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.running.shared.identity
    }

    /// Admits a request and sets aside room for its intent and its settlement. Costs one `statvfs` and a lock.
    pub fn admit(&self, now_us: u64) -> Result<Admission, NotAdmitted> {
        let (token, time_us) = self.running.shared.admit(now_us)?;
        Ok(Admission { shared: Arc::clone(&self.running.shared), token, time_us, used: false })
    }

    /// Queues something else for the log, for example a heartbeat. `NoRoom` when only room for settlements is left.
    pub fn note(
        &self,
        lane: Lane,
        id: EventId,
        time_us: u64,
        payload: Vec<u8>,
    ) -> Result<Ticket, SpoolError> {
        let (queued, ticket) = queued(Kind::Note, lane, id, time_us, payload, None);
        self.running.shared.submit(queued)?;
        Ok(ticket)
    }

    /// What a heartbeat may state. Afterwards no admission of this process has a time before `now_us`, whatever the clock
    /// does.
    #[must_use]
    pub fn completeness(&self, now_us: u64) -> Completeness {
        self.running.shared.completeness(now_us)
    }

    /// Figures for metrics and `/readyz`.
    #[must_use]
    pub fn stats(&self) -> SpoolStats {
        self.running.shared.stats()
    }

    /// Whether a write or fsync failed. `/readyz` must fail then.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.stats().poisoned
    }

    /// Resolves when the spool is poisoned or closed, so that the process can end.
    pub async fn stopped(&self) -> SpoolError {
        self.running.shared.stopped().await
    }

    /// Iterates over everything shippable that is still kept and has `time_us >= from_us`, oldest first. Reads files as it
    /// goes: use a blocking thread.
    pub fn resend(&self, from_us: u64) -> Resend {
        Resend::new(Arc::clone(&self.running.shared), from_us)
    }

    /// Deletes retained segments that are older than the retention time or exceed its size; returns how many. Blocking.
    pub fn sweep(&self, now_us: u64) -> Result<usize, SpoolError> {
        self.running.shared.sweep(now_us)
    }

    /// Writes what is queued, saves the checkpoint, ends the threads and gives back the lock. Blocking. Later calls on any
    /// handle answer `Closed`.
    pub fn close(&self) {
        self.running.shared.begin_close();
        let writer = self.running.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("spool writer panicked");
        }
    }
}

/// Room for one intent and its settlement. Dropped unused, the room is free again.
#[must_use]
pub struct Admission {
    shared: Arc<Shared>,
    token: u64,
    time_us: u64,
    used: bool,
}

impl Admission {
    /// The time of admission, to be used as the event's `occurred_at`: now, but never before what a heartbeat has already
    /// called complete.
    #[must_use]
    pub fn time_us(&self) -> u64 {
        self.time_us
    }

    /// Queues the `INTENT`. When the ticket is durable, bytes may go back to the client.
    pub fn intent(
        mut self,
        lane: Lane,
        id: EventId,
        payload: Vec<u8>,
    ) -> Result<(OpenIntent, Ticket), SpoolError> {
        let (queued, ticket) =
            queued(Kind::Intent, lane, id, self.time_us, payload, Some((self.token, self.time_us)));
        self.shared.submit(queued)?;
        self.used = true;
        let open = OpenIntent::new(Arc::clone(&self.shared), self.token, lane, id, self.time_us);
        Ok((open, ticket))
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if !self.used {
            self.shared.withdraw(self.token, self.time_us);
        }
    }
}

/// An intent that needs its settlement. Dropped without one it stays open on disk, is counted as `abandoned` and comes back
/// at the next start as [`RecoveredIntent`](super::RecoveredIntent).
#[must_use]
pub struct OpenIntent {
    shared: Arc<Shared>,
    token: u64,
    lane: Lane,
    id: EventId,
    time_us: u64,
    settled: bool,
}

impl OpenIntent {
    pub(crate) fn new(shared: Arc<Shared>, token: u64, lane: Lane, id: EventId, time_us: u64) -> Self {
        Self { shared, token, lane, id, time_us, settled: false }
    }

    /// The event's id.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.id
    }

    /// The event's lane.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The time of admission.
    #[must_use]
    pub fn admitted_us(&self) -> u64 {
        self.time_us
    }

    /// Notes what is known so far; after a crash the latest one is handed out with the intent. Nobody waits for it, and
    /// an error loses nothing but the better estimate.
    pub fn progress(&self, time_us: u64, payload: Vec<u8>) -> Result<(), SpoolError> {
        let about = Some((self.token, self.time_us));
        let (queued, _) = queued(Kind::Progress, self.lane, self.id, time_us, payload, about);
        self.shared.submit(queued)
    }

    /// Queues the `SETTLE`, the event of this request. Synchronous, so that a guard's `drop` may call it. The ticket
    /// fails when the spool is poisoned or closed, or with `TooLarge`: then the intent stays open.
    pub fn settle(mut self, time_us: u64, payload: Vec<u8>) -> Ticket {
        let about = Some((self.token, self.time_us));
        let (queued, ticket) = queued(Kind::Settle, self.lane, self.id, time_us, payload, about);
        match self.shared.submit(queued) {
            Ok(()) => {
                self.settled = true;
                ticket
            }
            Err(error) => Ticket { state: Err(error) },
        }
    }
}

impl Drop for OpenIntent {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.count_abandoned();
        }
    }
}

/// Where an entry went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its number in its lane, from 1; 0 for an intent, which is not shipped.
    pub seq: u64,
    /// The place right behind it.
    pub end: Position,
}

/// The promise of an entry. It may be dropped; the entry is written all the same.
#[derive(Debug)]
pub struct Ticket {
    state: Result<oneshot::Receiver<Result<Committed, SpoolError>>, SpoolError>,
}

impl Ticket {
    /// Resolves when the entry is on disk, or says why it never will be.
    pub async fn durable(self) -> Result<Committed, SpoolError> {
        self.state?.await.unwrap_or(Err(SpoolError::Poisoned))
    }

    /// As [`durable`](Self::durable), for a thread outside the async runtime.
    pub fn wait(self) -> Result<Committed, SpoolError> {
        self.state?.blocking_recv().unwrap_or(Err(SpoolError::Poisoned))
    }
}

fn queued(
    kind: Kind,
    lane: Lane,
    id: EventId,
    time_us: u64,
    payload: Vec<u8>,
    about: Option<(u64, u64)>,
) -> (Queued, Ticket) {
    let (done, promise) = oneshot::channel();
    (Queued { kind, lane, id, time_us, payload, about, done }, Ticket { state: Ok(promise) })
}
