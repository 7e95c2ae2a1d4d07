//! `tallystick projects`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::values::Fields;
use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, confirm, print_object, print_rows};

const COLUMNS: &[Column] = &[
    Column("NAME", "/name", Kind::Text),
    Column("CLIENT", "/client_name|/client", Kind::Text),
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

/// Projects carry their client's id; people read its name.
async fn print_projects(context: &Context, archived: bool, list: &ListArgs) -> Outcome {
    let api = context.api()?;
    let query = Query::new().flag("archived", archived);
    let mut projects = api.list("/projects", &query, list.limit.unwrap_or(u32::MAX)).await?;
    if !context.json {
        let clients = api.list("/clients", &Query::new().flag("archived", true), u32::MAX).await?;
        let name_of = |id: &Value| {
            let found = clients["data"].as_array()?.iter().find(|client| client["id"] == *id)?;
            Some(found["name"].clone())
        };
        for project in projects["data"].as_array_mut().into_iter().flatten() {
            if let Some(name) = name_of(&project["client"]) {
                project["client_name"] = name;
            }
        }
    }
    print_rows(context, &projects, "data", COLUMNS, &list.to)
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let path = |project: &str| format!("/projects/{}", segment(project));
    match command {
        Command::List { archived, list } => print_projects(context, archived, &list).await,
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
