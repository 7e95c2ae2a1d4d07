//! Laying the sources over each other.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    Environment, Settings,
    suggest::nearest,
    tree::{self, Tree},
};

const PREFIX: &str = "TALLYSTICK_";
/// Variables with our prefix that are not settings: where the CLI finds the server.
const NOT_SETTINGS: [&str; 3] = ["TALLYSTICK_URL", "TALLYSTICK_TOKEN", "TALLYSTICK_CONFIG"];
/// Variables that other programs define, and the setting that each of them fills.
const PLAIN: [(&str, &str); 2] =
    [("DATABASE_URL", "database_url"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.endpoint")];

/// Where the settings come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The TOML file given by `--config` or `TALLYSTICK_CONFIG`; it must exist.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// What the command line says; later ones win.
    pub overrides: Vec<Override>,
}

/// One setting from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The setting's path, such as `proxy.listen`.
    pub path: String,
    /// Its value as text.
    pub value: String,
    /// The flag as the user wrote it, for errors.
    pub flag: &'static str,
}

/// The settings, and where each that is not a default came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The validated settings.
    pub settings: Settings,
    origins: BTreeMap<String, String>,
}

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting, or the name that is none.
    pub path: String,
    /// Where it was set; empty when it is about settings that do not fit together.
    pub origin: String,
    /// What is wrong and what to do.
    pub reason: String,
}

/// Why the process can not start with these settings. Lists everything that is wrong, not only the first.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can not be read.
    #[error("reading the configuration file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("reading the configuration file {}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and what is wrong there.
        reason: String,
    },
    /// Settings that are unknown or wrong.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    format!("the configuration is not usable: {}", lines.join("; "))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if !self.origin.is_empty() {
            write!(f, " ({})", self.origin)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Reads, lays over each other and validates all sources.
///
/// # Errors
/// See [`ConfigError`].
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut defaults = Settings::default();
    if let Some(data_dir) = sources.environment.data_dir() {
        defaults.data_dir = data_dir;
    }
    let mut layers = Layers::over(defaults);
    let file =
        sources.file.clone().or_else(|| sources.environment.get("TALLYSTICK_CONFIG").map(PathBuf::from));
    if let Some(path) = &file {
        layers.lay_file(path)?;
    }
    layers.lay_environment(&sources.environment);
    for setting in &sources.overrides {
        layers.lay_text(&setting.path, &setting.value, setting.flag);
    }
    layers.finish()
}

struct Layers {
    known: Vec<String>,
    kinds: Tree,
    tree: Tree,
    settings: Settings,
    origins: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Layers {
    fn over(defaults: Settings) -> Self {
        let tree = Tree::of(&defaults);
        Self {
            known: tree.paths(),
            kinds: tree.clone(),
            tree,
            settings: defaults,
            origins: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    fn lay_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
            path: path.to_owned(),
            reason: error.to_string().trim().replace('\n', " "),
        })?;
        let origin = path.display().to_string();
        let mut leaves = Vec::new();
        tree::collect(&tree::from_toml(table), "", &mut |path, value| {
            leaves.push((path.to_owned(), value.clone()));
        });
        for (path, value) in leaves {
            self.lay(&path, value, &origin);
        }
        Ok(())
    }

    fn lay_environment(&mut self, environment: &Environment) {
        for (name, path) in PLAIN {
            if let Some(value) = environment.get(name) {
                self.lay_text(path, value, name);
            }
        }
        let by_name: BTreeMap<String, String> =
            self.known.iter().map(|path| (tree::environment_name(path), path.clone())).collect();
        for (name, value) in environment.beginning_with(PREFIX) {
            if let Some(path) = by_name.get(name) {
                self.lay_text(path, value, name);
            } else if !NOT_SETTINGS.contains(&name) && !is_service_link(name) {
                let suffixes = by_name.keys().filter_map(|known| known.strip_prefix(PREFIX));
                let suggestion =
                    nearest(&name[PREFIX.len()..], suffixes).map(|near| format!("{PREFIX}{near}"));
                self.problems.push(unknown(name, "environment", suggestion.as_deref()));
            }
        }
    }

    fn lay_text(&mut self, path: &str, text: &str, origin: &str) {
        let like = self.kinds.get(path).cloned().unwrap_or(Value::Null);
        match tree::typed(text, &like) {
            Ok(value) => self.lay(path, value, origin),
            Err(reason) => self.problems.push(problem(path, origin, reason)),
        }
    }

    fn lay(&mut self, path: &str, value: Value, origin: &str) {
        let Some(current) = self.tree.get(path).cloned() else {
            let suggestion = nearest(path, self.known.iter().map(String::as_str));
            return self.problems.push(unknown(path, origin, suggestion));
        };
        self.tree.set(path, value);
        match self.tree.settings() {
            Ok(settings) => {
                self.settings = settings;
                self.origins.insert(path.to_owned(), origin.to_owned());
            }
            Err(error) => {
                self.tree.set(path, current);
                self.problems.push(problem(path, origin, error.to_string()));
            }
        }
    }

    fn finish(mut self) -> Result<Loaded, ConfigError> {
        self.problems.extend(self.settings.validate());
        if self.problems.is_empty() {
            Ok(Loaded { settings: self.settings, origins: self.origins })
        } else {
            Err(ConfigError::Invalid(self.problems))
        }
    }
}

fn problem(path: &str, origin: &str, reason: impl Into<String>) -> Problem {
    Problem { path: path.to_owned(), origin: origin.to_owned(), reason: reason.into() }
}

fn unknown(name: &str, origin: &str, suggestion: Option<&str>) -> Problem {
    let reason = match suggestion {
        Some(suggestion) => format!("no such setting; did you mean `{suggestion}`?"),
        None => "no such setting; remove it".to_owned(),
    };
    problem(name, origin, reason)
}

/// Kubernetes describes every service of a namespace to every pod; a service called `tallystick` must not stop us.
fn is_service_link(name: &str) -> bool {
    let port = |rest: &str| rest.is_empty() || rest.starts_with('_');
    name.ends_with("_SERVICE_HOST")
        || name.split("_SERVICE_PORT").nth(1).is_some_and(port)
        || name.rsplit_once("_PORT").is_some_and(|(_, rest)| port(rest))
}

impl Loaded {
    /// Where a setting came from: a file, a variable, a flag, or `default`.
    #[must_use]
    pub fn origin(&self, path: &str) -> &str {
        self.origins.get(path).map_or("default", String::as_str)
    }

    /// All settings, one a line with its origin; secrets are redacted.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = String::new();
        tree::collect(&self.settings.redacted(), "", &mut |path, value| {
            let shown = if value.is_null() { "(unset)".to_owned() } else { tree::display(value) };
            writeln!(text, "{path} = {shown}  # {}", self.origin(path)).expect("writing to a string");
        });
        text
    }
}
