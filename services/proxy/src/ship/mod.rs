//! From the spool to the log.
//!
//! Owns the shipper ([`shipper`]), the producer's heartbeat ([`heartbeat`]) and the settlement of what a crash left open
//! ([`recover`]). Does not own the spool's files or the log.
//!
//! Invariants: only what is durable is shipped, in order; a batch is acknowledged after the log has all of it; after a
//! failure the same batch is sent again, and duplicates are told apart by their event id; an entry that is no event of
//! ours is shipped as it is, so that it ends in the dead letters and not nowhere.

pub(crate) mod heartbeat;
pub(crate) mod recover;
pub(crate) mod shipper;
#[cfg(test)]
mod tests;
