//! Numbers and times as people read them. Files and JSON carry the exact values instead.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

/// `$1,234.56`; below a cent with four decimals, and never `0.00` for something that is not zero.
pub(crate) fn money(amount: Decimal, currency: &str) -> String {
    let sign = if amount.is_sign_negative() && !amount.is_zero() { "-" } else { "" };
    let amount = amount.abs();
    let cent = Decimal::new(1, 2);
    let smallest = Decimal::new(1, 4);
    let digits = if amount.is_zero() || amount >= cent {
        grouped(&format!("{:.2}", amount.round_dp(2)))
    } else if amount >= smallest {
        format!("{:.4}", amount.round_dp(4))
    } else {
        return format!("{sign}<{}", with_currency("0.0001", currency));
    };
    format!("{sign}{}", with_currency(&digits, currency))
}

fn with_currency(digits: &str, currency: &str) -> String {
    match currency {
        "USD" => format!("${digits}"),
        "EUR" => format!("€{digits}"),
        "GBP" => format!("£{digits}"),
        "" => digits.to_owned(),
        other => format!("{digits} {other}"),
    }
}

/// `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// `and 5 more`, where a list was cut off; `None` where all of it is shown.
pub(crate) fn more(all: u64, shown: usize) -> Option<String> {
    let left = all.checked_sub(shown as u64).filter(|left| *left > 0)?;
    Some(format!("and {} more (use --json for all)", count(left)))
}

/// One decimal and a sign.
pub(crate) fn percent(part: Decimal, whole: Decimal) -> String {
    match part.checked_mul(Decimal::ONE_HUNDRED).and_then(|part| part.checked_div(whole)) {
        Some(share) => format!("{:.1}%", share.round_dp(1)),
        None => "-".to_owned(),
    }
}

fn grouped(digits: &str) -> String {
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// `2026-11-23 14:03` in the machine's zone; what is no instant stays as it is.
pub(crate) fn short_time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(instant) => instant.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn money_is_shown_to_the_cent_and_never_as_nothing() {
        assert_eq!(money(decimal("1234567.891"), "USD"), "$1,234,567.89");
        assert_eq!(money(decimal("-12.5"), "EUR"), "-€12.50");
        assert_eq!(money(decimal("0.0042"), "USD"), "$0.0042");
        assert_eq!(money(decimal("0.000000001"), "USD"), "<$0.0001");
        assert_eq!(money(Decimal::ZERO, "CHF"), "0.00 CHF");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
    }

    #[test]
    fn a_list_that_was_cut_off_says_how_much_is_left() {
        assert_eq!(more(1_234, 20).as_deref(), Some("and 1,214 more (use --json for all)"));
        assert_eq!((more(20, 20), more(3, 20)), (None, None));
    }

    #[test]
    fn a_share_of_nothing_is_a_dash() {
        assert_eq!(percent(decimal("1"), decimal("3")), "33.3%");
        assert_eq!(percent(decimal("1"), Decimal::ZERO), "-");
    }
}
