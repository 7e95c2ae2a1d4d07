//! The pages of the monthly report and the weekly review.

use rust_decimal::Decimal;
use serde::Serialize;
use tallystick_domain::Currency;
use tallystick_domain::report::{
    Dimension, KeyNote, MonthReport, RankedRow, RankedTable, ReportHead, SpendSummary, WeekReport,
    change_percent, share_percent,
};

use super::Fact;
use crate::format::{
    amount, brief_date, change, count, date, fixed, moment, money, percent, period, short_count, short_date,
};
use crate::text::wrapping;

/// Rows of a ranking that are printed one by one; the rest is summed up in one row.
const SHOWN_ROWS: usize = 20;
/// Keys that are listed; the rest is counted.
const SHOWN_KEYS: usize = 25;

/// Everything that the report template prints.
#[derive(Debug, Serialize)]
pub(crate) struct ReportView {
    pub(crate) title: String,
    pub(crate) author: String,
    pub(crate) kicker: String,
    pub(crate) heading: String,
    pub(crate) subheading: String,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) days: Vec<DayBar>,
    pub(crate) days_caption: String,
    pub(crate) tables: Vec<TableView>,
    pub(crate) cost_column: String,
    pub(crate) lists: Vec<KeyList>,
    pub(crate) notes: Vec<String>,
    pub(crate) footer: Vec<String>,
}

/// One figure that matters.
#[derive(Debug, Serialize)]
pub(crate) struct Tile {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) detail: String,
}

/// A day in the chart; `height` in thousandths of the dearest day.
#[derive(Debug, Serialize)]
pub(crate) struct DayBar {
    pub(crate) label: String,
    pub(crate) height: u32,
}

/// A ranking.
#[derive(Debug, Serialize)]
pub(crate) struct TableView {
    pub(crate) heading: &'static str,
    pub(crate) rows: Vec<RowView>,
}

/// A row of a ranking; `bar` in thousandths of the dearest row.
#[derive(Debug, Serialize)]
pub(crate) struct RowView {
    pub(crate) name: String,
    pub(crate) quiet: bool,
    pub(crate) bar: u32,
    pub(crate) cost: String,
    pub(crate) share: String,
    pub(crate) previous: String,
    pub(crate) change: String,
    pub(crate) requests: String,
    pub(crate) failed: String,
    pub(crate) input: String,
    pub(crate) output: String,
}

/// Keys that somebody should look at.
#[derive(Debug, Serialize)]
pub(crate) struct KeyList {
    pub(crate) heading: String,
    pub(crate) empty: &'static str,
    pub(crate) rows: Vec<KeyRow>,
    pub(crate) more: String,
}

/// One such key.
#[derive(Debug, Serialize)]
pub(crate) struct KeyRow {
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) owner: String,
    pub(crate) last_used: String,
    pub(crate) cost: String,
}

pub(crate) fn month(report: &MonthReport) -> ReportView {
    view(&report.head, "Monthly report", &report.summary, Vec::new())
}

pub(crate) fn week(report: &WeekReport) -> ReportView {
    let lists = vec![
        key_list(
            "Keys without a limit".to_owned(),
            "Every active key has a limit.",
            &report.keys_without_limit,
            report.head.currency,
        ),
        key_list(
            format!("Keys not used for {} days", report.unused_days),
            "Every active key is in use.",
            &report.unused_keys,
            report.head.currency,
        ),
    ];
    view(&report.head, "Weekly review", &report.summary, lists)
}

fn view(head: &ReportHead, kind: &'static str, summary: &SpendSummary, lists: Vec<KeyList>) -> ReportView {
    let facts =
        [Fact::new("Period", period(head.period)), Fact::new("Compared with", period(head.previous_period))];
    ReportView {
        title: format!("{kind}: {}", head.title),
        author: head.team.clone(),
        kicker: format!("{kind} · {}", wrapping(&head.team)),
        heading: head.title.clone(),
        subheading: format!("{}, compared with {}", facts[0].value, facts[1].value),
        tiles: tiles(summary, head.currency),
        days: days(summary),
        days_caption: dearest_day(summary, head.currency),
        tables: summary.tables.iter().map(|ranked| table(ranked, head.currency)).collect(),
        cost_column: format!("Cost ({})", head.currency),
        lists,
        notes: notes(head, summary),
        footer: vec![head.team.clone(), format!("{kind}, {}", head.title)],
    }
}

fn tiles(summary: &SpendSummary, currency: Currency) -> Vec<Tile> {
    let totals = &summary.totals;
    let failed_share = share_percent(Decimal::from(totals.failed), Decimal::from(totals.requests));
    let waste = totals.failed_cost + totals.retry_cost;
    vec![
        Tile {
            label: "Spend",
            value: money(totals.cost, currency),
            detail: match summary.change_percent {
                Some(by) => format!("{} on {}", change(by), money(summary.previous_totals.cost, currency)),
                None => "nothing spent in the period before".to_owned(),
            },
        },
        Tile {
            label: "Requests",
            value: count(totals.requests),
            detail: match failed_share {
                Some(share) => format!("{} failed ({})", count(totals.failed), percent(share)),
                None => "none failed".to_owned(),
            },
        },
        Tile {
            label: "Tokens",
            value: short_count(totals.input_tokens.saturating_add(totals.output_tokens)),
            detail: format!(
                "{} in, {} out",
                short_count(totals.input_tokens),
                short_count(totals.output_tokens)
            ),
        },
        Tile {
            label: "Failures and retries",
            value: money(waste, currency),
            detail: format!(
                "{} failed, {} retries",
                money(totals.failed_cost, currency),
                money(totals.retry_cost, currency)
            ),
        },
        Tile {
            label: "Average per task",
            value: summary.tasks.average.map_or_else(|| "–".to_owned(), |cost| money(cost, currency)),
            detail: match summary.tasks.named_percent {
                Some(share) => format!("{} tasks, {} of spend", count(summary.tasks.tasks), percent(share)),
                None => "no spend names a task".to_owned(),
            },
        },
    ]
}

