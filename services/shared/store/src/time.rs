//! Between jiff, which the domain speaks, and `time`, which the driver speaks.
//!
//! PostgreSQL keeps microseconds: what is finer is cut off toward the past, so that a stored instant is never later
//! than the one that was given, and reading back what was stored gives the same value again.

use jiff::{Timestamp, civil};
use time::{Date, Month, OffsetDateTime};

/// An instant for the driver, cut to microseconds.
#[must_use]
pub fn to_db(instant: Timestamp) -> OffsetDateTime {
    let micros = instant.as_nanosecond().div_euclid(1_000);
    OffsetDateTime::from_unix_timestamp_nanos(micros * 1_000)
        .expect("jiff's range of years, -9999 to 9999, is that of time")
}

/// An instant from the driver.
#[must_use]
pub fn from_db(instant: OffsetDateTime) -> Timestamp {
    Timestamp::from_nanosecond(instant.unix_timestamp_nanos())
        .expect("PostgreSQL instants that we wrote are in range")
}

/// A calendar day for the driver.
#[must_use]
pub fn date_to_db(day: civil::Date) -> Date {
    let month = Month::try_from(day.month().unsigned_abs()).expect("a jiff month is 1 to 12");
    Date::from_calendar_date(day.year().into(), month, day.day().unsigned_abs())
        .expect("jiff's range of years, -9999 to 9999, is that of time")
}

/// A calendar day from the driver.
#[must_use]
pub fn date_from_db(day: Date) -> civil::Date {
    let narrow = |part: u8| i8::try_from(part).expect("months and days are below 32");
    let year = i16::try_from(day.year()).expect("days that we wrote have a year of four digits");
    civil::Date::new(year, narrow(day.month().into()), narrow(day.day()))
        .expect("a valid day is valid in jiff too")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nanoseconds_are_cut_toward_the_past_on_both_sides_of_1970() {
        for (given, kept) in [(1_999, 1_000), (-1, -1_000), (-1_000, -1_000), (0, 0)] {
            let instant = Timestamp::from_nanosecond(given).unwrap();
            assert_eq!(from_db(to_db(instant)).as_nanosecond(), kept);
        }
    }

    #[test]
    fn the_ends_of_the_range_convert() {
        for instant in [Timestamp::MIN, Timestamp::MAX] {
            assert!(from_db(to_db(instant)) <= instant);
        }
        for day in [civil::Date::MIN, civil::Date::MAX, civil::date(2024, 2, 29)] {
            assert_eq!(date_from_db(date_to_db(day)), day);
        }
    }

    proptest! {
        #[test]
        fn an_instant_of_whole_microseconds_comes_back_unchanged(micros in -377_705_023_201_000_000_i64..253_402_207_200_999_999) {
            let instant = Timestamp::from_microsecond(micros).unwrap();
            prop_assert_eq!(from_db(to_db(instant)), instant);
        }
    }
}
