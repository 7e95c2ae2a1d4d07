//! How durations and sizes are written: a whole number and a unit, never a bare number.

use std::time::Duration;

const DURATIONS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1_000)];
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Reads `250ms`, `10s`, `5m`, `24h` or `7d`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    parse(text, &DURATIONS).map(Duration::from_millis).ok_or_else(|| {
        format!("`{text}` is no duration: write a whole number and a unit, such as 250ms, 10s, 5m, 24h or 7d")
    })
}

/// Reads `512B`, `32KiB`, `10MiB` or `2GiB`.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    parse(text, &SIZES).ok_or_else(|| {
        format!("`{text}` is no size: write a whole number and a unit, such as 512B, 32KiB, 10MiB or 2GiB")
    })
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn write(value: u64, units: &[(&str, u64)], zero: &str) -> String {
    units
        .iter()
        .filter(|(_, factor)| value >= *factor && value.is_multiple_of(*factor))
        .max_by_key(|(_, factor)| *factor)
        .map_or_else(|| zero.to_owned(), |(unit, factor)| format!("{}{unit}", value / factor))
}

/// A `Duration` in whole milliseconds, as text.
pub(super) mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::config) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let ms = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
        serializer.serialize_str(&super::write(ms, &super::DURATIONS, "0s"))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        super::parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A size in bytes, as text.
pub(super) mod size {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::config) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::write(*value, &super::SIZES, "0B"))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u64, D::Error> {
        super::parse_size(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_value_is_read_back() {
        for ms in [0, 1, 999, 1_000, 90_000, 3_600_000, 604_800_000] {
            let text = write(ms, &DURATIONS, "0s");
            assert_eq!(parse_duration(&text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for bytes in [0, 1, 1023, 32 << 10, 10 << 20, (10 << 20) + 1, 3 << 30] {
            let text = write(bytes, &SIZES, "0B");
            assert_eq!(parse_size(&text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn values_are_written_in_their_largest_whole_unit() {
        assert_eq!(write(90_000, &DURATIONS, "0s"), "90s");
        assert_eq!(write(604_800_000, &DURATIONS, "0s"), "7d");
        assert_eq!(write(10 << 20, &SIZES, "0B"), "10MiB");
    }

    #[test]
    fn a_number_without_a_unit_or_out_of_range_is_refused() {
        for text in
            ["", "10", "s", "-1s", "1.5s", "10 parsecs", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_size("10MB").unwrap_err().contains("10MiB"));
    }
}
