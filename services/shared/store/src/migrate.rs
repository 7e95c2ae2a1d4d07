//! The schema gate: forward-only migrations, embedded in the program, and a check that refuses any other schema.

use crate::connect::Store;
use crate::error::StoreError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, PgConnection};

/// Every migration, in order, as this program was built with them.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations");

/// The oldest server that the statements are written for, as `server_version_num` counts.
const OLDEST_SERVER: i32 = 140_000;

/// Why a database does not fit this program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaError {
    /// The server is too old.
    #[error("the server is PostgreSQL {found}, at least 14 is needed")]
    ServerTooOld {
        /// `server_version` as the server states it.
        found: String,
    },
    /// No migration was ever applied.
    #[error("the database is empty: run `tallystick up` on it once")]
    Empty,
    /// The database is older than the program.
    #[error("the database is older than this program: migration {missing} is not applied yet")]
    Older {
        /// The first migration that is missing.
        missing: i64,
    },
    /// The database is newer than the program.
    #[error(
        "the database is newer than this program: it has migration {unknown}, which this program does not know"
    )]
    Newer {
        /// The first migration that this program does not know.
        unknown: i64,
    },
    /// A migration was edited after it was applied.
    #[error("migration {version} was applied with another content than this program has")]
    Changed {
        /// The migration in question.
        version: i64,
    },
    /// A migration outside a transaction stopped half way.
    #[error("migration {version} was applied in part only and needs an operator")]
    Partial {
        /// The migration in question.
        version: i64,
    },
    /// A migration failed; nothing of it was applied.
    #[error("migration {version} failed: {message}")]
    Failed {
        /// The migration in question.
        version: i64,
        /// The database's own words.
        message: String,
    },
}

impl Store {
    /// Applies every migration that is missing, one process at a time (others wait), then checks the version.
    ///
    /// # Errors
    /// `Schema` when a migration fails or the database is newer than this program; `Unavailable` when it is away.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut connection = self.connect_unlimited().await?;
        run_migrations(&mut connection).await?;
        connection.close().await?;
        self.check_version().await
    }

    /// Refuses a database whose schema is not exactly the one this program was built for.
    ///
    /// # Errors
    /// `Schema` with what differs; `Unavailable` when the database is away.
    pub async fn check_version(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        let there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
            .fetch_one(&mut *connection)
            .await?;
        if !there {
            return Err(SchemaError::Empty.into());
        }
        let applied: Vec<(i64, bool, Vec<u8>)> =
            sqlx::query_as("SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version")
                .fetch_all(&mut *connection)
                .await?;
        let known: Vec<(i64, &[u8])> = MIGRATIONS.iter().map(|m| (m.version, m.checksum.as_ref())).collect();
        Ok(compare(&known, &applied)?)
    }

    /// The newest migration that this program knows; 0 when it has none.
    #[must_use]
    pub fn schema_version() -> i64 {
        MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    pub(crate) async fn check_server(&self) -> Result<(), StoreError> {
        let (number, found): (i32, String) = sqlx::query_as(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
        )
        .fetch_one(&self.pool)
        .await?;
        if number < OLDEST_SERVER { Err(SchemaError::ServerTooOld { found }.into()) } else { Ok(()) }
    }
}

pub(crate) async fn run_migrations(connection: &mut PgConnection) -> Result<(), StoreError> {
    MIGRATIONS.run(connection).await.map_err(told)
}

/// A migration's failure in our words. The migration lock goes with the connection.
fn told(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(source) => source.into(),
        MigrateError::ExecuteMigration(source, version) => {
            let message = source.to_string();
            match StoreError::from(source) {
                transient if transient.is_transient() => transient,
                _ => SchemaError::Failed { version, message }.into(),
            }
        }
        MigrateError::VersionMissing(unknown) => SchemaError::Newer { unknown }.into(),
        MigrateError::VersionMismatch(version) => SchemaError::Changed { version }.into(),
        MigrateError::Dirty(version) => SchemaError::Partial { version }.into(),
        other => StoreError::Other(sqlx::Error::Migrate(Box::new(other))),
    }
}

fn compare(known: &[(i64, &[u8])], applied: &[(i64, bool, Vec<u8>)]) -> Result<(), SchemaError> {
    if applied.is_empty() && !known.is_empty() {
        return Err(SchemaError::Empty);
    }
    if let Some((version, ..)) = applied.iter().find(|(_, success, _)| !success) {
        return Err(SchemaError::Partial { version: *version });
    }
    for (version, _, checksum) in applied {
        match known.iter().find(|(known, _)| known == version) {
            None => return Err(SchemaError::Newer { unknown: *version }),
            Some((_, ours)) if *ours != checksum.as_slice() => {
                return Err(SchemaError::Changed { version: *version });
            }
            Some(_) => {}
        }
    }
    match known.iter().find(|(version, _)| !applied.iter().any(|(there, ..)| there == version)) {
        Some((missing, _)) => Err(SchemaError::Older { missing: *missing }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
