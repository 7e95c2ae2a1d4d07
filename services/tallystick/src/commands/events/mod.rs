//! `tallystick events`.

pub(crate) mod import;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, print_list, print_object};

const COLUMNS: &[Column] = &[
    Column("OCCURRED", "/occurred_at", Kind::Time),
    Column("KEY", "/names/key|/key", Kind::Text),
    Column("TOOL", "/tool", Kind::Text),
    Column("MODEL", "/model_served|/model_requested", Kind::Text),
    Column("OUTCOME", "/outcome", Kind::Text),
    Column("STATUS", "/status", Kind::Text),
    Column("COST", "/current/cost|/cost", Kind::Cost("currency")),
    Column("ID", "/event_id", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List events, newest first.
    List(Box<Filter>),
    /// Show an event with its buckets, priced lines and price version.
    Show { event: String },
    /// Import usage from elsewhere: one JSON object a line. Good lines land, bad ones are named.
    Import {
        /// JSONL file; `-` reads stdin.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Filter {
    #[arg(long)]
    key: Option<String>,
    #[arg(long)]
    client: Option<String>,
    #[arg(long)]
    project: Option<String>,
    #[arg(long)]
    member: Option<String>,
    #[arg(long)]
    model: Option<String>,
    #[arg(long)]
    tool: Option<String>,
    #[arg(long)]
    task: Option<String>,
    #[arg(long, value_parser = ["final", "estimated", "voided", "unrated"])]
    status: Option<String>,
    #[arg(long)]
    outcome: Option<String>,
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    #[command(flatten)]
    list: ListArgs,
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(filter) => {
            let query = Query::new()
                .with("key", filter.key)
                .with("client", filter.client)
                .with("project", filter.project)
                .with("member", filter.member)
                .with("model", filter.model)
                .with("tool", filter.tool)
                .with("task", filter.task)
                .with("status", filter.status)
                .with("outcome", filter.outcome)
                .with("from", filter.from)
                .with("to", filter.to);
            print_list(context, "/events", query, COLUMNS, &filter.list).await
        }
        Command::Show { event } => {
            print_object(context, &context.api()?.get(&format!("/events/{}", segment(&event))).await?)
        }
        Command::Import { file } => import::run(context, &file).await,
    }
}
