//! `tallystick demo`: the whole path at work on this machine, no account needed.
//!
//! A fake provider and the whole of `up` run in this process, on free ports, with a data directory below the demo's
//! folder. An agency is set up through the HTTP API ([`agency`]); last month's usage comes in through the public import
//! ([`history`]); today's calls go through the real proxy ([`live`], [`trace`]); then invoices and reports are written
//! ([`documents`]), the live part is compared with the provider's own bill, the ledger is verified, and the
//! [`summary`] is printed.
//!
//! Invariants: everything a person can do through API and proxy is done that way here; the month and the calls depend on
//! the seed and today's date alone; nothing outside the demo's folder is touched.

mod agency;
mod documents;
mod history;
mod live;
mod place;
mod profile;
mod progress;
mod random;
mod run;
mod settle;
mod stay;
mod summary;
mod trace;

use std::path::PathBuf;

use clap::Args;

pub(crate) use run::run;

/// What the demo is to do.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where data and documents go; an earlier demo in it is replaced.
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    out: PathBuf,
    /// Keep running, and print how to call it.
    #[arg(long)]
    stay: bool,
    /// Draws the same month and the same calls again.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Replay a CSV trace (TIMESTAMP,ContextTokens,GeneratedTokens) as the requests of one key.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}
