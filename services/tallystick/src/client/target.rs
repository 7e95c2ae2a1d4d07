//! Where the server is, and with which token.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tallystick_runtime::config::{Environment, Settings};

use crate::error::{CliError, Doing as _, Exit, Outcome};

/// The file with the first token, in the data directory.
pub(crate) const TOKEN_FILE: &str = "admin.token";
/// The file in which a running `up` says where it is, in the data directory.
pub(crate) const RUNNING_FILE: &str = "running.json";

/// Where a running `up` is. Written at start, removed at the end; mode 0600.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Its process.
    pub(crate) pid: u32,
    /// The API, without a slash at the end.
    pub(crate) url: String,
    /// The proxy, without a slash at the end.
    pub(crate) proxy_url: String,
    /// Where its own PostgreSQL can be reached from this machine; absent when it uses another one.
    pub(crate) database_url: Option<String>,
}

impl Running {
    /// What the file in this data directory says; `None` where there is none.
    pub(crate) fn read(data_dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(data_dir.join(RUNNING_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes the file.
    pub(crate) fn write(&self, data_dir: &Path) -> Outcome {
        let path = data_dir.join(RUNNING_FILE);
        let text = serde_json::to_vec(self).expect("plain text fields are JSON");
        tallystick_store::secrets::write_private(&path, &text).doing(|| format!("writing {}", path.display()))
    }
}

/// A server and the token for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) token: String,
}

impl Target {
    /// `TALLYSTICK_URL` and `TALLYSTICK_TOKEN`; where they are not set, what stands in the data directory.
    pub(super) fn find(environment: &Environment, settings: &Settings) -> Outcome<Self> {
        let url = url(environment, settings);
        if let Some(token) = environment.get("TALLYSTICK_TOKEN") {
            return Ok(Self { url, token: token.trim().to_owned() });
        }
        let path = settings.data_dir.join(TOKEN_FILE);
        match fs::read_to_string(&path) {
            Ok(token) => Ok(Self { url, token: token.trim().to_owned() }),
            Err(error) => Err(no_token(&path, &error)),
        }
    }
}

fn url(environment: &Environment, settings: &Settings) -> String {
    let named = environment.get("TALLYSTICK_URL").map(|url| url.trim().trim_end_matches('/').to_owned());
    named.or_else(|| Running::read(&settings.data_dir).map(|running| running.url)).unwrap_or_else(|| {
        let scheme = if settings.tls.cert.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", settings.reporting_listen())
    })
}

fn no_token(path: &Path, error: &std::io::Error) -> CliError {
    let what = if error.kind() == std::io::ErrorKind::NotFound {
        format!("no token: TALLYSTICK_TOKEN is not set, and there is no {}", path.display())
    } else {
        format!("no token: TALLYSTICK_TOKEN is not set, and {} can not be read: {error}", path.display())
    };
    CliError::with_exit(Exit::NotAllowed, what).advise(
        "start an instance with `tallystick up`, name its folder with --data-dir, or set TALLYSTICK_URL and TALLYSTICK_TOKEN",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(dir: &Path) -> Settings {
        Settings { data_dir: dir.to_owned(), ..Settings::default() }
    }

    #[test]
    fn a_missing_token_names_the_place_that_was_looked_in() {
        let dir = tempfile::tempdir().unwrap();
        let error = Target::find(&Environment::default(), &settings(dir.path())).unwrap_err();
        assert_eq!(error.exit(), Exit::NotAllowed);
        assert!(error.to_string().contains(&dir.path().join(TOKEN_FILE).display().to_string()), "{error}");
    }

    #[test]
    fn the_environment_wins_over_the_data_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(TOKEN_FILE), "ts_api_file\n").unwrap();
        let running = Running {
            pid: 1,
            url: "http://127.0.0.1:4444".into(),
            proxy_url: String::new(),
            database_url: None,
        };
        running.write(dir.path()).unwrap();
        let found = Target::find(&Environment::default(), &settings(dir.path())).unwrap();
        assert_eq!(found, Target { url: "http://127.0.0.1:4444".into(), token: "ts_api_file".into() });
        let environment: Environment =
            [("TALLYSTICK_URL", "https://tally.example/"), ("TALLYSTICK_TOKEN", "ts_api_env")]
                .into_iter()
                .collect();
        let found = Target::find(&environment, &settings(dir.path())).unwrap();
        assert_eq!(found, Target { url: "https://tally.example".into(), token: "ts_api_env".into() });
    }
}
