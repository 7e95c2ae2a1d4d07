//! The price book that ships with the program: `pricebook/builtin.json`.
//!
//! Owns the file's outline and the ids of its entries. Does not own lookup or rating
//! ([`tallystick_domain::price`]).
//!
//! One line per entry, so that a change of a price is one line of a diff. Every entry names its source and the day on
//! which it was checked. Entries whose first day is not known are in force from 2024-01-01; a price that changed on a
//! known day has one entry per period. Ids are derived from provider, model and instant: the same on every machine
//! and in every release, so an entry that was released is never edited, only followed by a later one.

use serde::Deserialize;
use tallystick_domain::price::PriceVersion;

/// The outline of a price file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    format: Format,
    prices: Vec<PriceVersion>,
}

#[derive(Debug, Deserialize)]
enum Format {
    #[serde(rename = "tallystick-prices/1")]
    V1,
}

/// Why a price file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PriceFileError {
    /// Not the format, or an entry with an unknown or unreadable field.
    #[error("the price file is not readable")]
    Unreadable(#[from] serde_json::Error),
    /// An entry breaks a rule.
    #[error("the price of {provider} {model} is not valid")]
    Invalid {
        /// Its provider.
        provider: String,
        /// Its model.
        model: String,
        /// The rule.
        source: tallystick_domain::price::PriceError,
    },
}

/// Reads a price file of ours. Entries without an id get their derived one.
///
/// # Errors
/// When the text is not of the format, or an entry is not valid.
pub fn parse(json: &str) -> Result<Vec<PriceVersion>, PriceFileError> {
    let PriceFile { format: Format::V1, prices } = serde_json::from_str(json)?;
    prices
        .into_iter()
        .map(|price| {
            let price = if price.has_id() { price } else { price.with_derived_id() };
            let invalid = |source| PriceFileError::Invalid {
                provider: price.provider.clone(),
                model: price.model.clone(),
                source,
            };
            price.validate().map_err(invalid)?;
            Ok(price)
        })
        .collect()
}

/// The built-in prices, by provider, model and instant.
#[must_use]
pub fn builtin() -> Vec<PriceVersion> {
    parse(include_str!("../pricebook/builtin.json")).expect("a test reads the committed file")
}

#[cfg(test)]
mod tests;
