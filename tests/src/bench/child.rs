//! Processes beside this one: this program in another role, and what they use of the machine.

use anyhow::Context;
use std::net::SocketAddr;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// This program in another role. Killed when dropped.
pub(crate) struct Role {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Role {
    /// Starts `bench ROLE ARGUMENTS`, which prints the address that it serves as its first line.
    pub(crate) async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("a running program has a path")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting bench {}", arguments.join(" ")))?;
        let stdout = child.stdout.take().context("the output is piped")?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        let line = line.with_context(|| format!("bench {} ended at once", arguments.join(" ")))?;
        Ok(Self { child, address: line.parse()? })
    }

    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the child runs")
    }
}

/// A temporary folder that another user (PostgreSQL's, when we are root) may enter.
pub(crate) fn folder() -> anyhow::Result<TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new().prefix("tallystick-bench-").tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// What a process used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    /// User and system time together, in seconds.
    pub(crate) cpu_s: f64,
    /// Resident memory, in MB (10^6 bytes).
    pub(crate) resident_mb: f64,
}

/// Reads `/proc`.
pub(crate) fn used_by(pid: u32) -> anyhow::Result<Use> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; the fields after it are numbers.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    // SAFETY: sysconf(3) reads a constant of the system.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib: u64 = resident.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
    Ok(Use {
        cpu_s: (ticks(11) + ticks(12)) as f64 / per_second as f64,
        resident_mb: (kib * 1024) as f64 / 1e6,
    })
}

/// CPU seconds of a process and of its children that still run: a PostgreSQL with its sessions and writers.
pub(crate) fn cpu_of_family(pid: u32) -> anyhow::Result<f64> {
    let mut cpu_s = used_by(pid)?.cpu_s;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process that ended meanwhile has nothing to read.
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().unwrap_or_default().split_whitespace().nth(1);
        if parent == Some(pid.to_string().as_str()) {
            cpu_s += used_by(child).map_or(0.0, |used| used.cpu_s);
        }
    }
    Ok(cpu_s)
}
