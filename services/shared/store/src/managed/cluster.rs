//! Creating the cluster and saying who may connect.

use super::account::Account;
use super::binaries::Binaries;
use super::error::{Doing as _, ManagedError};
use super::folder::{Folder, give};
use super::process::as_user;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// The role of the services: owns the database, is no superuser.
pub(crate) const ROLE: &str = "tallystick";
/// The services' database.
pub(crate) const DATABASE: &str = "tallystick";
/// The role that sets up the other one.
pub(crate) const SUPERUSER: &str = "postgres";

/// How much of what `initdb` printed goes into an error, in bytes.
const OUTPUT_TAIL: usize = 2_000;

/// Makes a cluster when there is none, and writes the access rules anew each time.
pub(crate) fn prepare(folder: &Folder, binaries: &Binaries, caller: &Account) -> Result<(), ManagedError> {
    if folder.major()?.is_none() {
        create(folder, binaries)?;
    }
    write_access_rules(folder, caller)
}

/// `initdb` into a side folder, then a rename: what is called `data` is always a whole cluster.
fn create(folder: &Folder, binaries: &Binaries) -> Result<(), ManagedError> {
    let (data, side) = (folder.data(), folder.cluster.join("data.new"));
    if side.exists() {
        std::fs::remove_dir_all(&side).doing(|| format!("removing {}", side.display()))?;
    }
    tracing::info!(cluster.path = %data.display(), postgres.major = binaries.major, "creating the database");
    let mut command = Command::new(binaries.initdb());
    command.arg("--pgdata").arg(&side).args([
        "--username",
        SUPERUSER,
        "--encoding",
        "UTF8",
        "--data-checksums",
    ]);
    command.args(["--locale", if cfg!(target_os = "macos") { "C" } else { "C.UTF-8" }]);
    command.args(["--auth-local", "peer", "--auth-host", "reject"]);
    as_user(&mut command, &folder.server, &folder.cluster);
    let output = command.output().doing(|| format!("running {}", binaries.initdb().display()))?;
    if !output.status.success() {
        let mut printed = output.stdout;
        printed.extend_from_slice(&output.stderr);
        return Err(ManagedError::Initdb { data, output: tail(&printed, OUTPUT_TAIL) });
    }
    std::fs::rename(&side, &data).doing(|| format!("renaming {} to {}", side.display(), data.display()))?;
    std::fs::File::open(&folder.cluster)
        .and_then(|parent| parent.sync_all())
        .doing(|| format!("syncing {}", folder.cluster.display()))
}

/// Peer authentication on the socket: the user that started Tallystick and the server's own user, nobody else.
fn write_access_rules(folder: &Folder, caller: &Account) -> Result<(), ManagedError> {
    let hba = format!(
        "# Written anew at every start.\nlocal all {SUPERUSER} peer map=tallystick\nlocal all {ROLE} peer map=tallystick\n"
    );
    let mut users = vec![caller.name.as_str()];
    if folder.server.name != caller.name {
        users.push(&folder.server.name);
    }
    let mut ident = "# Written anew at every start.\n".to_owned();
    for user in users {
        for role in [SUPERUSER, ROLE] {
            ident.push_str(&format!("tallystick \"{user}\" {role}\n"));
        }
    }
    for (name, content) in [("pg_hba.conf", hba), ("pg_ident.conf", ident)] {
        write_private(&folder.data().join(name), &content, &folder.server)?;
    }
    Ok(())
}

fn write_private(path: &Path, content: &str, owner: &Account) -> Result<(), ManagedError> {
    std::fs::write(path, content).doing(|| format!("writing {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .doing(|| format!("closing {}", path.display()))?;
    give(path, owner)
}

/// The end of a program's output as one line of text.
pub(crate) fn tail(printed: &[u8], bytes: usize) -> String {
    let start = printed.len().saturating_sub(bytes);
    let text = String::from_utf8_lossy(printed.get(start..).unwrap_or_default());
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" | ")
}
