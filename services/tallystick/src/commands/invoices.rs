//! `tallystick invoices`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::values::Fields;
use crate::cli::ListArgs;
use crate::client::{Body, Query, segment};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{self, Column, Kind, Table, confirm, money, print_list, print_object, to_file};

const COLUMNS: &[Column] = &[
    Column("NUMBER", "/number", Kind::Text),
    Column("CLIENT", "/client", Kind::Text),
    Column("FROM", "/period/from", Kind::Text),
    Column("TO", "/period/to", Kind::Text),
    Column("STATUS", "/status", Kind::Text),
    Column("TOTAL", "/total", Kind::Money("currency")),
    Column("DUE", "/due_date", Kind::Text),
    Column("ID", "/id", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draft invoices from the ledger.
    Draft(DraftArgs),
    /// List invoices.
    List {
        #[arg(long)]
        client: Option<String>,
        #[arg(long, value_parser = ["draft", "finalized", "sent", "paid", "void"])]
        status: Option<String>,
        /// Such as 2026-10.
        #[arg(long)]
        month: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show an invoice as a page: head, lines, sums.
    Preview { invoice: String },
    /// Show an invoice with everything that it holds.
    Show { invoice: String },
    /// Number and freeze an invoice.
    Finalize { invoice: String },
    /// Note that an invoice was sent.
    Send { invoice: String },
    /// Void an invoice; its number stays used.
    Void {
        invoice: String,
        #[arg(long)]
        reason: Option<String>,
    },
    /// Note that an invoice was paid.
    MarkPaid { invoice: String },
    /// Download an invoice.
    Get {
        invoice: String,
        #[arg(long, value_parser = ["pdf", "csv", "json"])]
        format: String,
        #[arg(short = 'o', long = "output", value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("whom").required(true).args(["client", "all"]))]
pub(crate) struct DraftArgs {
    #[arg(long)]
    client: Option<String>,
    /// Every client that is not internal.
    #[arg(long)]
    all: bool,
    /// Which month [default: the last one].
    #[arg(long)]
    month: Option<String>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Draft(args) => draft(context, args).await,
        Command::List { client, status, month, list } => {
            let query = Query::new().with("client", client).with("status", status).with("month", month);
            print_list(context, "/invoices", query, COLUMNS, &list).await
        }
        Command::Preview { invoice } => {
            let document = context.api()?.get(&path(&invoice, "")).await?;
            if context.json { output::json(&document) } else { output::data(drawn(&document).as_bytes()) }
        }
        Command::Show { invoice } => print(context, &context.api()?.get(&path(&invoice, "")).await?),
        Command::Finalize { invoice } => finalize(context, &invoice).await,
        Command::Send { invoice } => act(context, &invoice, "/send", Fields::new()).await,
        Command::Void { invoice, reason } => {
            confirm(context, &format!("voiding {invoice} can not be undone"))?;
            act(context, &invoice, "/void", Fields::new().with("reason", reason)).await
        }
        Command::MarkPaid { invoice } => act(context, &invoice, "/mark-paid", Fields::new()).await,
        Command::Get { invoice, format, output } => {
            let query = Query::new().with("format", Some(format));
            let reply = context.api()?.send(Method::GET, &query.on(&path(&invoice, "")), Body::None).await?;
            to_file(output.as_deref(), &reply.body)
        }
    }
}

/// The path of an invoice, by id or number.
pub(crate) fn path(invoice: &str, action: &str) -> String {
    format!("/invoices/{}{action}", segment(invoice))
}

async fn draft(context: &Context, args: DraftArgs) -> Outcome {
    let body = Fields::new().with("client", args.client).flag("all", args.all).with("month", args.month);
    let drafted = context.api()?.post("/invoices", body.into_value()).await?;
    if context.json {
        return output::json(&drafted);
    }
    let rows = |name: &str| drafted[name].as_array().cloned().unwrap_or_default();
    for invoice in rows("data") {
        output::data(drawn(&invoice).as_bytes())?;
    }
    for skipped in rows("skipped") {
        output::note(&format!(
            "no draft for {}: {}",
            skipped["client"].as_str().unwrap_or("-"),
            skipped["reason"].as_str().unwrap_or("-")
        ));
    }
    Ok(())
}

/// Freezes exactly what was looked at: another total by now is refused.
async fn finalize(context: &Context, invoice: &str) -> Outcome {
    let draft = context.api()?.get(&path(invoice, "")).await?;
    let text = |name: &str| draft[name].as_str().unwrap_or_default();
    let total = text("total")
        .parse()
        .map_or_else(|_| text("total").to_owned(), |total| money(total, text("currency")));
    confirm(
        context,
        &format!("this numbers the invoice of {} over {total} and freezes it for ever", text("client")),
    )?;
    act(context, invoice, "/finalize", Fields::new().with("expected_total", draft["total"].as_str())).await
}

async fn act(context: &Context, invoice: &str, action: &str, body: Fields) -> Outcome {
    let body = if body.is_empty() { json!({}) } else { body.into_value() };
    print(context, &context.api()?.post(&path(invoice, action), body).await?)
}

/// An invoice as people read it: head, lines, sums.
fn print(context: &Context, invoice: &Value) -> Outcome {
    if context.json || !output::is_terminal() {
        return print_object(context, invoice);
    }
    output::data(drawn(invoice).as_bytes())
}

fn drawn(invoice: &Value) -> String {
    let text = |pointer: &str| invoice.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    let currency = text("/currency");
    let amount = |value: &Value| {
        value.as_str().and_then(|text| text.parse().ok()).map_or("-".to_owned(), |sum| money(sum, currency))
    };
    let mut table = Table::new(&["DESCRIPTION", "PROJECT", ">REQUESTS", ">QUANTITY", "UNIT", ">CHARGE"]);
    for line in invoice["lines"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let field = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        let number = |name: &str| line[name].as_u64().map_or("-".to_owned(), output::count);
        let (requests, quantity) = (number("requests"), number("quantity"));
        let charge = amount(&line["charge"]);
        table.row([field("description"), field("project"), requests, quantity, field("unit"), charge]);
    }
    format!(
        "{} · {} · {} to {} (not included) · {}\nid {}\n\n{}\nsubtotal {} · tax {} · total {}\n",
        text("/number"),
        text("/client"),
        text("/period/from"),
        text("/period/to"),
        text("/status"),
        text("/id"),
        table.drawn(),
        amount(&invoice["subtotal"]),
        amount(&invoice["tax"]),
        amount(&invoice["total"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_is_drawn_with_its_lines_and_total() {
        let invoice = json!({
            "id": "x", "number": "INV-2026-0001", "client": "Acme Corp", "currency": "USD", "status": "finalized",
            "period": {"from": "2026-10-01", "to": "2026-11-01"}, "subtotal": "120.00", "tax": "0.00", "total": "120.00",
            "lines": [{"description": "gpt-5", "project": "Web", "model": "gpt-5", "quantity": 1_200_000, "unit": "tokens", "charge": "120.00"}],
        });
        let text = drawn(&invoice);
        for expected in ["INV-2026-0001", "Acme Corp", "1,200,000", "total $120.00"] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}
