//! Start, stop and how to connect.

use super::cluster::{DATABASE, ROLE, SUPERUSER, tail};
use super::error::ManagedError;
use super::process::{Running, remove, spawn};
use crate::connect::StoreConfig;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How much of the log goes into an error, in bytes.
const LOG_TAIL: usize = 2_000;
/// How long an immediate shutdown may take before the process is killed.
const IMMEDIATE: Duration = Duration::from_secs(5);

/// What to start.
#[derive(Clone, Debug)]
pub struct ManagedConfig {
    /// The data directory of this Tallystick; the cluster is made in `postgres/` below it.
    pub data_dir: PathBuf,
    /// How long the server may take to answer; replaying the log after a crash takes a while.
    pub start_timeout: Duration,
    /// How long a fast shutdown may take before an immediate one is asked for.
    pub stop_timeout: Duration,
    /// Server settings beside the built-in ones, which they override.
    pub settings: Vec<(String, String)>,
}

impl ManagedConfig {
    /// With the default limits: two minutes to start, thirty seconds to stop.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            start_timeout: Duration::from_secs(120),
            stop_timeout: Duration::from_secs(30),
            settings: Vec::new(),
        }
    }
}

/// A PostgreSQL of our own, running. Call [`stop`](Self::stop); a drop only asks it to shut down.
#[derive(Debug)]
pub struct ManagedPostgres {
    running: Running,
    stop_timeout: Duration,
}

impl ManagedPostgres {
    /// Starts the server of this data directory, creating it at the first time, and waits until it answers.
    ///
    /// # Errors
    /// See [`ManagedError`]; every text says what to do.
    pub async fn start(config: ManagedConfig) -> Result<Self, ManagedError> {
        let (start_timeout, stop_timeout) = (config.start_timeout, config.stop_timeout);
        let started = Self { running: spawn(config).await?, stop_timeout };
        let mut connection = started.first_connection(start_timeout).await?;
        set_up(&mut connection).await.map_err(ManagedError::Setup)?;
        connection.close().await.map_err(ManagedError::Setup)?;
        tracing::info!(
            process.pid = started.running.pid(),
            socket.path = %started.socket_folder().display(),
            "PostgreSQL is up"
        );
        Ok(started)
    }

    /// Removes the database of a data directory for good, also one that lives outside it. Blocks; nobody may have it
    /// running.
    ///
    /// # Errors
    /// `InUse` while it runs, `Io` when a file resists.
    pub fn remove(config: &ManagedConfig) -> Result<(), ManagedError> {
        remove(config)
    }

    /// How the services connect.
    #[must_use]
    pub fn store_config(&self) -> StoreConfig {
        StoreConfig::from_options(self.options(ROLE, DATABASE))
    }

    /// The same as a URL, for `psql` and for processes beside this one.
    #[must_use]
    pub fn url(&self) -> String {
        let host: String = self.socket_folder().to_string_lossy().bytes().map(escape).collect();
        format!("postgres://{ROLE}@localhost/{DATABASE}?host={host}")
    }

    /// The folder of the Unix socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        &self.running.folder.socket
    }

    /// The folder that holds the whole cluster. Outside the data directory where the server's user cannot enter that.
    #[must_use]
    pub fn cluster_folder(&self) -> &Path {
        &self.running.folder.cluster
    }

    /// The server's process id; `None` once it has ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.running.pid()
    }

    /// Waits until the server ends for whatever reason, and says how.
    pub async fn ended(&self) -> String {
        let mut ended = self.running.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(how) => how.clone().unwrap_or_default(),
            Err(_) => "the keeper thread is gone".to_owned(),
        }
    }

    /// Shuts the server down and waits: fast (sessions are ended, data is checkpointed), after the time limit
    /// immediately (the next start replays the log), at last by force. Returns how it ended.
    pub async fn stop(self) -> String {
        let steps =
            [(libc::SIGINT, self.stop_timeout), (libc::SIGQUIT, IMMEDIATE), (libc::SIGKILL, IMMEDIATE)];
        for (signal, patience) in steps {
            self.running.signal(signal);
            if let Ok(how) = tokio::time::timeout(patience, self.ended()).await {
                return how;
            }
            tracing::warn!(stop.signal = signal, "PostgreSQL did not stop in time");
        }
        "it could not be stopped".to_owned()
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        self.running.signal(signal);
    }

    pub(crate) fn superuser(&self) -> PgConnectOptions {
        self.options(SUPERUSER, "postgres")
    }

    fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.socket_folder())
            .port(5432)
            .username(role)
            .database(database)
    }

    async fn first_connection(&self, patience: Duration) -> Result<PgConnection, ManagedError> {
        let deadline = Instant::now() + patience;
        loop {
            let last = match PgConnection::connect_with(&self.superuser()).await {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            let ended = self.running.ended.borrow().clone();
            if let Some(how) = ended {
                return Err(self.not_started(format!("it ended: {how}")));
            }
            if Instant::now() >= deadline {
                return Err(self.not_started(format!("no answer within {} s: {last}", patience.as_secs())));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    fn not_started(&self, reason: String) -> ManagedError {
        let log = self.running.folder.log();
        let printed = std::fs::read(&log).unwrap_or_default();
        ManagedError::Start { reason, log, tail: tail(&printed, LOG_TAIL) }
    }
}

/// The services' role and database, made once.
async fn set_up(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let role: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(ROLE)
        .fetch_one(&mut *connection)
        .await?;
    if !role {
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE ROLE {ROLE} LOGIN"))).execute(&mut *connection).await?;
    }
    let database: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(DATABASE)
        .fetch_one(&mut *connection)
        .await?;
    if !database {
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {DATABASE} OWNER {ROLE}")))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// One byte of a path inside a URL's query.
fn escape(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}
