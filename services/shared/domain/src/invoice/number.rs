//! Invoice numbers: a format with a year and a sequence, for example `INV-{year}-{seq:04}`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::InvoiceError;

/// How the numbers of an issuer look. Knows `{year}`, `{seq}` and `{seq:0N}` (N digits at least, 1 to 12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NumberFormat {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Year,
    Sequence { width: usize },
}

impl NumberFormat {
    /// Longest format, in characters.
    pub const MAX_CHARS: usize = 40;

    /// The number of the `seq`th invoice of a series in a year.
    #[must_use]
    pub fn number(&self, year: i16, seq: u64) -> String {
        let mut number = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => number.push_str(text),
                Piece::Year => number.push_str(&format!("{year:04}")),
                Piece::Sequence { width } => number.push_str(&format!("{seq:0width$}")),
            }
        }
        number
    }

    /// Whether the number names the year, so that the sequence may begin again each year.
    #[must_use]
    pub fn restarts_each_year(&self) -> bool {
        self.pieces.contains(&Piece::Year)
    }
}

impl Default for NumberFormat {
    fn default() -> Self {
        let pieces = vec![
            Piece::Text("INV-".to_owned()),
            Piece::Year,
            Piece::Text("-".to_owned()),
            Piece::Sequence { width: 4 },
        ];
        Self { text: "INV-{year}-{seq:04}".to_owned(), pieces }
    }
}

fn piece(name: &str) -> Option<Piece> {
    match name {
        "year" => Some(Piece::Year),
        "seq" => Some(Piece::Sequence { width: 1 }),
        _ => {
            let width: usize = name.strip_prefix("seq:0")?.parse().ok()?;
            (1..=12).contains(&width).then_some(Piece::Sequence { width })
        }
    }
}

impl FromStr for NumberFormat {
    type Err = InvoiceError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || InvoiceError::NumberFormat(text.to_owned());
        if text.chars().count() > Self::MAX_CHARS || text.chars().any(char::is_control) {
            return Err(bad());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(bad)?;
            if before.contains('}') {
                return Err(bad());
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(piece(name).ok_or_else(bad)?);
            rest = after;
        }
        if rest.contains('}') {
            return Err(bad());
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        let sequences = pieces.iter().filter(|piece| matches!(piece, Piece::Sequence { .. })).count();
        if sequences != 1 {
            return Err(bad());
        }
        Ok(Self { text: text.to_owned(), pieces })
    }
}

impl TryFrom<String> for NumberFormat {
    type Error = InvoiceError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NumberFormat> for String {
    fn from(format: NumberFormat) -> Self {
        format.text
    }
}

impl fmt::Display for NumberFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
