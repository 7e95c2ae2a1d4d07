//! `tallystick projects`.

use clap::Subcommand;
use serde_json::json;

use super::values::Fields;
use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, confirm, print_list, print_object};

const COLUMNS: &[Column] = &[
    Column("NAME", "/name", Kind::Text),
    Column("CLIENT ID", "/client", Kind::Text),
    Column("SINCE", "/created_at", Kind::Time),
    Column("ID", "/id", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List projects.
    List {
        /// Also archived ones.
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show a project.
    Show { project: String },
    /// Add a project.
    #[command(alias = "create")]
    Add {
        name: String,
        /// Who is billed for it.
        #[arg(long)]
        client: Option<String>,
    },
    /// Change a project.
    Update {
        project: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        client: Option<String>,
    },
    /// Archive a project; its usage stays.
    Archive { project: String },
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let path = |project: &str| format!("/projects/{}", segment(project));
    match command {
        Command::List { archived, list } => {
            print_list(context, "/projects", Query::new().flag("archived", archived), COLUMNS, &list).await
        }
        Command::Show { project } => print_object(context, &context.api()?.get(&path(&project)).await?),
        Command::Add { name, client } => {
            let body = Fields::new().with("name", Some(name)).with("client", client);
            print_object(context, &context.api()?.post("/projects", body.into_value()).await?)
        }
        Command::Update { project, name, client } => {
            let change = Fields::new().with("name", name).with("client", client).into_change()?;
            print_object(context, &context.api()?.patch(&path(&project), change).await?)
        }
        Command::Archive { project } => {
            confirm(context, &format!("archiving the project {project} hides it; its usage stays"))?;
            let archived = context.api()?.post(&format!("{}/archive", path(&project)), json!({})).await?;
            print_object(context, &archived)
        }
    }
}
