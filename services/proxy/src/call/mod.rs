//! A call to a provider, from the caller's body to the one event that it leaves.
//!
//! Owns steps 3 to 7 of a request: attribution, hold, intent, upstream, settlement. Does not own who may call
//! ([`crate::auth`]), where providers are ([`crate::upstream`]) or how events reach the log ([`crate::ship`]).
//!
//! Invariants: from its intent on, an attempt ends in exactly one event ([`attempt`]); no byte of an answer leaves before
//! the intent is on disk ([`exchange`]); bytes pass as they came, but for the usage chunk that nobody asked for
//! ([`meter`]); what a client leaves behind is read to its end within limits ([`drains`]).

mod admit;
mod attempt;
mod draft;
mod drains;
mod ending;
mod exchange;
mod meter;
mod rating;
mod relay;
mod route;

pub(crate) use admit::{Incoming, forward};
pub(crate) use attempt::{from_us, to_us};
pub(crate) use drains::Drains;
