//! `tallystick contracts`: what was agreed with a client from a day on.

use clap::{Args, Subcommand};

use super::values::{Fields, amount};
use crate::cli::FileArgs;
use crate::client::segment;
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, print_object, print_rows};

const COLUMNS: &[Column] = &[
    Column("FROM", "/from", Kind::Text),
    Column("MARKUP %", "/markup", Kind::Count),
    Column("DISCOUNT %", "/discount", Kind::Count),
    Column("MINIMUM", "/minimum", Kind::Money("currency")),
    Column("TAX", "/tax_label", Kind::Text),
    Column("TAX %", "/tax_percent", Kind::Count),
    Column("TERMS", "/terms", Kind::Text),
    Column("PO", "/purchase_order", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what was agreed with a client, newest first.
    Show {
        client: String,
        #[command(flatten)]
        to: FileArgs,
    },
    /// Agree on something from a day on; earlier agreements stay as they are.
    Set(Box<SetArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    client: String,
    /// First billing day, such as 2026-11-01.
    #[arg(long)]
    from: String,
    /// On top of the provider's cost, such as 20%.
    #[arg(long)]
    markup: Option<String>,
    /// Off the charges, such as 5%.
    #[arg(long)]
    discount: Option<String>,
    /// Least that a month costs, in the client's currency.
    #[arg(long, value_parser = amount)]
    minimum: Option<String>,
    /// Tax on the subtotal, such as "VAT 19%".
    #[arg(long)]
    tax: Option<String>,
    /// Days to pay, such as 14d.
    #[arg(long)]
    terms: Option<String>,
    /// The client's purchase order.
    #[arg(long)]
    po: Option<String>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let api = context.api()?;
    match command {
        Command::Show { client, to } => {
            let contracts = api.get(&format!("/contracts/{}", segment(&client))).await?;
            print_rows(context, &contracts, "data", COLUMNS, &to)
        }
        Command::Set(args) => {
            let body = Fields::new()
                .with("client", Some(args.client))
                .with("from", Some(args.from))
                .with("markup", args.markup)
                .with("discount", args.discount)
                .with("minimum", args.minimum)
                .with("tax", args.tax)
                .with("terms", args.terms)
                .with("purchase_order", args.po);
            print_object(context, &api.post("/contracts", body.into_value()).await?)
        }
    }
}
