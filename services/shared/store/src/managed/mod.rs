//! The PostgreSQL that Tallystick starts by itself when nobody gave it a `DATABASE_URL`.
//!
//! Owns one database cluster inside a data folder: finds the programs, creates the cluster, starts the server as a
//! child, stops it. Does not own the schema (see `migrate`) or the pool (see `connect`).
//!
//! Phases of a start, all on one thread that lives as long as the server (the kernel ties the server's life to the
//! thread that spawned it):
//! 1. take the folder's lock, so that a second start is refused ([`folder`]);
//! 2. choose the operating system user: the owner of an existing cluster, else the caller; as root `postgres`, else
//!    `nobody` ([`account`]);
//! 3. find the programs, of the cluster's own major version ([`binaries`]);
//! 4. end a server that an earlier, killed run left behind ([`orphan`]);
//! 5. `initdb` into a side folder and rename it, so that half a cluster is never taken for one ([`cluster`]);
//! 6. start the server on a Unix socket only, and wait until it answers ([`server`]).
//!
//! Invariants: no TCP port is opened; only the user who started Tallystick and the server's own user may connect
//! (folder mode 0700 and peer authentication); the services' role is no superuser; when Tallystick is killed, the
//! server shuts down by itself, and the next start finds every committed row.

mod account;
mod binaries;
mod cluster;
mod error;
mod folder;
mod orphan;
mod process;
mod server;

pub use binaries::OLDEST_MAJOR;
pub use error::ManagedError;
pub(crate) use orphan::alive;
pub use server::{ManagedConfig, ManagedPostgres};

#[cfg(test)]
mod tests;
