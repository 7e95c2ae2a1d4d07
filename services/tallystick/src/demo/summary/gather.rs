//! The numbers, from the same API that everybody else asks.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Figures, Loop, Ranking, Row, Summary, Trouble};
use crate::client::{Api, Query};
use crate::commands::report;
use crate::demo::agency::{LOOPING_KEY, TRACE_KEY};
use crate::error::{CliError, Outcome};

/// The rankings, with how many rows each shows at most.
const RANKINGS: [(&str, &str, usize); 4] = [
    ("BY CLIENT", "client", 10),
    ("BY MEMBER", "member", 10),
    ("BY TOOL", "tool", 10),
    ("BY MODEL", "model", 7),
];

/// Asks for everything that the summary shows.
pub(in crate::demo) async fn gather<'f>(
    api: &Api,
    figures: &'f Figures,
    month: &str,
) -> Outcome<Summary<'f>> {
    let in_month = |by: &str| Query::new().with("month", Some(month)).with("by", Some(by)).on("/usage");
    let mut rankings = Vec::with_capacity(RANKINGS.len());
    for (title, by, most) in RANKINGS {
        let usage = api.get(&in_month(by)).await?;
        rankings.push(Ranking { title, by, rows: shortened(rows(&usage, by)?, most) });
    }
    let monthly = api.get(&report::path("month", month)).await?;
    let today = figures.reconciled.from.get(..7).unwrap_or_default();
    let current = api.get(&report::path("month", today)).await?;
    let trace_cost = match figures.replayed {
        Some(_) => Some(cost_of(api, figures, TRACE_KEY).await?),
        None => None,
    };
    Ok(Summary {
        title: monthly["title"].as_str().unwrap_or(month).to_owned(),
        currency: monthly["currency"].as_str().unwrap_or("USD").to_owned(),
        total: amount(&monthly["totals"]["cost"])?,
        requests: monthly["totals"]["requests"].as_u64().unwrap_or(0),
        rankings,
        month: trouble(&monthly)?,
        live: trouble(&current)?,
        looping: looping(api, figures, month).await?,
        trace_cost,
        figures,
    })
}

fn amount(value: &Value) -> Outcome<Decimal> {
    let parsed = value.as_str().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| CliError::new(format!("the API gave {value} where an amount was expected")))
}

fn rows(usage: &Value, by: &str) -> Outcome<Vec<Row>> {
    let rows = usage["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter()
        .map(|row| {
            Ok(Row {
                name: row[by].as_str().unwrap_or("-").to_owned(),
                cost: amount(&row["cost"])?,
                requests: row["requests"].as_u64().unwrap_or(0),
                failed: row["failed"].as_u64().unwrap_or(0),
            })
        })
        .collect()
}

/// The dearest rows; the others as one.
fn shortened(mut rows: Vec<Row>, most: usize) -> Vec<Row> {
    if rows.len() <= most {
        return rows;
    }
    let rest = rows.split_off(most - 1);
    let mut other =
        Row { name: format!("{} others", rest.len()), cost: Decimal::ZERO, requests: 0, failed: 0 };
    for row in rest {
        other.cost += row.cost;
        other.requests += row.requests;
        other.failed += row.failed;
    }
    rows.push(other);
    rows
}

fn trouble(report: &Value) -> Outcome<Trouble> {
    let totals = &report["totals"];
    let number = |name: &str| totals[name].as_u64().unwrap_or(0);
    Ok(Trouble {
        requests: number("requests"),
        failed: number("failed"),
        failed_cost: amount(&totals["failed_cost"])?,
        retries: number("retries"),
        retry_cost: amount(&totals["retry_cost"])?,
    })
}

/// The cost of a key in the live part.
async fn cost_of(api: &Api, figures: &Figures, key: &str) -> Outcome<Decimal> {
    let (from, to) = (&figures.reconciled.from, &figures.reconciled.to);
    let query =
        Query::new().with("from", Some(from)).with("to", Some(to)).with("where", Some(format!("key={key}")));
    amount(&api.get(&query.on("/usage")).await?["total"]["cost"])
}

/// The prompt that the key sent most often today, and what its days cost last month.
async fn looping(api: &Api, figures: &Figures, month: &str) -> Outcome<Loop> {
    let live = &figures.reconciled;
    let query =
        Query::new().with("key", Some(LOOPING_KEY)).with("from", Some(&live.from)).with("to", Some(&live.to));
    let events = api.list("/events", &query, 1_000).await?;
    let mut prompts: BTreeMap<&str, (u64, Decimal)> = BTreeMap::new();
    for event in events["data"].as_array().map(Vec::as_slice).unwrap_or_default() {
        if let Some(print) = event["prompt_print"].as_str() {
            let sent = prompts.entry(print).or_default();
            sent.0 += 1;
            sent.1 += event["cost"].as_str().and_then(|text| text.parse().ok()).unwrap_or(Decimal::ZERO);
        }
    }
    let (times, cost) = prompts.into_values().max().unwrap_or_default();
    let days = Query::new()
        .with("month", Some(month))
        .with("by", Some("day"))
        .with("where", Some(format!("key={LOOPING_KEY}")));
    let days = rows(&api.get(&days.on("/usage")).await?, "day")?;
    let used = days.iter().filter(|day| day.requests > 0).count();
    let total: Decimal = days.iter().map(|day| day.cost).sum();
    let usual = total.checked_div(Decimal::from(used)).unwrap_or(Decimal::ZERO);
    Ok(Loop { times, cost, usual })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_that_are_not_shown_are_one_row_and_nothing_is_lost() {
        let row =
            |cost: u32| Row { name: cost.to_string(), cost: Decimal::from(cost), requests: 1, failed: 0 };
        let shown = shortened((1..=10).rev().map(row).collect(), 4);
        assert_eq!(shown.len(), 4);
        assert_eq!(shown.iter().map(|row| row.cost).sum::<Decimal>(), Decimal::from(55));
        assert_eq!(shown.iter().map(|row| row.requests).sum::<u64>(), 10);
        assert_eq!(shown[3].name, "7 others");
    }
}
