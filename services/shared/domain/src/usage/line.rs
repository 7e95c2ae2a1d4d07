//! One priced line: a quantity of one bucket times its rate.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bucket;

/// A bucket's quantity, its unit price and the amount, in the currency of the price version.
///
/// `unit_price` is per [`super::Unit::per`] units of the bucket: per 1 000 000 tokens, or per one
/// search, image, second, character or request. `amount` is exact, with at most 18 decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PricedLine {
    /// What was used.
    pub bucket: Bucket,
    /// How much of it.
    pub quantity: u64,
    /// Price per million tokens or per unit, after context and service tier.
    pub unit_price: Decimal,
    /// `quantity * unit_price / per`, exact.
    pub amount: Decimal,
}
