//! `tallystick prices`.
//!
//! Importing a price file and what is told of it: [`import`].

mod import;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::usage::pairs;
use super::values::Fields;
use crate::cli::{FileArgs, ListArgs};
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::{CliError, Doing as _, Outcome};
use crate::output::{self, Column, Kind, confirm, print_list, print_object, print_rows};
use import::ImportArgs;

const COLUMNS: &[Column] = &[
    Column("PROVIDER", "/version/provider", Kind::Text),
    Column("MODEL", "/version/model", Kind::Text),
    Column("CURRENCY", "/version/currency", Kind::Text),
    Column("INPUT", "/version/rates/input_uncached", Kind::Count),
    Column("CACHED", "/version/rates/cache_read", Kind::Count),
    Column("OUTPUT", "/version/rates/output_text", Kind::Count),
    Column("FROM", "/version/effective_from", Kind::Time),
    Column("SCOPE", "/scope", Kind::Text),
    Column("SOURCE", "/version/source", Kind::Text),
];

const IN_FORCE: &[Column] = &[
    Column("PROVIDER", "/provider", Kind::Text),
    Column("MODEL", "/version/model", Kind::Text),
    Column("MATCHED BY", "/matched_by", Kind::Text),
    Column("CURRENCY", "/version/currency", Kind::Text),
    Column("INPUT", "/version/rates/input_uncached", Kind::Count),
    Column("CACHED", "/version/rates/cache_read", Kind::Count),
    Column("OUTPUT", "/version/rates/output_text", Kind::Count),
    Column("FROM", "/version/effective_from", Kind::Time),
    Column("SOURCE", "/version/source", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the versions of the price book; token prices are per million.
    List {
        /// Only this provider.
        #[arg(long)]
        provider: Option<String>,
        /// Only this model.
        #[arg(long)]
        model: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show what a model costs.
    Show {
        model: String,
        #[arg(long)]
        provider: Option<String>,
        /// On this day, or at this instant, instead of now.
        #[arg(long)]
        at: Option<String>,
        #[command(flatten)]
        to: FileArgs,
    },
    /// Set the price of a model from a JSON file with one version, or a list of them.
    Set { model: String, file: PathBuf },
    /// Import a public price table.
    Import(ImportArgs),
    /// Rate usage anew by the prices that are known now; shows the difference unless --apply is given.
    Rerate(RerateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RerateArgs {
    /// Only usage of this kind, such as model=gpt-4o (repeatable).
    #[arg(long = "where", value_name = "DIMENSION=NAME")]
    filter: Vec<String>,
    /// First day, in the team's zone.
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The day after the last.
    #[arg(long, value_name = "DATE")]
    to: String,
    /// Do it.
    #[arg(long)]
    apply: bool,
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List { provider, model, list } => {
            let query = Query::new().with("provider", provider).with("model", model);
            print_list(context, "/prices", query, COLUMNS, &list).await
        }
        Command::Show { model, provider, at, to } => {
            let query = Query::new().with("provider", provider).with("at", at);
            let found = context.api()?.get(&query.on(&format!("/prices/{}", segment(&model)))).await?;
            print_rows(context, &found, "data", IN_FORCE, &to)
        }
        Command::Set { model, file } => {
            let versions = versions(&model, &file)?;
            print_object(context, &context.api()?.post("/prices", json!({"versions": versions})).await?)
        }
        Command::Import(args) => import::run(context, args).await,
        Command::Rerate(args) => rerate(context, args).await,
    }
}

async fn rerate(context: &Context, args: RerateArgs) -> Outcome {
    let filter = pairs(&args.filter)?
        .into_iter()
        .fold(Fields::new(), |fields, (name, value)| fields.with(name, Some(value)));
    if args.apply {
        confirm(context, "this posts a correction for every event whose price differs")?;
    }
    let body = Fields::new()
        .with("where", Some(filter.into_value()))
        .with("from", Some(args.from))
        .with("to", Some(args.to))
        .with("apply", Some(args.apply));
    print_object(context, &context.api()?.post("/prices/rerate", body.into_value()).await?)?;
    if !args.apply && !context.json {
        output::note("nothing was changed: add --apply to do it");
    }
    Ok(())
}

/// The versions in a file; all are of this model.
fn versions(model: &str, file: &Path) -> Outcome<Vec<Value>> {
    let parsed =
        serde_json::from_str(&read(file)?).doing(|| format!("reading {} as JSON", file.display()))?;
    let mut versions = match parsed {
        Value::Array(versions) => versions,
        one => vec![one],
    };
    for version in &mut versions {
        match version.get("model").and_then(Value::as_str) {
            Some(named) if named != model => {
                return Err(CliError::usage(format!(
                    "{} holds a price of {named}, not of {model}",
                    file.display()
                )));
            }
            Some(_) => {}
            None => version["model"] = model.into(),
        }
    }
    Ok(versions)
}

fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).doing(|| format!("reading {}", path.display()))
}
