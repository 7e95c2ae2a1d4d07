//! Numbers, money and dates as they are printed: the same for every reader.
//!
//! Thousands are set apart by a narrow space and decimals by a point, as ISO 80000 has it, so that nobody takes one for
//! the other. Months are words, so that nobody takes a day for a month.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rust_decimal::{Decimal, RoundingStrategy};
use tallystick_domain::Currency;
use tallystick_domain::period::DayRange;

/// Between thousands, and between a number and its unit.
pub(crate) const NARROW: char = '\u{202f}';
const MINUS: char = '\u{2212}';
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A count: `1 234 567`.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A count in three figures: `1.23M`.
pub(crate) fn short_count(number: u64) -> String {
    let units: [(u64, &str); 3] = [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")];
    let Some((size, unit)) = units.into_iter().find(|(size, _)| number >= *size) else {
        return number.to_string();
    };
    let scaled = Decimal::from(number) / Decimal::from(size);
    let digits = if scaled >= Decimal::ONE_HUNDRED {
        0
    } else if scaled >= Decimal::TEN {
        1
    } else {
        2
    };
    format!("{}{unit}", fixed(scaled, digits))
}

/// An amount with so many decimals, rounded half-even if it has more: `−1 234.50`.
pub(crate) fn fixed(amount: Decimal, digits: u32) -> String {
    let mut rounded = amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
    rounded.rescale(digits);
    spell(rounded)
}

/// An amount as it is, with at least `digits` decimals.
pub(crate) fn exact(amount: Decimal, digits: u32) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < digits {
        amount.rescale(digits);
    }
    spell(amount)
}

/// An amount in the minor unit of its currency, without the currency.
pub(crate) fn amount(amount: Decimal, currency: Currency) -> String {
    fixed(amount, currency.minor_digits())
}

/// An amount with its currency: `€1 234.50`, `CHF 1 234.50`.
pub(crate) fn money(value: Decimal, currency: Currency) -> String {
    let figures = amount(value.abs(), currency);
    let sign = if value.is_sign_negative() && figures.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        "−"
    } else {
        ""
    };
    match symbol(currency) {
        Some(symbol) => format!("{sign}{symbol}{figures}"),
        None => format!("{sign}{}\u{a0}{figures}", currency.code()),
    }
}

/// Only symbols that one currency alone uses without doubt; a dollar that is not from the United States gets its code.
fn symbol(currency: Currency) -> Option<&'static str> {
    match currency.code() {
        "USD" => Some("$"),
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "JPY" => Some("¥"),
        "INR" => Some("₹"),
        "KRW" => Some("₩"),
        _ => None,
    }
}

/// A percentage as it is: `17.5 %`.
pub(crate) fn percent(value: Decimal) -> String {
    format!("{}{NARROW}%", spell(value.normalize()))
}

/// A change with its sign: `+12.5 %`.
pub(crate) fn change(value: Decimal) -> String {
    let plus = if value > Decimal::ZERO { "+" } else { "" };
    format!("{plus}{}{NARROW}%", fixed(value, 1))
}

/// `31 October 2026`.
pub(crate) fn date(date: Date) -> String {
    format!("{} {} {}", date.day(), month(date), date.year())
}

/// `31 Oct 2026`.
pub(crate) fn brief_date(date: Date) -> String {
    format!("{} {}", short_date(date), date.year())
}

/// `31 Oct`.
pub(crate) fn short_date(date: Date) -> String {
    format!("{} {}", date.day(), &month(date)[..3])
}

/// A half-open range with its last day: `1–31 October 2026`.
pub(crate) fn period(range: DayRange) -> String {
    let last = range.to.checked_sub(1.day()).unwrap_or(range.to).max(range.from);
    let first = range.from;
    if first == last {
        date(first)
    } else if first.year() != last.year() {
        format!("{} – {}", date(first), date(last))
    } else if first.month() != last.month() {
        format!("{} {} – {}", first.day(), month(first), date(last))
    } else {
        format!("{}–{}", first.day(), date(last))
    }
}

