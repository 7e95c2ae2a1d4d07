//! `tallystick tokens`.

use clap::Subcommand;
use serde_json::json;

use super::values::Fields;
use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{self, Column, Kind, confirm, print_list, print_object};

const COLUMNS: &[Column] = &[
    Column("NAME", "/name", Kind::Text),
    Column("ROLE", "/role", Kind::Text),
    Column("SINCE", "/created_at", Kind::Time),
    Column("ENDS", "/expires_at", Kind::Time),
    Column("ID", "/id", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List tokens.
    List {
        /// Also revoked ones.
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Make a token; it is shown once.
    #[command(alias = "create")]
    Add {
        #[arg(long, value_parser = ["owner", "admin", "finance", "developer", "oncall"])]
        role: String,
        /// What it is for.
        #[arg(long)]
        name: Option<String>,
        /// When it ends: 30d, or a date.
        #[arg(long)]
        expires: Option<String>,
    },
    /// Revoke a token.
    Revoke { token: String },
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List { archived, list } => {
            print_list(context, "/tokens", Query::new().flag("archived", archived), COLUMNS, &list).await
        }
        Command::Add { role, name, expires } => {
            let body = Fields::new().with("role", Some(role)).with("name", name).with("expires", expires);
            let made = context.api()?.post("/tokens", body.into_value()).await?;
            print_object(context, &made)?;
            if !context.json {
                output::note("keep the token now: it is not shown again");
            }
            Ok(())
        }
        Command::Revoke { token } => {
            confirm(context, &format!("revoking the token {token} stops whatever uses it"))?;
            let revoked =
                context.api()?.post(&format!("/tokens/{}/revoke", segment(&token)), json!({})).await?;
            print_object(context, &revoked)
        }
    }
}
