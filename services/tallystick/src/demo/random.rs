//! Draws that are the same for the same seed, on every machine: whole numbers only.

/// A stream of draws (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// A stream for one purpose; streams of different purposes do not disturb each other.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        let mut start = Self(seed);
        for byte in purpose.bytes() {
            start.0 ^= u64::from(byte).wrapping_mul(0x0100_0000_01b3);
            start.draw();
        }
        start
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound`, not included; 0 where the bound is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.draw().checked_rem(bound).unwrap_or(0)
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True so many times of a thousand.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// Around a typical value, with a long tail upwards: what token counts and latencies look like.
    pub(super) fn around(&mut self, typical: u64) -> u64 {
        let (a, b) = (self.between(300, 1_700), self.between(300, 1_700));
        let tail = if self.chance(40) { self.between(2, 4) } else { 1 };
        typical.saturating_mul(a).saturating_mul(b).saturating_mul(tail) / 1_000_000
    }

    /// One of several, by weight. `None` where all weights are 0.
    pub(super) fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> u64) -> Option<&'a T> {
        let mut left = self.below(items.iter().map(&weight).sum());
        items.iter().find(|item| {
            let own = weight(item);
            let found = left < own;
            left = left.saturating_sub(own);
            found
        })
    }

    /// One of several, all alike.
    pub(super) fn one_of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(items.len() as u64)).ok()?;
        items.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_give_the_same_draws() {
        let draws = |seed, purpose| {
            let mut random = Random::new(seed, purpose);
            [random.below(1 << 40), random.below(1 << 40)]
        };
        assert_eq!(draws(1, "history"), draws(1, "history"));
        assert_ne!(draws(1, "history"), draws(2, "history"));
        assert_ne!(draws(1, "history"), draws(1, "live"));
    }

    #[test]
    fn an_item_without_weight_is_never_drawn() {
        let mut random = Random::new(7, "weights");
        let items = [("never", 0), ("often", 3), ("rarely", 1)];
        for _ in 0..1_000 {
            assert_ne!(random.weighted(&items, |item| item.1).unwrap().0, "never");
        }
    }

    #[test]
    fn values_stay_around_the_typical_one() {
        let mut random = Random::new(7, "around");
        let mean = (0..10_000).map(|_| random.around(1_000)).sum::<u64>() / 10_000;
        assert!((900..1_300).contains(&mean), "{mean}");
    }
}