/// A moment in a zone, with the offset that makes it certain: `1 November 2026, 00:05 (UTC+01:00)`.
pub(crate) fn moment(at: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let local = at.to_zoned(zone);
    format!(
        "{}, {:02}:{:02} (UTC{})",
        date(local.date()),
        local.hour(),
        local.minute(),
        local.strftime("%:z")
    )
}

/// An IBAN in groups of four, as banks print it.
pub(crate) fn iban(text: &str) -> String {
    let compact: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let groups: Vec<String> = compact.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("\u{a0}")
}

fn month(date: Date) -> &'static str {
    usize::try_from(date.month())
        .ok()
        .and_then(|number| MONTHS.get(number.checked_sub(1)?))
        .unwrap_or(&MONTHS[0])
}

fn spell(amount: Decimal) -> String {
    let text = amount.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if amount.is_sign_negative() && !amount.is_zero() { MINUS.to_string() } else { String::new() };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// Sets thousands apart.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * NARROW.len_utf8());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(NARROW);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// With plain spaces, so that the expectations can be read.
    fn plain(text: &str) -> String {
        text.replace([NARROW, '\u{a0}'], " ")
    }

    #[test]
    fn thousands_are_set_apart_and_decimals_follow_the_currency() {
        let money = |text, code| plain(&money(dec(text), Currency::parse(code).unwrap()));
        assert_eq!(money("1234567.891", "EUR"), "€1 234 567.89");
        assert_eq!(money("1234.5", "USD"), "$1 234.50");
        assert_eq!(money("-0.5", "CHF"), "−CHF 0.50");
        assert_eq!(money("98765", "JPY"), "¥98 765");
        assert_eq!(money("1", "KWD"), "KWD 1.000");
        assert_eq!(money("-0.001", "USD"), "$0.00");
    }

    #[test]
    fn counts_are_exact_or_short() {
        assert_eq!(plain(&count(0)), "0");
        assert_eq!(plain(&count(1_234_567)), "1 234 567");
        assert_eq!(short_count(999), "999");
        assert_eq!(short_count(1_234_567), "1.23M");
        assert_eq!(short_count(45_600_000), "45.6M");
        assert_eq!(short_count(912_000_000_000), "912B");
    }

    #[test]
    fn exact_amounts_keep_every_decimal() {
        assert_eq!(exact(dec("0.00012300"), 2), "0.000123");
        assert_eq!(exact(dec("3"), 2), "3.00");
        assert_eq!(fixed(dec("0.125"), 2), "0.12");
        assert_eq!(plain(&change(dec("12.5"))), "+12.5 %");
        assert_eq!(plain(&change(dec("-3"))), "−3.0 %");
        assert_eq!(plain(&percent(dec("19.00"))), "19 %");
    }

    #[test]
    fn a_period_names_its_last_day_not_the_day_after() {
        use jiff::civil::date as day;
        let range = |from, to| period(DayRange { from, to });
        assert_eq!(range(day(2026, 10, 1), day(2026, 11, 1)), "1–31 October 2026");
        assert_eq!(range(day(2026, 10, 26), day(2026, 11, 2)), "26 October – 1 November 2026");
        assert_eq!(range(day(2026, 12, 28), day(2027, 1, 4)), "28 December 2026 – 3 January 2027");
        assert_eq!(range(day(2026, 10, 5), day(2026, 10, 6)), "5 October 2026");
    }

    #[test]
    fn a_moment_says_its_offset() {
        let at: Timestamp = "2026-10-31T23:05:00Z".parse().unwrap();
        assert_eq!(moment(at, "Europe/Berlin"), "1 November 2026, 00:05 (UTC+01:00)");
        assert_eq!(moment(at, "nowhere"), "31 October 2026, 23:05 (UTC+00:00)");
    }

    #[test]
    fn an_iban_is_grouped() {
        assert_eq!(plain(&iban("DE89 370400440532013000")), "DE89 3704 0044 0532 0130 00");
    }
}
