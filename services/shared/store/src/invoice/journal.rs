//! The client's account: from unbilled to billed when an invoice is finalised, and back when it is withdrawn.

use crate::StoreError;
use crate::time::date_to_db;
use jiff::civil;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use tallystick_domain::{ClientId, Currency, InvoiceId, TeamId};
use time::Date;
use uuid::Uuid;

/// Documents belong to no lane of usage; their postings stand in lane 0.
const LANE: i16 = 0;

/// Whose account moves, for which invoice, when.
pub(super) struct Turn {
    pub(super) team: TeamId,
    pub(super) invoice: InvoiceId,
    pub(super) client: ClientId,
    pub(super) day: civil::Date,
}

/// Posts the exact cost of an invoice's usage; `back` reverses it. Nothing is posted where there is no cost.
pub(super) async fn journal_insert_in_tx(
    tx: &mut PgConnection,
    turn: &Turn,
    currency: Currency,
    cost: Decimal,
    back: bool,
) -> Result<(), StoreError> {
    if cost.is_zero() {
        return Ok(());
    }
    let (kind, reference) = if back {
        ("credit_note", format!("{}/void", turn.invoice))
    } else {
        ("invoice", turn.invoice.to_string())
    };
    let journal = sqlx::query_scalar!(
        "INSERT INTO journal (kind, reference) VALUES ($1, $2) RETURNING journal_id",
        kind,
        reference
    )
    .fetch_one(&mut *tx)
    .await?;
    let billed = if back { -cost } else { cost };
    let words = |first: &str, second: &str| vec![first.to_owned(), second.to_owned()];
    let client = turn.client.to_string();
    let team: Vec<Uuid> = vec![turn.team.as_uuid(); 2];
    let day: Vec<Date> = vec![date_to_db(turn.day); 2];
    sqlx::query_file!(
        "src/ledger/sql/postings_insert.sql",
        journal,
        &[1_i32, 2][..],
        &team,
        &[LANE, LANE][..],
        &words("client", "client"),
        &words("billed", "unbilled"),
        &words(&client, &client),
        &words(currency.code(), currency.code()),
        &day,
        &[billed, -billed][..]
    )
    .execute(tx)
    .await?;
    Ok(())
}
