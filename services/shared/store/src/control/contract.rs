//! Contracts: what was agreed with a client from a day on. Append-only.

use super::client::ClientRow;
use super::feed::{Entry, control_lock_in_tx, control_record_in_tx};
use super::model::{Actor, ObjectKind};
use super::object::as_json;
use super::row::{row, rows};
use crate::connect::Store;
use crate::error::StoreError;
use crate::time::{date_to_db, to_db};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use serde_json::Value;
use tallystick_domain::{ClientId, TeamId};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

row! {
    /// What was agreed from a day on; what is `None` is as the client says.
    ContractRow / RawContract {
        team_id: TeamId = Uuid,
        id: Uuid = Uuid,
        client_id: ClientId = Uuid,
        /// First billing day, in the client's zone.
        from_date: civil::Date = Date,
        /// Percent on top of the provider's cost.
        markup: Option<Decimal> = Option<Decimal>,
        markup_shown: Option<bool> = Option<bool>,
        /// Percent off the charges.
        discount: Option<Decimal> = Option<Decimal>,
        /// Least that a month costs, in the client's currency.
        minimum: Option<Decimal> = Option<Decimal>,
        tax_label: Option<String> = Option<String>,
        tax_percent: Option<Decimal> = Option<Decimal>,
        terms_days: Option<i16> = Option<i16>,
        purchase_order: Option<String> = Option<String>,
        /// `domain::invoice::ExchangeRate`, where costs are in another currency than the client's.
        exchange_rate: Option<Value> = Option<Value>,
        created_at: Timestamp = OffsetDateTime,
    }
}

/// The contract that counts on a day: the latest beginning, and of several with the same beginning the newest.
#[must_use]
pub fn contract_in_force(contracts: &[ContractRow], day: civil::Date) -> Option<&ContractRow> {
    contracts
        .iter()
        .filter(|contract| contract.from_date <= day)
        .max_by_key(|contract| (contract.from_date, contract.id))
}

impl ContractRow {
    /// The client with the terms of this contract in place of its own.
    #[must_use]
    pub fn applied_to(&self, client: &ClientRow) -> ClientRow {
        let mut terms = client.clone();
        terms.markup = self.markup.unwrap_or(client.markup);
        terms.markup_shown = self.markup_shown.unwrap_or(client.markup_shown);
        terms.terms_days = self.terms_days.unwrap_or(client.terms_days);
        if self.tax_label.is_some() {
            terms.tax_label.clone_from(&self.tax_label);
            terms.tax_percent = self.tax_percent;
        }
        if self.purchase_order.is_some() {
            terms.purchase_order.clone_from(&self.purchase_order);
        }
        terms
    }
}

impl Store {
    /// Adds what was agreed, and records it.
    ///
    /// # Errors
    /// `Data` when the client is not one of the team.
    pub async fn contract_add(&self, by: &Actor, contract: &ContractRow) -> Result<(), StoreError> {
        self.run_tx("contract.row.add", |tx| {
            Box::pin(async move {
                control_lock_in_tx(tx).await?;
                sqlx::query_file!(
                    "src/control/contract_insert.sql",
                    contract.team_id.as_uuid(),
                    contract.id,
                    contract.client_id.as_uuid(),
                    date_to_db(contract.from_date),
                    contract.markup,
                    contract.markup_shown,
                    contract.discount,
                    contract.minimum,
                    contract.tax_label,
                    contract.tax_percent,
                    contract.terms_days,
                    contract.purchase_order,
                    contract.exchange_rate,
                    to_db(contract.created_at),
                )
                .execute(&mut **tx)
                .await?;
                let entry = Entry {
                    team: Some(contract.team_id),
                    kind: ObjectKind::Contract,
                    object_id: contract.id,
                    action: "add",
                    before: None,
                    after: Some(as_json(contract)?),
                };
                control_record_in_tx(tx, by, entry).await?;
                Ok(())
            })
        })
        .await
    }

    /// All that was ever agreed with a client, newest first.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn contracts_of(&self, team: TeamId, client: ClientId) -> Result<Vec<ContractRow>, StoreError> {
        let found = sqlx::query_as!(
            RawContract,
            "SELECT *
             FROM contract
             WHERE team_id = $1 AND client_id = $2
             ORDER BY from_date DESC, id DESC",
            team.as_uuid(),
            client.as_uuid(),
        )
        .fetch_all(&self.pool)
        .await?;
        rows(found)
    }
}
