//! `tallystick proxy` as a process of its own, with PostgreSQL, projector and reporting elsewhere: how much memory the
//! request path takes, and how fast it is when nobody folds beside it.

use super::child::{folder, used_by};
use super::pressure::{Line, flood};
use super::rounds::{ROUNDS, Rounds};
use super::table::{Row, Target};
use super::upstream::request_body;
use crate::harness::{Gateway, GatewayOptions, binary};
use crate::provider::DEFAULT_KEY;
use anyhow::{Context, bail, ensure};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tallystick_store::managed::{ManagedConfig, ManagedPostgres};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const SECTION: &str = "tallystick proxy alone, upstream answers at once";
const CONNECTIONS: usize = 32;
const FLOOD: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures on a database of its own, with the upstream at `upstream`.
pub(crate) async fn measure(upstream: SocketAddr) -> anyhow::Result<Vec<Row>> {
    let folder = folder()?;
    let postgres = ManagedPostgres::start(ManagedConfig::new(folder.path())).await?;
    let options = GatewayOptions::for_tests().with("DATABASE_URL", &postgres.url());
    let mut gateway = Gateway::start(options.clone()).await?;
    let key = set_up(&gateway, upstream).await?;
    let code = gateway.terminate().await?;
    ensure!(code == 0, "the gateway that set things up ended with {code}: {}", gateway.log());
    let (mut child, address) = start(&gateway.data_dir(), &options).await?;
    let pid = child.id().context("the proxy runs")?;
    let figures = under_load(pid, Line { address, key, body: request_body() }).await;
    child.kill().await?;
    postgres.stop().await;
    figures
}

/// A provider at `upstream` and a key; gives the key's secret.
pub(crate) async fn set_up(gateway: &Gateway, upstream: SocketAddr) -> anyhow::Result<String> {
    let url = format!("http://{upstream}/v1");
    gateway
        .cli(&["providers", "add", "openai", "--base-url", &url, "--secret-env", "FAKE_PROVIDER_KEY"])
        .await?;
    gateway.make_key("bench").await
}

async fn start(data_dir: &Path, options: &GatewayOptions) -> anyhow::Result<(Child, SocketAddr)> {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let (address, metrics) = (free()?, free()?);
    let mut child = Command::new(binary())
        .env_clear()
        .env("FAKE_PROVIDER_KEY", DEFAULT_KEY)
        .envs(options.environment.iter().cloned())
        .arg("--data-dir")
        .arg(data_dir)
        .args(["proxy", "--listen", &address.to_string(), "--metrics-listen", &metrics.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("starting tallystick proxy")?;
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).await.is_err() {
        if let Some(status) = child.try_wait()? {
            bail!("tallystick proxy ended with {status}");
        }
        ensure!(Instant::now() < deadline, "tallystick proxy did not listen in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok((child, address))
}

async fn under_load(pid: u32, line: Line) -> anyhow::Result<Vec<Row>> {
    let [mut idle, mut loaded, mut rate, mut cpu_us]: [Rounds; 4] = Default::default();
    idle.push(used_by(pid)?.resident_mb);
    for round in 0..=ROUNDS {
        let before = used_by(pid)?;
        let (latencies, elapsed) = flood(&line, CONNECTIONS, FLOOD).await?;
        let after = used_by(pid)?;
        if round > 0 {
            rate.push_rate(latencies.count(), elapsed);
            cpu_us.push((after.cpu_s - before.cpu_s) * 1e6 / latencies.count() as f64);
            loaded.push(after.resident_mb);
        }
    }
    let loaded =
        Row::new(SECTION, format!("resident after each round at {CONNECTIONS} connections"), "MB", &loaded);
    Ok(vec![
        Row::new(SECTION, "proxy", "requests/s", &rate),
        Row::new(SECTION, "proxy, CPU per request", "us", &cpu_us),
        Row::new(SECTION, "resident, idle", "MB", &idle),
        loaded.target(Target::AtMost(60.0)),
    ])
}
