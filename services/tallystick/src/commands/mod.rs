//! One file per noun. Each defines its command line and turns it into requests; what is printed goes through `output`.

pub(crate) mod api;
pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod completion;
pub(crate) mod contracts;
pub(crate) mod deadletters;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod invoices;
pub(crate) mod issuer;
pub(crate) mod keys;
pub(crate) mod members;
pub(crate) mod prices;
pub(crate) mod projects;
pub(crate) mod providers;
pub(crate) mod report;
pub(crate) mod spool;
pub(crate) mod status;
pub(crate) mod team;
pub(crate) mod tokens;
pub(crate) mod usage;
pub(crate) mod values;
pub(crate) mod verify;

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::error::Outcome;
use crate::{demo, server};

/// Runs one command line.
pub(crate) async fn run(cli: Cli) -> Outcome {
    if let Command::Completion(args) = &cli.command {
        return completion::run(args);
    }
    let context = Context::new(&cli)?;
    match cli.command {
        Command::Up => Box::pin(server::run(context, server::Role::Up)).await,
        Command::Proxy => Box::pin(server::run(context, server::Role::Proxy)).await,
        Command::Projector => Box::pin(server::run(context, server::Role::Projector)).await,
        Command::Reporting => Box::pin(server::run(context, server::Role::Reporting)).await,
        Command::Demo(args) => Box::pin(demo::run(context, args)).await,
        Command::Verify => Box::pin(verify::run(&context)).await,
        Command::Doctor => Box::pin(doctor::run(&context)).await,
        Command::Spool(command) => Box::pin(spool::run(&context, command)).await,
        client => Box::pin(run_client(&context, client)).await,
    }
}

async fn run_client(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Status => status::run(context).await,
        Command::Team(command) => team::run(context, command).await,
        Command::Providers(command) => providers::run(context, command).await,
        Command::Members(command) => members::run(context, command).await,
        Command::Clients(command) => clients::run(context, command).await,
        Command::Projects(command) => projects::run(context, command).await,
        Command::Issuer(command) => issuer::run(context, command).await,
        Command::Contracts(command) => contracts::run(context, command).await,
        Command::Keys(command) => keys::run(context, command).await,
        Command::Prices(command) => prices::run(context, command).await,
        Command::Usage(args) => usage::run(context, args).await,
        Command::Events(command) => events::run(context, command).await,
        Command::Invoices(command) => invoices::run(context, command).await,
        Command::Report(command) => report::run(context, command).await,
        Command::Tokens(command) => tokens::run(context, command).await,
        Command::Audit(command) => audit::run(context, command).await,
        Command::Deadletters(command) => deadletters::run(context, command).await,
        Command::Api(args) => api::run(context, args).await,
        Command::Up
        | Command::Proxy
        | Command::Projector
        | Command::Reporting
        | Command::Demo(_)
        | Command::Verify
        | Command::Doctor
        | Command::Spool(_)
        | Command::Completion(_) => unreachable!("these have been run already"),
    }
}
