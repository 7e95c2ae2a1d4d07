//! Rounds of one figure, and their median.

use serde::Serialize;
use std::time::Duration;

/// How often each figure is measured, after a warm-up.
pub(crate) const ROUNDS: usize = 3;

/// The figures of all rounds.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Rounds(Vec<f64>);

impl Rounds {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// `count` things in that time, per second.
    pub(crate) fn push_rate(&mut self, count: usize, elapsed: Duration) {
        self.push(count as f64 / elapsed.as_secs_f64());
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle round; not a number when there was none.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn lowest(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn highest(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    /// Round by round, this one divided by the other.
    pub(crate) fn ratio_to(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine / theirs).collect())
    }
}
