//! Tests of the whole request path: a real spool, a log and a control plane in memory, and a provider that does on the
//! wire exactly what a test says.

mod answers;
mod attribution;
mod failures;
mod feed;
mod leaving;
mod messages;
mod provider;
mod recovery;
mod refusals;
mod secrecy;
mod streams;
mod world;
