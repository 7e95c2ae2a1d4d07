//! The binary: the server's commands, the client's commands, the demo.
//!
//! Owns the command line, how the services are wired together in one process ([`server`]), the client of the HTTP API
//! ([`client`]) and what people read ([`output`]). Does not own any rule of money, usage or access: those are in the
//! services and in `tallystick-domain`.
//!
//! Invariants: stdout carries data only; hints, progress and questions go to stderr; every failure ends in one message
//! and one of the exit codes in [`error`].
//!
//! Where to read next: [`cli`] for the table of commands, `server/instance.rs` for what `up` starts.

mod cli;
mod client;
mod commands;
mod context;
mod demo;
mod error;
mod output;
mod server;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => return cli::refused(&refusal),
    };
    let json = cli.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failed(&error::CliError::because("starting the runtime", &error), json),
    };
    match runtime.block_on(Box::pin(commands::run(cli))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failed(&error, json),
    }
}
