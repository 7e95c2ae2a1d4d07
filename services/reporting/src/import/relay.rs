//! From the inbox to the log, in the order of the numbers, at least once.
//!
//! Phases: take the lease; read what waits; append it; note that it was shipped; when nothing waits any more, state by a
//! heartbeat that everything taken in is in the log. A process that dies between append and note appends again: the
//! ledger knows events by their id.

use super::Inbox;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::event::{Event, ProducerHeartbeat, StreamPosition};
use tallystick_domain::{EventId, Lane, ProducerId};
use tallystick_eventlog::{EventLog, LogError, Record};
use tallystick_runtime::{Ids, SharedClock, Shutdown, error_chain};
use tallystick_schemas::{EncodeError, spooled};
use tallystick_store::inbox::{InboxEntry, UnshippedEvent};
use tallystick_store::{Store, StoreError};
use uuid::Uuid;

/// How long a lease on shipping lasts; another process takes over after that.
const LEASE: Duration = Duration::from_secs(15);
/// Pause after an error.
const PAUSE: Duration = Duration::from_secs(1);
/// The inbox is one spool that is never copied: its epoch does not move.
const EPOCH: u32 = 1;

/// Ships what the inbox took in.
pub struct Relay {
    /// Where it comes from.
    pub store: Store,
    /// Where it goes.
    pub log: Arc<dyn EventLog>,
    /// Rings when something was taken in.
    pub inbox: Arc<Inbox>,
    pub clock: SharedClock,
    pub ids: Arc<Ids>,
    /// Most events of one append.
    pub batch: u32,
    /// How often to look when nobody rings.
    pub poll: Duration,
}

/// Why nothing was shipped this time.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error("the inbox could not be read")]
    Store(#[from] StoreError),
    #[error("the log did not take the events")]
    Log(#[from] LogError),
    #[error("event {0} of the inbox is not an event frame")]
    Frame(EventId),
    #[error("the heartbeat could not be written")]
    Encode(#[from] EncodeError),
}

impl Relay {
    /// Ships until the process drains; what is taken in by then is shipped before it ends.
    pub async fn run(self, shutdown: Shutdown) {
        let owner = self.ids.uuid();
        loop {
            let draining = shutdown.is_draining();
            let pause = match self.ship(owner).await {
                Ok(_) => self.poll,
                Err(error) => {
                    tracing::warn!(error = %error_chain(&error), "events of the inbox wait, trying again");
                    PAUSE
                }
            };
            if draining {
                break;
            }
            tokio::select! {
                () = self.inbox.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = shutdown.draining() => {}
            }
        }
        if let Err(error) = self.store.inbox_relay_release(owner).await {
            tracing::debug!(error = %error, "the lease on shipping runs out by itself");
        }
    }

    /// Ships everything that waits; says how many events that were. `0` too while another process ships.
    ///
    /// # Errors
    /// When inbox or log are away; what was appended and not noted is appended again next time.
    pub async fn ship(&self, owner: Uuid) -> Result<u64, RelayError> {
        let producer = self.store.inbox_producer().await?;
        let mut shipped = 0;
        while self.store.inbox_relay_claim(owner, LEASE).await? {
            let waiting = self.store.inbox_unshipped(self.batch).await?;
            if waiting.is_empty() {
                break;
            }
            self.append(producer, &waiting).await?;
            shipped += waiting.len() as u64;
        }
        if shipped > 0 {
            self.state_complete(producer, owner).await?;
            tracing::info!(events = shipped, "events of the inbox are in the log");
        }
        Ok(shipped)
    }

    async fn append(&self, producer: ProducerId, waiting: &[UnshippedEvent]) -> Result<(), RelayError> {
        let mut records = Vec::with_capacity(waiting.len());
        let mut up_to: BTreeMap<Lane, u64> = BTreeMap::new();
        for event in waiting {
            records.push(record(producer, event)?);
            up_to.insert(event.lane, event.seq);
        }
        self.log.append(&records).await?;
        self.store.inbox_shipped(&up_to).await?;
        Ok(())
    }

    /// Everything taken in before now is in the log. The inbox closes its account each time, so that an idle inbox never
    /// holds back what others can promise.
    async fn state_complete(&self, producer: ProducerId, owner: Uuid) -> Result<(), RelayError> {
        let now: Timestamp = self.clock.now();
        let last_seq = self.store.inbox_last_seqs().await?;
        let event_id = self.ids.typed(EventId::from_uuid);
        let lane = Lane::new(0).expect("lane 0 exists");
        let heartbeat = ProducerHeartbeat {
            event_id,
            producer,
            epoch: EPOCH,
            lane,
            seq: 0,
            occurred_at: now,
            oldest_unsettled_at: None,
            last_seq,
            closing: true,
        };
        let frame = spooled::pack(&Event::Heartbeat(heartbeat), None)?;
        let content_hash = [0; 32];
        let entry =
            InboxEntry { event_id, team: None, lane, content_hash, recorded_at: now, frame: frame.to_vec() };
        self.store.inbox_put(&[entry]).await?;
        if self.store.inbox_relay_claim(owner, LEASE).await? {
            let waiting = self.store.inbox_unshipped(self.batch).await?;
            self.append(producer, &waiting).await?;
        }
        Ok(())
    }
}

fn record(producer: ProducerId, event: &UnshippedEvent) -> Result<Record, RelayError> {
    let at = StreamPosition { producer, epoch: EPOCH, lane: event.lane, seq: event.seq };
    let envelope = spooled::unpack(&event.frame, event.event_id, at, event.recorded_at)
        .map_err(|_| RelayError::Frame(event.event_id))?;
    Ok(Record {
        lane: envelope.lane,
        key: Some(envelope.key),
        headers: envelope.headers,
        payload: envelope.payload,
    })
}
