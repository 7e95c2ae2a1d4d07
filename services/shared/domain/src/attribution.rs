//! Who pays for a request: the dimensions that a key fixes and that a request may refine.
//!
//! An absent dimension is `None` and is reported as [`UNASSIGNED`]; it is never guessed.

use crate::ids::{ClientId, KeyId, MemberId, ProjectId, TeamId};
use serde::{Deserialize, Serialize};

/// What stands for an absent dimension in every report, file and account name.
pub const UNASSIGNED: &str = "unassigned";

/// Longest string that is kept of a task, tool, environment, end user, tag or agent, in bytes.
pub const KEPT_TEXT_BYTES: usize = 256;
/// Most tags that one event carries.
pub const MAX_TAGS: usize = 16;

/// The dimensions that pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    pub team: TeamId,
    pub key: Option<KeyId>,
    pub member: Option<MemberId>,
    pub project: Option<ProjectId>,
    pub client: Option<ClientId>,
    pub environment: Option<String>,
    pub tool: Option<String>,
}

/// Where an event's task name came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskSource {
    /// The `x-tallystick-task` header, or the field of an imported event.
    Header,
    /// The trace id of `traceparent`.
    Trace,
    /// A session id in the request body.
    Session,
    /// The foreign system that an event was imported from.
    Import,
}

/// A string that we keep holds a NUL, a control character, or is too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("{field} holds the control character U+{code:04X}; remove it")]
    Control { field: String, code: u32 },
    #[error("{field} is {bytes} bytes long; at most {max} are kept, so shorten it")]
    TooLong { field: String, bytes: usize, max: usize },
}

/// Checks a string that is going to be kept (in the spool, the log and the ledger).
///
/// # Errors
/// When it holds a NUL or another control character, or exceeds [`KEPT_TEXT_BYTES`].
pub fn check_text(field: &str, text: &str) -> Result<(), TextError> {
    if let Some(bad) = text.chars().find(|c| c.is_control()) {
        return Err(TextError::Control { field: field.to_owned(), code: u32::from(bad) });
    }
    if text.len() > KEPT_TEXT_BYTES {
        return Err(TextError::TooLong { field: field.to_owned(), bytes: text.len(), max: KEPT_TEXT_BYTES });
    }
    Ok(())
}

/// Makes any text safe to keep: control characters removed, cut at a character boundary. For what strangers choose
/// and nobody needs back unchanged (user agents, model names in error reports).
#[must_use]
pub fn clip_text(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(KEPT_TEXT_BYTES));
    for c in text.chars().filter(|c| !c.is_control()) {
        if kept.len().saturating_add(c.len_utf8()) > KEPT_TEXT_BYTES {
            break;
        }
        kept.push(c);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_a_kept_string_is_refused_and_the_field_is_named() {
        let error = check_text("x-tallystick-task", "a\0b").unwrap_err();
        assert_eq!(error.to_string(), "x-tallystick-task holds the control character U+0000; remove it");
    }

    #[test]
    fn clipping_never_splits_a_character_and_drops_controls() {
        let text = format!("{}\0é", "a".repeat(KEPT_TEXT_BYTES - 1));
        assert_eq!(clip_text(&text), "a".repeat(KEPT_TEXT_BYTES - 1));
        assert_eq!(clip_text("a\r\nb"), "ab");
    }
}
