//! Why the managed PostgreSQL could not start or stop, in words that say what to do.

use std::path::PathBuf;

/// A failed start or stop of the managed PostgreSQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagedError {
    /// No usable programs on this machine.
    #[error(
        "no PostgreSQL 14 or newer found; looked for initdb and postgres in: {}. {}",
        list(searched),
        "install it (Debian, Ubuntu: `apt-get install postgresql`; Fedora: `dnf install postgresql-server`; \
         macOS: `brew install postgresql@17`) or set DATABASE_URL to a server of your own"
    )]
    NotInstalled {
        /// Every folder that was looked in, with what was found there.
        searched: Vec<String>,
    },
    /// The cluster on disk is of a major version that is not installed.
    #[error(
        "the database in {} was written by PostgreSQL {needed}, but only {} is installed; \
         install version {needed} again, or dump and restore",
        data.display(), list(found)
    )]
    OtherMajor {
        /// The cluster's folder.
        data: PathBuf,
        /// Its major version.
        needed: u32,
        /// The versions that are installed.
        found: Vec<String>,
    },
    /// Another process has this folder.
    #[error("another tallystick (process {holder}) is running on {}", folder.display())]
    InUse {
        /// The folder that is taken.
        folder: PathBuf,
        /// Process id of the other one, `unknown` when it did not say.
        holder: String,
    },
    /// A server of an earlier run would not go away.
    #[error("a PostgreSQL of an earlier run (process {pid}) still uses {} and does not stop", data.display())]
    Orphan {
        /// The cluster's folder.
        data: PathBuf,
        /// Its process id.
        pid: u32,
    },
    /// Started by root, and no unprivileged user to run the server as.
    #[error("PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`")]
    NoUser,
    /// `initdb` failed.
    #[error("creating the database in {} failed: {output}", data.display())]
    Initdb {
        /// The folder that was to be made.
        data: PathBuf,
        /// The end of what it printed.
        output: String,
    },
    /// The server ended or did not answer in time.
    #[error("PostgreSQL did not start ({reason}); the end of {}: {tail}", log.display())]
    Start {
        /// What was observed.
        reason: String,
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A file or process operation failed.
    #[error("{doing}")]
    Io {
        /// What was being done, with which file.
        doing: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The server is up but its first set-up failed.
    #[error("setting up the role and the database of the new server failed")]
    Setup(#[source] sqlx::Error),
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

/// Attaches what was being done to an I/O error.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, ManagedError>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, ManagedError> {
        self.map_err(|source| ManagedError::Io { doing: what(), source })
    }
}
