//! The database of a process: one that was given, or one of its own.

use std::path::Path;
use std::sync::Arc;

use tallystick_runtime::Tasks;
use tallystick_runtime::config::Settings;
use tallystick_store::managed::{ManagedConfig, ManagedError, ManagedPostgres};
use tallystick_store::{Store, StoreConfig, StoreError, StoreLimits};

use crate::client::Running;
use crate::error::{CliError, Exit, Outcome};

/// An open database.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) store: Store,
    own: Option<Arc<ManagedPostgres>>,
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
        match ManagedPostgres::start(ManagedConfig::new(&settings.data_dir)).await {
            Ok(own) => {
                let store = connect(own.store_config(), settings).await?;
                Ok(Self { store, own: Some(Arc::new(own)) })
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
        self.own.as_ref().map(|own| own.url())
    }

    /// Drains the process when the own server ends by itself.
    pub(crate) fn watch(&self, tasks: &Tasks) {
        let Some(own) = self.own.clone() else { return };
        let shutdown = tasks.shutdown_signal().clone();
        drop(tasks.spawn("postgres.watch", async move {
            tokio::select! {
                () = shutdown.draining() => {}
                how = own.ended() => shutdown.fail(format!("the own PostgreSQL ended: {how}")),
            }
        }));
    }

    /// Closes the pool and stops the own server.
    pub(crate) async fn close(self) {
        self.store.close().await;
        // Whoever watched it has ended with the tasks; otherwise the last one to drop it asks it to shut down.
        if let Some(own) = self.own.and_then(Arc::into_inner) {
            let how = own.stop().await;
            tracing::info!(process.end = how, "PostgreSQL is down");
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
