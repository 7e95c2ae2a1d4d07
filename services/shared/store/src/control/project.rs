//! Projects of a team.

use super::model::{ListFilter, ObjectKind};
use super::object::{ControlObject, id_in};
use super::row::{maybe, row, rows};
use crate::error::StoreError;
use crate::time::to_db;
use jiff::Timestamp;
use sqlx::PgConnection;
use tallystick_domain::{ClientId, ProjectId, TeamId};
use time::OffsetDateTime;
use uuid::Uuid;

row! {
    /// A project; may belong to a client.
    ProjectRow / RawProject {
        team_id: TeamId = Uuid,
        id: ProjectId = Uuid,
        name: String = String,
        client_id: Option<ClientId> = Option<Uuid>,
        created_at: Timestamp = OffsetDateTime,
        archived_at: Option<Timestamp> = Option<OffsetDateTime>,
    }
}

impl ControlObject for ProjectRow {
    const KIND: ObjectKind = ObjectKind::Project;

    fn team(&self) -> TeamId {
        self.team_id
    }

    fn object_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    async fn find(tx: &mut PgConnection, team: TeamId, reference: &str) -> Result<Option<Self>, StoreError> {
        let found = sqlx::query_as!(
            RawProject,
            "SELECT *
             FROM project
             WHERE team_id = $1 AND (id = $2 OR lower(name) = lower($3))
             ORDER BY archived_at IS NULL DESC, id DESC
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
            RawProject,
            "SELECT *
             FROM project
             WHERE team_id = $1
               AND (archived_at IS NULL OR $2)
               AND ($3::text IS NULL OR strpos(lower(name), lower($3)) > 0)
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
            "INSERT INTO project (team_id, id, name, client_id, created_at, archived_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.name,
            self.client_id.map(|id| id.as_uuid()),
            to_db(self.created_at),
            self.archived_at.map(to_db),
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn update(&self, tx: &mut PgConnection) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "UPDATE project SET name = $3, client_id = $4, archived_at = $5 WHERE team_id = $1 AND id = $2",
            self.team_id.as_uuid(),
            self.id.as_uuid(),
            self.name,
            self.client_id.map(|id| id.as_uuid()),
            self.archived_at.map(to_db),
        )
        .execute(tx)
        .await?;
        Ok(done.rows_affected())
    }
}

pub(super) async fn projects_in_tx(tx: &mut PgConnection) -> Result<Vec<ProjectRow>, StoreError> {
    rows(sqlx::query_as!(RawProject, "SELECT * FROM project ORDER BY team_id, id").fetch_all(tx).await?)
}
