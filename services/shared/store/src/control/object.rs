//! How an object of the control plane is found, listed, added and changed.
//!
//! A change takes the counter row, reads, writes, records, commits; all in one transaction. The order is the same for
//! every change, so two of them wait for each other and never deadlock.

use super::feed::{control_lock_in_tx, control_record_in_tx};
use super::model::{Actor, ListFilter, ObjectKind};
use crate::connect::Store;
use crate::error::StoreError;
use serde::Serialize;
use sqlx::PgConnection;
use std::future::Future;
use tallystick_domain::TeamId;
use uuid::Uuid;

/// An object of a team with a name. `Serialize` is what the control event keeps, so it must not show secrets.
pub trait ControlObject: Serialize + Clone + Send + Sync + Sized {
    /// What control events call it.
    const KIND: ObjectKind;

    /// The team that it belongs to.
    fn team(&self) -> TeamId;

    /// Its id.
    fn object_id(&self) -> Uuid;

    /// By id, name, or whatever else it is known by; the live one first.
    fn find(
        tx: &mut PgConnection,
        team: TeamId,
        reference: &str,
    ) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;

    /// A page, in the order of ids.
    fn list(
        tx: &mut PgConnection,
        team: TeamId,
        filter: &ListFilter,
    ) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;

    /// Writes a new row.
    fn insert(&self, tx: &mut PgConnection) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes the columns that may change.
    fn update(&self, tx: &mut PgConnection) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

impl Store {
    /// The object of this team with this id or name.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn control_find<O: ControlObject>(
        &self,
        team: TeamId,
        reference: &str,
    ) -> Result<Option<O>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        O::find(&mut connection, team, reference).await
    }

    /// A page of the team's objects.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn control_list<O: ControlObject>(
        &self,
        team: TeamId,
        filter: &ListFilter,
    ) -> Result<Vec<O>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        O::list(&mut connection, team, filter).await
    }

    /// Adds an object and records it.
    ///
    /// # Errors
    /// `Data` with the violated constraint, for example `client_name_taken`.
    pub async fn control_add<O: ControlObject>(&self, by: &Actor, object: &O) -> Result<(), StoreError> {
        self.run_tx("control.object.add", |tx| {
            Box::pin(async move {
                control_lock_in_tx(tx).await?;
                object.insert(tx).await?;
                record_in_tx(tx, by, "add", None, object).await
            })
        })
        .await
    }

    /// Changes an object and records it; `None` when the team has no such object. `edit` may run more than once; when
    /// it changes nothing, nothing is written. A refusal by `edit` rolls back.
    ///
    /// # Errors
    /// What `edit` refuses with, or `Data` with the violated constraint.
    pub async fn control_edit<O, F>(
        &self,
        by: &Actor,
        team: TeamId,
        reference: &str,
        action: &str,
        edit: F,
    ) -> Result<Option<O>, StoreError>
    where
        O: ControlObject + PartialEq,
        F: Fn(&mut O) -> Result<(), StoreError> + Send + Sync,
    {
        let edit = &edit;
        self.run_tx("control.object.edit", |tx| {
            Box::pin(async move {
                control_lock_in_tx(tx).await?;
                let Some(before) = O::find(tx, team, reference).await? else {
                    return Ok(None);
                };
                let mut after = before.clone();
                edit(&mut after)?;
                if after != before {
                    object_update_in_tx(tx, by, action, &before, &after).await?;
                }
                Ok(Some(after))
            })
        })
        .await
    }
}

/// Writes a changed object and records it.
pub(super) async fn object_update_in_tx<O: ControlObject>(
    tx: &mut PgConnection,
    by: &Actor,
    action: &str,
    before: &O,
    after: &O,
) -> Result<(), StoreError> {
    let written = after.update(tx).await?;
    if written != 1 {
        return Err(StoreError::conflict(format!("{} {} is gone", O::KIND, after.object_id())));
    }
    record_in_tx(tx, by, action, Some(before), after).await
}

/// Records what an object was and is.
pub(super) async fn record_in_tx<O: ControlObject>(
    tx: &mut PgConnection,
    by: &Actor,
    action: &str,
    before: Option<&O>,
    after: &O,
) -> Result<(), StoreError> {
    let entry = super::feed::Entry {
        team: Some(after.team()),
        kind: O::KIND,
        object_id: after.object_id(),
        action,
        before: before.map(as_json).transpose()?,
        after: Some(as_json(after)?),
    };
    control_record_in_tx(tx, by, entry).await?;
    Ok(())
}

/// A row as the control event keeps it.
pub(super) fn as_json<T: Serialize>(row: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(row).map_err(|error| StoreError::Other(sqlx::Error::Encode(error.into())))
}

/// The id in a reference, where it is one.
pub(super) fn id_in(reference: &str) -> Option<Uuid> {
    Uuid::parse_str(reference).ok()
}
