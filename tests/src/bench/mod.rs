//! The benchmarks behind `make bench`: what a core folds, what the projector lands, what the proxy costs.
//!
//! Owns the made-up month of events ([`events`]), the three sections ([`fold`], [`projector`], [`proxy`]), the load
//! ([`pressure`]) and the table ([`table`]). Does not own the fake provider with its bill: the upstream here
//! ([`upstream`]) does nothing but answer, so that what is measured is the gateway and not the provider.
//!
//! Invariants: every figure stands beside its yardstick from the same run (a plain `COPY`, a bare pass-through); rounds
//! alternate between a figure and its yardstick, so that a noisy neighbour hits both; the median of the rounds is
//! printed with the lowest and the highest; a target that is missed is printed as missed. Upstream, pass-through and
//! gateway are processes of their own.
//!
//! Where to read next: `docs/BENCHMARKS.md` for what each line means, [`run`] for the order.

mod alone;
mod child;
mod conditions;
mod events;
mod fold;
mod passthrough;
mod pressure;
mod projector;
mod proxy;
mod rounds;
mod run;
mod table;
mod upstream;

pub use passthrough::serve_passthrough;
pub use run::{Options, run};
pub use upstream::serve_upstream;
