//! Random interleavings against a model, with restarts and power losses at any moment.
//!
//! The model knows what was handed in and what a ticket called durable. After every start: the spool opens, what was durable is
//! there, what was shipped is there under the same number, numbers are dense, and the open intents are those without a
//! durable settlement, with a progress at least as new as the newest that was surely durable.

use super::memfs::{MemFs, Survives};
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Op {
    Intent {
        lane: u8,
        size: usize,
    },
    Progress {
        which: usize,
    },
    Settle {
        which: usize,
        size: usize,
    },
    Note {
        lane: u8,
        size: usize,
    },
    /// Waits until everything handed in is durable.
    Wait,
    Ship {
        entries: usize,
        ack: bool,
    },
    /// From now on nothing is synced, until the next crash.
    Hold,
    Restart,
    /// The process dies, the machine does not.
    Kill,
    Crash {
        seed: u64,
    },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..3_u8, 0..256_usize).prop_map(|(lane, size)| Op::Intent { lane, size }),
        4 => any::<usize>().prop_map(|which| Op::Progress { which }),
        7 => (any::<usize>(), 0..256_usize).prop_map(|(which, size)| Op::Settle { which, size }),
        4 => (0..3_u8, 0..500_usize).prop_map(|(lane, size)| Op::Note { lane, size }),
        4 => Just(Op::Wait),
        4 => (1..20_usize, any::<bool>()).prop_map(|(entries, ack)| Op::Ship { entries, ack }),
        1 => Just(Op::Hold),
        1 => Just(Op::Restart),
        1 => Just(Op::Kill),
        2 => any::<u64>().prop_map(|seed| Op::Crash { seed }),
    ]
}

/// What the model knows of one request.
#[derive(Default)]
struct Known {
    durable: bool,
    /// Handed in, and whether surely durable.
    settled: Option<bool>,
    /// The newest progress handed in, and the newest that is surely durable; counted from 1.
    progress: (u32, u32),
}

struct World {
    fs: MemFs,
    opened: Opened,
    open: Vec<OpenIntent>,
    known: BTreeMap<EventId, Known>,
    notes: BTreeMap<EventId, bool>,
    pending: Vec<(EventId, super::super::Kind, (EventId, u32), Ticket)>,
    shipped: Vec<Shippable>,
    acked: BTreeSet<EventId>,
    next: u64,
    held: bool,
}

impl World {
    fn new() -> Self {
        let fs = MemFs::new();
        let opened = open(&fs);
        Self {
            fs,
            opened,
            open: Vec::new(),
            known: BTreeMap::new(),
            notes: BTreeMap::new(),
            pending: Vec::new(),
            shipped: Vec::new(),
            acked: BTreeSet::new(),
            next: 1,
            held: false,
        }
    }

