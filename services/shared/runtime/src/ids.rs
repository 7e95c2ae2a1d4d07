//! The one source of ids: UUIDv7 whose time comes from the injected clock.
//!
//! Layout of an id (RFC 9562, method 1 of section 6.2): 48 bits of milliseconds, then a 42-bit counter that is drawn
//! anew (with its highest bit clear) in each millisecond and steps by one within it, then 32 random bits. Two ids of
//! one source are therefore always in the order in which they were made, also when the clock stands still or is set
//! back. Ids are not secrets; keys and tokens draw their own randomness.
//!
//! Cost: one uncontended lock and a few additions; the system's random source is asked once per 512 ids.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::clock::SharedClock;

/// Bits of the counter; `VERSION` and `VARIANT` are placed around it.
const COUNTER_BITS: u32 = 42;
const COUNTER_MAX: u64 = (1 << COUNTER_BITS) - 1;
const POOL_BYTES: usize = 4096;

/// Makes ids. Cheap to call from any thread; share it behind an `Arc`.
#[derive(Debug)]
pub struct Ids {
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    last_ms: u64,
    counter: u64,
    random: Random,
}

impl Ids {
    /// A source that draws from the operating system's randomness.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self::with_random(clock, Random::System { pool: Box::new([0; POOL_BYTES]), used: POOL_BYTES })
    }

    /// A source whose ids are the same in every run with the same clock and seed: for the demo and for tests.
    #[must_use]
    pub fn seeded(clock: SharedClock, seed: u64) -> Self {
        Self::with_random(clock, Random::Seeded(seed))
    }

    fn with_random(clock: SharedClock, random: Random) -> Self {
        Self { clock, state: Mutex::new(State { last_ms: 0, counter: 0, random }) }
    }

    /// A new UUIDv7, greater than every one this source made before.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let now_ms = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.step(now_ms);
        let tail = state.random.next() & 0xffff_ffff;
        assemble(state.last_ms, state.counter, tail)
    }

    /// A new typed id: `ids.typed(EventId::from_uuid)`.
    pub fn typed<T>(&self, from_uuid: impl FnOnce(Uuid) -> T) -> T {
        from_uuid(self.uuid())
    }
}

impl State {
    /// Moves to `now_ms`, or stays in the last millisecond and counts when the clock did not move forward.
    fn step(&mut self, now_ms: u64) {
        if now_ms > self.last_ms {
            self.last_ms = now_ms;
            self.counter = self.random.next() & (COUNTER_MAX >> 1);
        } else if self.counter < COUNTER_MAX {
            self.counter += 1;
        } else {
            self.last_ms += 1;
            self.counter = 0;
        }
    }
}

fn assemble(ms: u64, counter: u64, tail: u64) -> Uuid {
    let high = (ms << 16) | 0x7000 | (counter >> 30);
    let low = (0b10 << 62) | ((counter & 0x3fff_ffff) << 32) | tail;
    Uuid::from_u64_pair(high, low)
}

#[derive(Debug)]
enum Random {
    System { pool: Box<[u8; POOL_BYTES]>, used: usize },
    Seeded(u64),
}

impl Random {
    fn next(&mut self) -> u64 {
        match self {
            Self::System { pool, used } => {
                if *used + 8 > POOL_BYTES {
                    getrandom::fill(pool.as_mut_slice()).expect("the operating system gives random bytes");
                    *used = 0;
                }
                let bytes: [u8; 8] =
                    pool[*used..*used + 8].try_into().expect("a slice of eight bytes is eight bytes");
                *used += 8;
                u64::from_le_bytes(bytes)
            }
            // SplitMix64: well spread, and a pure function of the seed and the number of draws.
            Self::Seeded(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = *state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                mixed ^ (mixed >> 31)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Arc, time::Duration};

    use super::*;
    use crate::TestClock;

    fn clock() -> TestClock {
        TestClock::at("2026-11-23T12:00:00.123Z").unwrap()
    }

    #[test]
    fn an_id_is_a_version_7_uuid_with_the_clocks_millisecond() {
        let id = Ids::new(clock().shared()).uuid();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds, nanos), (1_795_435_200, 123_000_000));
    }

    #[test]
    fn ids_of_one_millisecond_are_in_the_order_they_were_made() {
        let ids = Ids::new(clock().shared());
        let made: Vec<Uuid> = (0..10_000).map(|_| ids.uuid()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn setting_the_clock_back_keeps_the_order() {
        let clock = clock();
        let ids = Ids::new(clock.shared());
        let before = ids.uuid();
        clock.set("2020-01-01T00:00:00Z".parse().unwrap());
        assert!(ids.uuid() > before);
    }

    #[test]
    fn a_full_counter_moves_to_the_next_millisecond() {
        let ids = Ids::new(clock().shared());
        let before = ids.uuid();
        ids.state.lock().unwrap().counter = COUNTER_MAX;
        let after = ids.uuid();
        assert!(after > before);
        assert_eq!(after.as_u64_pair().0 >> 16, (before.as_u64_pair().0 >> 16) + 1);
    }

    #[test]
    fn threads_never_draw_the_same_id() {
        let ids = Arc::new(Ids::new(clock().shared()));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let ids = Arc::clone(&ids);
                std::thread::spawn(move || (0..5_000).map(|_| ids.uuid()).collect::<Vec<_>>())
            })
            .collect();
        let all: HashSet<Uuid> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 20_000);
    }

    #[test]
    fn a_seeded_source_repeats_itself_and_another_seed_differs() {
        let draw = |seed| {
            let clock = clock();
            let ids = Ids::seeded(clock.shared(), seed);
            let first = ids.uuid();
            clock.advance(Duration::from_millis(1));
            (first, ids.uuid())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