fn days(summary: &SpendSummary) -> Vec<DayBar> {
    let top = summary.days.iter().map(|day| day.cost).max().unwrap_or_default();
    summary
        .days
        .iter()
        .map(|day| DayBar { label: short_date(day.day), height: thousandths(day.cost, top) })
        .collect()
}

fn dearest_day(summary: &SpendSummary, currency: Currency) -> String {
    let top = summary.days.iter().max_by(|a, b| a.cost.cmp(&b.cost).then(b.day.cmp(&a.day)));
    match top.filter(|day| day.cost > Decimal::ZERO) {
        Some(day) => format!("Cost per day. Dearest: {}, {}", date(day.day), money(day.cost, currency)),
        None => "Cost per day".to_owned(),
    }
}

/// How long a bar is, 0 to 1000. What is not nothing is seen.
fn thousandths(part: Decimal, whole: Decimal) -> u32 {
    if part <= Decimal::ZERO || whole <= Decimal::ZERO {
        return 0;
    }
    let scaled = (part * Decimal::ONE_THOUSAND).checked_div(whole).unwrap_or_default();
    u32::try_from(scaled.round()).unwrap_or(1000).clamp(4, 1000)
}

fn table(ranked: &RankedTable, currency: Currency) -> TableView {
    let top = ranked.rows.iter().map(|row| row.cost).max().unwrap_or_default();
    let (unassigned, named): (Vec<&RankedRow>, Vec<&RankedRow>) =
        ranked.rows.iter().partition(|row| row.unassigned);
    let mut rows: Vec<RowView> = Vec::new();
    // One row too many is better printed than summed up.
    let shown = if named.len() == SHOWN_ROWS + 1 { named.len() } else { named.len().min(SHOWN_ROWS) };
    rows.extend(named[..shown].iter().map(|row| row_view(row, wrapping(&row.name), top, currency)));
    if let Some(others) = summed(&named[shown..]) {
        let name = format!("{} others", count((named.len() - shown) as u64));
        rows.push(RowView { quiet: true, bar: 0, ..row_view(&others, name, top, currency) });
    }
    rows.extend(unassigned.iter().map(|row| row_view(row, "Unassigned".to_owned(), top, currency)));
    TableView {
        heading: match ranked.dimension {
            Dimension::Member => "By member",
            Dimension::Project => "By project",
            Dimension::Client => "By client",
            Dimension::Model => "By model",
            Dimension::Key => "By key",
            Dimension::Tool => "By tool",
        },
        rows,
    }
}

/// The rows that are not printed one by one, as one.
fn summed(rows: &[&RankedRow]) -> Option<RankedRow> {
    let mut sum = RankedRow { name: String::new(), unassigned: false, ..(*rows.first()?).clone() };
    for row in &rows[1..] {
        sum.cost += row.cost;
        sum.previous_cost += row.previous_cost;
        sum.requests += row.requests;
        sum.failed += row.failed;
        sum.input_tokens += row.input_tokens;
        sum.output_tokens += row.output_tokens;
        sum.share_percent = sum.share_percent.zip(row.share_percent).map(|(a, b)| a + b);
    }
    sum.change_percent = change_percent(sum.cost, sum.previous_cost);
    Some(sum)
}

fn row_view(row: &RankedRow, name: String, top: Decimal, currency: Currency) -> RowView {
    RowView {
        name,
        quiet: row.unassigned,
        bar: thousandths(row.cost, top),
        cost: amount(row.cost, currency),
        share: row.share_percent.map_or_else(String::new, |share| fixed(share, 1)),
        previous: amount(row.previous_cost, currency),
        change: match row.change_percent {
            Some(by) => change(by),
            None if row.cost > Decimal::ZERO => "new".to_owned(),
            None => String::new(),
        },
        requests: count(row.requests),
        failed: count(row.failed),
        input: short_count(row.input_tokens),
        output: short_count(row.output_tokens),
    }
}

fn key_list(heading: String, empty: &'static str, keys: &[KeyNote], currency: Currency) -> KeyList {
    KeyList {
        heading,
        empty,
        rows: keys
            .iter()
            .take(SHOWN_KEYS)
            .map(|key| KeyRow {
                name: wrapping(&key.name),
                prefix: wrapping(&key.prefix),
                owner: key.owner.as_deref().map(wrapping).unwrap_or_default(),
                last_used: key.last_used.map_or_else(|| "never".to_owned(), brief_date),
                cost: amount(key.cost, currency),
            })
            .collect(),
        more: match keys.len().saturating_sub(SHOWN_KEYS) {
            0 => String::new(),
            more => format!("and {more} more"),
        },
    }
}

fn notes(head: &ReportHead, summary: &SpendSummary) -> Vec<String> {
    let totals = &summary.totals;
    let mut notes = vec![format!(
        "Days are days in {}. Amounts are what providers charge, in {}.",
        head.zone, head.currency
    )];
    notes.extend(
        head.watermark.map(|at| format!("Usage recorded up to {} is included.", moment(at, &head.zone))),
    );
    if totals.estimated_cost > Decimal::ZERO {
        notes.push(format!(
            "{} of the spend is estimated, because the provider’s own figures did not arrive.",
            money(totals.estimated_cost, head.currency)
        ));
    }
    if totals.unrated_requests > 0 {
        notes.push(format!(
            "{} requests have no price yet; their cost is in no figure of this report.",
            count(totals.unrated_requests)
        ));
    }
    notes
}
