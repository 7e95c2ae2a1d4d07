//! A gateway as a user has it: the real binary, its own PostgreSQL, a fake provider behind it.
//!
//! Owns starting, configuring, killing and asking a `tallystick up`. It looks at Tallystick only from outside: the command
//! line with `--json`, the HTTP API, signals. Does not own the scenarios (`tests/tests/`) nor the provider.
//!
//! Invariants: a gateway that is dropped is killed, and its PostgreSQL with it; nothing outside its temporary folder is
//! touched; no port but loopback is opened.

mod events;
mod gateway;

pub use events::{EventFigure, Reconciliation, reconcile};
pub use gateway::{Gateway, GatewayOptions, binary, is_full_soak};
