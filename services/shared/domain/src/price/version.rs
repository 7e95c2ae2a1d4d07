//! One immutable version of one model's price.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Fx, Rate, Rates, ServiceTier};
use crate::currency::Currency;
use crate::ids::PriceVersionId;

/// What a provider charges for a model from an instant on. Never changes: a new price, or a correction of this
/// one, is another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceVersion {
    /// What events name. May be left out of files: see [`PriceVersion::with_derived_id`].
    #[serde(default = "no_id")]
    pub id: PriceVersionId,
    /// Whose price it is: `openai`, `anthropic`, `gemini`, ...
    pub provider: String,
    /// The model's id as the provider names it.
    pub model: String,
    /// Other ids of the same model, matched exactly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Beginnings of ids that mean this model too; the longest that fits wins, and only where no id and no alias
    /// does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// From when on it is in force, until the next version of the same model.
    pub effective_from: Timestamp,
    /// Orders versions that take effect at the same instant: a correction has a higher one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revision: u32,
    /// Where the facts are from.
    pub source: String,
    /// When they were last compared with the source.
    pub checked_on: Date,
    /// The currency of all rates, and of the amounts.
    pub currency: Currency,
    /// The pinned rate by which the provider's currency was converted into `currency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fx: Option<Fx>,
    /// The provider charges nothing. Only then may a rate be zero.
    #[serde(default, skip_serializing_if = "is_false")]
    pub free: bool,
    /// Prices of the standard tier, per million tokens or per unit.
    pub rates: Rates,
    /// Prices of the standard tier for long requests, by rising threshold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<ContextTier>,
    /// Prices of the other service tiers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tiers: BTreeMap<ServiceTier, TierPrice>,
    /// Factors on token prices by modifier (`us`, `fast`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modifiers: BTreeMap<String, Rate>,
}

/// Prices that replace the base for the whole request once its input is longer than a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextTier {
    /// In force when all input tokens, cached ones included, are more than this many.
    pub above_input_tokens: u64,
    /// All token prices of the tier. A token bucket that is not named has no price here; fees per call keep those
    /// of the base.
    pub rates: Rates,
}

/// How a service tier is priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TierPrice {
    /// A factor on every token price of the standard tier.
    Factor {
        /// The factor.
        factor: Rate,
    },
    /// Prices of its own. A token bucket that is not named has no price in this tier; fees per call keep those of
    /// the base.
    Table {
        /// Prices per million tokens or per unit.
        rates: Box<Rates>,
        /// Prices for long requests.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        context: Vec<ContextTier>,
    },
}

/// Why a version can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// It has no id.
    #[error("the price has no id")]
    NoId,
    /// A text that must say something is empty or too long.
    #[error("the price has no usable {0}")]
    Text(&'static str),
    /// It states no rate.
    #[error("the price states no rate")]
    NoRates,
    /// A rate is zero and the version is not marked free.
    #[error("the rate of {0} is zero and the price is not marked free")]
    Zero(String),
    /// It is marked free and states a rate above zero.
    #[error("the price is marked free and charges for {0}")]
    NotFree(String),
    /// Thresholds do not rise.
    #[error("context thresholds must rise")]
    Thresholds,
    /// The base has a context tier and the table of a service tier says nothing about it: a long request would be
    /// priced as a short one. A tier without rates says that there is no price.
    #[error("a service tier says nothing about requests above {0} input tokens")]
    MissingThreshold(u64),
    /// A factor gives a rate with more than 12 decimals.
    #[error("the factor of {0} gives rates with more than 12 decimals")]
    Factor(String),
}

impl PriceVersion {
    /// Longest name, alias, prefix or source, in bytes.
    pub const MAX_TEXT: usize = 300;

    /// The version with the id that its provider, model, instant, revision and currency of origin give: the same
    /// file gives the same ids everywhere.
    #[must_use]
    pub fn with_derived_id(mut self) -> Self {
        let from = self.effective_from.as_second().to_be_bytes();
        let revision = self.revision.to_be_bytes();
        let converted = self.fx.as_ref().map(|_| self.currency.code().to_owned()).unwrap_or_default();
        let parts = [self.provider.as_bytes(), self.model.as_bytes(), &from, &revision, converted.as_bytes()];
        self.id = PriceVersionId::derived("price", &parts);
        self
    }

