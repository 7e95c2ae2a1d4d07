//! Log in, ledger out.
//!
//! Owns the fold loop (one per partition), what becomes a dead letter, and `verify`. Does not own the fold's rules
//! (`tallystick_domain::ledger`), the batch transaction (`tallystick_store::ledger`) or the log.
//!
//! Phases for each partition: (1) claim the cursor, which fences whoever had it; (2) read from where it stands; (3) decode,
//! check and fold, off the async threads, while the batch before it commits; (4) commit events, postings, rollups,
//! progress, dead letters, batch row and cursor in one transaction; (5) on a refusal of data, halve the batch until the
//! one record is found and put aside; on a lost cursor, claim again; on a database that is away, wait and look where the
//! cursor stands.
//!
//! Invariants: nothing is skipped (every offset is an event, a duplicate or a dead letter); a record of a newer schema and
//! a failing store stop the partition; the projector is never on the path of a request.
//!
//! Where to read next: [`prepare`] for decoding, [`partition`] for the loop, [`verify`] for the proof.

mod config;
mod metrics;
mod partition;
mod prepare;
mod verify;

pub use config::ProjectorConfig;
pub use partition::{PROJECTION, PartitionError, Projector};
pub use verify::{Check, Verification, verify};
