//! When an invoice is due.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::InvoiceError;

/// Payment terms: a number of days after the issue date, written `14d`. Zero days: due on receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentTerms {
    days: u16,
}

impl PaymentTerms {
    /// Longest terms that are accepted, in days.
    pub const MAX_DAYS: u16 = 365;

    /// Terms of so many days.
    ///
    /// # Errors
    /// When there are more than [`PaymentTerms::MAX_DAYS`].
    pub fn days(days: u16) -> Result<Self, InvoiceError> {
        if days > Self::MAX_DAYS { Err(InvoiceError::Terms(format!("{days}d"))) } else { Ok(Self { days }) }
    }

    /// Number of days.
    #[must_use]
    pub const fn as_days(self) -> u16 {
        self.days
    }

    /// The due date of an invoice issued on `issued`.
    ///
    /// # Errors
    /// At the end of the calendar (year 9999).
    pub fn due(self, issued: Date) -> Result<Date, InvoiceError> {
        issued.checked_add(i64::from(self.days).days()).map_err(|_| InvoiceError::Date)
    }

    /// The terms in words, for the page.
    #[must_use]
    pub fn in_words(self) -> String {
        match self.days {
            0 => "Due on receipt".to_owned(),
            1 => "1 day net".to_owned(),
            days => format!("{days} days net"),
        }
    }
}

impl Default for PaymentTerms {
    /// Fourteen days.
    fn default() -> Self {
        Self { days: 14 }
    }
}

impl FromStr for PaymentTerms {
    type Err = InvoiceError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || InvoiceError::Terms(text.to_owned());
        let digits = text.trim().strip_suffix('d').unwrap_or(text.trim());
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad());
        }
        Self::days(digits.parse().map_err(|_| bad())?).map_err(|_| bad())
    }
}

impl TryFrom<String> for PaymentTerms {
    type Error = InvoiceError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PaymentTerms> for String {
    fn from(terms: PaymentTerms) -> Self {
        terms.to_string()
    }
}

impl fmt::Display for PaymentTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}d", self.days)
    }
}
