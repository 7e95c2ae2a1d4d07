//! Finding `initdb` and `postgres`.

use super::error::ManagedError;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest major version that Tallystick runs on.
pub const OLDEST_MAJOR: u32 = 14;

/// Folders with a `{major}` in the middle, as packagers lay them out.
const VERSIONED: [(&str, &str, &str); 8] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/opt/local/lib", "postgresql", "bin"),
    ("/Library/PostgreSQL", "", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// Folders without one.
const PLAIN: [&str; 5] =
    ["/usr/local/pgsql/bin", "/usr/libexec/postgresql", "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin"];

/// One installed PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) folder: PathBuf,
    pub(crate) major: u32,
}

impl Binaries {
    pub(crate) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// The newest installation, or the one of major version `needed` when a cluster asks for it.
    pub(crate) fn find(data: &Path, needed: Option<u32>) -> Result<Self, ManagedError> {
        choose(&candidate_folders(), data, needed)
    }
}

fn choose(folders: &[PathBuf], data: &Path, needed: Option<u32>) -> Result<Binaries, ManagedError> {
    let mut searched = Vec::new();
    let mut found: Vec<Binaries> = Vec::new();
    for folder in folders {
        match examine(folder) {
            Ok(major) if major >= OLDEST_MAJOR => found.push(Binaries { folder: folder.clone(), major }),
            Ok(major) => searched.push(format!("{} (version {major}, too old)", folder.display())),
            Err(why) => searched.push(format!("{}{why}", folder.display())),
        }
    }
    if found.is_empty() {
        return Err(ManagedError::NotInstalled { searched });
    }
    match needed {
        None => Ok(found.into_iter().max_by_key(|b| b.major).expect("found is not empty")),
        Some(needed) => match found.iter().find(|b| b.major == needed) {
            Some(fitting) => Ok(fitting.clone()),
            None => Err(ManagedError::OtherMajor {
                data: data.to_owned(),
                needed,
                found: found.iter().map(|b| format!("{} ({})", b.major, b.folder.display())).collect(),
            }),
        },
    }
}

/// Every place to look in, best first, no duplicates: `PATH`, then the usual system folders.
fn candidate_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    for (parent, prefix, bin) in VERSIONED {
        let mut versions = versions_in(Path::new(parent), prefix);
        versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
        if versions.is_empty() {
            folders.push(PathBuf::from(format!("{parent}/{prefix}*/{bin}")));
        }
        folders.extend(versions.into_iter().map(|(_, folder)| folder.join(bin)));
    }
    folders.extend(PLAIN.map(PathBuf::from));
    let mut seen = std::collections::HashSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

fn versions_in(parent: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let major = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((major, entry.path()))
        })
        .collect()
}

/// The major version in a folder, or why there is none (empty: no programs there).
fn examine(folder: &Path) -> Result<u32, String> {
    if !folder.join("initdb").is_file() || !folder.join("postgres").is_file() {
        return Err(String::new());
    }
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .map_err(|error| format!(" (postgres --version: {error})"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    major_of(&text).ok_or_else(|| format!(" (postgres --version printed {:?})", text.trim()))
}

/// `postgres (PostgreSQL) 15.18 (Debian ...)` and `postgres (PostgreSQL) 18beta1` alike.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn fake(root: &Path, name: &str, version: &str) -> PathBuf {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for program in ["initdb", "postgres"] {
            let file = folder.join(program);
            std::fs::write(&file, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn the_major_version_is_read_from_every_form_that_postgres_prints() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_of("postgres (EnterpriseThing) 15\n"), None);
    }

    #[test]
    fn the_newest_is_taken_for_a_new_cluster_and_the_fitting_one_for_an_old() {
        let root = tempfile::tempdir().unwrap();
        let folders =
            [fake(root.path(), "a", "15.3"), fake(root.path(), "b", "17.1"), fake(root.path(), "c", "13.9")];
        let data = Path::new("/data");
        assert_eq!(choose(&folders, data, None).unwrap().major, 17);
        assert_eq!(choose(&folders, data, Some(15)).unwrap().major, 15);
        let refused = choose(&folders, data, Some(16)).unwrap_err().to_string();
        assert!(
            refused.contains("PostgreSQL 16") && refused.contains("15 (") && refused.contains("17 ("),
            "{refused}"
        );
    }

    #[test]
    fn finding_none_names_every_place_and_how_to_install() {
        let root = tempfile::tempdir().unwrap();
        let folders = [root.path().join("nowhere"), fake(root.path(), "old", "12.1")];
        let refused = choose(&folders, Path::new("/data"), None).unwrap_err().to_string();
        for part in ["nowhere", "version 12, too old", "apt-get install postgresql", "DATABASE_URL"] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
    }

    #[test]
    fn the_usual_folders_are_searched_after_the_path() {
        let folders = candidate_folders();
        for part in ["/usr/pgsql-", "/opt/homebrew", "/usr/lib/postgresql"] {
            assert!(folders.iter().any(|f| f.to_string_lossy().starts_with(part)), "{part}: {folders:?}");
        }
    }
}
