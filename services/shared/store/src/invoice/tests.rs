use super::{DraftContent, Finalization, InvoiceMove, InvoiceRow, Numbered};
use crate::control::{Actor, ClientRow, TeamRow};
use crate::testing::TestDatabase;
use crate::{Store, StoreError};
use rust_decimal::Decimal;
use tallystick_domain::period::DayRange;
use tallystick_domain::{Currency, InvoiceId, testing};

async fn team(store: &Store) {
    let by = Actor { name: "test".to_owned(), at: testing::monday() };
    let team = TeamRow {
        id: testing::team(1),
        slug: "studio".to_owned(),
        name: "Studio".to_owned(),
        zone: "UTC".to_owned(),
        currency: Currency::USD,
        default_key_budgets: Vec::new(),
        created_at: by.at,
    };
    store.control_add(&by, &team).await.unwrap();
    for n in 1..=4 {
        let client = ClientRow {
            team_id: team.id,
            id: testing::client(n),
            name: format!("client {n}"),
            legal_name: String::new(),
            address: Vec::new(),
            country: None,
            vat_id: None,
            registration: None,
            email: None,
            currency: Currency::USD,
            zone: "UTC".to_owned(),
            markup: Decimal::ZERO,
            markup_shown: false,
            internal: false,
            terms_days: 14,
            purchase_order: None,
            tax_label: None,
            tax_percent: None,
            created_at: by.at,
            archived_at: None,
        };
        store.control_add(&by, &client).await.unwrap();
    }
}

fn id(n: u64) -> InvoiceId {
    InvoiceId::from_uuid(testing::uuid(20, n))
}

async fn draft(store: &Store, n: u64) {
    let draft = DraftContent {
        team: testing::team(1),
        id: id(n),
        client: testing::client(n),
        period: DayRange::month("2026-10").unwrap(),
        currency: Currency::USD,
        total: Decimal::ONE,
        cost: Decimal::ZERO,
        document: "{}".to_owned(),
        at: testing::monday(),
    };
    store.invoice_draft_put(&draft).await.unwrap();
}

async fn finalize(store: &Store, n: u64) -> Result<Option<InvoiceRow>, StoreError> {
    let day = "2026-11-02".parse().unwrap();
    store
        .invoice_finalize((testing::team(1), id(n)), "2026", testing::monday(), day, |numbered: &Numbered| {
            Ok(Finalization {
                number: format!("INV-{}", numbered.seq),
                document: "{\"frozen\":true}".to_owned(),
                sha256: "00".repeat(32),
                currency: Currency::USD,
                total: Decimal::ONE,
                logo: None,
            })
        })
        .await
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_a_finalised_invoice() {
    let database = TestDatabase::create().await;
    let store = database.store();
    team(store).await;
    draft(store, 1).await;
    let row = finalize(store, 1).await.unwrap().unwrap();
    for statement in [
        "UPDATE invoice SET document = '{}'",
        "UPDATE invoice SET total = 2",
        "UPDATE invoice SET number = 'INV-9'",
        "UPDATE invoice SET status = 'draft'",
        "UPDATE invoice SET issued_at = now(), status = 'sent'",
        "DELETE FROM invoice",
        "TRUNCATE invoice CASCADE",
    ] {
        let refused = sqlx::raw_sql(statement).execute(store.pool()).await.map_err(StoreError::from);
        assert!(refused.as_ref().is_err_and(StoreError::is_data), "{statement}: {refused:?}");
    }
    store.invoice_move(&row, &InvoiceMove::Sent, testing::monday()).await.unwrap();
    let again = store.invoice_move(&row, &InvoiceMove::Paid, testing::monday()).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let after = store.invoice_find(testing::team(1), "inv-1").await.unwrap().unwrap();
    assert_eq!((after.document, after.sha256), (row.document, row.sha256));
}

#[tokio::test]
async fn a_refused_finalisation_takes_no_number_and_simultaneous_ones_take_consecutive_numbers() {
    let database = TestDatabase::create().await;
    let store = database.store();
    team(store).await;
    for n in 1..=4 {
        draft(store, n).await;
    }
    let day = "2026-11-02".parse().unwrap();
    let refused = store
        .invoice_finalize((testing::team(1), id(1)), "2026", testing::monday(), day, |_| {
            Err(StoreError::conflict("no"))
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    let made = futures_util::future::join_all((1..=4).map(|n| finalize(store, n))).await;
    let mut numbers: Vec<String> =
        made.into_iter().map(|row| row.unwrap().unwrap().number.unwrap()).collect();
    numbers.sort();
    assert_eq!(numbers, ["INV-1", "INV-2", "INV-3", "INV-4"]);
    let figures = store.invoice_figures().await.unwrap();
    assert!(figures.comparisons.iter().all(|comparison| comparison.findings.is_empty()), "{figures:?}");
}

/// The planted bug: somebody gets around the trigger and takes an invoice away.
#[tokio::test]
async fn a_gap_in_the_numbers_is_found() {
    let database = TestDatabase::create().await;
    let store = database.store();
    team(store).await;
    for n in 1..=3 {
        draft(store, n).await;
        finalize(store, n).await.unwrap();
    }
    let plant = "ALTER TABLE invoice DISABLE TRIGGER keep_frozen; DELETE FROM invoice WHERE number = 'INV-2'";
    sqlx::raw_sql(plant).execute(store.pool()).await.unwrap();
    let figures = store.invoice_figures().await.unwrap();
    let numbers = figures
        .comparisons
        .iter()
        .find(|comparison| comparison.name == "invoice numbers have no gap")
        .unwrap();
    assert_eq!(numbers.findings.len(), 1, "{numbers:?}");
}
