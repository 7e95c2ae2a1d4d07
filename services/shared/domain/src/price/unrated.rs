//! Why usage could not be priced: a state of its own that is reported, never a zero.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::usage::Bucket;

/// The reason why a usage carries no cost. In JSON `{"reason": "...", ...}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Unrated {
    /// The book knows no price for this provider and model.
    #[error("no price is known for this model")]
    UnknownModel,
    /// The model has prices, but none that was in force at that instant.
    #[error("no price of this model was in force at that time")]
    NotInForce,
    /// The prices in force are in another currency than the ledger's, and the book has none converted by a pinned rate.
    #[error("the price of this model is in {currency}, and none is stated in the ledger's currency")]
    OtherCurrency {
        /// The currency of the price in force.
        currency: Currency,
    },
    /// A bucket has a quantity and the version states no rate for it.
    #[error("the price has no rate for {bucket}")]
    NoRateForBucket {
        /// The bucket without a rate.
        bucket: Bucket,
    },
    /// The version states no prices for the service tier that was used.
    #[error("the price does not cover service tier {tier}")]
    UnknownTier {
        /// The tier as the provider named it.
        tier: String,
    },
    /// One call used several models at once, and the usage cannot be priced as one.
    #[error("the call was served by more than one model ({model} besides the first)")]
    SeveralModels {
        /// The other model.
        model: String,
    },
    /// The provider's usage could not be read; the raw text is kept in the event.
    #[error("the usage that the provider reported could not be read")]
    UnreadableUsage,
    /// The provider reported no usage at all, and none could be estimated.
    #[error("the provider reported no usage")]
    MissingUsage,
    /// The amount has more digits than can be represented exactly.
    #[error("the amount for {bucket} exceeds what can be represented exactly")]
    AmountTooLarge {
        /// The bucket whose amount does not fit.
        bucket: Bucket,
    },
}

impl Unrated {
    /// The stable code of the reason, the same text as in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel => "unknown_model",
            Self::NotInForce => "not_in_force",
            Self::OtherCurrency { .. } => "other_currency",
            Self::NoRateForBucket { .. } => "no_rate_for_bucket",
            Self::UnknownTier { .. } => "unknown_tier",
            Self::SeveralModels { .. } => "several_models",
            Self::UnreadableUsage => "unreadable_usage",
            Self::MissingUsage => "missing_usage",
            Self::AmountTooLarge { .. } => "amount_too_large",
        }
    }
}
