//! Members of a team.

use super::feed::control_lock_in_tx;
use super::key::{KeyRow, keys_of_member_in_tx};
use super::model::{Actor, KeyKind, ListFilter, ObjectKind, Role};
use super::object::{ControlObject, id_in, object_update_in_tx};
use super::row::{maybe, row, rows};
use crate::connect::Store;
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use sqlx::PgConnection;
use tallystick_domain::{MemberId, TeamId};
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// A person of a team.
    MemberRow / RawMember {
        team_id: TeamId = Uuid,
        id: MemberId = Uuid,
        email: String = String,
        name: String = String,
        role: Role = String,
        created_at: Timestamp = OffsetDateTime,
        /// Set when they left; the row stays, since usage names it.
        removed_at: Option<Timestamp> = Option<OffsetDateTime>,
    }
}

impl ControlObject for MemberRow {
    const KIND: ObjectKind = ObjectKind::Member;

    fn team(&self) -> TeamId {
        self.team_id
    }

    fn object_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    async fn find(tx: &mut PgConnection, team: TeamId, reference: &str) -> Result<Option<Self>, StoreError> {
        let found = sqlx::query_as!(
            RawMember,
            "SELECT *
             FROM member
             WHERE team_id = $1 AND (id = $2 OR lower(email) = lower($3) OR lower(name) = lower($3))
             ORDER BY removed_at IS NULL DESC, lower(email) = lower($3) DESC, id DESC
             LIMIT 1",
            team.as_uuid(),
            id_in(reference),
            reference,
        )
        .fetch_optional(tx)
        .await?;
        maybe(found)
    }

    async fn list(tx: &mut PgConnection, team: TeamId, filter: &ListFilter) -> Result<Vec<Self>, StoreError> {
        let found = sqlx::query_as!(
            RawMember,
            "SELECT *
             FROM member
             WHERE team_id = $1
               AND (removed_at IS NULL OR $2)
               AND ($3::text IS NULL OR strpos(lower(name || ' ' || email), lower($3)) > 0)
               AND ($4::uuid IS NULL OR id > $4)
             ORDER BY id
             LIMIT $5",
            team.as_uuid(),
            filter.archived,
            filter.name,
            filter.after,
            filter.limit,
        )
        .fetch_all(tx)
        .await?;
        rows(found)
    }

    async fn insert(&self, tx: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO member (team_id, id, email, name, role, created_at, removed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.email,
            self.name,
            self.role.as_str(),
            to_db(self.created_at),
            self.removed_at.map(to_db),
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn update(&self, tx: &mut PgConnection) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "UPDATE member
             SET email = $3, name = $4, role = $5, removed_at = $6
             WHERE team_id = $1 AND id = $2",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.email,
            self.name,
            self.role.as_str(),
            self.removed_at.map(to_db),
        )
        .execute(tx)
        .await?;
        Ok(done.rows_affected())
    }
}

/// What removing a member did.
#[derive(Clone, Debug)]
pub struct MemberRemoval {
    /// The member, removed.
    pub member: MemberRow,
    /// Their own keys, which are revoked now.
    pub revoked: Vec<KeyRow>,
    /// Keys of projects and machines that name them and still work.
    pub shared: Vec<KeyRow>,
}

impl Store {
    /// Removes a member and revokes the keys that are theirs alone; `None` when there is no such member.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn member_remove(
        &self,
        by: &Actor,
        team: TeamId,
        reference: &str,
    ) -> Result<Option<MemberRemoval>, StoreError> {
        self.run_tx("member.row.remove", |tx| {
            Box::pin(async move {
                control_lock_in_tx(tx).await?;
                let Some(before) =
                    MemberRow::find(tx, team, reference).await?.filter(|m| m.removed_at.is_none())
                else {
                    return Ok(None);
                };
                let member = MemberRow { removed_at: Some(by.at), ..before.clone() };
                object_update_in_tx(tx, by, "remove", &before, &member).await?;
                let mut removal = MemberRemoval { member, revoked: Vec::new(), shared: Vec::new() };
                for key in keys_of_member_in_tx(tx, team, before.id).await? {
                    if matches!(key.kind, KeyKind::Member | KeyKind::Temporary) {
                        let after = KeyRow { revoked_at: Some(by.at), ..key.clone() };
                        object_update_in_tx(tx, by, "revoke", &key, &after).await?;
                        removal.revoked.push(after);
                    } else {
                        removal.shared.push(key);
                    }
                }
                Ok(Some(removal))
            })
        })
        .await
    }
}

pub(super) async fn members_in_tx(tx: &mut PgConnection) -> Result<Vec<MemberRow>, StoreError> {
    rows(sqlx::query_as!(RawMember, "SELECT * FROM member ORDER BY team_id, id").fetch_all(tx).await?)
}
