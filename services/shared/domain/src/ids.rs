//! Typed identifiers. A bare `Uuid` never crosses a function boundary: a key can not be passed where a team is meant.
//!
//! All are UUIDv7 (time-ordered), made by the runtime's id source from the injected clock. Two kinds are derived
//! instead of drawn, so that doing the same thing twice gives the same id: foreign events and adjustments
//! ([`EventId::derived`]) and built-in prices ([`PriceVersionId::derived`]).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

macro_rules! typed_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that the id source or the store vouches for.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID, for the store and for hashing.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// A deterministic id: the byte `f0`, then UUIDv8 layout over SHA-256 of the parts, each part prefixed by
            /// its length so that no two lists of parts share an input.
            #[must_use]
            pub fn derived(domain: &str, parts: &[&[u8]]) -> Self {
                Self(derived_uuid(domain, parts))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

typed_id! {
    /// A team: the tenant. Every object's key begins with its team.
    TeamId,
    /// A person of a team.
    MemberId,
    /// A project of a team; may belong to a client.
    ProjectId,
    /// Somebody a team works for and sends invoices to.
    ClientId,
    /// A virtual key.
    KeyId,
    /// A budget of one scope and period.
    BudgetId,
    /// A configured provider account.
    ProviderId,
    /// One immutable version of one model's price.
    PriceVersionId,
    /// A usage event or an adjustment; the only thing that decides what is a duplicate.
    EventId,
    /// The identity of a spool (or of an inbox), not of a host or a process.
    ProducerId,
    /// An invoice or credit note, from draft on; the number comes later.
    InvoiceId,
    /// An API token of the control plane.
    TokenId,
}

fn derived_uuid(domain: &str, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    // A first byte that no UUIDv7 has before the year 10000: the store keeps derived ids apart by range.
    bytes[0] = 0xf0;
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_depends_on_every_part_and_on_where_parts_end() {
        let id = |parts: &[&[u8]]| EventId::derived("test", parts);
        assert_eq!(id(&[b"ab", b"c"]), id(&[b"ab", b"c"]));
        assert_ne!(id(&[b"ab", b"c"]), id(&[b"a", b"bc"]));
        assert_ne!(id(&[b"ab"]), EventId::derived("other", &[b"ab"]));
    }

    #[test]
    fn derived_ids_never_change() {
        assert_eq!(EventId::derived("import", &[b"x"]).to_string(), "f05d92ea-80ca-87e3-b404-22355e06e266");
    }
}
