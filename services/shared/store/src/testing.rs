//! A fresh, migrated database for one test. For tests of every crate; no service uses it.
//!
//! `TestDatabase::create()` copies a template database that is migrated once per set of migrations. The server is the
//! one that `TALLYSTICK_TEST_PG` names (a URL whose user may create databases), else one of our own per test process:
//! without fsync, in the temporary folder, ended and removed when the process ends.

use crate::connect::{Store, StoreConfig};
use crate::managed::{ManagedConfig, ManagedPostgres};
use crate::migrate::{MIGRATIONS, run_migrations};
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

static SERVER: OnceCell<Server> = OnceCell::const_new();
static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static JANITOR: OnceLock<mpsc::Sender<String>> = OnceLock::new();

/// Any number; all test processes on one server take the same lock while they build a template.
const TEMPLATE_LOCK: i64 = 7_120_366_001;

struct Server {
    admin: PgConnectOptions,
    url: String,
    own: Option<(ManagedPostgres, PathBuf)>,
}

/// A database that only this test sees. Dropped with the value.
#[derive(Debug)]
pub struct TestDatabase {
    store: Store,
    name: String,
    url: String,
}

impl TestDatabase {
    /// A database with every migration applied.
    pub async fn create() -> Self {
        let template = TEMPLATE.get_or_init(build_template).await;
        Self::copy_of(Some(template)).await
    }

    /// A database with nothing in it.
    pub async fn create_empty() -> Self {
        Self::copy_of(None).await
    }

    async fn copy_of(template: Option<&str>) -> Self {
        let server = server().await;
        let name = format!("test_{}_{:016x}", std::process::id(), RandomState::new().build_hasher().finish());
        let source = template.map_or_else(String::new, |template| format!(" TEMPLATE {template}"));
        run(&server.admin, format!("CREATE DATABASE {name}{source}")).await;
        let url = server.url.replace("/DATABASE", &format!("/{name}"));
        let config = StoreConfig::from_options(server.admin.clone().database(&name)).with_application("test");
        let store = Store::connect(config).await.expect("the database was created just now");
        Self { store, name, url }
    }

    /// The store on this database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A URL of this database, for programs that a test starts.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Options to open further connections or stores with other limits.
    pub async fn options(&self) -> PgConnectOptions {
        server().await.admin.clone().database(&self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let janitor = JANITOR.get_or_init(start_janitor);
        let _at_exit_it_is_gone = janitor.send(std::mem::take(&mut self.name));
    }
}

async fn server() -> &'static Server {
    SERVER.get_or_init(start_server).await
}

#[expect(clippy::disallowed_methods, reason = "a switch for test runs, not a setting of the product")]
async fn start_server() -> Server {
    if let Ok(url) = std::env::var("TALLYSTICK_TEST_PG") {
        let admin = PgConnectOptions::from_str(&url).expect("TALLYSTICK_TEST_PG is a postgres:// URL");
        let (base, query) =
            url.split_once('?').map_or((url.as_str(), String::new()), |(b, q)| (b, format!("?{q}")));
        let authority = base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        return Server { admin, url: format!("{authority}/DATABASE{query}"), own: None };
    }
    sweep();
    let folder = std::env::temp_dir().join(format!("tallystick-test-{}", std::process::id()));
    let mut config = ManagedConfig::new(&folder);
    for (name, value) in [
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("max_connections", "300"),
    ] {
        config.settings.push((name.to_owned(), value.to_owned()));
    }
    let managed =
        ManagedPostgres::start(config).await.expect("tests need PostgreSQL 14 or newer on this machine");
    run(&managed.superuser(), "ALTER ROLE tallystick CREATEDB".to_owned()).await;
    // SAFETY: `end_own_server` is a function of this program and touches only statics.
    unsafe { libc::atexit(end_own_server) };
    let url = managed.url().replace("/tallystick?", "/DATABASE?");
    Server { admin: managed.store_config().into_options(), url, own: Some((managed, folder)) }
}

/// Removes what killed test processes left behind.
fn sweep() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid =
            name.to_str().and_then(|name| name.strip_prefix("tallystick-test-")).and_then(|n| n.parse().ok());
        if pid.is_some_and(|pid| !crate::managed::alive(pid)) {
            remove(&entry.path());
        }
    }
}

fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        tracing::debug!(%error, folder = %folder.display(), "a test folder stays behind");
    }
}

extern "C" fn end_own_server() {
    let Some((managed, folder)) = SERVER.get().and_then(|server| server.own.as_ref()) else { return };
    managed.signal(libc::SIGQUIT);
    let deadline = Instant::now() + Duration::from_secs(5);
    while managed.pid().is_some() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    remove(folder);
}

async fn build_template() -> String {
    let mut hash = Sha256::new();
    for migration in MIGRATIONS.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    let key: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("tallystick_template_{key}");
    let server = server().await;
    let mut admin = PgConnection::connect_with(&server.admin).await.expect("the test server answers");
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut admin)
        .await
        .expect("a free lock");
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await
        .expect("the catalogue is readable");
    if !there {
        for statement in
            [format!("DROP DATABASE IF EXISTS {name}_new"), format!("CREATE DATABASE {name}_new")]
        {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut admin).await.expect("databases can be made");
        }
        let options = server.admin.clone().database(&format!("{name}_new"));
        let mut connection = PgConnection::connect_with(&options).await.expect("the template answers");
        run_migrations(&mut connection).await.expect("every migration applies to an empty database");
        connection.close().await.expect("the template is released");
        sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {name}_new RENAME TO {name}")))
            .execute(&mut admin)
            .await
            .expect("nobody uses the template yet");
    }
    admin.close().await.expect("the lock is released");
    name
}

async fn run(options: &PgConnectOptions, statement: String) {
    let mut connection = PgConnection::connect_with(options).await.expect("the test server answers");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("the test user may do this");
    connection.close().await.expect("the connection ends");
}

/// Drops databases on a thread of its own, one after the other, so that no test waits for it.
fn start_janitor() -> mpsc::Sender<String> {
    let (sender, names) = mpsc::channel::<String>();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        while let Ok(name) = names.recv() {
            let dropped = runtime.block_on(async {
                let mut connection = PgConnection::connect_with(&server().await.admin).await?;
                let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
                connection.close().await
            });
            if let Err(error) = dropped {
                tracing::debug!(%error, "a test database stays behind");
            }
        }
    };
    std::thread::Builder::new().name("test-janitor".to_owned()).spawn(work).expect("a thread can be started");
    sender
}
