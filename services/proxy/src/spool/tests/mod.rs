//! Proofs of the spool's invariants: `model` (random interleavings with power losses), `damage` (torn and corrupt files),
//! `limits` (full disk, failed fsync), `owner` (locks, copies, epochs), `keeping` (checkpoint, resend, deletion).

mod damage;
mod keeping;
mod limits;
mod memfs;
mod model;
mod owner;
mod shipping;

use super::format::Position;
use super::state::Shared;
use super::{
    Identity, LockedSpool, NotAdmitted, OpenIntent, Opened, Shippable, Spool, SpoolConfig, SpoolError, Ticket,
};
use memfs::MemFs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tallystick_domain::{EventId, Lane, ProducerId};
use uuid::Uuid;

/// Bugs that the tests switch on, to show that their checks would see them.
#[derive(Debug, Default)]
pub(crate) struct Planted {
    pub(crate) ship_before_fsync: AtomicBool,
}

impl Planted {
    /// Called between write and fsync, with the end of what was written.
    pub(crate) fn before_sync(&self, shared: &Shared, end: u64) {
        if !self.ship_before_fsync.load(Ordering::SeqCst) {
            return;
        }
        let mut state = shared.lock();
        let segment = state.durable.segment;
        state.durable = Position { segment, offset: end };
        if let Some(kept) = state.segments.get_mut(&segment) {
            kept.end = end;
        }
        let durable = state.durable;
        drop(state);
        shared.signal.send_modify(|signal| signal.durable = durable);
    }
}

fn dir() -> &'static Path {
    Path::new("spool")
}

fn segment(index: u64) -> PathBuf {
    dir().join(super::SEGMENTS).join(super::segment_name(index))
}

fn producer(number: u128) -> ProducerId {
    ProducerId::from_uuid(Uuid::from_u128(number))
}

fn event(number: u64) -> EventId {
    EventId::from_uuid(Uuid::from_u128(u128::from(number)))
}

fn lane(number: u8) -> Lane {
    Lane::new(number).unwrap()
}

/// Segments of 16 KiB with payloads of at most 512 bytes.
fn small() -> SpoolConfig {
    SpoolConfig {
        segment_bytes: 16 << 10,
        intent_reserve_bytes: 256,
        settle_reserve_bytes: 256,
        max_payload_bytes: 512,
        low_water_bytes: 1 << 20,
        ..SpoolConfig::default()
    }
}

fn lock(fs: &MemFs) -> Result<LockedSpool, SpoolError> {
    LockedSpool::lock_on(Arc::new(fs.clone()), dir(), producer(1), 0)
}

/// Opens under the next epoch of the producer on disk.
fn try_open(fs: &MemFs, config: SpoolConfig) -> Result<Opened, SpoolError> {
    let locked = lock(fs)?;
    let Identity { producer, epoch } = locked.identity();
    locked.open(Identity { producer, epoch: epoch + 1 }, config)
}

fn open(fs: &MemFs) -> Opened {
    try_open(fs, small()).unwrap()
}

/// Admits, waiting for the spare segment where it is being made.
fn admit(spool: &Spool, now_us: u64) -> super::Admission {
    loop {
        match spool.admit(now_us) {
            Ok(admission) => return admission,
            Err(NotAdmitted::LowDisk) => std::thread::yield_now(),
            Err(other) => panic!("not admitted: {other}"),
        }
    }
}

fn intent(spool: &Spool, number: u64, payload: &str) -> (OpenIntent, Ticket) {
    let id = event(number);
    admit(spool, number).intent(lane((number % 64) as u8), id, payload.as_bytes().to_vec()).unwrap()
}

/// Admits and settles, durably.
fn settled(spool: &Spool, number: u64) -> super::Committed {
    let (open, _) = intent(spool, number, "asked");
    open.settle(number, format!("answer {number}").into_bytes()).wait().unwrap()
}

fn kept(spool: &Spool) -> Vec<Shippable> {
    spool.resend(0).collect::<Result<_, _>>().unwrap()
}

fn ids(entries: &[Shippable]) -> Vec<EventId> {
    entries.iter().map(|entry| entry.id).collect()
}

/// What the log was given and the spool does not know, or knows under another number. Must be empty.
fn forgotten<'a>(shipped: &'a [Shippable], spool: &Spool) -> Vec<&'a Shippable> {
    let kept = kept(spool);
    shipped.iter().filter(|entry| !kept.contains(entry)).collect()
}

/// Every lane's numbers are 1, 2, 3 ... in the order of writing, within one producer.
fn assert_dense(entries: &[Shippable]) {
    let mut last = std::collections::BTreeMap::new();
    for entry in entries {
        let last = last.entry((entry.identity.producer, entry.lane)).or_insert(0);
        *last += 1;
        assert_eq!(entry.seq, *last, "lane {} of {entries:#?}", entry.lane);
    }
}
