use super::account::Account;
use super::orphan::{alive, send};
use super::*;
use crate::connect::Store;
use crate::error::StoreError;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the child process below starts its server.
const CHILD: &str = "TALLYSTICK_STORE_CHILD";

fn data_dir() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn config(data_dir: &Path) -> ManagedConfig {
    let mut config = ManagedConfig::new(data_dir);
    config.stop_timeout = Duration::from_secs(20);
    config
}

async fn write(postgres: &ManagedPostgres, n: i32) -> Result<(), StoreError> {
    let store = Store::connect(postgres.store_config()).await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS kept (n int)").execute(store.pool()).await?;
    sqlx::query("INSERT INTO kept VALUES ($1)").bind(n).execute(store.pool()).await?;
    store.close().await;
    Ok(())
}

async fn kept(postgres: &ManagedPostgres) -> Vec<i32> {
    let store = Store::connect(postgres.store_config()).await.unwrap();
    let rows = sqlx::query_scalar("SELECT n FROM kept ORDER BY n").fetch_all(store.pool()).await.unwrap();
    store.close().await;
    rows
}

fn wait_for_end(pid: u32) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while alive(pid) {
        assert!(Instant::now() < deadline, "process {pid} is still there");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn a_restart_finds_all_data_and_a_stop_ends_the_server_cleanly() {
    let folder = data_dir();
    let first = ManagedPostgres::start(config(folder.path())).await.unwrap();
    write(&first, 1).await.unwrap();
    let pid = first.pid().unwrap();
    assert_eq!(first.stop().await, "exit status: 0");
    assert!(!alive(pid));

    let second = ManagedPostgres::start(config(folder.path())).await.unwrap();
    write(&second, 2).await.unwrap();
    assert_eq!(kept(&second).await, [1, 2]);
    second.stop().await;
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_is_refused_while_the_first_runs() {
    let folder = data_dir();
    let first = ManagedPostgres::start(config(folder.path())).await.unwrap();
    let refused = ManagedPostgres::start(config(folder.path())).await.unwrap_err();
    let holder = std::process::id().to_string();
    assert!(matches!(&refused, ManagedError::InUse { holder: h, .. } if *h == holder), "{refused}");
    write(&first, 1).await.unwrap();
    first.stop().await;
}

#[tokio::test]
async fn the_server_opens_no_port_and_lets_only_its_owner_in() {
    let folder = data_dir();
    let postgres = ManagedPostgres::start(config(folder.path())).await.unwrap();
    let store = Store::connect(postgres.store_config()).await.unwrap();
    let (addresses, superuser): (String, bool) = sqlx::query_as(
        "SELECT current_setting('listen_addresses'), rolsuper FROM pg_roles WHERE rolname = current_user",
    )
    .fetch_one(store.pool())
    .await
    .unwrap();
    assert_eq!((addresses.as_str(), superuser), ("", false));
    let socket = std::fs::metadata(postgres.socket_folder()).unwrap();
    assert_eq!(socket.mode() & 0o777, 0o700);

    let caller = Account::current();
    if caller.is_root() {
        let server = std::fs::metadata(format!("/proc/{}", postgres.pid().unwrap())).unwrap();
        assert_ne!(server.uid(), 0, "the server does not run as root");
        // Even with the folder open, a third user is turned away by the access rules.
        for path in [folder.path().join("postgres/cluster"), postgres.socket_folder().to_owned()] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let socket = postgres.socket_folder().join(".s.PGSQL.5432");
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o777)).unwrap();
        let printed = psql_as(65_534, &postgres);
        assert!(printed.contains("Peer authentication failed"), "{printed}");
    }
    store.close().await;
    postgres.stop().await;
}

