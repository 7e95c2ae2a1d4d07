//! The pool, its limits and what every session is set to.

use crate::error::StoreError;
use crate::run_tx::TxMetrics;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Limits of one process on the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// Connections that the pool opens at most.
    pub max_connections: u32,
    /// How long a caller waits for a connection (pool wait and connect together).
    pub acquire_timeout: Duration,
    /// The longest that one statement may run.
    pub statement_timeout: Duration,
    /// The longest that one statement may wait for a lock.
    pub lock_timeout: Duration,
    /// The longest that a transaction may sit idle before the server ends it.
    pub idle_in_transaction_timeout: Duration,
    /// A connection that nobody used for this long is closed.
    pub idle_timeout: Duration,
    /// How often `run_tx` runs a transaction that collides with others, first run included.
    pub tx_attempts: u32,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(20),
            idle_in_transaction_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            tx_attempts: 6,
        }
    }
}

/// Where the database is and who asks.
#[derive(Clone)]
pub struct StoreConfig {
    options: PgConnectOptions,
    limits: StoreLimits,
    application: String,
}

impl StoreConfig {
    /// From a `postgres://` URL (libpq's parameters are understood; `?host=/dir` is a socket folder).
    ///
    /// # Errors
    /// `Other` when the URL cannot be read.
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        Ok(Self::from_options(PgConnectOptions::from_str(url)?))
    }

    /// From options that are already there (a managed PostgreSQL gives them).
    #[must_use]
    pub fn from_options(options: PgConnectOptions) -> Self {
        Self { options, limits: StoreLimits::default(), application: "tallystick".to_owned() }
    }

    /// With other limits than the default.
    #[must_use]
    pub fn with_limits(mut self, limits: StoreLimits) -> Self {
        self.limits = limits;
        self
    }

    /// With a name that `pg_stat_activity` shows (default `tallystick`).
    #[must_use]
    pub fn with_application(mut self, name: impl Into<String>) -> Self {
        self.application = name.into();
        self
    }

    pub(crate) fn into_options(self) -> PgConnectOptions {
        self.options
    }

    fn session_options(&self) -> PgConnectOptions {
        let millis = |duration: Duration| duration.as_millis().to_string();
        self.options.clone().application_name(&self.application).options([
            ("TimeZone", "UTC".to_owned()),
            ("statement_timeout", millis(self.limits.statement_timeout)),
            ("lock_timeout", millis(self.limits.lock_timeout)),
            ("idle_in_transaction_session_timeout", millis(self.limits.idle_in_transaction_timeout)),
        ])
    }
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreConfig")
            .field("host", &self.options.get_host())
            .field("port", &self.options.get_port())
            .field("database", &self.options.get_database())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The database: a pool with limits. Cheap to clone; all clones share the pool.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) inner: Arc<StoreInner>,
}

#[derive(Debug)]
pub(crate) struct StoreInner {
    pub(crate) limits: StoreLimits,
    pub(crate) metrics: TxMetrics,
    /// Without the session limits: migrations may take longer than any request may.
    pub(crate) unlimited: PgConnectOptions,
}

impl Store {
    /// Opens the pool and proves with one connection that the database answers and is new enough.
    ///
    /// # Errors
    /// `Unavailable` when nothing answers, `Schema` when the server is older than PostgreSQL 14.
    pub async fn connect(config: StoreConfig) -> Result<Self, StoreError> {
        let limits = config.limits;
        let pool = PgPoolOptions::new()
            .max_connections(limits.max_connections)
            .acquire_timeout(limits.acquire_timeout)
            .idle_timeout(limits.idle_timeout)
            .connect_lazy_with(config.session_options());
        let unlimited = config
            .options
            .application_name(&format!("{} migrate", config.application))
            .options([("TimeZone", "UTC"), ("statement_timeout", "0"), ("lock_timeout", "0")]);
        let metrics = TxMetrics::new();
        let store = Self { pool, inner: Arc::new(StoreInner { limits, metrics, unlimited }) };
        store.check_server().await?;
        Ok(store)
    }

    /// The pool, for parts that keep their own tables (the event log).
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The limits that this store was opened with.
    #[must_use]
    pub fn limits(&self) -> StoreLimits {
        self.inner.limits
    }

    /// Whether the database answers now (for `/readyz`).
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes the pool: waits for connections in use to come back, then ends them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
