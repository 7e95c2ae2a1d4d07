//! The table of commands and the flags that all of them take.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tallystick_runtime::config::{Environment, Override, Sources};

use crate::commands::{
    api, audit, clients, completion, contracts, deadletters, events, invoices, issuer, keys, members, prices,
    projects, providers, report, spool, team, tokens, usage,
};
use crate::demo::DemoArgs;

/// Meters what a team spends on AI APIs and writes the invoices for it.
#[derive(Debug, Parser)]
#[command(name = "tallystick", version, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "Start with `tallystick up`, or see everything at work with `tallystick demo`.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print exactly one JSON document on stdout: the body of the API.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before something that can not be undone.
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

/// Settings on the command line. They win over the environment and the file.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingFlags {
    /// Folder for everything this instance keeps.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Address of the listener [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<String>,
    /// Address of its own for API and dashboard.
    #[arg(long, global = true, value_name = "ADDR")]
    admin_listen: Option<String>,
    /// Address for /metrics, /healthz and /readyz [default: 127.0.0.1:9464].
    #[arg(long, global = true, value_name = "ADDR")]
    metrics_listen: Option<String>,
    /// The event log: `postgres`, or `kafka://HOST:PORT`.
    #[arg(long, global = true, value_name = "LOG")]
    log: Option<String>,
    /// PEM file with the certificate of the listeners.
    #[arg(long, global = true, value_name = "FILE")]
    tls_cert: Option<String>,
    /// PEM file with its private key.
    #[arg(long, global = true, value_name = "FILE")]
    tls_key: Option<String>,
    /// Settings as TOML.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl SettingFlags {
    /// The sources of the settings, these flags on top.
    pub(crate) fn sources(&self, environment: Environment) -> Sources {
        let flags = [
            ("data_dir", "--data-dir", &self.data_dir),
            ("listen", "--listen", &self.listen),
            ("admin_listen", "--admin-listen", &self.admin_listen),
            ("metrics_listen", "--metrics-listen", &self.metrics_listen),
            ("log", "--log", &self.log),
            ("tls.cert", "--tls-cert", &self.tls_cert),
            ("tls.key", "--tls-key", &self.tls_key),
        ];
        let overrides = flags
            .into_iter()
            .filter_map(|(path, flag, value)| {
                value.clone().map(|value| Override { path: path.to_owned(), value, flag })
            })
            .collect();
        Sources { file: self.config.clone(), environment, overrides }
    }
}

/// Rows of a list: how many, in which form, where to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ListArgs {
    /// Most rows [default: 100; all with --csv].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    #[command(flatten)]
    pub(crate) to: FileArgs,
}

/// In which form, and where to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FileArgs {
    /// Print comma-separated values with a header.
    #[arg(long)]
    pub(crate) csv: bool,
    /// Write to a file instead of stdout.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process; starts its own PostgreSQL unless DATABASE_URL is set.
    Up,
    /// Run a proxy only; needs DATABASE_URL.
    Proxy,
    /// Run a projector only; needs DATABASE_URL.
    Projector,
    /// Run API, invoices and reports only; needs DATABASE_URL.
    Reporting,
    /// Show the whole path at work: an agency, a month of usage, invoices on disk.
    Demo(DemoArgs),
    /// Month to date, and whether the instance is well.
    Status,
    /// The team: name, zone, currency.
    #[command(subcommand)]
    Team(team::Command),
    /// Accounts at AI providers.
    #[command(subcommand)]
    Providers(providers::Command),
    /// People.
    #[command(subcommand)]
    Members(members::Command),
    /// Who is billed.
    #[command(subcommand)]
    Clients(clients::Command),
    /// What is worked on.
    #[command(subcommand)]
    Projects(projects::Command),
    /// Who writes the invoices.
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// What was agreed with a client.
    #[command(subcommand)]
    Contracts(contracts::Command),
    /// Virtual keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// What models cost.
    #[command(subcommand)]
    Prices(prices::Command),
    /// Spend, requests and tokens by any dimension.
    Usage(usage::UsageArgs),
    /// Single usage events.
    #[command(subcommand)]
    Events(events::Command),
    /// Invoices, from draft to paid.
    #[command(subcommand)]
    Invoices(invoices::Command),
    /// The monthly report and the weekly review.
    #[command(subcommand)]
    Report(report::Command),
    /// Tokens of the API.
    #[command(subcommand)]
    Tokens(tokens::Command),
    /// Who changed what.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Records that could not be folded.
    #[command(subcommand)]
    Deadletters(deadletters::Command),
    /// Prove the ledger: nothing lost, nothing twice, every sum right.
    Verify,
    /// The proxy's local spool.
    #[command(subcommand)]
    Spool(spool::Command),
    /// Check this machine and this instance.
    Doctor,
    /// Print the completion script of a shell.
    Completion(completion::CompletionArgs),
    /// Call any path of the API.
    Api(api::ApiArgs),
}

/// A command line that was not understood, or a request for help.
pub(crate) fn refused(refusal: &clap::Error) -> ExitCode {
    // Nobody is left to tell when even this can not be printed.
    let _unprintable = refusal.print();
    if refusal.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
