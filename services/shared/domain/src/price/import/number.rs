//! Numbers of price files as exact decimal text.

use std::borrow::Cow;

use crate::price::exact::Scaled;
use crate::price::{Rate, RateError};

/// Why the text of a number is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    NotANumber,
    Negative,
    TooLarge,
}

impl NumberError {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::NotANumber => "is not a number",
            Self::Negative => "is negative",
            Self::TooLarge => "is too large",
        }
    }
}

/// Reads a JSON number as it is written, times a power of ten: `("2.5e-06", 6)` is 2.5. Returns the rate and
/// whether it had to be rounded to twelve decimals.
pub(crate) fn rate(text: &str, exponent: i32) -> Result<(Rate, bool), NumberError> {
    let number = scaled(text, exponent).ok_or(NumberError::NotANumber)?;
    Rate::rounded(number).map_err(|error| match error {
        RateError::Negative => NumberError::Negative,
        RateError::TooLarge => NumberError::TooLarge,
        RateError::NotANumber | RateError::TooFine => NumberError::NotANumber,
    })
}

fn scaled(text: &str, exponent: i32) -> Option<Scaled> {
    let (digits, written) = match text.split_once(['e', 'E']) {
        Some((digits, written)) => {
            (digits, written.strip_prefix('+').unwrap_or(written).parse::<i32>().ok()?)
        }
        None => (text, 0),
    };
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mantissa = format!("{whole}{fraction}").parse::<i128>().ok()?;
    let mantissa = if negative { mantissa.checked_neg()? } else { mantissa };
    let shift = written.checked_add(exponent)?;
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(shift)?;
    match u32::try_from(scale) {
        Ok(scale) => Some(Scaled { mantissa, scale }),
        Err(_) => {
            let mantissa = mantissa.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?;
            Some(Scaled { mantissa, scale: 0 })
        }
    }
}

/// The text with `NaN` and infinities, which some writers of JSON leave outside strings, put into strings: so
/// that the model that has one is skipped by name and the others are read.
pub(crate) fn quote_non_numbers(json: &str) -> Cow<'_, str> {
    if !json.contains("NaN") && !json.contains("Infinity") {
        return Cow::Borrowed(json);
    }
    let (mut text, mut rest) = (String::with_capacity(json.len()), json);
    let (mut in_string, mut escaped) = (false, false);
    while let Some(letter) = rest.chars().next() {
        let word =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| !in_string && rest.starts_with(word));
        if let Some(word) = word {
            text.push('"');
            text.push_str(word);
            text.push('"');
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        match letter {
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = in_string && letter == '\\' && !escaped;
        text.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    Cow::Owned(text)
}
