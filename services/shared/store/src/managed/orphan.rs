//! A server that an earlier run left behind.
//!
//! On Linux a killed Tallystick takes its server along, but the shutdown takes a moment, and elsewhere the server
//! stays. `postmaster.pid` names it. We hold the folder's lock, so nobody else wants this server: it is ended first. A
//! process id that now belongs to something else would make PostgreSQL refuse to start, so a file that names such a
//! process is removed, once no process at all works in the cluster's folder.

use super::error::{Doing as _, ManagedError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Ends what still runs on `data`; returns at once when nothing does.
pub(crate) fn end(data: &Path, patience: Duration) -> Result<(), ManagedError> {
    let file = data.join("postmaster.pid");
    let Some(pid) = read_pid(&file)? else { return Ok(()) };
    if !alive(pid) {
        return Ok(());
    }
    if !works_in(pid, data) {
        wait_until(patience, || processes_in(data).is_empty())
            .then_some(())
            .ok_or_else(|| ManagedError::Orphan { data: data.to_owned(), pid })?;
        return match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).doing(|| format!("removing {}", file.display()))
            }
            _ => Ok(()),
        };
    }
    tracing::warn!(process.pid = pid, "ending a PostgreSQL that an earlier run left behind");
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        send(pid, signal);
        if wait_until(patience, || !alive(pid) || !works_in(pid, data)) {
            return Ok(());
        }
    }
    Err(ManagedError::Orphan { data: data.to_owned(), pid })
}

fn read_pid(file: &Path) -> Result<Option<u32>, ManagedError> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().next().and_then(|line| line.trim().parse().ok())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing(|| format!("reading {}", file.display())),
    }
}

fn wait_until(patience: Duration, done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !done() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    true
}

/// Whether a process of this id exists.
pub(crate) fn alive(pid: u32) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else { return false };
    // SAFETY: signal 0 only asks whether the process exists.
    let code = unsafe { libc::kill(pid, 0) };
    code == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

pub(crate) fn send(pid: u32, signal: libc::c_int) {
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: plain system call; a process that is gone makes it fail, which is what we want then.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Whether the process is one of this cluster's: PostgreSQL's processes all work in the cluster's folder.
#[cfg(target_os = "linux")]
fn works_in(pid: u32, data: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| same(&folder, data))
}

/// Without `/proc` the file is believed.
#[cfg(not(target_os = "linux"))]
fn works_in(_pid: u32, _data: &Path) -> bool {
    true
}

/// Every process that works in the cluster's folder (none can be found without `/proc`).
fn processes_in(data: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .map(|entry| entry.path().join("cwd"))
        .filter(|link| std::fs::read_link(link).is_ok_and(|folder| same(&folder, data)))
        .collect()
}

fn same(folder: &Path, data: &Path) -> bool {
    folder == data || data.canonicalize().is_ok_and(|real| real == folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn pid_file(data: &Path, pid: u32) -> PathBuf {
        let file = data.join("postmaster.pid");
        std::fs::write(&file, format!("{pid}\n{}\n", data.display())).unwrap();
        file
    }

    #[test]
    fn no_file_and_a_dead_process_are_nothing_to_do() {
        let data = tempfile::tempdir().unwrap();
        end(data.path(), Duration::ZERO).unwrap();
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let file = pid_file(data.path(), child.id());
        end(data.path(), Duration::ZERO).unwrap();
        assert!(file.exists(), "PostgreSQL itself judges the file of a dead process");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_id_that_went_to_something_else_is_left_alone_and_its_file_removed() {
        let data = tempfile::tempdir().unwrap();
        let file = pid_file(data.path(), std::process::id());
        end(data.path(), Duration::from_secs(5)).unwrap();
        assert!(!file.exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_works_in_the_folder_is_ended() {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("600").current_dir(data.path()).spawn().unwrap();
        let pid = child.id();
        pid_file(data.path(), pid);
        let reaper = std::thread::spawn(move || child.wait().unwrap());
        end(data.path(), Duration::from_secs(10)).unwrap();
        assert!(!reaper.join().unwrap().success());
    }
}
