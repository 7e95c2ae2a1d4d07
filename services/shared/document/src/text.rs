//! User text made printable: characters that the font has, and places where long names may wrap.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::DocumentError;
use crate::world::has_glyph as font_has;

/// Printed for a character that the font does not have.
const MISSING: char = '□';
/// A word longer than this may be broken after punctuation, and anywhere at this distance.
const LONG_WORD: usize = 22;
/// Allows a line break; the templates turn it into space of no width, so that it is not in the text of the page.
const BREAK: char = '\u{200b}';

/// The characters of a document that the built-in font can not print (it has Latin, Greek and Cyrillic).
///
/// # Errors
/// When the document can not be serialised.
pub fn unprintable<T: Serialize>(document: &T) -> Result<BTreeSet<char>, DocumentError> {
    let mut found = BTreeSet::new();
    collect(&serde_json::to_value(document)?, &mut found);
    Ok(found)
}

fn collect(value: &Value, found: &mut BTreeSet<char>) {
    match value {
        Value::String(text) => found.extend(text.chars().filter(|c| !c.is_control() && !has_glyph(*c))),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces what can not be printed in every string of the data.
pub(crate) fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.chars().map(printable).collect(),
        Value::Array(items) => items.iter_mut().for_each(make_printable),
        Value::Object(fields) => fields.values_mut().for_each(make_printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Private characters have no meaning that two fonts share, so none of them counts as printable.
fn has_glyph(character: char) -> bool {
    !matches!(u32::from(character), 0xE000..=0xF8FF | 0xF_0000..) && font_has(character)
}

fn printable(character: char) -> char {
    if character.is_control() {
        ' '
    } else if has_glyph(character) {
        character
    } else {
        MISSING
    }
}

/// A name that wraps: long words get invisible places to break at.
pub(crate) fn wrapping(name: &str) -> String {
    let mut wrapped = String::with_capacity(name.len());
    for (index, word) in name.split(' ').enumerate() {
        if index > 0 {
            wrapped.push(' ');
        }
        if word.chars().count() <= LONG_WORD {
            wrapped.push_str(word);
            continue;
        }
        let mut since_break = 0;
        for character in word.chars() {
            wrapped.push(character);
            since_break += 1;
            if since_break >= LONG_WORD || "_./:@".contains(character) {
                wrapped.push(BREAK);
                since_break = 0;
            }
        }
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_lacks_is_replaced_and_named() {
        let mut data = serde_json::json!({ "name": ["Łódź 東京\tok\u{e000}"] });
        assert_eq!(unprintable(&data).unwrap(), BTreeSet::from(['東', '京', '\u{e000}']));
        make_printable(&mut data);
        assert_eq!(data, serde_json::json!({ "name": ["Łódź □□ ok□"] }));
    }

    #[test]
    fn only_long_words_get_places_to_break_at() {
        assert_eq!(wrapping("Website relaunch a_b"), "Website relaunch a_b");
        assert_eq!(
            wrapping("one.two/three_four:five@six"),
            "one.|two/|three_|four:|five@|six".replace('|', "\u{200b}")
        );
        assert_eq!(wrapping(&"x".repeat(50)).matches(BREAK).count(), 2);
    }
}
