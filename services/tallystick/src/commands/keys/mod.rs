//! `tallystick keys`.
//!
//! A new key's secret is printed here, once: as text with a snippet for the tool ([`snippet`]), as environment
//! variables, or as the body of the API.

mod add;
pub(crate) mod snippet;

use clap::Subcommand;
use serde_json::{Value, json};

use super::values::{Fields, tell_unenforced};
use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, confirm, print_list, print_object, short_time};
use add::{AddArgs, Format, Policy, show_secret};

const COLUMNS: &[Column] = &[
    Column("NAME", "/name", Kind::Text),
    Column("PREFIX", "/prefix", Kind::Text),
    Column("KIND", "/kind", Kind::Text),
    Column("STATE", "/state", Kind::Told(state)),
    Column("TOOL", "/tool", Kind::Text),
    Column("ENVIRONMENT", "/environment", Kind::Text),
    Column("ENDS", "/expires_at", Kind::Time),
    Column("SINCE", "/created_at", Kind::Time),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List keys.
    List {
        /// Also revoked ones.
        #[arg(long)]
        archived: bool,
        /// Only keys that were made so long ago, such as 90d.
        #[arg(long, value_name = "AGE")]
        older_than: Option<String>,
        /// Only keys without a budget.
        #[arg(long)]
        no_limit: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show a key, without its secret.
    Show { key: String },
    /// Make a key; the secret is shown once.
    #[command(alias = "create")]
    Add(Box<AddArgs>),
    /// Change what a key may do.
    Update {
        key: String,
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        policy: Box<Policy>,
    },
    /// Stop a key for now.
    Suspend {
        key: String,
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a suspended key work again.
    Restore { key: String },
    /// Stop a key for good.
    Revoke { key: String },
    /// Replace a key's secret; the old one works on for the grace time.
    Rotate {
        key: String,
        /// How long the old secret still works, such as 24h.
        #[arg(long)]
        grace: Option<String>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List { archived, older_than, no_limit, list } => {
            let query = Query::new()
                .flag("archived", archived)
                .with("older_than", older_than)
                .flag("no_limit", no_limit);
            print_list(context, "/keys", query, COLUMNS, &list).await
        }
        Command::Show { key } => print_object(context, &context.api()?.get(&path(&key)).await?),
        Command::Add(args) => add::run(context, *args).await,
        Command::Update { key, name, policy } => {
            let budgets = policy.budget.clone();
            let change = policy.fields(Fields::new().with("name", name)).into_change()?;
            let changed = context.api()?.patch(&path(&key), change).await?;
            tell_unenforced(&budgets);
            print_object(context, &changed)
        }
        Command::Suspend { key, reason } => {
            act(context, &key, "suspend", Fields::new().with("reason", reason)).await
        }
        Command::Restore { key } => act(context, &key, "restore", Fields::new()).await,
        Command::Revoke { key } => {
            confirm(context, &format!("revoking the key {key} can not be undone"))?;
            act(context, &key, "revoke", Fields::new()).await
        }
        Command::Rotate { key, grace, format } => {
            confirm(context, &format!("rotating the key {key} replaces its secret"))?;
            let body = Fields::new().with("grace", grace).into_value();
            let made = context.api()?.post(&format!("{}/rotate", path(&key)), body).await?;
            show_secret(context, &made, None, format)
        }
    }
}

/// The state; of a replaced key whose grace time runs, until when it still works.
fn state(key: &Value) -> String {
    match (key["state"].as_str(), key["grace_until"].as_str()) {
        (Some("active"), Some(until)) => format!("rotated, until {}", short_time(until)),
        (state, _) => state.unwrap_or("-").to_owned(),
    }
}

fn path(key: &str) -> String {
    format!("/keys/{}", segment(key))
}

async fn act(context: &Context, key: &str, action: &str, body: Fields) -> Outcome {
    let body = if body.is_empty() { json!({}) } else { body.into_value() };
    let changed = context.api()?.post(&format!("{}/{action}", path(key)), body).await?;
    print_object(context, &changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_key_in_its_grace_time_says_until_when_it_works() {
        let until = "2026-11-24T10:00:00Z";
        let rotated = state(&json!({"state": "active", "grace_until": until}));
        assert_eq!(rotated, format!("rotated, until {}", short_time(until)));
        assert_eq!(state(&json!({"state": "active", "grace_until": null})), "active");
        assert_eq!(state(&json!({"state": "revoked", "grace_until": until})), "revoked");
    }
}
