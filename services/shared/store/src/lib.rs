//! Everything Tallystick keeps in PostgreSQL.
//!
//! Owns the connection pool and its limits ([`Store`]), transactions ([`Store::run_tx`]), the schema gate
//! ([`Store::migrate`], [`Store::check_version`]), the PostgreSQL that `tallystick up` runs by itself ([`managed`]),
//! and one module per table family. Does not own rules: what a row means is decided in `tallystick-domain`, and a
//! service contains no SQL.
//!
//! Invariants: every statement that changes money runs inside `run_tx`; no network call happens inside one; absence
//! is `Ok(None)`, never an error; a [`StoreError`] tells a database that is away from one that refuses the data.
//!
//! Where to read next: `run_tx.rs` for what a transaction promises, `error.rs` for what a caller does with each error.

mod connect;
pub mod control;
mod error;
pub mod inbox;
pub mod invoice;
pub mod ledger;
pub mod managed;
mod migrate;
mod run_tx;
pub mod secrets;
#[doc(hidden)]
pub mod testing;
pub mod time;
pub mod usage;

pub use connect::{Store, StoreConfig, StoreLimits};
pub use error::StoreError;
pub use migrate::SchemaError;
pub use run_tx::{Tx, TxFuture};
