//! Counts as providers write them: integers, integers with a fraction of zero, null, or not there.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Usage, UsageError};

/// A count as it was written. What is wrong with it is told with the field's name when it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Count {
    #[default]
    Absent,
    Whole(u64),
    /// A number with a fraction; the payload is the next whole number.
    Fraction(u64),
    Negative,
    TooLarge,
}

impl Count {
    /// The count, `None` when it was absent or null.
    pub(crate) fn given(self, field: &'static str) -> Result<Option<u64>, UsageError> {
        match self {
            Self::Absent => Ok(None),
            Self::Whole(count) => Ok(Some(count)),
            Self::Fraction(_) => Err(UsageError::NotWhole { field }),
            Self::Negative => Err(UsageError::Negative { field }),
            Self::TooLarge => Err(UsageError::TooLarge { field }),
        }
    }

    /// The count, zero when it was absent.
    pub(crate) fn or_zero(self, field: &'static str) -> Result<u64, UsageError> {
        Ok(self.given(field)?.unwrap_or(0))
    }

    /// The count, an error when it was absent.
    pub(crate) fn required(self, field: &'static str) -> Result<u64, UsageError> {
        self.given(field)?.ok_or(UsageError::Missing { field })
    }

    /// A duration or size that is billed by the whole unit that was begun.
    pub(crate) fn rounded_up(self, field: &'static str) -> Result<u64, UsageError> {
        match self {
            Self::Fraction(next) => Ok(next),
            other => other.required(field),
        }
    }

    fn of(count: u64) -> Self {
        if count > Usage::MAX_COUNT { Self::TooLarge } else { Self::Whole(count) }
    }

    /// Reads plain decimal text without an exponent (what `Display` of a float writes).
    fn of_text(text: &str) -> Option<Self> {
        if text.starts_with('-') {
            return Some(if text.trim_matches(['-', '0', '.']).is_empty() {
                Self::Whole(0)
            } else {
                Self::Negative
            });
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return None;
        }
        let Ok(whole) = whole.parse::<u64>() else { return Some(Self::TooLarge) };
        match Self::of(whole) {
            Self::Whole(whole) if fraction.bytes().any(|digit| digit != b'0') => {
                Some(Self::Fraction(whole.saturating_add(1)))
            }
            count => Some(count),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count")
    }

    fn visit_u64<E>(self, count: u64) -> Result<Count, E> {
        Ok(Count::of(count))
    }

    fn visit_i64<E>(self, count: i64) -> Result<Count, E> {
        Ok(u64::try_from(count).map_or(Count::Negative, Count::of))
    }

    fn visit_f64<E: serde::de::Error>(self, count: f64) -> Result<Count, E> {
        Count::of_text(&count.to_string()).ok_or_else(|| E::custom("a count is not a number"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Count, E> {
        Count::of_text(text).ok_or_else(|| E::custom("a count is not a number"))
    }

    fn visit_unit<E>(self) -> Result<Count, E> {
        Ok(Count::Absent)
    }
}

/// The bytes of text in a JSON value: the length of every string inside it, keys left out. Allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TextBytes(pub(crate) u64);

impl<'de> Deserialize<'de> for TextBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = TextBytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_u64<E>(self, _: u64) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_unit<E>(self) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_str<E>(self, text: &str) -> Result<TextBytes, E> {
        Ok(TextBytes(u64::try_from(text.len()).unwrap_or(u64::MAX)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TextBytes, A::Error> {
        let mut sum = 0_u64;
        while let Some(TextBytes(bytes)) = seq.next_element()? {
            sum = sum.checked_add(bytes).ok_or_else(|| A::Error::custom("text is too long"))?;
        }
        Ok(TextBytes(sum))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TextBytes, A::Error> {
        let mut sum = 0_u64;
        while let Some((IgnoredAny, TextBytes(bytes))) = map.next_entry()? {
            sum = sum.checked_add(bytes).ok_or_else(|| A::Error::custom("text is too long"))?;
        }
        Ok(TextBytes(sum))
    }
}
