//! Questions before something that can not be undone.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::context::Context;
use crate::error::{CliError, Doing as _, Exit, Outcome};

/// Says what will happen and waits for a yes. `--yes` answers it; without a terminal it is refused.
pub(crate) fn confirm(context: &Context, effect: &str) -> Outcome {
    if context.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(CliError::usage(format!("{effect}, and nobody can be asked here"))
            .advise("add --yes to go ahead"));
    }
    let mut stderr = io::stderr().lock();
    let asked = write!(stderr, "{effect}. Go ahead? [y/N] ").and_then(|()| stderr.flush());
    asked.doing(|| "asking".to_owned())?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).doing(|| "reading the answer".to_owned())?;
    if ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(CliError::with_exit(Exit::Interrupted, "nothing was changed"))
}
