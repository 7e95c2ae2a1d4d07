//! Where the cluster lives, who may enter, and the lock that keeps a second start out.
//!
//! `DATA_DIR/postgres/` holds the lock and, as a rule, the cluster: `cluster/data` (PostgreSQL's own), `cluster/run`
//! (the socket) and `cluster/postgres.log`. When root started us and the server's user cannot pass through a folder
//! above (`/root` is closed on most systems), the cluster lives in `/var/lib/tallystick/<id>` and
//! `DATA_DIR/postgres/location` names it.

use super::account::Account;
use super::error::{Doing as _, ManagedError};
use sha2::{Digest as _, Sha256};
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Clusters that cannot live inside their data folder live here.
const ELSEWHERE: &str = "/var/lib/tallystick";

/// A Unix socket path has at most 103 bytes everywhere; `/.s.PGSQL.5432` takes 14 of them.
const LONGEST_SOCKET_FOLDER: usize = 88;

/// The cluster's folders, locked for this process.
#[derive(Debug)]
pub(crate) struct Folder {
    /// The operating system user that the server runs as.
    pub(crate) server: Account,
    /// Holds everything of the cluster; owned by the server's user, closed to others.
    pub(crate) cluster: PathBuf,
    /// The folder of the Unix socket.
    pub(crate) socket: PathBuf,
    /// Dropped, and so unlocked, when the server is gone.
    _lock: File,
}

impl Folder {
    /// Creates what is missing, decides who runs the server, and takes the lock.
    pub(crate) fn open(data_dir: &Path, caller: &Account) -> Result<Self, ManagedError> {
        let data_dir = std::path::absolute(data_dir).doing(|| format!("resolving {}", data_dir.display()))?;
        let home = data_dir.join("postgres");
        std::fs::create_dir_all(&home).doing(|| format!("creating {}", home.display()))?;
        let lock = take_lock(&home)?;
        if caller.is_root() {
            for folder in [&data_dir, &home] {
                open_for_passing(folder)?;
            }
        }
        let cluster = locate(&home)?.unwrap_or_else(|| home.join("cluster"));
        let server = Account::of_server(caller, &cluster)?;
        let cluster = if server.reaches(&cluster) { cluster } else { settle_elsewhere(&home)? };
        make_private(&cluster, &server)?;
        let socket = socket_folder(&cluster);
        make_private(&socket, &server)?;
        Ok(Self { server, cluster, socket, _lock: lock })
    }

    /// Removes the whole cluster and what points at it. The server must be gone.
    pub(crate) fn remove(self, data_dir: &Path) -> Result<(), ManagedError> {
        for folder in [&self.socket, &self.cluster] {
            match std::fs::remove_dir_all(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).doing(|| format!("removing {}", folder.display()));
                }
                _ => {}
            }
        }
        let location = data_dir.join("postgres").join("location");
        match std::fs::remove_file(&location) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).doing(|| format!("removing {}", location.display()))
            }
            _ => Ok(()),
        }
    }

    /// PostgreSQL's own folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.cluster.join("data")
    }

    /// What the server prints.
    pub(crate) fn log(&self) -> PathBuf {
        self.cluster.join("postgres.log")
    }

    /// Major version of the cluster, `None` when there is none yet.
    pub(crate) fn major(&self) -> Result<Option<u32>, ManagedError> {
        let file = self.data().join("PG_VERSION");
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).doing(|| format!("reading {}", file.display())),
        }
    }
}

/// Gives a file that this process wrote to the server's user.
pub(crate) fn give(path: &Path, to: &Account) -> Result<(), ManagedError> {
    std::os::unix::fs::lchown(path, Some(to.uid), Some(to.gid))
        .doing(|| format!("giving {} to user {}", path.display(), to.name))
}

