//! The environment of the process, read once.

use std::{collections::BTreeMap, path::PathBuf};

/// A copy of the environment variables that are text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables that this process was started with.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// A variable's value; an empty one counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The user's data directory for this program.
    #[must_use]
    pub fn data_dir(&self) -> Option<PathBuf> {
        let base = match self.get("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
            Some(base) => base,
            None => PathBuf::from(self.get("HOME")?).join(".local/share"),
        };
        Some(base.join("tallystick"))
    }

    /// The variables whose name begins with `prefix`, empty ones left out.
    pub(super) fn beginning_with(&self, prefix: &'static str) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .range(prefix.to_owned()..)
            .take_while(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(_, value)| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
