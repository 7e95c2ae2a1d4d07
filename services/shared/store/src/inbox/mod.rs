//! The inbox: usage from elsewhere and corrections on their way to the log.
//!
//! Owns the inbox's identity as a producer, the dense numbers per lane ([`Store::inbox_put`]) and what has been shipped
//! ([`Store::inbox_unshipped`], [`Store::inbox_shipped`]). Does not own what an event says, nor the log.
//!
//! Invariants: an event and its number commit together, in the order of the numbers; an id is taken in once, and the same
//! id with another content is a conflict; what was taken in is shipped at least once. One row lock serialises all
//! writers, so no lock order is needed and no number is lost to a collision.

mod put;
mod relay;

pub use put::{InboxEntry, InboxOutcome};
pub use relay::{InboxBacklog, UnshippedEvent};

#[cfg(test)]
mod tests;
