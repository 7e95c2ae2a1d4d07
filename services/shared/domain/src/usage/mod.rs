//! Usage: what a call consumed, in disjoint buckets.
//!
//! Owns the bucket list ([`Bucket`]), the counts ([`Usage`]) and the reading of every provider's own usage
//! object into them ([`normalise`] for the object alone, [`read_body`] for a whole answer, [`StreamUsage`]
//! for a stream). Does not own prices (see [`crate::price`]) or the transport (see [`crate::sse`]).
//!
//! Invariants: a token lies in exactly one bucket; the buckets of a reading add up to the totals that the
//! provider reported; what cannot be read is an error, never zero; usage that a stream repeats is cumulative,
//! so the last statement counts and nothing is summed.
//!
//! Where to read next: [`Dialect`] for how providers disagree, then one file per dialect.

mod anthropic;
mod body;
mod bucket;
mod chat;
mod counts;
mod dialect;
mod error;
mod gemini;
mod line;
mod media;
mod number;
mod observed;
mod responses;
mod split;
mod stream;

pub use body::read_body;
pub use bucket::{Bucket, Unit};
pub use counts::Usage;
pub use dialect::{Api, CacheConvention, Dialect, ReasoningConvention, normalise};
pub use error::UsageError;
pub use line::PricedLine;
pub use observed::{Observed, OtherModel, Reading};
pub use stream::{Chunk, StreamUsage};

#[cfg(test)]
mod tests;
