//! The event log: an ordered, durable list of records that producers append to and the projector reads.
//!
//! Owns the [`EventLog`] trait and its implementations: [`PostgresLog`] (the default, one machine), [`MemoryLog`]
//! (tests), and [`FaultyLog`], which makes another one fail on request. Does not own what a record means (that is
//! `schemas`) or how far somebody has read (the projector keeps its cursor with its data).
//!
//! Invariants, held by one contract suite ([`contract`]) over every implementation:
//! - an offset is the position of one record in its partition: dense from zero, never given twice, never changed;
//! - a reader sees records in offset order and never a hole, also while others append;
//! - an append is all or nothing; after an error the caller cannot know which, and sends again;
//! - what was appended twice appears twice: telling duplicates apart is the reader's work, by event id;
//! - what was trimmed away, or was never there, is an error and never an empty answer.
//!
//! Where to read next: `log.rs` for the trait, `postgres/mod.rs` for the default, `block.rs` for the format on disk.

mod block;
pub mod contract;
mod error;
mod faulty;
mod log;
mod memory;
mod postgres;
mod record;

pub use error::LogError;
pub use faulty::{Fault, FaultyLog};
pub use log::EventLog;
pub use memory::MemoryLog;
pub use postgres::{PostgresLog, PostgresLogLimits};
pub use record::{LogRecord, ReadLimit, Record};
