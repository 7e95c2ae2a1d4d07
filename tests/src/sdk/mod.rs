//! Runs the tests of the official OpenAI SDK, which are Python (`tests/sdk/`).
//!
//! Owns: a virtual environment with the pinned packages of `tests/sdk/requirements.txt`, made once and
//! kept in the target folder; one run of pytest and its counts. Does not own: the scenarios, and the
//! servers that they talk to.
//!
//! Invariants: the environment is used only when it was finished for exactly these requirements; the
//! run sees nothing of the caller's environment but `PATH` and `HOME`, so that no `OPENAI_*` or proxy
//! setting changes what is tested.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use tokio::process::Command;

const REQUIREMENTS: &str = include_str!("../../sdk/requirements.txt");
const SCENARIOS: &str = include_str!("../../sdk/scenarios.py");

/// Keeps the reports of parallel runs apart.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// A base URL that ends in `/v1`, and a key for it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Base URL.
    pub url: String,
    /// API key.
    pub key: String,
}

/// What pytest counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct SdkReport {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed, errors included.
    pub failed: usize,
    /// Tests that were skipped because their side is missing.
    pub skipped: usize,
}

/// The suite, ready to run.
#[derive(Debug)]
pub struct SdkSuite {
    python: PathBuf,
    folder: PathBuf,
}

/// How many scenarios there are. Each is one test directly, one through a gateway, one comparison.
pub fn scenario_count() -> usize {
    SCENARIOS.matches("\n@scenario(").count()
}

impl SdkSuite {
    /// Makes the virtual environment in `target/sdk-venv`, or takes the one that is there; a lock file
    /// beside it keeps several test processes apart. Installing needs a Python package index once, and
    /// says on stderr what it installs.
    pub async fn prepare(target: &Path) -> anyhow::Result<Self> {
        let venv = target.join("sdk-venv");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk");
        let python = venv.join("bin").join("python");
        let requirements = folder.join("requirements.txt");
        tokio::task::spawn_blocking(move || install(&venv, &requirements))
            .await
            .context("preparing sdk-venv")??;
        Ok(Self { python, folder })
    }

    /// Runs every scenario directly and, where there is a gateway, through it and compared. A failing
    /// test is an error that carries pytest's output.
    pub async fn run(&self, direct: &Endpoint, proxy: Option<&Endpoint>) -> anyhow::Result<SdkReport> {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let report = self.python.with_file_name(format!("report-{}-{run}.json", process::id()));
        let mut command = Command::new(&self.python);
        let caller = std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME");
        command
            .env_clear()
            .envs(caller)
            .args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"])
            .current_dir(&self.folder)
            .env("SDK_REPORT", &report)
            .env("NO_PROXY", "*")
            .env("DIRECT_URL", &direct.url)
            .env("DIRECT_KEY", &direct.key)
            .kill_on_drop(true)
            .stdin(Stdio::null());
        if let Some(proxy) = proxy {
            command.env("PROXY_URL", &proxy.url).env("PROXY_KEY", &proxy.key);
        }
        let output = command.output().await.context("starting pytest")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("the SDK tests failed:\n{text}\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let counts =
            tokio::fs::read(&report).await.with_context(|| format!("pytest left no counts:\n{text}"))?;
        tokio::fs::remove_file(&report).await.context("removing the counts")?;
        serde_json::from_slice(&counts).context("reading the counts")
    }
}

fn install(venv: &Path, requirements: &Path) -> anyhow::Result<()> {
    let lock = File::create(venv.with_extension("lock")).context("creating the lock of sdk-venv")?;
    lock.lock().context("waiting for another process that prepares sdk-venv")?;
    let stamp = venv.join("requirements.installed");
    let python = venv.join("bin").join("python");
    let ready = fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS);
    if ready && python.exists() {
        return Ok(());
    }
    if venv.exists() {
        fs::remove_dir_all(venv).context("removing an outdated sdk-venv")?;
    }
    let packages: Vec<&str> = REQUIREMENTS.lines().filter(|line| line.contains("==")).collect();
    writeln!(std::io::stderr(), "installing into {}: {}", venv.display(), packages.join(" "))?;
    let made = process::Command::new("python3").args(["-m", "venv"]).arg(venv).status();
    let made = made.context("starting python3, which the SDK tests need")?;
    ensure!(made.success(), "python3 -m venv failed: is its venv module installed (python3-venv)?");
    let pip = process::Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--requirement",
        ])
        .arg(requirements)
        .status()
        .context("starting pip")?;
    ensure!(pip.success(), "pip could not install the packages of tests/sdk/requirements.txt");
    fs::write(&stamp, REQUIREMENTS).context("marking sdk-venv as finished")
}
