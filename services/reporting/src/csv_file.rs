//! CSV files that a spreadsheet may open: RFC 4180, and no cell that it would run as a formula.

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// What people wrote: made harmless.
    Text(String),
    /// What we computed: numbers, dates. Written as it is, signs included.
    Exact(String),
    /// Nothing.
    Empty,
}

impl Cell {
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    pub(crate) fn exact(value: impl ToString) -> Self {
        Self::Exact(value.to_string())
    }

    pub(crate) fn maybe(value: Option<impl ToString>) -> Self {
        value.map_or(Self::Empty, |value| Self::Exact(value.to_string()))
    }

    fn written(self) -> String {
        match self {
            // A spreadsheet takes these for the beginning of a formula; an apostrophe makes them text.
            Self::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) => {
                format!("'{text}")
            }
            Self::Text(text) | Self::Exact(text) => text,
            Self::Empty => String::new(),
        }
    }
}

/// A file with a header line.
pub(crate) fn csv_file<'h>(
    header: impl IntoIterator<Item = &'h str>,
    rows: impl IntoIterator<Item = Vec<Cell>>,
) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(header).expect("a vector takes every byte");
    for row in rows {
        writer
            .write_record(row.into_iter().map(Cell::written))
            .expect("every row has the columns of the header");
    }
    writer.into_inner().expect("a vector takes every byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_begins_like_a_formula_is_made_text_and_a_negative_number_stays_one() {
        let rows = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "plain"]
            .map(|name| vec![Cell::text(name), Cell::exact("-1.5")]);
        let file = String::from_utf8(csv_file(["name", "cost"], rows)).unwrap();
        let lines: Vec<&str> = file.split("\r\n").collect();
        assert_eq!(
            lines,
            [
                "name,cost",
                "'=1+1,-1.5",
                "'+1,-1.5",
                "'-1,-1.5",
                "'@SUM(A1),-1.5",
                "'\tx,-1.5",
                "plain,-1.5",
                ""
            ]
        );
    }
}
