//! `tallystick clients`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::values::Fields;
use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{Column, Kind, confirm, print_list, print_object};

const COLUMNS: &[Column] = &[
    Column("NAME", "/name", Kind::Text),
    Column("LEGAL NAME", "/legal_name", Kind::Text),
    Column("MARKUP %", "/markup", Kind::Count),
    Column("CURRENCY", "/currency", Kind::Text),
    Column("ZONE", "/zone", Kind::Text),
    Column("TERMS", "/terms", Kind::Text),
    Column("INTERNAL", "/internal", Kind::Text),
    Column("ID", "/id", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List clients.
    List {
        /// Also archived ones.
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show a client.
    Show { client: String },
    /// Add a client.
    #[command(alias = "create")]
    Add {
        name: String,
        #[command(flatten)]
        details: Box<Details>,
    },
    /// Change a client; what is absent stays.
    Update {
        client: String,
        /// How the client is called.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        details: Box<Details>,
    },
    /// Archive a client; its usage and invoices stay.
    Archive { client: String },
}

/// What an invoice has to know of a client.
#[derive(Debug, Args)]
pub(crate) struct Details {
    /// Currency of the invoices, such as EUR.
    #[arg(long)]
    currency: Option<String>,
    /// Zone that billing days are cut in, such as Europe/Berlin.
    #[arg(long)]
    zone: Option<String>,
    /// On top of the provider's cost, such as 20%.
    #[arg(long)]
    markup: Option<String>,
    /// Show cost and mark-up on the invoice.
    #[arg(long)]
    markup_shown: Option<bool>,
    /// The team itself: reported, never invoiced.
    #[arg(long)]
    internal: bool,
    /// Name under which the client is registered.
    #[arg(long)]
    legal_name: Option<String>,
    /// Address; lines apart by a comma, or repeated.
    #[arg(long, value_delimiter = ',')]
    address: Vec<String>,
    /// ISO 3166 country code, such as US.
    #[arg(long)]
    country: Option<String>,
    /// VAT or other tax number.
    #[arg(long)]
    vat_id: Option<String>,
    /// Where invoices are sent.
    #[arg(long)]
    email: Option<String>,
    /// Days to pay, such as 14d.
    #[arg(long)]
    terms: Option<String>,
    /// Tax on the subtotal, such as "VAT 19%".
    #[arg(long)]
    tax: Option<String>,
    /// The client's purchase order.
    #[arg(long)]
    po: Option<String>,
}

impl Details {
    fn fields(self, name: Option<String>) -> Fields {
        let address: Vec<&str> = self.address.iter().map(|line| line.trim()).collect();
        Fields::new()
            .with("name", name)
            .with("currency", self.currency)
            .with("zone", self.zone)
            .with("markup", self.markup)
            .with("markup_shown", self.markup_shown)
            .flag("internal", self.internal)
            .with("legal_name", self.legal_name)
            .list("address", &address)
            .with("country", self.country)
            .with("vat_id", self.vat_id)
            .with("email", self.email)
            .with("terms", self.terms)
            .with("tax", self.tax)
            .with("purchase_order", self.po)
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let path = |client: &str| format!("/clients/{}", segment(client));
    match command {
        Command::List { archived, list } => {
            print_list(context, "/clients", Query::new().flag("archived", archived), COLUMNS, &list).await
        }
        Command::Show { client } => print_object(context, &context.api()?.get(&path(&client)).await?),
        Command::Add { name, details } => {
            let body = details.fields(Some(name)).into_value();
            print_object(context, &context.api()?.post("/clients", body).await?)
        }
        Command::Update { client, name, details } => {
            let change = details.fields(name).into_change()?;
            print_object(context, &context.api()?.patch(&path(&client), change).await?)
        }
        Command::Archive { client } => {
            confirm(
                context,
                &format!("archiving the client {client} hides it; its usage and invoices stay"),
            )?;
            let archived = context.api()?.post(&format!("{}/archive", path(&client)), json!({})).await?;
            print_object(context, &archived)
        }
    }
}
