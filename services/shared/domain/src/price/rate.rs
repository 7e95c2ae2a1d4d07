//! Rates: prices per million tokens or per unit, bounded so that every amount is exact.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::exact::Scaled;
use crate::usage::Bucket;

/// A price per 1 000 000 tokens, or per one unit of a bucket that does not count tokens
/// ([`crate::usage::Unit::per`]). Not negative, at most 12 decimals, at most one billion. In JSON a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(Decimal);

/// Why a number can not be a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Not a plain decimal number.
    #[error("a rate must be a decimal number such as 2.50")]
    NotANumber,
    /// Below zero.
    #[error("a rate must not be negative")]
    Negative,
    /// More than twelve decimals.
    #[error("a rate has at most 12 decimals")]
    TooFine,
    /// Above [`Rate::MAX`].
    #[error("a rate is at most 1000000000")]
    TooLarge,
}

impl Rate {
    /// Most decimals of a rate.
    pub const MAX_DECIMALS: u32 = 12;
    /// Largest rate.
    pub const MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

    /// A rate from an exact decimal.
    ///
    /// # Errors
    /// When the number is negative, too fine or too large.
    pub fn new(number: Decimal) -> Result<Self, RateError> {
        let scaled = Scaled::of(number);
        if scaled.scale > Self::MAX_DECIMALS {
            return Err(RateError::TooFine);
        }
        Self::rounded(scaled).map(|(rate, _)| rate)
    }

    /// The nearest rate (half to even at twelve decimals), and whether digits were lost.
    pub(crate) fn rounded(number: Scaled) -> Result<(Self, bool), RateError> {
        if number.mantissa < 0 {
            return Err(RateError::Negative);
        }
        let (number, lost) = number.rounded(Self::MAX_DECIMALS).ok_or(RateError::TooLarge)?;
        let decimal = number.decimal().filter(|decimal| *decimal <= Self::MAX).ok_or(RateError::TooLarge)?;
        Ok((Self(decimal), lost))
    }

    /// The number, without trailing zeros.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// Whether it is zero, which only a version marked free may state.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The product, when it is a rate without rounding.
    #[must_use]
    pub fn times(self, factor: Self) -> Option<Self> {
        let product = Scaled::of(self.0).times(Scaled::of(factor.0))?;
        Self::new(product.decimal()?).ok()
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let number = Decimal::from_str_exact(text).map_err(|_| RateError::NotANumber)?;
        Self::new(number)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Rate {
    /// Strings only: a JSON number would pass through a float.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^[0-9]{1,10}(\.[0-9]{1,12})?$",
            "description": "price per million tokens, or per unit for buckets that do not count tokens"
        })
    }
}

/// At most one rate per bucket. In JSON a map from bucket name to rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates([Option<Rate>; Bucket::COUNT]);

impl Rates {
    /// The rate of a bucket; `None` means that there is no price for it.
    #[must_use]
    pub const fn get(&self, bucket: Bucket) -> Option<Rate> {
        self.0[bucket.index()]
    }

    /// States the rate of a bucket.
    pub const fn set(&mut self, bucket: Bucket, rate: Rate) {
        self.0[bucket.index()] = Some(rate);
    }

    /// States the rate of a bucket unless there is one.
    pub fn set_default(&mut self, bucket: Bucket, rate: Option<Rate>) {
        let slot = &mut self.0[bucket.index()];
        *slot = slot.or(rate);
    }

    /// The stated rates in the order of [`Bucket::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Bucket, Rate)> + '_ {
        Bucket::ALL.into_iter().filter_map(|bucket| Some((bucket, self.get(bucket)?)))
    }

    /// Whether no rate is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

impl FromIterator<(Bucket, Rate)> for Rates {
    fn from_iter<I: IntoIterator<Item = (Bucket, Rate)>>(stated: I) -> Self {
        let mut rates = Self::default();
        for (bucket, rate) in stated {
            rates.set(bucket, rate);
        }
        rates
    }
}

impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (bucket, rate) in self.iter() {
            map.serialize_entry(bucket.name(), &rate)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RatesVisitor)
    }
}

struct RatesVisitor;

impl<'de> Visitor<'de> for RatesVisitor {
    type Value = Rates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from bucket name to rate")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rates, A::Error> {
        let mut rates = Rates::default();
        while let Some((bucket, rate)) = map.next_entry::<Bucket, Rate>()? {
            if rates.get(bucket).is_some() {
                return Err(A::Error::custom(format_args!("the rate of {bucket} appears twice")));
            }
            rates.set(bucket, rate);
        }
        Ok(rates)
    }
}

impl JsonSchema for Rates {
    fn schema_name() -> Cow<'static, str> {
        "Rates".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rate = generator.subschema_for::<Rate>();
        let buckets: serde_json::Map<String, serde_json::Value> = Bucket::ALL
            .into_iter()
            .map(|bucket| (bucket.name().to_owned(), rate.clone().to_value()))
            .collect();
        schemars::json_schema!({"type": "object", "properties": buckets, "additionalProperties": false})
    }
}
