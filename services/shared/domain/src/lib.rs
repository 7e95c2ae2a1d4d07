//! The pure core of Tallystick: what usage is, what it costs, who pays, and how events become a ledger.
//!
//! Owns the types and rules that every other crate shares. Does not own input or output of any kind: no clock, no
//! randomness, no logging, no async, no floats. Everything here is a function of its arguments, so every rule can be
//! tested by the thousand and replayed to the same cent.
//!
//! Where to read next: [`event`] (the facts), [`ledger`] (the fold), [`price`] (rating), [`usage`] (what providers
//! report), [`invoice`] (what a client is asked to pay).

pub mod attribution;
pub mod currency;
pub mod event;
pub mod ids;
pub mod invoice;
pub mod key;
pub mod lane;
pub mod ledger;
pub mod period;
pub mod price;
pub mod report;
pub mod sse;
#[doc(hidden)]
pub mod testing;
pub mod usage;

pub use currency::Currency;
pub use ids::{
    BudgetId, ClientId, EventId, InvoiceId, KeyId, MemberId, PriceVersionId, ProducerId, ProjectId,
    ProviderId, TeamId, TokenId,
};
pub use lane::Lane;
