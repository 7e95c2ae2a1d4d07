//! The database of a process: one that was given, or one of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tallystick_runtime::config::Settings;
use tallystick_runtime::{Shutdown, Tasks, error_chain};
use tallystick_store::managed::{ManagedConfig, ManagedError, ManagedPostgres};
use tallystick_store::{Store, StoreConfig, StoreError, StoreLimits};
use tokio::sync::Mutex;
use tracing::{error, info};

use crate::client::Running;
use crate::error::{CliError, Exit, Outcome};

/// First pause before an own server that ended is started again; doubles while that fails.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An open database.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) store: Store,
    own: Option<Own>,
}

/// A server of our own. The slot is empty only while it is being started again.
#[derive(Clone, Debug)]
struct Own {
    config: ManagedConfig,
    url: String,
    server: Arc<Mutex<Option<ManagedPostgres>>>,
}

/// Where a database comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `DATABASE_URL` only.
    Given,
    /// `DATABASE_URL`, or a PostgreSQL of our own in the data directory.
    GivenOrOwn,
    /// As `GivenOrOwn`, but where a running `up` has the data directory, its database is shared.
    GivenOrShared,
}

impl Database {
    /// Opens the database.
    pub(crate) async fn open(settings: &Settings, origin: Origin) -> Outcome<Self> {
        if let Some(url) = &settings.database_url {
            return Self::at(url.expose(), settings).await;
        }
        if origin == Origin::Given {
            return Err(CliError::usage(
                "DATABASE_URL is not set, and only `up` starts a PostgreSQL of its own",
            )
            .advise(
                "set DATABASE_URL=postgres://user:password@host:5432/name to the database of this instance",
            ));
        }
        let config = ManagedConfig::new(&settings.data_dir);
        match ManagedPostgres::start(config.clone()).await {
            Ok(server) => {
                let store = connect(server.store_config(), settings).await?;
                let url = server.url();
                Ok(Self { store, own: Some(Own { config, url, server: Arc::new(Mutex::new(Some(server))) }) })
            }
            Err(ManagedError::InUse { .. }) if origin == Origin::GivenOrShared => shared(settings).await,
            Err(error) => Err(refused(&settings.data_dir, &error)),
        }
    }

    async fn at(url: &str, settings: &Settings) -> Outcome<Self> {
        let config = StoreConfig::from_url(url).map_err(|error| not_connected(&error))?;
        Ok(Self { store: connect(config, settings).await?, own: None })
    }

    /// How another process on this machine reaches the own server; `None` for a given database.
    pub(crate) fn own_url(&self) -> Option<String> {
        self.own.as_ref().map(|own| own.url.clone())
    }

    /// Starts the own server again whenever it ends by itself. Until it is back the proxy goes on with what it knows, the
    /// spool takes what it meters, and the rest waits.
    pub(crate) fn watch(&self, tasks: &Tasks) {
        let Some(own) = self.own.clone() else { return };
        let shutdown = tasks.shutdown_signal().clone();
        drop(tasks.spawn("postgres.watch", async move { own.keep_alive(&shutdown).await }));
    }

    /// Closes the pool and stops the own server.
    pub(crate) async fn close(self) {
        self.store.close().await;
        let Some(own) = self.own else { return };
        // Whoever watched it has ended with the tasks.
        if let Some(server) = own.server.lock().await.take() {
            let how = server.stop().await;
            info!(process.end = how, "PostgreSQL is down");
        }
    }
}

impl Own {
    async fn keep_alive(&self, shutdown: &Shutdown) {
        let mut slot = self.server.lock().await;
        let mut pause = FIRST_PAUSE;
        while !shutdown.is_draining() {
            if let Some(server) = slot.as_ref() {
                tokio::select! {
                    () = shutdown.draining() => return,
                    how = server.ended() => error!(process.end = how, "the own PostgreSQL ended, it is started again"),
                }
                // Whatever is left of it gives the folder free before the next one takes it.
                *slot = None;
            }
            match ManagedPostgres::start(self.config.clone()).await {
                Ok(server) => {
                    info!("the own PostgreSQL is back");
                    *slot = Some(server);
                    pause = FIRST_PAUSE;
                }
                Err(failed) => {
                    error!(error = %error_chain(&failed), "the own PostgreSQL does not start, it is tried again");
                    tokio::select! {
                        () = shutdown.draining() => return,
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                    }
                }
            }
        }
    }
}

async fn shared(settings: &Settings) -> Outcome<Database> {
    let url = Running::read(&settings.data_dir).and_then(|running| running.database_url);
    match url {
        Some(url) => Database::at(&url, settings).await,
        None => Err(CliError::new(format!(
            "{} is in use, and its server does not say where its database is",
            settings.data_dir.display()
        ))
        .advise("wait until `tallystick up` has started, then try again")),
    }
}

async fn connect(config: StoreConfig, settings: &Settings) -> Outcome<Store> {
    let limits = StoreLimits {
        max_connections: settings.database.connections,
        acquire_timeout: settings.database.acquire_timeout,
        statement_timeout: settings.database.statement_timeout,
        ..StoreLimits::default()
    };
    Store::connect(config.with_limits(limits)).await.map_err(|error| not_connected(&error))
}

fn not_connected(error: &StoreError) -> CliError {
    CliError::because("connecting to the database", error).advise(
        "is it up, and is DATABASE_URL right? Without DATABASE_URL, `up` starts a PostgreSQL of its own",
    )
}

fn refused(data_dir: &Path, error: &ManagedError) -> CliError {
    let failed = CliError::because("starting the database", error);
    match error {
        ManagedError::InUse { .. } => {
            CliError::with_exit(Exit::Conflict, format!("{error}")).advise(format!(
                "use that one, or give this one another folder: --data-dir DIR (now {})",
                data_dir.display()
            ))
        }
        ManagedError::NotInstalled { .. } => failed,
        _ => failed.advise(format!("the database lives in {}", data_dir.display())),
    }
}