fn take_lock(home: &Path) -> Result<File, ManagedError> {
    let path = home.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .doing(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let read = file.read_to_string(&mut holder);
            let known = read.is_ok() && !holder.trim().is_empty();
            let holder = if known { holder.trim().to_owned() } else { "unknown".to_owned() };
            return Err(ManagedError::InUse { folder: home.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(error).doing(|| format!("locking {}", path.display())),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .doing(|| format!("writing {}", path.display()))?;
    Ok(file)
}

/// The server's user must be able to pass through our own two folders; what is in them has its own mode.
fn open_for_passing(folder: &Path) -> Result<(), ManagedError> {
    let mode = std::fs::metadata(folder).doing(|| format!("reading {}", folder.display()))?.mode();
    if mode & 0o011 == 0o011 {
        return Ok(());
    }
    std::fs::set_permissions(folder, Permissions::from_mode((mode & 0o7777) | 0o011))
        .doing(|| format!("opening {} for passing through", folder.display()))
}

fn locate(home: &Path) -> Result<Option<PathBuf>, ManagedError> {
    let file = home.join("location");
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Some(PathBuf::from(text.trim_end()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing(|| format!("reading {}", file.display())),
    }
}

/// A new place under [`ELSEWHERE`], named in both directions.
fn settle_elsewhere(home: &Path) -> Result<PathBuf, ManagedError> {
    let id = short_hash(&format!("{} {}", home.display(), std::process::id()));
    let place = Path::new(ELSEWHERE).join(id);
    std::fs::create_dir_all(&place).doing(|| format!("creating {}", place.display()))?;
    for (file, content) in [(place.join("belongs-to"), home), (home.join("location"), place.as_path())] {
        std::fs::write(&file, format!("{}\n", content.display()))
            .doing(|| format!("writing {}", file.display()))?;
    }
    tracing::info!(
        cluster.path = %place.display(),
        "the server's user cannot reach the data directory, so the database lives elsewhere"
    );
    Ok(place)
}

fn socket_folder(cluster: &Path) -> PathBuf {
    let near = cluster.join("run");
    if near.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
        return near;
    }
    Path::new("/tmp").join(format!("tallystick-{}", short_hash(&cluster.to_string_lossy())))
}

/// A folder of mode 0700 that belongs to the server's user. One that is there already and is a link, or belongs to a
/// third user, is refused: in `/tmp` anybody may have put it there.
fn make_private(folder: &Path, server: &Account) -> Result<(), ManagedError> {
    let doing = || format!("preparing {}", folder.display());
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let there = std::fs::symlink_metadata(folder).doing(doing)?;
            let trusted = there.uid() == server.uid || there.uid() == Account::current().uid;
            if !there.is_dir() || !trusted {
                return Err(std::io::Error::other("it is there and belongs to somebody else")).doing(doing);
            }
        }
        Err(error) => return Err(error).doing(doing),
    }
    give(folder, server)?;
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).doing(doing)
}

/// Sixteen hexadecimal digits that stand for a text.
fn short_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_or_handle_is_kept_out_and_learns_who_is_in() {
        let home = tempfile::tempdir().unwrap();
        let held = take_lock(home.path()).unwrap();
        let refused = take_lock(home.path()).unwrap_err();
        assert!(
            matches!(&refused, ManagedError::InUse { holder, .. } if *holder == std::process::id().to_string())
        );
        drop(held);
        take_lock(home.path()).unwrap();
    }

    #[test]
    fn a_long_path_gets_a_short_socket_folder_that_is_always_the_same() {
        let short = Path::new("/srv/tallystick/postgres/cluster");
        assert_eq!(socket_folder(short), short.join("run"));
        let long = Path::new("/srv").join("x".repeat(100));
        let chosen = socket_folder(&long);
        assert!(chosen.as_os_str().len() <= LONGEST_SOCKET_FOLDER, "{chosen:?}");
        assert_eq!(chosen, socket_folder(&long));
        assert_ne!(chosen, socket_folder(&long.join("y")));
    }

    #[test]
    fn a_link_in_place_of_a_folder_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let link = root.path().join("socket");
        std::os::unix::fs::symlink("/etc", &link).unwrap();
        assert!(make_private(&link, &Account::current()).is_err());
    }
}
