//! One `tallystick up` as a child process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::provider::{DEFAULT_KEY, Provider};

/// How long a start or a drain may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary that stands beside the running program, or beside the folder of the running test. `make test` and `make
/// bench` build it first.
///
/// # Panics
/// When it is not there.
pub fn binary() -> PathBuf {
    let program = std::env::current_exe().expect("a running program has a path");
    let folders = program.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join("tallystick")).find(|path| path.exists());
    found.expect("tallystick is built: `cargo build -p tallystick` comes first")
}

/// Whether the long campaigns run in full (`make soak`).
pub fn is_full_soak() -> bool {
    std::env::vars().any(|(name, value)| name == "TALLYSTICK_SOAK" && value == "full")
}

/// What differs from the defaults.
#[derive(Clone, Debug, Default)]
pub struct GatewayOptions {
    /// Environment variables on top of an empty environment.
    pub environment: Vec<(String, String)>,
}

impl GatewayOptions {
    /// What every test needs: the fake provider is on loopback, heartbeats come fast, and a provider that never answers
    /// is given up soon.
    #[must_use]
    pub fn for_tests() -> Self {
        let environment = [
            ("TALLYSTICK_PROXY_ALLOW_PRIVATE_UPSTREAMS", "true"),
            ("TALLYSTICK_PROXY_UPSTREAM_FIRST_BYTE_TIMEOUT", "3s"),
            ("TALLYSTICK_PROXY_UPSTREAM_IDLE_TIMEOUT", "3s"),
            ("TALLYSTICK_SPOOL_HEARTBEAT_INTERVAL", "1s"),
        ];
        Self { environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec() }
    }

    /// With one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running gateway and its data. Killed when dropped.
pub struct Gateway {
    child: Option<Child>,
    folder: TempDir,
    listen: SocketAddr,
    metrics: SocketAddr,
    options: GatewayOptions,
    client: Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
}

impl Gateway {
    /// Starts a gateway on an empty data folder and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready; its log is in the error.
    pub async fn start(options: GatewayOptions) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tallystick-").tempdir()?;
        open_to_others(folder.path())?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (listen, metrics) = (free_address()?, free_address()?);
        let mut gateway = Self { child: None, folder, listen, metrics, options, client };
        gateway.restart().await?;
        Ok(gateway)
    }

    /// Starts the process again on the same data.
    ///
    /// # Errors
    /// When it still runs, or does not become ready.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.is_none(), "the gateway runs already");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let child = self
            .command()
            .args(["up", "--listen", &self.listen.to_string(), "--metrics-listen", &self.metrics.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("starting tallystick up")?;
        self.child = Some(child);
        self.until_ready().await
    }

    /// The process id.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("the gateway runs")
    }

