//! Why a provider's usage object could not be read.

/// The usage object contradicts itself or its dialect. Nothing of it is counted; the caller decides what stands in. The
/// proxy books an estimate from the bytes that it saw, flagged as such, and keeps the raw object in the event; an import
/// refuses the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// Not the JSON that the dialect promises.
    #[error("the usage object is not readable: {detail}")]
    Malformed {
        /// What the JSON reader objected to.
        detail: String,
    },
    /// A count that the dialect always has is absent.
    #[error("the usage object lacks {field}")]
    Missing {
        /// The provider's field.
        field: &'static str,
    },
    /// A count is below zero.
    #[error("{field} is negative")]
    Negative {
        /// The provider's field.
        field: &'static str,
    },
    /// A count is not a whole number.
    #[error("{field} is not a whole number")]
    NotWhole {
        /// The provider's field.
        field: &'static str,
    },
    /// A count is above [`crate::usage::Usage::MAX_COUNT`].
    #[error("{field} is larger than any call can be")]
    TooLarge {
        /// The provider's field.
        field: &'static str,
    },
    /// Parts do not fit the total that they belong to.
    #[error("{what}: the parts are {parts}, the total is {total}")]
    Inconsistent {
        /// Which total.
        what: &'static str,
        /// What the parts add up to.
        parts: u64,
        /// What the provider says the total is.
        total: u64,
    },
}

impl From<serde_json::Error> for UsageError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { detail: error.to_string() }
    }
}
