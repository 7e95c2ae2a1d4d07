//! Prices: effective-dated versions, the book that finds the one in force, and exact rating.
//!
//! Owns price versions and their validity, lookup by provider, model and instant, rating of a
//! [`crate::usage::Usage`], conversion by a pinned rate, and the importers of public price files. Does not own
//! storage, nor the re-rating of past events.
//!
//! Invariants: a version never changes; a bucket with a quantity and no rate is [`Unrated`], never zero (calls and
//! page fetches alone are free unless priced); rates have at most 12 decimals, so amounts are exact at 18; a context tier prices the whole request.
//!
//! Where to read next: [`PriceVersion`] (the facts), [`PriceBook`] (lookup), [`rate`] (rating), [`import`].

mod book;
mod exact;
mod fx;
pub mod import;
mod matching;
mod rate;
mod rating;
mod tier;
mod unrated;
mod version;

pub use crate::usage::PricedLine;
pub use book::{BookError, Found, PriceBook};
pub use fx::{Converted, Fx, RoundedRate};
pub use matching::MatchedBy;
pub use rate::{Rate, RateError, Rates};
pub use rating::{Rated, rate};
pub use tier::{ServiceTier, TierName};
pub use unrated::Unrated;
pub use version::{ContextTier, PriceError, PriceVersion, TierPrice};

#[cfg(test)]
mod tests;
