//! Billing days, weeks and months in a zone.
//!
//! All bounds are half-open. A billing day is a civil date in the team's or the client's zone and is fixed when a
//! request is admitted; a period is a range of such days, so a change of clocks moves no money.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A time zone by its IANA name, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// A text that is not a zone, a month, a week or a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    #[error("'{0}' is not a time zone: give an IANA name such as Europe/Berlin or UTC")]
    UnknownZone(String),
    #[error("'{0}' is not a month: write it as 2026-10")]
    Month(String),
    #[error("'{0}' is not an ISO week: write it as 2026-W45")]
    Week(String),
    #[error("'{0}' is not a date: write it as 2026-10-31")]
    Date(String),
    #[error("the period ends before it begins: from {from} to {to}")]
    Reversed { from: Date, to: Date },
}

impl Zone {
    /// Looks a zone up by name.
    ///
    /// # Errors
    /// When the name is not in the time zone database.
    pub fn parse(name: &str) -> Result<Self, PeriodError> {
        let unknown = || PeriodError::UnknownZone(name.to_owned());
        if name.is_empty() || name.len() > 64 {
            return Err(unknown());
        }
        let zone = TimeZone::get(name).map_err(|_| unknown())?;
        Ok(Self { name: name.to_owned(), zone })
    }

    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone for calendar arithmetic.
    #[must_use]
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The billing day of a moment.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The first moment of a day; where a change of clocks skips midnight, the first moment that exists.
    ///
    /// # Errors
    /// When the date is outside the range of timestamps (years -9999 to 9999).
    pub fn start_of(&self, day: Date) -> Result<Timestamp, PeriodError> {
        day.to_zoned(self.zone.clone())
            .map(|zoned| zoned.timestamp())
            .map_err(|_| PeriodError::Date(day.to_string()))
    }
}

/// A half-open range of billing days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct DayRange {
    /// First day.
    pub from: Date,
    /// The day after the last.
    pub to: Date,
}

impl DayRange {
    /// A range of days.
    ///
    /// # Errors
    /// When it ends before it begins.
    pub fn new(from: Date, to: Date) -> Result<Self, PeriodError> {
        if to < from { Err(PeriodError::Reversed { from, to }) } else { Ok(Self { from, to }) }
    }

    /// A calendar month, written `2026-10`.
    ///
    /// # Errors
    /// When the text is not a month.
    pub fn month(text: &str) -> Result<Self, PeriodError> {
        let bad = || PeriodError::Month(text.to_owned());
        let (year, month) = text.split_once('-').ok_or_else(bad)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(bad());
        }
        let date = Date::new(year.parse().map_err(|_| bad())?, month.parse().map_err(|_| bad())?, 1)
            .map_err(|_| bad())?;
        Ok(Self { from: date, to: date.checked_add(1.month()).map_err(|_| bad())? })
    }

    /// The calendar month that holds a day.
    ///
    /// # Errors
    /// At the end of the calendar (year 9999).
    pub fn month_of(day: Date) -> Result<Self, PeriodError> {
        let from = day.first_of_month();
        let to = from.checked_add(1.month()).map_err(|_| PeriodError::Date(day.to_string()))?;
        Ok(Self { from, to })
    }

    /// An ISO week, Monday to Sunday, written `2026-W45`.
    ///
    /// # Errors
    /// When the text is not a week.
    pub fn week(text: &str) -> Result<Self, PeriodError> {
        let bad = || PeriodError::Week(text.to_owned());
        let (year, week) = text.split_once("-W").ok_or_else(bad)?;
        let monday = ISOWeekDate::new(
            year.parse().map_err(|_| bad())?,
            week.parse().map_err(|_| bad())?,
            Weekday::Monday,
        )
        .map_err(|_| bad())?
        .date();
        Ok(Self { from: monday, to: monday.checked_add(7.days()).map_err(|_| bad())? })
    }

    /// The ISO week that holds a day.
    ///
    /// # Errors
    /// At the ends of the calendar.
    pub fn week_of(day: Date) -> Result<Self, PeriodError> {
        let bad = |_| PeriodError::Date(day.to_string());
        let back = i64::from(day.weekday().to_monday_zero_offset());
        let from = day.checked_sub(back.days()).map_err(bad)?;
        Ok(Self { from, to: from.checked_add(7.days()).map_err(bad)? })
    }

    /// The range of the same kind just before: the previous month for a whole month, else as many days before.
    ///
    /// # Errors
    /// At the beginning of the calendar.
    pub fn previous(&self) -> Result<Self, PeriodError> {
        let bad = |_| PeriodError::Date(self.from.to_string());
        if Self::month_of(self.from)? == *self {
            return Self::month_of(self.from.checked_sub(1.day()).map_err(bad)?);
        }
        let length = self.from.until(self.to).map_err(bad)?;
        Ok(Self { from: self.from.checked_sub(length).map_err(bad)?, to: self.from })
    }

    /// The last day of the range, for people.
    #[must_use]
    pub fn last_day(&self) -> Date {
        self.to.yesterday().unwrap_or(self.to)
    }

    /// Whether a day lies in the range.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from <= day && day < self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn an_unknown_zone_is_refused_by_name() {
        let error = Zone::parse("Europe/Atlantis").unwrap_err();
        assert_eq!(error, PeriodError::UnknownZone("Europe/Atlantis".to_owned()));
    }

    #[test]
    fn a_billing_day_follows_the_zone_over_a_change_of_clocks() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let at = |text: &str| berlin.day_of(text.parse().unwrap());
        assert_eq!(at("2026-03-28T22:59:59Z"), date(2026, 3, 28));
        assert_eq!(at("2026-03-28T23:00:00Z"), date(2026, 3, 29));
        assert_eq!(at("2026-03-29T21:59:59Z"), date(2026, 3, 29));
        assert_eq!(at("2026-03-29T22:00:00Z"), date(2026, 3, 30));
        assert_eq!(berlin.start_of(date(2026, 3, 30)).unwrap().to_string(), "2026-03-29T22:00:00Z");
    }

    #[test]
    fn months_and_weeks_are_half_open_and_have_a_predecessor() {
        let october = DayRange::month("2026-10").unwrap();
        assert_eq!(october, DayRange { from: date(2026, 10, 1), to: date(2026, 11, 1) });
        assert_eq!(october.previous().unwrap(), DayRange::month("2026-09").unwrap());
        assert_eq!(october.last_day(), date(2026, 10, 31));
        let week = DayRange::week("2026-W45").unwrap();
        assert_eq!(week, DayRange { from: date(2026, 11, 2), to: date(2026, 11, 9) });
        assert_eq!(week.previous().unwrap(), DayRange::week("2026-W44").unwrap());
        assert_eq!(DayRange::week_of(date(2026, 11, 8)).unwrap(), week);
        assert!(DayRange::month("2026-13").is_err());
        assert!(DayRange::month("10-2026").is_err());
        assert!(DayRange::week("2026-W54").is_err());
    }
}
