//! What people and programs read: tables, files, questions, and the final error.
//!
//! stdout carries data; everything else goes to stderr. A table is drawn on a terminal and written as tab-separated
//! columns otherwise; nothing is cut off in a pipe.

mod ask;
mod format;
mod present;
mod table;

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

pub(crate) use ask::confirm;
pub(crate) use format::{count, money, more, percent, short_time};
pub(crate) use present::{Column, Kind, cost, print_list, print_object, print_rows};
pub(crate) use table::Table;

use crate::error::{CliError, Doing as _, Exit, Outcome};

/// Writes data to stdout. A reader that went away (`| head`) ends the program quietly.
pub(crate) fn data(bytes: &[u8]) -> Outcome {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(CliError::because("writing to stdout", &error)),
    }
}

/// A line of data on stdout.
pub(crate) fn line(text: &str) -> Outcome {
    data(format!("{text}\n").as_bytes())
}

/// The one document of `--json`.
pub(crate) fn json(document: &serde_json::Value) -> Outcome {
    let mut text = serde_json::to_string_pretty(document).doing(|| "writing the document".to_owned())?;
    text.push('\n');
    data(text.as_bytes())
}

/// A hint or a progress note, on stderr. One that can not be written is not worth an error.
pub(crate) fn note(text: &str) {
    let _unwritable = writeln!(io::stderr().lock(), "{text}");
}

/// Writes to a file, or to stdout where none is named (or it is called `-`).
pub(crate) fn to_file(path: Option<&Path>, bytes: &[u8]) -> Outcome {
    match path.filter(|path| *path != Path::new("-")) {
        None => data(bytes),
        Some(path) => {
            fs::write(path, bytes).doing(|| format!("writing {}", path.display()))?;
            note(&format!("wrote {}", path.display()));
            Ok(())
        }
    }
}

/// Whether stdout is read by a person.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Prints the failure and gives its exit code.
pub(crate) fn failed(error: &CliError, json: bool) -> ExitCode {
    if error.exit() != Exit::Interrupted {
        note(&if json { error.as_json().to_string() } else { error.to_string() });
    }
    error.exit().into()
}
