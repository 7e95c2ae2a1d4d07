//! Secrets in files that only their owner can read.

use super::{MASTER_BYTES, MasterKey};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Access for the owner alone.
const OWNER_ONLY: u32 = 0o600;

/// The file with the master key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read or written.
    #[error("using the secret key file {path}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path} does not hold a secret key: expected 64 hexadecimal digits")]
    Malformed {
        /// Which file.
        path: String,
    },
}

impl MasterKey {
    /// Reads the key from a file; where there is none, creates it (mode 0600, on disk before this returns) with
    /// `random`. Of two processes that start at once, one creates it and both use it.
    ///
    /// # Errors
    /// When the file cannot be used, or holds something else.
    pub fn load_or_create(path: &Path, random: [u8; MASTER_BYTES]) -> Result<Self, SecretFileError> {
        let failed = |source| SecretFileError::Io { path: path.display().to_string(), source };
        match fs::read_to_string(path) {
            Ok(text) => Self::from_hex(&text)
                .ok_or_else(|| SecretFileError::Malformed { path: path.display().to_string() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let fresh = Self::from_bytes(random);
                match place_new(path, format!("{}\n", fresh.to_hex()).as_bytes()) {
                    Ok(()) => Ok(fresh),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        Self::load_or_create(path, random)
                    }
                    Err(error) => Err(failed(error)),
                }
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// Writes a file that only the owner can read, in place of an older one; all of it or nothing.
///
/// # Errors
/// When the file cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    write_synced(&beside, bytes)?;
    fs::rename(&beside, path)
}

/// As [`write_private`], but never in place of another file.
fn place_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    write_synced(&beside, bytes)?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    linked
}

fn beside(path: &Path) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
