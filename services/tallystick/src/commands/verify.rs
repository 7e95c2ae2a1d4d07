//! `tallystick verify`: the proof of the ledger, from the database and the log themselves.
//!
//! It asks no server: it opens the database that DATABASE_URL names, or that of the data directory (shared with a
//! running `up`), reads events, postings, rollups and the log anew, and compares.

use tallystick_eventlog::PostgresLog;
use tallystick_projector::{Check, Verification};
use tallystick_reporting::invoice::InvoiceCheck;
use tallystick_reporting::verify_invoices;
use tallystick_store::Store;

use crate::context::Context;
use crate::error::{CliError, Doing as _, Outcome};
use crate::output::{self, Table, count, is_terminal};
use crate::server::{Database, Origin};

pub(crate) async fn run(context: &Context) -> Outcome {
    let database = Database::open(&context.loaded.settings, Origin::GivenOrShared).await?;
    let verified = match database.store.check_version().await {
        Ok(()) => Box::pin(prove(&database.store)).await,
        Err(error) => Err(CliError::because("checking the database's schema", &error)),
    };
    database.close().await;
    let verified = verified?;
    print(context, &verified)?;
    if verified.ok {
        Ok(())
    } else {
        Err(CliError::new("the ledger is not what the events say")
            .advise("the lines marked NO name what differs"))
    }
}

/// Every check of ledger and invoices.
pub(crate) async fn prove(store: &Store) -> Outcome<Verification> {
    let log = PostgresLog::new(store.pool().clone());
    let verified = tallystick_projector::verify(store, Some(&log)).await;
    let mut verified = verified.doing(|| "verifying the ledger".to_owned())?;
    for check in verify_invoices(store).await.doing(|| "verifying the invoices".to_owned())? {
        let InvoiceCheck { name, ok, checked, detail } = check;
        verified.push(Check { name, ok, checked, detail });
    }
    Ok(verified)
}

fn print(context: &Context, verified: &Verification) -> Outcome {
    if context.json {
        return output::json(&serde_json::to_value(verified).doing(|| "writing the result".to_owned())?);
    }
    let table = table(verified);
    output::data(if is_terminal() { table.drawn() } else { table.plain() }.as_bytes())
}

/// The checks, one a line.
fn table(verified: &Verification) -> Table {
    let mut table = Table::new(&["OK", "CHECK", ">LOOKED AT", "RESULT"]);
    for check in &verified.checks {
        let ok = if check.ok { "yes" } else { "NO" };
        table.row([ok.to_owned(), check.name.clone(), count(check.checked), check.detail.clone()]);
    }
    table
}
