//! How the program fails: one message that says what went wrong and what to do, and the exit code that scripts read.
//!
//! The table of exit codes is [`Exit`]; the table from an HTTP answer to an exit code is in `client/problem.rs`.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use serde_json::{Value, json};
use tallystick_runtime::error_chain;

/// What a command gives back.
pub(crate) type Outcome<T = ()> = Result<T, CliError>;

/// Exit codes; they do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed.
    Failed = 1,
    /// The command was not understood, or a value in it is wrong.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// The token may not do this, or is not valid.
    NotAllowed = 4,
    /// What is there contradicts the request.
    Conflict = 5,
    /// `usage --fail-over` found more than was allowed.
    OverThreshold = 7,
    /// Interrupted, or a question was answered with no.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure as the user sees it.
#[derive(Debug)]
pub(crate) struct CliError {
    exit: Exit,
    what: String,
    advice: Option<String>,
    /// The server's own words, for `--json`.
    document: Option<Value>,
}

impl CliError {
    /// A failure with exit code 1.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self::with_exit(Exit::Failed, what)
    }

    /// The command itself is wrong.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::with_exit(Exit::Usage, what)
    }

    pub(crate) fn with_exit(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), advice: None, document: None }
    }

    /// What was being done, and the whole chain of causes.
    pub(crate) fn because(doing: &str, cause: &(dyn Error + 'static)) -> Self {
        Self::new(format!("{doing}: {}", error_chain(cause)))
    }

    /// What to do about it.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The problem document that the server sent.
    pub(crate) fn with_document(mut self, document: Value) -> Self {
        self.document = Some(document);
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// For `--json`: one document, the server's own where there is one.
    pub(crate) fn as_json(&self) -> Value {
        let ours =
            json!({"code": "cli_error", "detail": self.what, "advice": self.advice, "exit": self.exit as u8});
        self.document.clone().unwrap_or(ours)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match &self.advice {
            Some(advice) => write!(f, "\n  {advice}"),
            None => Ok(()),
        }
    }
}

impl Error for CliError {}

/// Says what was being done when something failed.
pub(crate) trait Doing<T> {
    /// Turns a failure into one for the user: `what` names the action and its object.
    fn doing(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Error + 'static> Doing<T> for Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| CliError::because(&what(), &error))
    }
}
