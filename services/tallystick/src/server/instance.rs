//! The services of one process, wired together.
//!
//! Order: folder, database (which refuses a second process on the same folder), listeners, schema, secret key, first
//! start, log, services, serving, and last the file in which the process says where it is.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use secrecy::ExposeSecret as _;
use tallystick_eventlog::{EventLog, PostgresLog};
use tallystick_projector::{Projector, ProjectorConfig};
use tallystick_proxy::{Proxy, ProxyConfig, StoreControl, StoreEpochs};
use tallystick_reporting::{Reporting, ReportingConfig, bootstrap};
use tallystick_runtime::config::Settings;
use tallystick_runtime::health::Readiness;
use tallystick_runtime::lifecycle::Unfinished;
use tallystick_runtime::telemetry::Telemetry;
use tallystick_runtime::{Ids, SharedClock, SystemClock, Tasks};
use tallystick_schemas::pricebook;
use tallystick_store::Store;
use tallystick_store::secrets::{MASTER_BYTES, MasterKey, Secrets, write_private};

use super::listeners::{Listeners, Routers};
use super::render::Typesetter;
use super::{Database, Origin, Role};
use crate::client::{RUNNING_FILE, Running, TOKEN_FILE};
use crate::error::{CliError, Doing as _, Outcome};

/// The file with the master key, in the data directory.
const SECRET_FILE: &str = "secret.key";
/// How long what was started may take to end when the start failed.
const FAILED_START: Duration = Duration::from_secs(5);

/// Where the parts of a process answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    pub(crate) proxy: Option<String>,
    pub(crate) api: Option<String>,
    pub(crate) metrics: Option<String>,
}

/// The running services of one process.
pub(crate) struct Instance {
    database: Database,
    data_dir: PathBuf,
    pub(crate) addresses: Addresses,
    /// Calls that a crash had left open, settled now as estimates.
    pub(crate) recovered: usize,
}

/// What every service is built from.
struct Foundation {
    store: Store,
    log: Arc<dyn EventLog>,
    clock: SharedClock,
    ids: Arc<Ids>,
    secrets: Secrets,
    tasks: Tasks,
    readiness: Readiness,
}

impl Instance {
    /// Starts the services of a role; what was started is stopped again when something fails. Metrics are served where
    /// there is a telemetry.
    pub(crate) async fn start(
        settings: &Settings,
        role: Role,
        tasks: &Tasks,
        telemetry: Option<&Telemetry>,
    ) -> Outcome<Self> {
        make_private_folder(&settings.data_dir)?;
        let origin = if role == Role::Up { Origin::GivenOrOwn } else { Origin::Given };
        let database = Database::open(settings, origin).await?;
        match Box::pin(build(settings, role, tasks, telemetry, &database)).await {
            Ok((addresses, recovered)) => {
                Ok(Self { database, data_dir: settings.data_dir.clone(), addresses, recovered })
            }
            Err(error) => {
                // Why the start failed matters more than what did not end in time because of it.
                let _unfinished = tasks.shutdown(FAILED_START).await;
                database.close().await;
                Err(error)
            }
        }
    }

    /// Drains: requests end, what is spooled is shipped, then the database is closed.
    pub(crate) async fn stop(self, tasks: &Tasks, deadline: Duration) -> Result<(), Unfinished> {
        let unfinished = tasks.shutdown(deadline).await;
        if self.addresses.api.is_some()
            && let Err(error) = fs::remove_file(self.data_dir.join(RUNNING_FILE))
        {
            tracing::debug!(error.message = %error, "there was no file to remove that says where this process is");
        }
        self.database.close().await;
        unfinished
    }

    /// The database, for checks in this process.
    pub(crate) fn store(&self) -> &Store {
        &self.database.store
    }
}

async fn build(
    settings: &Settings,
    role: Role,
    tasks: &Tasks,
    telemetry: Option<&Telemetry>,
    database: &Database,
) -> Outcome<(Addresses, usize)> {
    let listeners = Listeners::bind(settings, role, telemetry.is_some()).await?;
    let addresses = listeners.addresses();
    let foundation = lay_foundation(settings, role, tasks, database).await?;
    if role.has_projector() {
        let projector = &settings.projector;
        let config = ProjectorConfig {
            batch_records: projector.batch_records,
            batch_bytes: usize::try_from(projector.batch_bytes).unwrap_or(usize::MAX),
            linger: projector.linger,
            idle_wait: projector.poll,
            retry_max: projector.retry_max,
            ..ProjectorConfig::default()
        };
        let owner = foundation.ids.uuid();
        Projector::new(foundation.store.clone(), Arc::clone(&foundation.log), config, owner).start(tasks);
    }
    let proxy = if role.has_proxy() { Some(build_proxy(settings, &foundation).await?) } else { None };
    let recovered = proxy.as_ref().map_or(0, Proxy::recovered);
    let admin = role.has_reporting().then(|| build_reporting(settings, &addresses, &foundation));
    let metrics = telemetry.map(|telemetry| telemetry.metrics_router(&foundation.readiness));
    let proxy = proxy.as_ref().map(Proxy::router);
    listeners.serve(Routers { proxy, admin, metrics, readiness: foundation.readiness }, settings, tasks);
    database.watch(tasks);
    announce(settings, &addresses, database)?;
    Ok((addresses, recovered))
}

