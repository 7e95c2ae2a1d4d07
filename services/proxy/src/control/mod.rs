//! What the proxy knows of the control plane, in memory, and how it stays current.
//!
//! Owns the rows that a request needs ([`Snapshot`], [`Change`]), their index ([`directory`]) and the loop that follows
//! the feed ([`feed`]). Does not own the tables: [`ControlSource`] is the seam, [`StoreControl`] reads Postgres through
//! `store`, [`MemoryControl`] is for tests.
//!
//! Invariants: a request sees one consistent directory from its first look to its last; a change is in force as soon as
//! it is applied; a gap in the feed means a new snapshot; a directory that was not confirmed for `feed.stale_ms` admits
//! nothing.

mod directory;
mod feed;
mod memory;
mod model;
mod source;

pub(crate) use directory::{Caller, Directory, TeamView};
pub(crate) use feed::{Feed, follow, load_first};
pub use memory::MemoryControl;
pub use model::{
    Change, Client, Key, KeyKind, KeyState, Project, Provider, ProviderKind, ProviderSecret, Snapshot, Team,
};
pub use source::{Changes, ControlError, ControlSource};
