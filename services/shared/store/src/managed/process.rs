//! The server as a child process, and the thread that keeps it.
//!
//! The keeper thread spawns the child and then does nothing but wait for its end. Linux sends the parent-death signal
//! when the *thread* that spawned a child ends, so the child must come from a thread that lives as long as it.

use super::account::Account;
use super::binaries::Binaries;
use super::error::{Doing as _, ManagedError};
use super::folder::{Folder, give};
use super::orphan::send;
use super::server::ManagedConfig;
use super::{cluster, orphan};
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{oneshot, watch};

/// A log that has grown over this many bytes is put aside at the next start (one old one is kept).
const LOG_LIMIT: u64 = 16 << 20;

/// What the server is told at every start; a change takes effect with the next one.
const SETTINGS: [(&str, &str); 14] = [
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("shared_buffers", "128MB"),
    ("max_connections", "100"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("wal_compression", "on"),
    ("max_wal_size", "2GB"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_min_messages", "warning"),
    ("log_checkpoints", "off"),
];

/// A server that was spawned. Dropping it asks the server to shut down and does not wait.
#[derive(Debug)]
pub(crate) struct Running {
    /// `None` once the process has been reaped: its id may belong to something else from then on.
    pid: Arc<Mutex<Option<u32>>>,
    /// How the process ended, once it did.
    pub(crate) ended: watch::Receiver<Option<String>>,
    pub(crate) folder: Arc<Folder>,
}

impl Running {
    /// The server's process id while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signals the server, unless it is gone.
    pub(crate) fn signal(&self, signal: libc::c_int) {
        let pid = self.pid.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = *pid {
            send(pid, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(libc::SIGINT);
    }
}

/// Prepares the cluster and spawns the server on a keeper thread. The server may not answer yet.
pub(crate) async fn spawn(config: ManagedConfig) -> Result<Running, ManagedError> {
    let (ready, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("postgres-keeper".to_owned())
        .spawn(move || keep(&config, ready))
        .doing(|| "starting the thread that keeps PostgreSQL".to_owned())?;
    answer.await.expect("the keeper answers on every path before it ends")
}

/// The keeper thread: prepare, spawn, answer, wait for the end.
fn keep(config: &ManagedConfig, ready: oneshot::Sender<Result<Running, ManagedError>>) {
    let (folder, mut child) = match prepare(config) {
        Ok(prepared) => prepared,
        Err(error) => {
            let _nobody_waits = ready.send(Err(error));
            return;
        }
    };
    let id = child.id();
    let pid = Arc::new(Mutex::new(Some(id)));
    let (told, ended) = watch::channel(None);
    // When the start was cancelled, the value comes back and its drop shuts the server down.
    drop(ready.send(Ok(Running { pid: Arc::clone(&pid), ended, folder: Arc::clone(&folder) })));
    wait_without_reaping(id);
    let mut known = pid.lock().unwrap_or_else(PoisonError::into_inner);
    *known = None;
    drop(known);
    let how = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
    drop(folder);
    told.send_replace(Some(how));
}

/// Blocks until the child has ended but leaves its process id taken, so that no signal can hit a stranger.
fn wait_without_reaping(pid: u32) {
    loop {
        // SAFETY: `siginfo_t` is a plain C structure, for which all zeros is a valid value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is a valid place for the answer and outlives the call.
        let code = unsafe { libc::waitid(libc::P_PID, pid, &raw mut info, libc::WEXITED | libc::WNOWAIT) };
        if code == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return;
        }
    }
}

fn prepare(config: &ManagedConfig) -> Result<(Arc<Folder>, Child), ManagedError> {
    let caller = Account::current();
    let folder = Folder::open(&config.data_dir, &caller)?;
    let binaries = Binaries::find(&folder.data(), folder.major()?)?;
    orphan::end(&folder.data(), config.stop_timeout)?;
    cluster::prepare(&folder, &binaries, &caller)?;
    let child = spawn_server(&folder, &binaries, config)?;
    Ok((Arc::new(folder), child))
}

/// Ends what still runs on the data directory's cluster and removes it, wherever it lives.
pub(crate) fn remove(config: &ManagedConfig) -> Result<(), ManagedError> {
    let folder = Folder::open(&config.data_dir, &Account::current())?;
    orphan::end(&folder.data(), config.stop_timeout)?;
    folder.remove(&config.data_dir)
}

fn spawn_server(folder: &Folder, binaries: &Binaries, config: &ManagedConfig) -> Result<Child, ManagedError> {
    let log = folder.log();
    if std::fs::metadata(&log).is_ok_and(|there| there.len() > LOG_LIMIT) {
        std::fs::rename(&log, log.with_extension("log.old"))
            .doing(|| format!("putting {} aside", log.display()))?;
    }
    let out = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .doing(|| format!("opening {}", log.display()))?;
    give(&log, &folder.server)?;
    let copy = out.try_clone().doing(|| format!("opening {} twice", log.display()))?;
    let mut command = Command::new(binaries.postgres());
    command.arg("-D").arg(folder.data()).arg("-k").arg(&folder.socket);
    let extra = config.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in SETTINGS.into_iter().chain(extra) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command.stdin(Stdio::null()).stdout(out).stderr(copy);
    // A Ctrl-C at the terminal must reach Tallystick alone: it drains first and stops the server last.
    command.process_group(0);
    as_user(&mut command, &folder.server, &folder.cluster);
    end_with_parent(&mut command);
    command.spawn().doing(|| format!("starting {}", binaries.postgres().display()))
}

/// Runs the command as the server's user, in a folder that this user can enter, with no setting of ours inherited.
pub(crate) fn as_user(command: &mut Command, user: &Account, folder: &Path) {
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").current_dir(folder);
    if Account::current().is_root() && user.uid != 0 {
        command.gid(user.gid).uid(user.uid);
    }
}

/// Asks the kernel to shut the server down (fast, with a checkpoint) when the keeper thread ends for whatever reason.
#[cfg(target_os = "linux")]
fn end_with_parent(command: &mut Command) {
    let parent = std::process::id();
    let set = move || {
        // SAFETY: both are async-signal-safe system calls that touch no memory of ours; this runs in the child after
        // the user was changed (which would clear the signal) and before the program starts (which keeps it).
        let (set, now) = unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGINT), libc::getppid()) };
        if set != 0 {
            return Err(std::io::Error::last_os_error());
        }
        if u32::try_from(now) != Ok(parent) {
            return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(())
    };
    // SAFETY: the closure allocates nothing, takes no lock and makes only the calls above.
    unsafe { command.pre_exec(set) };
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(_command: &mut Command) {}
