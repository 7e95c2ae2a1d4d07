//! Importers of the two public price files, and the comparison of what they bring with what is known.
//!
//! Owns the reading of LiteLLM's table ([`litellm`]) and of genai-prices' v2 list ([`genai`]) into candidate
//! versions with a report. Does not own the decision to use them: a candidate enters the book by
//! [`crate::price::PriceBook::insert`] after somebody saw [`diff()`].
//!
//! Invariants: numbers are read as decimal text, never through a float; a zero that is not marked free, a
//! negative number and a shape that is not understood skip that model by name and nothing else.

mod diff;
mod genai;
mod litellm;
mod number;
mod report;

pub use diff::{Change, Diff, RateChange, diff};
pub use genai::genai;
pub use litellm::litellm;
pub use report::{Import, ImportError, ImportOptions, Note, Skipped};
