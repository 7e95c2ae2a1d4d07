//! The table at the end, as text and as JSON.

use super::conditions::Conditions;
use super::rounds::Rounds;
use serde::Serialize;
use std::fmt::Write as _;

/// What a figure has to reach.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    section: &'static str,
    what: String,
    unit: &'static str,
    median: f64,
    lowest: f64,
    highest: f64,
    target: Option<Target>,
    met: Option<bool>,
}

impl Row {
    pub(crate) fn new(
        section: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        rounds: &Rounds,
    ) -> Self {
        let (median, lowest, highest) = (rounds.median(), rounds.lowest(), rounds.highest());
        Self { section, what: what.into(), unit, median, lowest, highest, target: None, met: None }
    }

    /// With what the median has to reach.
    pub(crate) fn target(mut self, target: Target) -> Self {
        self.met = Some(match target {
            Target::AtLeast(wanted) => self.median >= wanted,
            Target::AtMost(wanted) => self.median <= wanted,
        });
        self.target = Some(target);
        self
    }
}

/// All sections' rows with the conditions that they were measured under.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) conditions: Conditions,
    pub(crate) rows: Vec<Row>,
    /// Sections that could not be measured, and why.
    pub(crate) skipped: Vec<String>,
}

impl Table {
    pub(crate) fn text(&self) -> String {
        let mut out = format!("{}\n", self.conditions);
        let mut section = "";
        for row in &self.rows {
            if row.section != section {
                section = row.section;
                let _infallible =
                    writeln!(out, "\n{section:<66}{:>11}  {:<20}{:<14}", "median", "(low .. high)", "target");
            }
            let spread = format!("({} .. {})", number(row.lowest), number(row.highest));
            let verdict = match row.met {
                None => "",
                Some(true) => "met",
                Some(false) => "MISSED",
            };
            let target = match row.target {
                None => String::new(),
                Some(Target::AtLeast(wanted)) => format!(">= {}", number(wanted)),
                Some(Target::AtMost(wanted)) => format!("<= {}", number(wanted)),
            };
            let what = format!("  {}, {}", row.what, row.unit);
            let line = format!("{what:<66}{:>11}  {spread:<20}{target:<10}{verdict}", number(row.median));
            let _infallible = writeln!(out, "{}", line.trim_end());
        }
        for why in &self.skipped {
            let _infallible = writeln!(out, "\nnot measured: {why}");
        }
        out
    }
}

/// Three significant digits below a thousand, whole numbers above, thousands grouped.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    if value < 1_000.0 {
        let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        return format!("{value:.digits$}");
    }
    let whole = format!("{value:.0}");
    let head = whole.len() % 3;
    let mut out = whole[..head].to_owned();
    for group in whole.as_bytes()[head..].chunks(3) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&String::from_utf8_lossy(group));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Rounds, Row, Target, number};

    #[test]
    fn numbers_are_grouped_and_keep_what_matters() {
        let shown = [0.314, 4.0, 31.25, 999.4, 1_000.0, 45_678.9, 1_234_567.0].map(number);
        assert_eq!(shown, ["0.31", "4.00", "31.2", "999", "1 000", "45 679", "1 234 567"]);
    }

    #[test]
    fn a_target_is_judged_by_the_median_of_the_rounds() {
        let mut rounds = Rounds::default();
        [10.0, 90.0, 50.0].into_iter().for_each(|figure| rounds.push(figure));
        let row = |target| Row::new("s", "w", "u", &rounds).target(target).met;
        assert_eq!(row(Target::AtLeast(50.0)), Some(true));
        assert_eq!(row(Target::AtLeast(51.0)), Some(false));
        assert_eq!(row(Target::AtMost(49.0)), Some(false));
    }
}
