//! `tallystick deadletters`.

use clap::Subcommand;

use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, print_list, print_object};

const COLUMNS: &[Column] = &[
    Column("ID", "/id", Kind::Text),
    Column("RECORDED", "/recorded_at", Kind::Time),
    Column("PARTITION", "/partition", Kind::Count),
    Column("OFFSET", "/log_offset", Kind::Count),
    Column("REASON", "/reason", Kind::Text),
    Column("DETAIL", "/detail", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List records that wait to be looked at.
    List {
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show one with what it held.
    Show { id: String },
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let path = |id: &str| format!("/deadletters/{}", segment(id));
    match command {
        Command::List { list } => print_list(context, "/deadletters", Query::new(), COLUMNS, &list).await,
        Command::Show { id } => print_object(context, &context.api()?.get(&path(&id)).await?),
    }
}
