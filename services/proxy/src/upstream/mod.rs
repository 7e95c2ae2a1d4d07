//! The way to a provider: where it is, what it is told about the caller (nothing), and how it is reached.
//!
//! Owns the addresses and credentials of each provider ([`Target`]), both header allowlists ([`headers`]) and the HTTP
//! client ([`client`]). Does not own what a call costs or how it ends.
//!
//! Invariants: an address comes from the team's configuration only, never from a request; no redirect is followed, no
//! proxy variable read; a credential of the client never goes up, a credential of the provider never comes back; an
//! address that is not public is reached only where the operator allowed it, whatever its name resolves to.

mod address;
pub(crate) mod client;
pub(crate) mod headers;
mod target;

pub(crate) use client::{Upstream, UpstreamError};
pub(crate) use target::{Auth, Target};
