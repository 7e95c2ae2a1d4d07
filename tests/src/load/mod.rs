//! A load client: a seeded mix of calls as real SDKs make them, and what each of them got.
//!
//! Owns: the plan (which call comes when, from a seed), one call over a keep-alive pool with stream
//! reading, hang-ups and time-outs, the run at a given concurrency, a latency histogram. Does not own:
//! any judgement; a test compares [`CallResult`]s with the provider's bill by nonce.
//!
//! Invariants: the same seed and index give the same call, byte for byte; every planned call has exactly
//! one result. Read next: `plan.rs`, then `call.rs`.

mod call;
mod histogram;
mod plan;
mod run;
mod sse;

#[cfg(test)]
mod tests;

pub use call::{CallResult, End, Target};
pub use histogram::Histogram;
pub use plan::{CallSpec, Kind, Mix, Plan};
pub use run::{Report, run};
pub use sse::SseReader;
