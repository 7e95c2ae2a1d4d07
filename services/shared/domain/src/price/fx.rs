//! Prices in another currency: converted once, by a pinned rate that the version carries.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exact::Scaled;
use super::{PriceVersion, Rate, RateError, Rates, TierPrice};
use crate::currency::Currency;
use crate::usage::Bucket;

/// A pinned exchange rate with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fx {
    /// The provider's currency.
    pub from: Currency,
    /// Units of the version's currency for one unit of `from`; at most 12 decimals.
    pub rate: Rate,
    /// The day of the rate.
    pub on: Date,
    /// Who published it.
    pub source: String,
}

/// A rate that had to be rounded to twelve decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoundedRate {
    /// Which table of the version: `standard`, `flex above 272000`, ...
    pub place: String,
    /// The bucket.
    pub bucket: Bucket,
    /// The number before.
    pub exact: String,
    /// The rate that is used.
    pub rate: Rate,
}

/// A version in another currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The new version, with a derived id of its own.
    pub version: PriceVersion,
    /// What could not be converted exactly.
    pub rounded: Vec<RoundedRate>,
}

impl PriceVersion {
    /// The same price in another currency. Unit prices are converted, so that amounts stay exact products of the
    /// unit price on the line; what a unit price loses beyond twelve decimals is reported.
    ///
    /// # Errors
    /// When a converted rate is out of bounds, or becomes zero.
    pub fn converted(
        &self,
        to: Currency,
        rate: Rate,
        on: Date,
        source: &str,
    ) -> Result<Converted, RateError> {
        let mut version = self.clone();
        let mut rounded = Vec::new();
        let mut convert = |place: &str, rates: &mut Rates| -> Result<(), RateError> {
            for (bucket, old) in rates.clone().iter() {
                let exact =
                    Scaled::of(old.decimal()).times(Scaled::of(rate.decimal())).ok_or(RateError::TooLarge)?;
                let (new, lost) = Rate::rounded(exact)?;
                if new.is_zero() && !old.is_zero() {
                    return Err(RateError::TooFine);
                }
                if lost {
                    let exact = format!("{old} * {rate}");
                    rounded.push(RoundedRate { place: place.to_owned(), bucket, exact, rate: new });
                }
                rates.set(bucket, new);
            }
            Ok(())
        };
        convert("standard", &mut version.rates)?;
        for long in &mut version.context {
            convert(&format!("standard above {}", long.above_input_tokens), &mut long.rates)?;
        }
        for (tier, price) in &mut version.tiers {
            let TierPrice::Table { rates, context } = price else { continue };
            let name = super::TierName { tier: *tier, modifiers: Vec::new() }.to_string();
            convert(&name, rates)?;
            for long in context {
                convert(&format!("{name} above {}", long.above_input_tokens), &mut long.rates)?;
            }
        }
        version.currency = to;
        version.fx = Some(Fx { from: self.currency, rate, on, source: source.to_owned() });
        Ok(Converted { version: version.with_derived_id(), rounded })
    }
}
