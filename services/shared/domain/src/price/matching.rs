//! From the model that an answer names to the model that a price names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a model was found in the book, from the surest to the least sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// Its id.
    Id,
    /// An alias.
    Alias,
    /// Its id or an alias, once the date of the snapshot was cut off.
    Snapshot,
    /// A configured prefix.
    Prefix,
}

/// The id without Gemini's collection prefix.
pub(crate) fn bare(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

/// The id without the suffix that marks a snapshot: `-2024-08-06`, `-20250219`, `@20250219`, `@2025-02-19`,
/// `-latest`, `@latest`, `@default`. `None` when there is no such suffix.
pub(crate) fn without_snapshot(model: &str) -> Option<&str> {
    if let Some((family, version)) = model.rsplit_once('@') {
        let known = matches!(version, "latest" | "default") || is_date(version);
        return known.then_some(family).filter(|family| !family.is_empty());
    }
    let family = model.strip_suffix("-latest").or_else(|| {
        [10, 8].into_iter().find_map(|length| {
            let (head, date) = model.split_at_checked(model.len().checked_sub(length)?)?;
            is_date(date).then(|| head.strip_suffix('-')).flatten()
        })
    });
    family.filter(|family| !family.is_empty())
}

/// `2024-08-06` or `20240806`, with a plausible month and day.
fn is_date(text: &str) -> bool {
    let digits: String = match text.len() {
        10 if text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-') => {
            text.chars().filter(|letter| *letter != '-').collect()
        }
        8 => text.to_owned(),
        _ => return false,
    };
    let part = |range| digits.get(range).and_then(|part: &str| part.parse::<u32>().ok());
    digits.len() == 8
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && part(0..4).is_some_and(|year| (2020..2100).contains(&year))
        && part(4..6).is_some_and(|month| (1..=12).contains(&month))
        && part(6..8).is_some_and(|day| (1..=31).contains(&day))
}