/// What `psql` prints to a user who has no business here.
fn psql_as(uid: u32, postgres: &ManagedPostgres) -> String {
    use std::os::unix::process::CommandExt as _;
    let output =
        Command::new("psql").arg(postgres.url()).args(["-c", "SELECT 1"]).uid(uid).current_dir("/").output();
    let output = output.unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_data_directory_with_a_long_path_still_gets_a_socket() {
    let folder = data_dir();
    let long = folder.path().join("a".repeat(60)).join("b".repeat(60));
    let postgres = ManagedPostgres::start(config(&long)).await.unwrap();
    write(&postgres, 1).await.unwrap();
    assert!(!postgres.socket_folder().starts_with(&long));
    let socket = postgres.socket_folder().to_owned();
    postgres.stop().await;
    ManagedPostgres::remove(&config(&long)).unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_server_that_cannot_start_is_an_error_with_the_end_of_its_log() {
    let folder = data_dir();
    let mut broken = config(folder.path());
    broken.settings.push(("shared_buffers".to_owned(), "nonsense".to_owned()));
    let error = ManagedPostgres::start(broken).await.unwrap_err().to_string();
    assert!(error.contains("shared_buffers"), "{error}");
    let postgres = ManagedPostgres::start(config(folder.path())).await.unwrap();
    postgres.stop().await;
}

#[tokio::test]
async fn an_end_of_the_server_is_noticed() {
    let folder = data_dir();
    let postgres = ManagedPostgres::start(config(folder.path())).await.unwrap();
    send(postgres.pid().unwrap(), libc::SIGQUIT);
    tokio::time::timeout(Duration::from_secs(20), postgres.ended()).await.unwrap();
    assert_eq!(postgres.pid(), None);
}

#[tokio::test]
async fn root_whose_data_directory_the_server_cannot_reach_gets_a_cluster_elsewhere_and_finds_it_again() {
    if !Account::current().is_root() {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = closed.path().join("tallystick");
    let first = ManagedPostgres::start(config(&data_dir)).await.unwrap();
    let cluster: PathBuf = first.cluster_folder().to_owned();
    assert!(!cluster.starts_with(closed.path()), "{cluster:?}");
    write(&first, 1).await.unwrap();
    first.stop().await;
    let second = ManagedPostgres::start(config(&data_dir)).await.unwrap();
    assert_eq!((kept(&second).await, second.cluster_folder()), (vec![1], cluster.as_path()));
    assert!(ManagedPostgres::remove(&config(&data_dir)).is_err(), "not while it runs");
    second.stop().await;
    ManagedPostgres::remove(&config(&data_dir)).unwrap();
    assert!(!cluster.exists() && !data_dir.join("postgres/location").exists());
}

/// Not a test by itself: the process that the next test kills.
#[tokio::test]
#[ignore = "runs only as the child of the test below"]
#[expect(clippy::disallowed_methods, reason = "how the parent tells the child where to work")]
async fn child_that_runs_a_server_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let postgres = ManagedPostgres::start(config(Path::new(&folder))).await.unwrap();
    write(&postgres, 7).await.unwrap();
    println!("\nserver {}", postgres.pid().unwrap());
    postgres.ended().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn killing_the_parent_takes_the_server_down_and_the_next_start_finds_every_committed_row() {
    let folder = data_dir();
    for round in 1..=2 {
        let mut parent = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "managed::tests::child_that_runs_a_server_until_it_is_killed"])
            .args(["--ignored", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
        let server: u32 = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("server ")?.parse().ok())
            .expect("the child names its server");
        assert!(alive(server));
        parent.kill().unwrap();
        parent.wait().unwrap();
        if round == 1 {
            wait_for_end(server);
        }
        // In the second round the next start meets the server while it shuts down.
        let next = ManagedPostgres::start(config(folder.path())).await.unwrap();
        wait_for_end(server);
        assert_eq!(kept(&next).await, vec![7; round]);
        next.stop().await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_outlived_its_parent_is_ended_first() {
    let folder = data_dir();
    let first = ManagedPostgres::start(config(folder.path())).await.unwrap();
    write(&first, 1).await.unwrap();
    let data = first.cluster_folder().join("data");
    let pid = first.pid().unwrap();
    let ending = tokio::task::spawn_blocking(move || orphan::end(&data, Duration::from_secs(20)));
    ending.await.unwrap().unwrap();
    first.ended().await;
    assert!(!alive(pid));
    drop(first);
    let next = ManagedPostgres::start(config(folder.path())).await.unwrap();
    assert_eq!(kept(&next).await, [1]);
    next.stop().await;
}
