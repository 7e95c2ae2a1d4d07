//! `Usage`: one count per bucket, stored in a fixed array, written as a map of the non-zero ones.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Bucket;

/// Metered quantities of one call. Buckets are disjoint, so sums over them never count a token twice.
///
/// In JSON a map from bucket name to a positive integer; absent means zero, an unknown name is an error.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Usage([u64; Bucket::COUNT]);

impl Usage {
    /// The largest count that one bucket of one event may hold (10^12): far above any call, far below
    /// where a sum of counts or an amount could overflow.
    pub const MAX_COUNT: u64 = 1_000_000_000_000;

    /// Nothing was used.
    pub const fn new() -> Self {
        Self([0; Bucket::COUNT])
    }

    /// The count in one bucket.
    pub const fn get(&self, bucket: Bucket) -> u64 {
        self.0[bucket.index()]
    }

    /// Replaces the count in one bucket.
    pub const fn set(&mut self, bucket: Bucket, count: u64) {
        self.0[bucket.index()] = count;
    }

    /// The same usage with one bucket replaced: for literals.
    #[must_use]
    pub const fn with(mut self, bucket: Bucket, count: u64) -> Self {
        self.set(bucket, count);
        self
    }

    /// Bucket by bucket sum; `None` when a count would overflow.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        let mut sum = [0; Bucket::COUNT];
        for (slot, (left, right)) in sum.iter_mut().zip(self.0.iter().zip(other.0.iter())) {
            *slot = left.checked_add(*right)?;
        }
        Some(Self(sum))
    }

    /// Whether every bucket is zero.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// All input tokens, cached ones included (the number that context tiers look at).
    pub fn input_tokens(&self) -> u64 {
        self.sum(Bucket::is_input_token)
    }

    /// All output tokens, reasoning included.
    pub fn output_tokens(&self) -> u64 {
        self.sum(Bucket::is_output_token)
    }

    /// The non-zero buckets in the order of [`Bucket::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Bucket, u64)> + '_ {
        Bucket::ALL.into_iter().map(|bucket| (bucket, self.get(bucket))).filter(|(_, count)| *count > 0)
    }

    fn sum(&self, wanted: fn(Bucket) -> bool) -> u64 {
        self.iter()
            .filter(|(bucket, _)| wanted(*bucket))
            .fold(0, |sum: u64, (_, count)| sum.saturating_add(count))
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(bucket, count)| (bucket.name(), count))).finish()
    }
}

impl FromIterator<(Bucket, u64)> for Usage {
    /// Counts of the same bucket are added (saturating).
    fn from_iter<I: IntoIterator<Item = (Bucket, u64)>>(counts: I) -> Self {
        let mut usage = Self::new();
        for (bucket, count) in counts {
            usage.set(bucket, usage.get(bucket).saturating_add(count));
        }
        usage
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (bucket, count) in self.iter() {
            map.serialize_entry(bucket.name(), &count)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UsageVisitor)
    }
}

struct UsageVisitor;

impl<'de> Visitor<'de> for UsageVisitor {
    type Value = Usage;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from bucket name to count")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Usage, A::Error> {
        let mut usage = Usage::new();
        let mut seen = [false; Bucket::COUNT];
        while let Some(bucket) = map.next_key::<Bucket>()? {
            if std::mem::replace(&mut seen[bucket.index()], true) {
                return Err(A::Error::custom(format_args!("bucket {bucket} appears twice")));
            }
            usage.set(bucket, map.next_value()?);
        }
        Ok(usage)
    }
}

impl JsonSchema for Usage {
    fn schema_name() -> Cow<'static, str> {
        "Usage".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let buckets: serde_json::Map<String, serde_json::Value> = Bucket::ALL
            .into_iter()
            .map(|bucket| (bucket.name().to_owned(), serde_json::json!({"type": "integer", "minimum": 0})))
            .collect();
        schemars::json_schema!({
            "type": "object",
            "description": "disjoint metered quantities; an absent bucket is zero",
            "properties": buckets,
            "additionalProperties": false
        })
    }
}
