//! Operating system users: who we are, and as whom the server runs.

use super::error::ManagedError;
use std::ffi::{CStr, CString};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The user that this process runs as.
    pub(crate) fn current() -> Self {
        // SAFETY: both calls take no argument, cannot fail and touch no memory.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        Self::by_uid(uid).unwrap_or_else(|| Self { name: uid.to_string(), uid, gid })
    }

    pub(crate) fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// As whom the server runs: the owner of a cluster that exists, else the caller; for root an unprivileged user.
    pub(crate) fn of_server(caller: &Self, cluster: &Path) -> Result<Self, ManagedError> {
        if !caller.is_root() {
            return Ok(caller.clone());
        }
        if let Ok(there) = std::fs::metadata(cluster)
            && there.uid() != 0
            && let Some(owner) = Self::by_uid(there.uid())
        {
            return Ok(owner);
        }
        ["postgres", "nobody"].into_iter().find_map(Self::by_name).ok_or(ManagedError::NoUser)
    }

    /// Whether this user may pass through every folder above `path` (mode bits only, no access lists).
    pub(crate) fn reaches(&self, path: &Path) -> bool {
        path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).all(|folder| {
            std::fs::metadata(folder).is_ok_and(|there| {
                let shift = match () {
                    () if there.uid() == self.uid => 6,
                    () if there.gid() == self.gid => 3,
                    () => 0,
                };
                self.uid == 0 || there.mode() >> shift & 0o1 == 1
            })
        })
    }

    fn by_uid(uid: u32) -> Option<Self> {
        look_up(|entry, buffer, length, found| {
            // SAFETY: `look_up` hands over valid pointers to `entry`, to `length` bytes and to `found`.
            unsafe { libc::getpwuid_r(uid, entry, buffer, length, found) }
        })
    }

    fn by_name(name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        look_up(|entry, buffer, length, found| {
            // SAFETY: as above, and `name` is a C string that outlives the call.
            unsafe { libc::getpwnam_r(name.as_ptr(), entry, buffer, length, found) }
        })
    }
}

/// Runs one of the `getpw*_r` calls with a buffer that is large enough for any sane entry.
fn look_up<F>(call: F) -> Option<Account>
where
    F: FnOnce(*mut libc::passwd, *mut libc::c_char, libc::size_t, *mut *mut libc::passwd) -> libc::c_int,
{
    let mut buffer: Vec<libc::c_char> = vec![0; 16 * 1024];
    // SAFETY: `passwd` is a plain C structure, for which all zeros is a valid value.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut found = std::ptr::null_mut();
    let code = call(&raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found);
    if code != 0 || found.is_null() {
        return None;
    }
    // SAFETY: the call succeeded, so `pw_name` points at a C string inside `buffer`, which is still alive.
    let name = unsafe { CStr::from_ptr(entry.pw_name) }.to_str().ok()?.to_owned();
    Some(Account { name, uid: entry.pw_uid, gid: entry.pw_gid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn root_is_known_by_its_name_and_an_unknown_user_is_none() {
        assert_eq!(Account::by_uid(0).unwrap().name, "root");
        assert_eq!(Account::by_name("root").unwrap().uid, 0);
        assert_eq!(Account::by_name("no-such-user-here"), None);
    }

    #[test]
    fn a_closed_folder_above_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let inside = root.path().join("closed/cluster");
        std::fs::create_dir_all(&inside).unwrap();
        let stranger = Account { name: "stranger".to_owned(), uid: 54_321, gid: 54_321 };
        let closed = root.path().join("closed");
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o711)).unwrap();
        assert!(stranger.reaches(&inside));
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.reaches(&inside));
    }

    #[test]
    fn root_never_runs_the_server_itself() {
        let caller = Account { name: "root".to_owned(), uid: 0, gid: 0 };
        let server = Account::of_server(&caller, Path::new("/nonexistent")).unwrap();
        assert_ne!(server.uid, 0);
        let alice = Account { name: "alice".to_owned(), uid: 1000, gid: 1000 };
        assert_eq!(Account::of_server(&alice, Path::new("/nonexistent")).unwrap(), alice);
    }
}
