//! `tallystick audit`.

use clap::Subcommand;

use crate::cli::ListArgs;
use crate::client::Query;
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, print_list};

const COLUMNS: &[Column] = &[
    Column("SEQ", "/seq", Kind::Count),
    Column("AT", "/at", Kind::Time),
    Column("WHO", "/actor", Kind::Text),
    Column("ACTION", "/action", Kind::Text),
    Column("KIND", "/kind", Kind::Text),
    Column("OBJECT", "/after/name|/before/name|/object", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List changes, newest first.
    List {
        /// Only changes of the object with this id.
        #[arg(long)]
        object: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let Command::List { object, list } = command;
    print_list(context, "/audit", Query::new().with("object", object), COLUMNS, &list).await
}
