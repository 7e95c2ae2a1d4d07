//! The contracts: how events are written, which versions can be read, and the prices that ship with the program.
//!
//! Owns the CloudEvents mapping ([`encode`], [`decode`]), the frame of an event in the spool ([`spooled`]), the JSON
//! Schemas and golden examples beside this crate, and the built-in price book. Does not own the events' current form
//! (`tallystick_domain::event`): older versions are lifted to it here, and nowhere else.
//!
//! Invariants: an unknown version of a known type is never skipped ([`DecodeError::must_stop`]); golden examples of every
//! version stay readable for ever; the committed JSON Schemas are what the types generate (tests/drift).

mod envelope;
mod json_schema;
mod kind;
pub mod pricebook;
pub mod spooled;

pub use envelope::{DecodeError, EncodeError, Envelope, decode, encode, header};
pub use json_schema::json_schema;
pub use kind::EventKind;
