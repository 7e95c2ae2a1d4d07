//! A fake AI provider that speaks the real wire formats and keeps its own bill.
//!
//! Owns: OpenAI's and Anthropic's bodies, streams, headers and errors as their SDKs see them; faults
//! (errors, resets, stalls, truncated streams, missing usage) on request; a price table and a bill in
//! whole pico-dollars. Does not own: anything of Tallystick. It is the oracle of the end-to-end tests,
//! so it shares no code with our pricing or normalisation and depends on none of our crates.
//!
//! Invariants: every call that reaches a handler books exactly one [`BillLine`], on every path out
//! (answered, refused, reset, stalled, client gone); what a call uses depends on the request's own text
//! and the seed alone, never on time or arrival order; when [`Provider::settled`] returns, the bill is
//! complete.
//!
//! How to ask for a behaviour: `[[n=abc p=1200 cached=1000 c=300 r=50 fault=429]]` anywhere in the
//! prompt ([`Marks`] lists the words), the same words in the header `x-fake-provider`, or a [`Script`]
//! for everybody. Read next: `marks.rs`, `call.rs` (one call from admission to bill), `deliver.rs`.

mod anthropic;
mod anthropic_stream;
mod bill;
mod call;
mod chat;
mod chat_stream;
mod control;
mod deliver;
mod embeddings;
mod errors;
mod fault;
mod headers;
mod marks;
mod models;
mod pico;
mod random;
mod script;
mod server;
mod state;
mod tariff;
mod tokens;

#[cfg(test)]
mod tests;

pub use bill::{Bill, BillLine, Buckets, CallEnd};
pub use fault::{Fault, UnknownFault};
pub use marks::Marks;
pub use pico::{BadAmount, Pico};
pub use script::{DisconnectBilling, Rule, Script};
pub use server::{Provider, ProviderError};
pub use state::{Counters, DEFAULT_KEY, Settings};
pub use tariff::{Rates, Tariff};
pub use tokens::Tokens;