    fn id(&mut self) -> EventId {
        self.next += 1;
        event(self.next)
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Intent { lane: number, size } => {
                let id = self.id();
                let Ok(admission) = self.opened.spool.admit(self.next) else { return };
                let (open, ticket) = admission.intent(lane(number), id, vec![1; size]).unwrap();
                self.open.push(open);
                self.known.insert(id, Known::default());
                self.pending.push((id, super::super::Kind::Intent, (id, 0), ticket));
            }
            Op::Progress { which } if !self.open.is_empty() => {
                let open = &self.open[which % self.open.len()];
                let known = self.known.get_mut(&open.id()).unwrap();
                if open.progress(self.next, (known.progress.0 + 1).to_le_bytes().to_vec()).is_ok() {
                    known.progress.0 += 1;
                }
            }
            Op::Settle { which, size } if !self.open.is_empty() => {
                let open = self.open.swap_remove(which % self.open.len());
                let id = open.id();
                self.known.get_mut(&id).unwrap().settled = Some(false);
                let ticket = open.settle(self.next, vec![2; size]);
                self.pending.push((id, super::super::Kind::Settle, (id, 0), ticket));
            }
            Op::Note { lane: number, size } => {
                let id = self.id();
                let Ok(ticket) = self.opened.spool.note(lane(number), id, self.next, vec![3; size]) else {
                    return;
                };
                self.notes.insert(id, false);
                // A note behind a progress shows that the progress is durable.
                let behind =
                    self.open.last().map_or((id, 0), |open| (open.id(), self.known[&open.id()].progress.0));
                self.pending.push((id, super::super::Kind::Note, behind, ticket));
            }
            Op::Wait if !self.held => self.harvest(),
            Op::Ship { entries, ack } => self.ship(entries, ack),
            Op::Hold => {
                self.held = true;
                self.fs.hold_syncs(true);
            }
            Op::Restart if !self.held => {
                self.opened.spool.close();
                self.harvest();
                self.reopen();
            }
            Op::Kill => self.die(self.fs.kill()),
            Op::Crash { seed } => self.die(self.fs.crash(Survives::Some(seed))),
            _ => {}
        }
    }

    fn die(&mut self, left: MemFs) {
        self.fs = left;
        self.opened.spool.close();
        self.harvest();
        self.reopen();
    }

    /// Takes the answer of every ticket.
    fn harvest(&mut self) {
        for (id, kind, (about, progress), ticket) in std::mem::take(&mut self.pending) {
            if ticket.wait().is_err() {
                continue;
            }
            match kind {
                super::super::Kind::Intent => self.known.get_mut(&id).unwrap().durable = true,
                super::super::Kind::Settle => self.known.get_mut(&id).unwrap().settled = Some(true),
                _ => {
                    self.notes.insert(id, true);
                }
            }
            if let Some(known) = self.known.get_mut(&about) {
                known.progress.1 = known.progress.1.max(progress);
            }
        }
    }

    fn ship(&mut self, entries: usize, ack: bool) {
        let Some(batch) = self.opened.reader.try_next(entries, 1 << 20).unwrap() else { return };
        if ack {
            self.opened.reader.ack(batch.end);
            self.acked.extend(ids(&self.shipped_since_start(&batch.entries)));
        }
        self.shipped.extend(batch.entries);
    }

    /// Acknowledging a batch acknowledges all before it.
    fn shipped_since_start(&self, batch: &[Shippable]) -> Vec<Shippable> {
        self.shipped.iter().chain(batch).cloned().collect()
    }

    fn reopen(&mut self) {
        self.held = false;
        self.open.clear();
        self.opened = open(&self.fs);
        let spool = &self.opened.spool;
        assert!(forgotten(&self.shipped, spool).is_empty(), "shipped and forgotten");
        let kept = kept(spool);
        assert_dense(&kept);
        let there: BTreeSet<EventId> = kept.iter().map(|entry| entry.id).collect();
        assert_eq!(there.len(), kept.len(), "nothing is there twice");
        for (id, durable) in &self.notes {
            assert!(there.contains(id) || !durable, "note {id} is lost");
        }
        let back: BTreeMap<EventId, &super::super::RecoveredIntent> =
            self.opened.unsettled.iter().map(|intent| (intent.open.id(), intent)).collect();
        for (id, known) in &self.known {
            let (settled, open) = (there.contains(id), back.get(id));
            assert!(!(settled && open.is_some()), "{id} is settled and open");
            assert!(settled || known.settled != Some(true), "settlement of {id} is lost");
            assert!(settled || open.is_some() || !known.durable, "intent {id} is lost");
            if let Some(open) = open {
                let progress =
                    open.progress.as_ref().map_or(0, |p| u32::from_le_bytes(p[..].try_into().unwrap()));
                let (newest, durable) = known.progress;
                assert!((durable..=newest).contains(&progress), "{id}: {progress} of {:?}", known.progress);
            }
        }
        self.adopt(&there);
    }

    /// Goes on with what the spool handed out; forgets what was lost and never promised.
    fn adopt(&mut self, there: &BTreeSet<EventId>) {
        self.notes.retain(|id, _| there.contains(id));
        self.notes.values_mut().for_each(|durable| *durable = true);
        for intent in std::mem::take(&mut self.opened.unsettled) {
            let known = self.known.get_mut(&intent.open.id()).unwrap();
            let progress = intent.progress.map_or(0, |p| u32::from_le_bytes(p[..].try_into().unwrap()));
            *known = Known { durable: true, settled: None, progress: (progress, progress) };
            self.open.push(intent.open);
        }
        let open: BTreeSet<EventId> = self.open.iter().map(OpenIntent::id).collect();
        self.known.retain(|id, _| there.contains(id) || open.contains(id));
        for id in there {
            if let Some(known) = self.known.get_mut(id) {
                known.settled = Some(true);
            }
        }
    }

    /// At the end everything that was not acknowledged is yielded again.
    fn drain(mut self) {
        self.fs.hold_syncs(false);
        self.opened.spool.close();
        self.harvest();
        self.reopen();
        let everything: BTreeSet<EventId> = ids(&kept(&self.opened.spool)).into_iter().collect();
        let mut delivered = self.acked.clone();
        while let Some(batch) = self.opened.reader.try_next(7, 1 << 20).unwrap() {
            delivered.extend(ids(&batch.entries));
            self.opened.reader.ack(batch.end);
        }
        assert_eq!(delivered, everything, "everything reaches the log, nothing else does");
        assert_eq!(self.opened.spool.stats().oldest_unshipped_us, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_and_no_power_loss_takes_back_what_was_durable(ops in prop::collection::vec(op(), 1..120)) {
        let mut world = World::new();
        for op in &ops {
            world.run(op);
        }
        world.drain();
    }
}