    /// `kill -9`, and waits until the process is gone.
    ///
    /// # Errors
    /// When it did not run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("the gateway does not run")?;
        child.kill().await?;
        Ok(())
    }

    /// `SIGTERM`, and waits for the drain; gives the exit code.
    ///
    /// # Errors
    /// When it did not run, or does not end in time.
    pub async fn terminate(&mut self) -> anyhow::Result<i32> {
        let mut child = self.child.take().context("the gateway does not run")?;
        let pid = i32::try_from(child.id().context("the gateway ended by itself")?)?;
        // SAFETY: kill(2) has no memory effects; the pid is of our own child, which was not waited for yet.
        let sent = unsafe { libc::kill(pid, libc::SIGTERM) };
        ensure!(sent == 0, "the signal could not be sent");
        let status =
            tokio::time::timeout(PATIENCE, child.wait()).await.context("the drain took too long")??;
        status.code().context("ended by a signal")
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Base URL for OpenAI clients.
    pub fn openai_url(&self) -> String {
        format!("{}/v1", self.url())
    }

    /// The listener's address.
    pub fn address(&self) -> SocketAddr {
        self.listen
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for the test's own files.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// Everything that the process printed so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Runs a client command with `--json` and gives its document.
    ///
    /// # Errors
    /// When it exits with anything but 0, with what it said.
    pub async fn cli(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let (code, stdout, stderr) = self.cli_raw(&[arguments, &["--json", "--yes"]].concat()).await?;
        ensure!(code == 0, "tallystick {} exited with {code}: {stderr}{stdout}", arguments.join(" "));
        serde_json::from_str(&stdout)
            .with_context(|| format!("tallystick {} printed: {stdout}", arguments.join(" ")))
    }

    /// Runs a client command as it is; gives exit code, stdout and stderr.
    ///
    /// # Errors
    /// When the program can not be run.
    pub async fn cli_raw(&self, arguments: &[&str]) -> anyhow::Result<(i32, String, String)> {
        let output = self.command().args(arguments).env("TALLYSTICK_URL", self.url()).output().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr)))
    }

    /// Asks the HTTP API with the admin token.
    ///
    /// # Errors
    /// When there is no answer or it is not JSON.
    pub async fn api(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let token =
            std::fs::read_to_string(self.data_dir().join("admin.token")).context("reading admin.token")?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url()))
            .header("authorization", format!("Bearer {}", token.trim()))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        let value =
            serde_json::from_slice(&bytes).with_context(|| format!("{path} answered {status}: {bytes:?}"))?;
        Ok((status, value))
    }

    /// Points the gateway at a fake provider, takes over its prices, and makes a key. Gives the key's secret.
    ///
    /// # Errors
    /// When a command is refused.
    pub async fn connect(&self, provider: &Provider, name: &str) -> anyhow::Result<String> {
        let secret = self.folder.path().join("provider.secret");
        std::fs::write(&secret, DEFAULT_KEY)?;
        let add = [
            "providers",
            "add",
            "openai",
            "--base-url",
            &provider.base_url(),
            "--secret-env",
            "FAKE_PROVIDER_KEY",
        ];
        self.cli(&add).await?;
        let uri = format!("{}/_prices", provider.root_url()).parse()?;
        let prices = self.client.get(uri).await?.into_body().collect().await?.to_bytes();
        let file = self.folder.path().join("prices.json");
        std::fs::write(&file, &prices)?;
        let path = file.to_str().context("temporary paths are text")?;
        self.cli(&["prices", "import", "--format", "litellm", path]).await?;
        self.make_key(name).await
    }

    /// Makes a key of kind `project` and gives its secret.
    ///
    /// # Errors
    /// When the command is refused.
    pub async fn make_key(&self, name: &str) -> anyhow::Result<String> {
        let key = self.cli(&["keys", "add", "--name", name, "--kind", "project"]).await?;
        Ok(key["secret"].as_str().context("keys add prints the secret")?.to_owned())
    }

    /// Waits until everything that was admitted before now is folded: the watermark has passed this moment.
    ///
    /// # Errors
    /// When it does not pass in time.
    pub async fn until_folded(&self) -> anyhow::Result<()> {
        let now: jiff::Timestamp = self.now().await?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, usage) = self.api(Method::GET, "/api/v1/usage", None).await?;
            let watermark = usage["watermark"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
            if watermark.is_some_and(|watermark| watermark >= now) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("watermark {watermark:?} did not pass {now}: {}", self.tail());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The machine's time, from the `date` program: the test's own clock stays out of it.
    async fn now(&self) -> anyhow::Result<jiff::Timestamp> {
        let output = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%NZ"]).output().await?;
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let uri: http::Uri = format!("{}/readyz", self.url()).parse()?;
        loop {
            if let Ok(response) = self.client.get(uri.clone()).await
                && response.status() == StatusCode::OK
            {
                return Ok(());
            }
            let child = self.child.as_mut().context("the gateway was started")?;
            if let Some(status) = child.try_wait()? {
                self.child = None;
                bail!("tallystick up ended with {status}: {}", self.tail());
            }
            if Instant::now() > deadline {
                bail!("tallystick up did not become ready: {}", self.tail());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        let path =
            std::env::vars().find(|(name, _)| name == "PATH").map(|(_, value)| value).unwrap_or_default();
        command
            .env_clear()
            .env("PATH", path)
            .env("FAKE_PROVIDER_KEY", DEFAULT_KEY)
            .envs(self.options.environment.iter().cloned())
            .arg("--data-dir")
            .arg(self.data_dir());
        command
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("up.log")
    }

    fn tail(&self) -> String {
        let log = self.log();
        let from = log.len().saturating_sub(4_000);
        log.get(from..).unwrap_or(&log).to_owned()
    }
}

/// A port that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// PostgreSQL runs as another user when we are root, and has to reach its folder.
fn open_to_others(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?)
}
