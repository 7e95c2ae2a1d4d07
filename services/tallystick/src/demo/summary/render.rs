//! The page of text.

use std::fmt::Write as _;

use rust_decimal::Decimal;

use super::{Ranking, Summary, Trouble};
use crate::demo::place::Place;
use crate::output::{count, money, percent};

/// Cells of a bar.
const BAR: u64 = 20;
/// Width of the names.
const NAME: usize = 24;

impl Summary<'_> {
    /// Everything, ready to print.
    pub(in crate::demo) fn render(&self, place: &Place) -> String {
        let mut page = Page::default();
        page.0.push('\n');
        page.line(&format!("Northlight Studio · {}", self.title));
        page.line(&format!("{} in {} requests", money(self.total, &self.currency), count(self.requests)));
        for ranking in &self.rankings {
            self.ranking(&mut page, ranking);
        }
        self.troubles(&mut page);
        self.looping(&mut page);
        self.trace(&mut page);
        self.invoices(&mut page);
        self.proofs(&mut page);
        page.heading("FILES");
        page.line(&format!("{}", place.file("").display()));
        for (folder, what) in [
            ("invoices/", "each invoice as PDF, CSV and JSON"),
            ("reports/", "the month and a week as PDF, CSV and JSON"),
            ("usage/", "the imported month as JSONL, usage by client, member, model and day as CSV"),
            ("data/", "the instance itself: look around with `tallystick up --data-dir`"),
        ] {
            page.line(&format!("  {folder:<12}{what}"));
        }
        page.0.push('\n');
        page.0
    }

    fn ranking(&self, page: &mut Page, ranking: &Ranking) {
        let titles =
            format!("{:<NAME$} {:>11}  {:>6}  {:<20} {:>8}", ranking.title, "COST", "SHARE", "", "REQUESTS");
        page.heading(&titles);
        let largest = ranking.rows.iter().map(|row| row.cost).max().unwrap_or_default();
        for row in &ranking.rows {
            let failed =
                if row.failed == 0 { String::new() } else { format!("{} failed", count(row.failed)) };
            page.line(&format!(
                "{name:<NAME$} {cost:>11}  {share:>6}  {bar:<20} {requests:>8}  {failed}",
                name = clip(&row.name),
                cost = money(row.cost, &self.currency),
                share = percent(row.cost, self.total),
                bar = bar(row.cost, largest),
                requests = count(row.requests),
            ));
        }
    }

    fn troubles(&self, page: &mut Page) {
        page.heading("FAILED AND REPEATED");
        let mut tell = |when: &str, trouble: &Trouble| {
            page.line(&format!(
                "{when:<NAME$} {} of {} failed ({}), {} repeated ({})",
                count(trouble.failed),
                count(trouble.requests),
                money(trouble.failed_cost, &self.currency),
                count(trouble.retries),
                money(trouble.retry_cost, &self.currency),
            ));
        };
        tell("last month, imported", &self.month);
        tell("today, through the proxy", &self.live);
        let seen = &self.figures.seen;
        page.line(&format!(
            "{:<NAME$} {} clients went away in mid-answer and were metered to the end all the same",
            "", seen.hung_up
        ));
    }

    fn looping(&self, page: &mut Page) {
        let looping = &self.looping;
        page.heading("A SCRIPT THAT LOOPS");
        let factor = looping
            .cost
            .checked_div(looping.usual)
            .map_or("-".to_owned(), |factor| format!("{:.0}", factor.round()));
        page.line(&format!(
            "ci-evals sent the very same prompt {} times today: {}, where its usual day costs {} ({factor} times as much)",
            count(looping.times),
            money(looping.cost, &self.currency),
            money(looping.usual, &self.currency),
        ));
    }

    fn trace(&self, page: &mut Page) {
        let (Some(cost), Some((answered, took))) = (self.trace_cost, self.figures.replayed) else { return };
        page.heading("THE TRACE");
        let rate = u128::from(answered) * 1_000 / took.as_millis().max(1);
        page.line(&format!(
            "{} requests of one key, {rate} a second, as {}: {}",
            count(answered),
            crate::demo::trace::MODEL,
            money(cost, &self.currency),
        ));
    }

    fn invoices(&self, page: &mut Page) {
        page.heading("INVOICES");
        for issued in &self.figures.issued {
            let amount = |name: &str| issued.field(name).parse::<Decimal>().unwrap_or_default();
            page.line(&format!(
                "{number:<15} {client:<14} {total:>11}  due {due}  {pdf}",
                number = issued.field("number"),
                client = clip(issued.field("client")),
                total = money(amount("total"), issued.field("currency")),
                due = issued.field("due_date"),
                pdf = issued.pdf,
            ));
        }
    }

    fn proofs(&self, page: &mut Page) {
        let live = &self.figures.reconciled;
        page.heading("IS IT TRUE?");
        let verdict = if live.is_equal() { "equal" } else { "NOT EQUAL" };
        page.line(&format!(
            "{:<NAME$} {} for {} calls",
            "the provider's own bill",
            live.bill.normalize(),
            count(live.calls)
        ));
        page.line(&format!(
            "{:<NAME$} {} for {} events: {verdict} to the last decimal",
            "the ledger",
            live.ledger.normalize(),
            count(live.ledger_calls)
        ));
        let verified = &self.figures.verified;
        let verdict = if verified.ok { "clean" } else { "NOT CLEAN" };
        page.line(&format!("{:<NAME$} {verdict}, {} checks", "tallystick verify", verified.checks.len()));
        for check in verified.checks.iter().filter(|check| !check.ok) {
            page.line(&format!("  {}: {}", check.name, check.detail));
        }
    }
}

/// Indented lines under headings.
#[derive(Default)]
struct Page(String);

impl Page {
    fn heading(&mut self, title: &str) {
        writeln!(self.0, "\n  {title}").expect("writing to a string");
    }

    fn line(&mut self, text: &str) {
        writeln!(self.0, "  {}", text.trim_end()).expect("writing to a string");
    }
}

fn clip(name: &str) -> String {
    if name.chars().count() <= NAME {
        name.to_owned()
    } else {
        format!("{}…", name.chars().take(NAME - 1).collect::<String>())
    }
}

/// A bar of at most [`BAR`] cells; something that is not zero has at least one.
fn bar(part: Decimal, largest: Decimal) -> String {
    let cells = part.checked_mul(Decimal::from(BAR)).and_then(|scaled| scaled.checked_div(largest));
    let cells: u64 = cells.and_then(|cells| u64::try_from(cells.ceil()).ok()).unwrap_or(0);
    "█".repeat(usize::try_from(cells.min(BAR)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_in_proportion_and_never_hides_a_small_amount() {
        assert_eq!(bar(Decimal::from(10), Decimal::from(10)).chars().count(), 20);
        assert_eq!(bar(Decimal::from(5), Decimal::from(10)).chars().count(), 10);
        assert_eq!(bar(Decimal::new(1, 6), Decimal::from(10)).chars().count(), 1);
        assert_eq!(bar(Decimal::ZERO, Decimal::from(10)), "");
        assert_eq!(bar(Decimal::ZERO, Decimal::ZERO), "");
    }

    #[test]
    fn a_long_name_is_cut_visibly() {
        assert_eq!(clip("short"), "short");
        assert_eq!(clip(&"x".repeat(40)).chars().count(), NAME);
    }
}
