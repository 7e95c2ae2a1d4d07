//! The 64 lanes of the log.
//!
//! A lane is decided by the key, for ever: one key's events stay in order, and the rows that are folded from them have
//! one writer. On Kafka a lane is a partition. The hash below must never change: a golden test holds it.

use crate::ids::{KeyId, TeamId};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// A lane number, 0 to 63.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Lane(#[schemars(range(max = 63))] u8);

impl Lane {
    /// How many lanes there are.
    pub const COUNT: u8 = 64;

    /// A lane by number; `None` above 63.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < Self::COUNT { Some(Self(number)) } else { None }
    }

    /// The lane of a key's events.
    #[must_use]
    pub fn of_key(key: KeyId) -> Self {
        Self::of_uuid(key.as_uuid())
    }

    /// The lane of events that name no key (imports without one).
    #[must_use]
    pub fn of_team(team: TeamId) -> Self {
        Self::of_uuid(team.as_uuid())
    }

    /// The number, 0 to 63.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The number as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// All lanes in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// Multiplicative (Fibonacci) hash of the UUID's two halves; the top six bits choose the lane.
    const fn of_uuid(uuid: Uuid) -> Self {
        let (high, low) = uuid.as_u64_pair();
        let mixed = (high ^ low.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self((mixed >> 58) as u8)
    }
}

impl std::fmt::Display for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Lane {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| serde::de::Error::custom(format!("lane {number} is above 63")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lane_of_a_key_never_changes() {
        let lane = |text: &str| Lane::of_key(text.parse().unwrap()).get();
        let seen: Vec<u8> =
            (0..4_u8).map(|n| lane(&format!("01932c07-0000-7000-8000-00000000000{n}"))).collect();
        assert_eq!(seen, [40, 8, 40, 9]);
    }

    #[test]
    fn keys_spread_over_all_lanes() {
        let mut hits = [0_u32; 64];
        for n in 0..64_000_u128 {
            let uuid =
                Uuid::from_u128((0x0193_2c07_0000_7000_8000_u128 << 48) | n.wrapping_mul(0x1234_5678_9ABD));
            hits[Lane::of_key(KeyId::from_uuid(uuid)).index()] += 1;
        }
        assert!(hits.iter().all(|h| (600..1_600).contains(h)), "{hits:?}");
    }

    #[test]
    fn a_lane_above_sixty_three_does_not_decode() {
        assert!(serde_json::from_str::<Lane>("63").is_ok());
        assert!(serde_json::from_str::<Lane>("64").is_err());
    }
}
