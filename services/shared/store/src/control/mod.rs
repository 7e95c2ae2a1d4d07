//! The control plane's tables: teams, members, clients, projects, keys, providers, prices, tokens, and the append-only
//! story of every change to them.
//!
//! Owns the rows ([`ClientRow`] and its like), the one way to change them ([`Store::control_add`],
//! [`Store::control_edit`]), the feed of changes that proxies follow ([`Store::control_changes_after`],
//! [`ControlListener`]) and the snapshot that they start from ([`Store::control_snapshot`]). Does not own rules of who
//! may do what, nor secrets: rows carry keyed hashes and ciphertext, and neither is ever serialised.
//!
//! Invariants: a change and its `control_event` commit together; `seq` is dense and in the order of commits, because
//! every change takes the counter row first and holds it to the commit (so changes never deadlock, and what a change
//! has read stays true until it commits); a reference between objects carries the team, so that none can cross it.
//!
//! `SELECT *` is safe here: the macros check the columns against the row at build time, the schema gate at start.
//!
//! Where to read next: `object.rs` (how a change is made), `feed.rs` (how it is followed).

mod bootstrap;
mod client;
mod contract;
mod feed;
mod idempotency;
mod issuer;
mod key;
mod listener;
mod member;
mod model;
mod object;
mod price;
mod producer;
mod project;
mod provider;
mod row;
mod snapshot;
mod team;
mod token;

#[cfg(test)]
mod tests;

pub use bootstrap::Bootstrap;
pub use client::ClientRow;
pub use contract::{ContractRow, contract_in_force};
pub use feed::{ControlChange, ControlEventRow};
pub use idempotency::Claim;
pub use issuer::IssuerRow;
pub use key::{KeyFilter, KeyRow, KeyState};
pub use listener::ControlListener;
pub use member::{MemberRemoval, MemberRow};
pub use model::{Actor, BudgetPeriod, BudgetSpec, KeyKind, ListFilter, ObjectKind, ProviderKind, Role};
pub use object::ControlObject;
pub use price::{PriceFilter, PriceVersionRow};
pub use producer::EpochMove;
pub use project::ProjectRow;
pub use provider::ProviderRow;
pub use snapshot::ControlSnapshot;
pub use team::TeamRow;
pub use token::TokenRow;