    /// Whether the id is set; a file may leave it out.
    #[must_use]
    pub const fn has_id(&self) -> bool {
        !self.id.as_uuid().is_nil()
    }

    /// Checks everything that the type alone does not.
    ///
    /// # Errors
    /// The first rule that the version breaks.
    pub fn validate(&self) -> Result<(), PriceError> {
        if !self.has_id() {
            return Err(PriceError::NoId);
        }
        let named = [("provider", &self.provider), ("model", &self.model), ("source", &self.source)];
        let others = self.aliases.iter().map(|alias| ("alias", alias));
        let prefixes = self.prefixes.iter().map(|prefix| ("prefix", prefix));
        for (what, text) in named.into_iter().chain(others).chain(prefixes) {
            if text.trim().is_empty() || text.len() > Self::MAX_TEXT || text.contains('\0') {
                return Err(PriceError::Text(what));
            }
        }
        if self.rates.is_empty() {
            return Err(PriceError::NoRates);
        }
        for (place, rates) in self.tables() {
            for (bucket, rate) in rates.iter() {
                match (rate.is_zero(), self.free) {
                    (true, false) => return Err(PriceError::Zero(format!("{bucket} in {place}"))),
                    (false, true) => return Err(PriceError::NotFree(format!("{bucket} in {place}"))),
                    _ => {}
                }
            }
        }
        self.check_thresholds()?;
        self.check_factors()
    }

    /// Every table of rates with the name of its place, for checks and comparisons.
    pub(crate) fn tables(&self) -> Vec<(String, &Rates)> {
        let mut tables = vec![("standard".to_owned(), &self.rates)];
        for long in &self.context {
            tables.push((format!("standard above {}", long.above_input_tokens), &long.rates));
        }
        for (tier, price) in &self.tiers {
            let TierPrice::Table { rates, context } = price else { continue };
            let name = super::TierName { tier: *tier, modifiers: Vec::new() }.to_string();
            for long in context {
                tables.push((format!("{name} above {}", long.above_input_tokens), &long.rates));
            }
            tables.push((name, rates));
        }
        tables
    }

    fn check_thresholds(&self) -> Result<(), PriceError> {
        let long = self.tiers.values().filter_map(|price| match price {
            TierPrice::Table { context, .. } => Some(context.as_slice()),
            TierPrice::Factor { .. } => None,
        });
        for context in std::iter::once(self.context.as_slice()).chain(long) {
            if context.windows(2).any(|pair| pair[0].above_input_tokens >= pair[1].above_input_tokens) {
                return Err(PriceError::Thresholds);
            }
            let states = |threshold| context.iter().any(|long| long.above_input_tokens == threshold);
            if let Some(base) = self.context.iter().find(|base| !states(base.above_input_tokens)) {
                return Err(PriceError::MissingThreshold(base.above_input_tokens));
            }
        }
        Ok(())
    }

    fn check_factors(&self) -> Result<(), PriceError> {
        let tiers = self.tiers.iter().filter_map(|(tier, price)| match price {
            TierPrice::Factor { factor } => Some((format!("{tier:?}"), *factor)),
            TierPrice::Table { .. } => None,
        });
        let modifiers = self.modifiers.iter().map(|(name, factor)| (name.clone(), *factor));
        for (name, factor) in tiers.chain(modifiers) {
            let mut tokens =
                self.tables().into_iter().flat_map(|(_, rates)| rates.iter().collect::<Vec<_>>());
            if factor.is_zero()
                || tokens.any(|(bucket, rate)| bucket.is_token() && rate.times(factor).is_none())
            {
                return Err(PriceError::Factor(name));
            }
        }
        Ok(())
    }
}

const fn no_id() -> PriceVersionId {
    PriceVersionId::from_uuid(Uuid::nil())
}

const fn is_zero(number: &u32) -> bool {
    *number == 0
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}
