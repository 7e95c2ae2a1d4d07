//! `tallystick team`.

use clap::Subcommand;
use serde_json::Value;

use super::values::{Fields, budget, tell_unenforced};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::print_object;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the team.
    Show,
    /// Change the team.
    Set {
        /// How the team is called.
        #[arg(long)]
        name: Option<String>,
        /// Zone that billing days are cut in, such as Europe/Berlin.
        #[arg(long)]
        zone: Option<String>,
        /// The ledger's currency, such as USD.
        #[arg(long)]
        currency: Option<String>,
        /// Budget of keys that are made without one, such as daily=5 (repeatable); recorded, not enforced in this version.
        #[arg(long, value_parser = budget, value_name = "PERIOD=LIMIT")]
        default_key_budget: Vec<Value>,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let api = context.api()?;
    let team = match command {
        Command::Show => api.get("/team").await?,
        Command::Set { name, zone, currency, default_key_budget } => {
            let change = Fields::new()
                .with("name", name)
                .with("zone", zone)
                .with("currency", currency)
                .list("default_key_budgets", &default_key_budget);
            let team = api.patch("/team", change.into_change()?).await?;
            tell_unenforced(&default_key_budget);
            team
        }
    };
    print_object(context, &team)
}
