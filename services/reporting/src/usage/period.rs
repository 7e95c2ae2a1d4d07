//! Which days a question is about: a month, a week, or two dates.

use crate::api::error::{ApiError, ApiResult};
use jiff::Timestamp;
use jiff::civil::Date;
use tallystick_domain::period::{DayRange, PeriodError, Zone};

/// The ways to name days, as a caller wrote them.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeriodAsked<'a> {
    /// First day, `2026-10-01`.
    pub from: Option<&'a str>,
    /// The day after the last.
    pub to: Option<&'a str>,
    /// `2026-10`.
    pub month: Option<&'a str>,
    /// `2026-W45`.
    pub week: Option<&'a str>,
}

/// The days that were asked for; without any, the current month in the zone. `from` alone goes on to today, `to` alone
/// begins with its month.
///
/// # Errors
/// `400` when they cannot be read, or name two periods.
pub fn period_of(asked: PeriodAsked<'_>, zone: &Zone, now: Timestamp) -> ApiResult<DayRange> {
    let today = zone.day_of(now);
    match (asked.month, asked.week, asked.from, asked.to) {
        (Some(month), None, None, None) => Ok(DayRange::month(month)?),
        (None, Some(week), None, None) => Ok(DayRange::week(week)?),
        (None, None, None, None) => Ok(DayRange::month_of(today)?),
        (None, None, from, to) => {
            let to = match to {
                Some(to) => day(to)?,
                None => today.tomorrow().map_err(|_| PeriodError::Date(today.to_string()))?,
            };
            let from = match from {
                Some(from) => day(from)?,
                None => to.yesterday().unwrap_or(to).first_of_month(),
            };
            Ok(DayRange::new(from, to)?)
        }
        _ => Err(ApiError::invalid("the period is named twice; give month, or week, or from and to")),
    }
}

/// A date as people write it.
pub(crate) fn day(text: &str) -> ApiResult<Date> {
    Ok(text.trim().parse().map_err(|_| PeriodError::Date(text.chars().take(40).collect()))?)
}
