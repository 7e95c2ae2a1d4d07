//! Latencies in logarithmic buckets: 32 per power of two, so a quantile is at most 3.2 % too high.

use std::time::Duration;

/// Sub-buckets of one power of two.
const FINE: u64 = 32;

/// Counts of durations, kept in whole microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: u64,
}

fn bucket(micros: u64) -> usize {
    if micros < FINE {
        return usize::try_from(micros).unwrap_or(0);
    }
    let power = u64::from(micros.ilog2()) - u64::from(FINE.ilog2());
    usize::try_from(power * FINE + (micros >> power)).unwrap_or(usize::MAX)
}

/// The largest value of a bucket.
fn upper(bucket: u64) -> u64 {
    if bucket < FINE * 2 {
        return bucket;
    }
    let power = bucket / FINE - 1;
    ((bucket - power * FINE + 1) << power) - 1
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 2);
        let bucket = bucket(micros);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.longest = self.longest.max(micros);
    }

    /// Adds another histogram's counts.
    pub fn merge(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The duration that `per_mille` of a thousand do not exceed: 500 is the median, 990 the p99.
    pub fn quantile(&self, per_mille: u64) -> Duration {
        let rank = (self.total * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in (0..).zip(&self.counts) {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper(bucket).min(self.longest));
            }
        }
        Duration::from_micros(self.longest)
    }

    /// The longest duration, exact to the microsecond.
    pub fn longest(&self) -> Duration {
        Duration::from_micros(self.longest)
    }
}
