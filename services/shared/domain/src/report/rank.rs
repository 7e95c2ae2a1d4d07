//! Ranking one dimension against the period before. Cost: one sort.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::model::{Dimension, RankedRow, RankedTable};
use crate::invoice::UNASSIGNED;

/// One row of the rollup: sums of one member, project, ...; no name: unassigned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Name in the dimension.
    pub name: Option<String>,
    /// Exact cost.
    pub cost: Decimal,
    /// Requests, failed ones included.
    pub requests: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
}

/// Ranks `current` by cost, with the change on `previous`.
///
/// Names that only the period before knows appear with zeros, so that a saving is seen; `unassigned` is always last and
/// always there. Rows of the same name are summed. Counts that leave 64 bits, and costs that leave 28 digits, stay at
/// the limit.
#[must_use]
pub fn rank(dimension: Dimension, current: Vec<Measured>, previous: &[Measured]) -> RankedTable {
    let total = current.iter().fold(Decimal::ZERO, |sum, row| sum.saturating_add(row.cost));
    let mut named: BTreeMap<Option<String>, (Measured, Decimal)> = BTreeMap::new();
    named.entry(None).or_default();
    for row in current {
        let (sum, _) = named.entry(row.name.clone()).or_default();
        sum.cost = sum.cost.saturating_add(row.cost);
        sum.requests = sum.requests.saturating_add(row.requests);
        sum.failed = sum.failed.saturating_add(row.failed);
        sum.input_tokens = sum.input_tokens.saturating_add(row.input_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(row.output_tokens);
    }
    for row in previous {
        let (_, before) = named.entry(row.name.clone()).or_default();
        *before = before.saturating_add(row.cost);
    }
    let mut rows: Vec<RankedRow> = named
        .into_iter()
        .map(|(name, (sum, previous_cost))| RankedRow {
            unassigned: name.is_none(),
            name: name.unwrap_or_else(|| UNASSIGNED.to_owned()),
            cost: sum.cost,
            requests: sum.requests,
            failed: sum.failed,
            input_tokens: sum.input_tokens,
            output_tokens: sum.output_tokens,
            share_percent: share_percent(sum.cost, total),
            previous_cost,
            change_percent: change_percent(sum.cost, previous_cost),
        })
        .collect();
    rows.sort_by(|a, b| {
        a.unassigned.cmp(&b.unassigned).then(b.cost.cmp(&a.cost)).then_with(|| a.name.cmp(&b.name))
    });
    RankedTable { dimension, rows }
}

/// `part` in percent of `whole`, one decimal; absent when the whole is zero.
#[must_use]
pub fn share_percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    let share = part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)?;
    Some(one_decimal(share))
}

/// How much `now` is above `before`, in percent, one decimal; absent when there was nothing before.
#[must_use]
pub fn change_percent(now: Decimal, before: Decimal) -> Option<Decimal> {
    share_percent(now.checked_sub(before)?, before)
}

fn one_decimal(percent: Decimal) -> Decimal {
    let rounded = percent.round_dp_with_strategy(1, RoundingStrategy::MidpointNearestEven);
    if rounded.is_zero() { Decimal::ZERO } else { rounded }
}
