//! Rating: usage times the rates of one version, exact.
//!
//! Phases: choose the table (service tier, then context tier by all input tokens); find the rate of every bucket
//! that has a quantity; multiply exactly; add up exactly. The first bucket without a rate ends it: there is no
//! partly rated usage.

use rust_decimal::Decimal;

use super::exact::{amount, sum};
use super::{ContextTier, PriceVersion, Rate, Rates, ServiceTier, TierName, TierPrice, Unrated};
use crate::currency::Currency;
use crate::ids::PriceVersionId;
use crate::usage::{Bucket, PricedLine, Usage};

/// A usage with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// The version used.
    pub version: PriceVersionId,
    /// One line per bucket with a quantity, in the order of [`Bucket::ALL`].
    pub lines: Vec<PricedLine>,
    /// The sum of the lines; at most 18 decimals.
    pub cost: Decimal,
    /// The currency of all amounts.
    pub currency: Currency,
}

/// The rates that apply to one request.
struct Table<'a> {
    rates: &'a Rates,
    /// Where fees per call are found that `rates` does not name.
    fees: [&'a Rates; 2],
    factors: Vec<Rate>,
}

impl Table<'_> {
    fn rate(&self, bucket: Bucket) -> Option<Rate> {
        let stated = self.rates.get(bucket);
        if !bucket.is_token() {
            return stated.or_else(|| self.fees.iter().find_map(|fees| fees.get(bucket)));
        }
        self.factors.iter().try_fold(stated?, |rate, factor| rate.times(*factor))
    }
}

/// Prices a usage. A fee per request, where the version states one, is charged at least once.
///
/// # Errors
/// [`Unrated`] when the version does not cover the tier or a bucket, or an amount is too large to be exact.
pub fn rate(usage: &Usage, tier: &TierName<'_>, version: &PriceVersion) -> Result<Rated, Unrated> {
    let table = version.table(tier, usage.input_tokens())?;
    let mut lines = Vec::with_capacity(4);
    for bucket in Bucket::ALL {
        let mut quantity = usage.get(bucket);
        let stated = table.rate(bucket);
        if bucket == Bucket::Requests {
            quantity = quantity.max(1);
        }
        if quantity == 0 || (stated.is_none() && bucket.is_free_unless_priced()) {
            continue;
        }
        let unit_price = stated.ok_or(Unrated::NoRateForBucket { bucket })?.decimal();
        let amount =
            amount(unit_price, quantity, bucket.unit().per()).ok_or(Unrated::AmountTooLarge { bucket })?;
        lines.push(PricedLine { bucket, quantity, unit_price, amount });
    }
    let last = lines.last().map_or(Bucket::InputUncached, |line| line.bucket);
    let cost = sum(lines.iter().map(|line| line.amount)).ok_or(Unrated::AmountTooLarge { bucket: last })?;
    Ok(Rated { version: version.id, lines, cost, currency: version.currency })
}

impl PriceVersion {
    /// The dearest rate that a request can meet in a tier, over all context tiers and the wanted buckets: what a
    /// hold is priced with. `None` when the tier or every wanted bucket has no price.
    #[must_use]
    pub fn max_rate(&self, tier: &TierName<'_>, wanted: impl Fn(Bucket) -> bool) -> Option<Rate> {
        let thresholds =
            self.context_of(tier.tier).iter().map(|long| long.above_input_tokens.saturating_add(1));
        let lengths: Vec<u64> = std::iter::once(0).chain(thresholds).collect();
        let tables = lengths.into_iter().filter_map(|tokens| self.table(tier, tokens).ok());
        let buckets = || Bucket::ALL.into_iter().filter(|bucket| wanted(*bucket));
        tables.flat_map(|table| buckets().filter_map(|bucket| table.rate(bucket)).collect::<Vec<_>>()).max()
    }

    fn context_of(&self, tier: ServiceTier) -> &[ContextTier] {
        match self.tiers.get(&tier) {
            Some(TierPrice::Table { context, .. }) => context,
            Some(TierPrice::Factor { .. }) | None => &self.context,
        }
    }

    fn table(&self, name: &TierName<'_>, input_tokens: u64) -> Result<Table<'_>, Unrated> {
        let unknown = || Unrated::UnknownTier { tier: name.to_string() };
        let mut factors = Vec::new();
        let rates = match (self.tiers.get(&name.tier), name.tier) {
            (Some(TierPrice::Table { rates, .. }), _) => rates.as_ref(),
            (Some(TierPrice::Factor { factor }), _) => {
                factors.push(*factor);
                &self.rates
            }
            (None, ServiceTier::Standard) => &self.rates,
            // What costs nothing costs nothing in every tier.
            (None, _) if self.free => &self.rates,
            (None, _) => return Err(unknown()),
        };
        for modifier in &name.modifiers {
            factors.push(*self.modifiers.get(*modifier).ok_or_else(unknown)?);
        }
        let long =
            self.context_of(name.tier).iter().rev().find(|long| input_tokens > long.above_input_tokens);
        Ok(Table { rates: long.map_or(rates, |long| &long.rates), fees: [rates, &self.rates], factors })
    }
}