async fn lay_foundation(
    settings: &Settings,
    role: Role,
    tasks: &Tasks,
    database: &Database,
) -> Outcome<Foundation> {
    let store = database.store.clone();
    if role.sets_up() {
        store.migrate().await.doing(|| "bringing the database's schema up to date".to_owned())?;
    } else {
        store.check_version().await.doing(|| "checking the database's schema".to_owned())?;
    }
    let clock = SystemClock::shared();
    let ids = Arc::new(Ids::new(Arc::clone(&clock)));
    let secrets = load_secrets(&settings.data_dir, role)?;
    if role.sets_up() {
        let prices = pricebook::builtin();
        let first = bootstrap(&store, &secrets, clock.as_ref(), &ids, &prices).await;
        let first = first.doing(|| "setting up the first team".to_owned())?;
        if let Some(token) = first.admin_token {
            let path = settings.data_dir.join(TOKEN_FILE);
            let text = format!("{}\n", token.expose_secret());
            write_private(&path, text.as_bytes()).doing(|| format!("writing {}", path.display()))?;
        }
    }
    let readiness = Readiness::following(tasks.shutdown_signal());
    let log: Arc<dyn EventLog> = Arc::new(PostgresLog::new(store.pool().clone()));
    Ok(Foundation { store, log, clock, ids, secrets, tasks: tasks.clone(), readiness })
}

async fn build_proxy(settings: &Settings, foundation: &Foundation) -> Outcome<Proxy> {
    let config = ProxyConfig::from_settings(settings).map_err(|error| CliError::usage(error.to_string()))?;
    let control =
        StoreControl::new(foundation.store.clone(), foundation.secrets.secret_box.clone(), config.feed.poll);
    let deps = tallystick_proxy::Deps {
        control: Arc::new(control),
        log: Arc::clone(&foundation.log),
        epochs: Arc::new(StoreEpochs::new(foundation.store.clone(), Arc::clone(&foundation.clock))),
        clock: Arc::clone(&foundation.clock),
        ids: Arc::clone(&foundation.ids),
        tasks: foundation.tasks.clone(),
        secrets: foundation.secrets.clone(),
        readiness: foundation.readiness.clone(),
    };
    Box::pin(Proxy::build(config, deps)).await.doing(|| "starting the proxy".to_owned())
}

fn build_reporting(settings: &Settings, addresses: &Addresses, foundation: &Foundation) -> Router {
    let public_url = addresses.proxy.clone().unwrap_or_else(|| format!("http://{}", settings.proxy_listen()));
    let config = ReportingConfig::new(&public_url, &settings.limits, &settings.reporting);
    let deps = tallystick_reporting::Deps {
        store: foundation.store.clone(),
        clock: Arc::clone(&foundation.clock),
        ids: Arc::clone(&foundation.ids),
        tasks: foundation.tasks.clone(),
        secrets: foundation.secrets.clone(),
        log: Arc::clone(&foundation.log),
        renderer: Some(Arc::new(Typesetter)),
    };
    Reporting::build(config, deps)
}

/// The keys of this instance, from the file in the data directory; made by the first start.
fn load_secrets(data_dir: &Path, role: Role) -> Outcome<Secrets> {
    let path = data_dir.join(SECRET_FILE);
    if !role.sets_up() && !path.exists() {
        return Err(CliError::usage(format!("there is no secret key in {}", path.display()))
            .advise("all processes of an instance share one key: copy the file from where `tallystick up` or `tallystick reporting` made it"));
    }
    let mut random = [0_u8; MASTER_BYTES];
    getrandom::fill(&mut random).map_err(|error| CliError::new(format!("drawing random bytes: {error}")))?;
    let key = MasterKey::load_or_create(&path, random);
    key.map(|key| key.secrets()).map_err(|error| {
        CliError::because("loading the instance's secret key", &error)
            .advise("every key, token and provider secret depends on this file: restore it from your backup")
    })
}

fn make_private_folder(path: &Path) -> Outcome {
    if path.is_dir() {
        return Ok(());
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)))
        .doing(|| format!("making the data directory {}", path.display()))
}

/// Says where this process is, for the commands on this machine.
fn announce(settings: &Settings, addresses: &Addresses, database: &Database) -> Outcome {
    let Some(url) = addresses.api.clone() else { return Ok(()) };
    let running = Running {
        pid: std::process::id(),
        proxy_url: addresses.proxy.clone().unwrap_or_default(),
        url,
        database_url: database.own_url(),
    };
    running.write(&settings.data_dir)
}
