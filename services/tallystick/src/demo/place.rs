//! The folder of a demo: what is where, and making room for a new run.

use std::fs;
use std::path::{Path, PathBuf};

use tallystick_store::managed::{ManagedConfig, ManagedError, ManagedPostgres};

use crate::error::{CliError, Doing as _, Exit, Outcome};

/// Marks a folder as a demo's, so that nothing else is ever removed.
const MARKER: &str = ".tallystick-demo";

/// The folder of a demo.
#[derive(Clone, Debug)]
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    /// An empty folder for a new run; an earlier demo in it is removed, anything else is refused.
    pub(super) fn prepare(root: &Path) -> Outcome<Self> {
        if root.exists() {
            clear(root)?;
        }
        for folder in ["", "invoices", "reports", "usage"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).doing(|| format!("making {}", folder.display()))?;
        }
        fs::write(root.join(MARKER), "made by `tallystick demo`; the next run replaces this folder\n")
            .doing(|| format!("writing to {}", root.display()))?;
        let root = root.canonicalize().doing(|| format!("finding {}", root.display()))?;
        Ok(Self { root })
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.root.join("data")
    }

    /// A file for people, below the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file for people.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Outcome {
        let path = self.file(name);
        fs::write(&path, bytes).doing(|| format!("writing {}", path.display()))
    }
}

fn clear(root: &Path) -> Outcome {
    let empty = fs::read_dir(root).doing(|| format!("reading {}", root.display()))?.next().is_none();
    if empty {
        return Ok(());
    }
    if !root.join(MARKER).exists() {
        return Err(CliError::with_exit(
            Exit::Conflict,
            format!("{} is not empty and no earlier demo", root.display()),
        )
        .advise("name another folder: tallystick demo --out DIR"));
    }
    // The database may live outside the folder, where its user cannot enter it.
    match ManagedPostgres::remove(&ManagedConfig::new(root.join("data"))) {
        Ok(()) => {}
        Err(error @ ManagedError::InUse { .. }) => {
            return Err(CliError::with_exit(Exit::Conflict, error.to_string())
                .advise("end that demo first, or name another --out DIR"));
        }
        Err(error) => return Err(CliError::because("removing the earlier demo's database", &error)),
    }
    fs::remove_dir_all(root).doing(|| format!("removing the earlier demo in {}", root.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_no_demo_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.txt"), "three years").unwrap();
        let refused = Place::prepare(dir.path()).unwrap_err();
        assert_eq!(refused.exit(), Exit::Conflict);
        assert!(dir.path().join("thesis.txt").exists());
    }

    #[test]
    fn an_earlier_demo_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("demo-out");
        let place = Place::prepare(&root).unwrap();
        place.write("usage/old.csv", b"old").unwrap();
        Place::prepare(&root).unwrap();
        assert!(!root.join("usage/old.csv").exists());
        assert!(root.join("invoices").is_dir());
    }
}
