//! Printing an error once, with its causes, at the place that handles it.

use std::error::Error;

/// The error and its sources in one line: `reading the spool: permission denied (os error 13)`.
///
/// Our own errors never print their source, so joining the chain repeats nothing; a foreign error that does repeat
/// its source is printed once.
#[must_use]
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("opening the spool")]
    struct Opening(#[source] std::io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("starting: {0}")]
    struct Repeating(#[source] std::io::Error);

    #[test]
    fn a_chain_is_printed_in_one_line() {
        let error = Opening(std::io::Error::other("disk on fire"));
        assert_eq!(error_chain(&error), "opening the spool: disk on fire");
    }

    #[test]
    fn a_source_that_was_already_printed_is_not_repeated() {
        let error = Repeating(std::io::Error::other("disk on fire"));
        assert_eq!(error_chain(&error), "starting: disk on fire");
    }
}
