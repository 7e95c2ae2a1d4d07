//! One process per directory, one producer per copy, one epoch per start.

use super::memfs::MemFs;
use super::*;
use crate::spool::{Advance, EpochRegister};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// A register as the contract says it behaves; it can lose its answer, or be away.
#[derive(Default)]
struct Register {
    rows: Mutex<BTreeMap<ProducerId, (u32, Option<Uuid>)>>,
    lose_answer: AtomicBool,
}

#[async_trait::async_trait]
impl EpochRegister for Register {
    async fn advance(
        &self,
        producer: ProducerId,
        expected: u32,
        boot: Uuid,
    ) -> Result<Advance, Box<dyn std::error::Error + Send + Sync>> {
        let mut rows = self.rows.lock().unwrap();
        let row = rows.entry(producer).or_insert((0, None));
        let repeated = *row == (expected + 1, Some(boot));
        if row.0 != expected && !repeated {
            return Ok(Advance::Mismatch);
        }
        *row = (expected + 1, Some(boot));
        if self.lose_answer.swap(false, Ordering::SeqCst) {
            return Err("connection lost".into());
        }
        Ok(Advance::Advanced)
    }
}

fn claim(locked: &mut LockedSpool, register: &Register, number: u128) -> Result<Identity, SpoolError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(locked.claim(register, producer(1_000 + number), Uuid::from_u128(number)))
}

fn start(fs: &MemFs, register: &Register, number: u128) -> Opened {
    let mut locked = lock(fs).unwrap();
    let identity = claim(&mut locked, register, number).unwrap();
    locked.open(identity, small()).unwrap()
}

#[test]
fn every_start_is_the_next_epoch_of_the_same_producer() {
    let (fs, register) = (MemFs::new(), Register::default());
    for epoch in 1..5 {
        let opened = start(&fs, &register, u128::from(epoch));
        assert_eq!(opened.spool.identity(), Identity { producer: producer(1), epoch });
        opened.spool.close();
    }
}

#[test]
fn a_start_whose_answer_was_lost_is_the_same_producer_afterwards() {
    let (fs, register) = (MemFs::new(), Register::default());
    start(&fs, &register, 1).spool.close();
    register.lose_answer.store(true, Ordering::SeqCst);
    let mut locked = lock(&fs).unwrap();
    assert!(matches!(claim(&mut locked, &register, 2), Err(SpoolError::Register(_))));
    drop(locked);
    let opened = start(&fs, &register, 3);
    assert_eq!(opened.spool.identity(), Identity { producer: producer(1), epoch: 2 });
}

#[test]
fn a_copied_spool_becomes_a_new_producer_and_still_ships_what_the_old_one_left() {
    let (fs, register) = (MemFs::new(), Register::default());
    let opened = start(&fs, &register, 1);
    settled(&opened.spool, 7);
    opened.spool.close();
    let copy = fs.copy();
    let original = start(&fs, &register, 2);
    let mut copied = start(&copy, &register, 3);
    assert_eq!(original.spool.identity(), Identity { producer: producer(1), epoch: 2 });
    assert_eq!(copied.spool.identity(), Identity { producer: producer(1_003), epoch: 1 });
    assert_eq!(settled(&original.spool, 71).seq, 2, "the original counts on");
    assert_eq!(settled(&copied.spool, 71).seq, 1, "the copy counts anew");
    let shipped = copied.reader.try_next(10, 1 << 20).unwrap().unwrap().entries;
    let names: Vec<Identity> = shipped.iter().map(|entry| entry.identity).collect();
    assert_eq!(names, [Identity { producer: producer(1), epoch: 1 }, copied.spool.identity()]);
    assert_dense(&shipped);
    copied.spool.close();
    assert_eq!(start(&copy, &register, 4).spool.identity(), Identity { producer: producer(1_003), epoch: 2 });
}

#[test]
fn a_restored_backup_becomes_a_new_producer() {
    let (fs, register) = (MemFs::new(), Register::default());
    start(&fs, &register, 1).spool.close();
    let backup = fs.copy();
    start(&fs, &register, 2).spool.close();
    assert_eq!(start(&backup, &register, 3).spool.identity().producer, producer(1_003));
}

#[test]
fn a_second_process_on_the_same_directory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let locked = LockedSpool::lock(&path, producer(1), 0).unwrap();
    let refused = LockedSpool::lock(&path, producer(2), 0).unwrap_err();
    assert!(matches!(refused, SpoolError::Locked(ref dir) if *dir == path));
    assert!(refused.to_string().contains("in use by another process"));
    let opened = locked.open(Identity { producer: producer(1), epoch: 1 }, small_disk()).unwrap();
    assert!(LockedSpool::lock(&path, producer(2), 0).is_err());
    opened.spool.close();
    let again = LockedSpool::lock(&path, producer(2), 0).unwrap();
    assert_eq!(again.identity(), Identity { producer: producer(1), epoch: 1 });
}

#[test]
fn a_lost_identity_beside_segments_refuses_to_start() {
    let fs = MemFs::new();
    open(&fs).spool.close();
    crate::spool::SpoolFs::remove(&fs, &dir().join("identity.json")).unwrap();
    assert!(matches!(lock(&fs), Err(SpoolError::Corrupt { .. })));
}

#[test]
fn on_a_real_disk_what_was_settled_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = |epoch| {
        let locked = LockedSpool::lock(folder.path(), producer(1), 0).unwrap();
        locked.open(Identity { producer: producer(1), epoch }, small_disk()).unwrap()
    };
    let opened = start(1);
    for number in 0..300 {
        settled(&opened.spool, number);
    }
    let (_open, ticket) = intent(&opened.spool, 300, "asked");
    ticket.wait().unwrap();
    opened.spool.close();
    let opened = start(2);
    let entries = kept(&opened.spool);
    assert_eq!(ids(&entries), (0..300).map(event).collect::<Vec<_>>());
    assert_dense(&entries);
    assert_eq!(opened.unsettled.iter().map(|u| u.open.id()).collect::<Vec<_>>(), [event(300)]);
}

fn small_disk() -> SpoolConfig {
    SpoolConfig { low_water_bytes: 1, ..small() }
}
