//! Money of the fake provider: whole pico-dollars (10^-12 USD) in an `i128`, no decimals library.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const PER_DOLLAR: i128 = 1_000_000_000_000;

/// An amount in pico-dollars. Prints and serialises as dollars with exactly 12 decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pico(pub i128);

/// A text that is not a dollar amount with at most 12 decimals.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("reading {0:?} as a dollar amount")]
pub struct BadAmount(String);

impl fmt::Display for Pico {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let dollar = PER_DOLLAR.unsigned_abs();
        write!(f, "{sign}{}.{:012}", magnitude / dollar, magnitude % dollar)
    }
}

impl FromStr for Pico {
    type Err = BadAmount;

    fn from_str(text: &str) -> Result<Self, BadAmount> {
        let bad = || BadAmount(text.to_owned());
        let (negative, magnitude) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        if whole.is_empty()
            || fraction.len() > 12
            || magnitude.chars().any(|c| c != '.' && !c.is_ascii_digit())
        {
            return Err(bad());
        }
        let whole: i128 = whole.parse().map_err(|_| bad())?;
        let fraction: i128 = format!("{fraction:0<12}").parse().map_err(|_| bad())?;
        let amount = whole.checked_mul(PER_DOLLAR).and_then(|w| w.checked_add(fraction)).ok_or_else(bad)?;
        Ok(Self(if negative { -amount } else { amount }))
    }
}

impl TryFrom<String> for Pico {
    type Error = BadAmount;

    fn try_from(text: String) -> Result<Self, BadAmount> {
        text.parse()
    }
}

impl From<Pico> for String {
    fn from(amount: Pico) -> Self {
        amount.to_string()
    }
}

impl Add for Pico {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Pico {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for Pico {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), Add::add)
    }
}
