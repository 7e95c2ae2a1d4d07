//! `tallystick members`.

use clap::Subcommand;

use super::values::Fields;
use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, confirm, print_list, print_object};
use serde_json::json;

const COLUMNS: &[Column] = &[
    Column("NAME", "/name", Kind::Text),
    Column("EMAIL", "/email", Kind::Text),
    Column("ROLE", "/role", Kind::Text),
    Column("STATE", "/state", Kind::Text),
    Column("SINCE", "/created_at", Kind::Time),
    Column("ID", "/id", Kind::Text),
];

const ROLES: [&str; 5] = ["owner", "admin", "finance", "developer", "oncall"];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List members.
    List {
        /// Also those who were removed.
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show a member.
    Show { member: String },
    /// Add a member.
    #[command(alias = "create")]
    Add {
        email: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long, value_parser = ROLES)]
        role: Option<String>,
    },
    /// Give a member another role.
    SetRole {
        member: String,
        #[arg(value_parser = ROLES)]
        role: String,
    },
    /// Remove a member; their own keys stop working.
    Remove { member: String },
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let path = |member: &str| format!("/members/{}", segment(member));
    match command {
        Command::List { archived, list } => {
            print_list(context, "/members", Query::new().flag("archived", archived), COLUMNS, &list).await
        }
        Command::Show { member } => print_object(context, &context.api()?.get(&path(&member)).await?),
        Command::Add { email, name, role } => {
            let body = Fields::new().with("email", Some(email)).with("name", name).with("role", role);
            print_object(context, &context.api()?.post("/members", body.into_value()).await?)
        }
        Command::SetRole { member, role } => {
            let changed = context.api()?.patch(&path(&member), json!({"role": role})).await?;
            print_object(context, &changed)
        }
        Command::Remove { member } => {
            confirm(context, &format!("removing {member} revokes their own keys at once"))?;
            let removed = context.api()?.post(&format!("{}/remove", path(&member)), json!({})).await?;
            print_object(context, &removed)
        }
    }
}
