//! From rollups to the models.

use super::keys::{KeyFindings, key_findings};
use crate::usage::{UsageAnswer, UsageQuery, UsageRow, usage_rollup};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use tallystick_domain::period::{DayRange, Zone};
use tallystick_domain::report::{
    DayCost, Dimension as Ranked, Measured, MonthReport, RankedTable, ReportHead, ReportTotals, SpendSummary,
    TaskCost, WeekReport, rank,
};
use tallystick_runtime::Problem;
use tallystick_store::Store;
use tallystick_store::control::TeamRow;
use tallystick_store::usage::{Dimension, RollupSums};

use crate::api::error::ApiResult;

/// A key that was not used for this long is worth a look, in days.
const UNUSED_DAYS: u32 = 30;

/// The tables in the order of the page.
const TABLES: [(Ranked, Dimension); 6] = [
    (Ranked::Client, Dimension::Client),
    (Ranked::Project, Dimension::Project),
    (Ranked::Member, Dimension::Member),
    (Ranked::Model, Dimension::Model),
    (Ranked::Key, Dimension::Key),
    (Ranked::Tool, Dimension::Tool),
];

/// The report of a month, `2026-10`.
///
/// # Errors
/// When it is no month, or the database is away.
pub(crate) async fn month_report(store: &Store, team: &TeamRow, month: &str) -> ApiResult<MonthReport> {
    let period = DayRange::month(month)?;
    let (summary, watermark) = summary(store, team, period).await?;
    let title = period.from.strftime("%B %Y").to_string();
    Ok(MonthReport { head: head(team, title, period, watermark)?, month: month.to_owned(), summary })
}

/// The review of an ISO week, `2026-W45`.
///
/// # Errors
/// When it is no week, or the database is away.
pub(crate) async fn week_report(
    store: &Store,
    team: &TeamRow,
    week: &str,
    now: Timestamp,
) -> ApiResult<WeekReport> {
    let period = DayRange::week(week)?;
    let (summary, watermark) = summary(store, team, period).await?;
    let iso = period.from.iso_week_date();
    let title = format!("Week {}, {}", iso.week(), iso.year());
    let costs = costs_by_key(&query(team, period, &[Dimension::Key])?, store).await?;
    let KeyFindings { without_limit, unused } = key_findings(store, team, now, UNUSED_DAYS, &costs).await?;
    Ok(WeekReport {
        head: head(team, title, period, watermark)?,
        week: week.to_owned(),
        summary,
        keys_without_limit: without_limit,
        unused_keys: unused,
        unused_days: UNUSED_DAYS,
    })
}

fn head(
    team: &TeamRow,
    title: String,
    period: DayRange,
    watermark: Option<Timestamp>,
) -> ApiResult<ReportHead> {
    Ok(ReportHead {
        title,
        team: team.name.clone(),
        period,
        previous_period: period.previous()?,
        zone: team.zone.clone(),
        currency: team.currency,
        watermark,
    })
}

fn query(team: &TeamRow, days: DayRange, by: &[Dimension]) -> ApiResult<UsageQuery> {
    Ok(UsageQuery {
        team: team.id,
        currency: team.currency,
        zone: Zone::parse(&team.zone)?,
        days,
        by: by.to_vec(),
        filter: BTreeMap::new(),
    })
}

/// The summary, and the earliest watermark of the answers that it is made of.
async fn summary(
    store: &Store,
    team: &TeamRow,
    period: DayRange,
) -> ApiResult<(SpendSummary, Option<Timestamp>)> {
    let before = period.previous()?;
    let by_day = usage_rollup(store, &query(team, period, &[Dimension::Day])?).await?;
    let previous = usage_rollup(store, &query(team, before, &[])?).await?;
    let mut tables: Vec<RankedTable> = Vec::with_capacity(TABLES.len());
    for (ranked, dimension) in TABLES {
        let now = usage_rollup(store, &query(team, period, &[dimension])?).await?;
        let then = usage_rollup(store, &query(team, before, &[dimension])?).await?;
        tables.push(rank(ranked, measured(&now, dimension), &measured(&then, dimension)));
    }
    let by_task = usage_rollup(store, &query(team, period, &[Dimension::Task])?).await?;
    let total = &by_day.total.sums;
    let summary = SpendSummary::new(
        totals(total),
        totals(&previous.total.sums),
        days(period, &by_day)?,
        tables,
        tasks(&by_task, total.cost),
    );
    Ok((summary, by_day.watermark))
}

fn totals(sums: &RollupSums) -> ReportTotals {
    ReportTotals {
        cost: sums.cost,
        requests: count(sums.requests),
        failed: count(sums.failed),
        input_tokens: count(sums.input_tokens),
        output_tokens: count(sums.output_tokens),
        failed_cost: sums.failed_cost,
        retries: count(sums.retries),
        retry_cost: sums.retry_cost,
        estimated_cost: sums.estimated_cost,
        unrated_requests: count(sums.unrated),
    }
}

/// Corrections may take a count below zero in a period; people count from zero.
fn count(n: i64) -> u64 {
    n.max(0).unsigned_abs()
}

fn measured(answer: &UsageAnswer, dimension: Dimension) -> Vec<Measured> {
    answer.rows.iter().map(|row| measure(row, dimension)).collect()
}

fn measure(row: &UsageRow, dimension: Dimension) -> Measured {
    let sums = &row.total.sums;
    Measured {
        name: row.name(dimension).map(str::to_owned),
        cost: sums.cost,
        requests: count(sums.requests),
        failed: count(sums.failed),
        input_tokens: count(sums.input_tokens),
        output_tokens: count(sums.output_tokens),
    }
}

/// Every day of the period once.
fn days(period: DayRange, by_day: &UsageAnswer) -> ApiResult<Vec<DayCost>> {
    let costs: BTreeMap<&str, Decimal> =
        by_day.rows.iter().filter_map(|row| Some((row.name(Dimension::Day)?, row.total.cost))).collect();
    let mut days = Vec::new();
    let mut day = period.from;
    while period.contains(day) {
        let cost = costs.get(day.to_string().as_str()).copied().unwrap_or_default();
        days.push(DayCost { day, cost });
        day = day.tomorrow().map_err(|error| Problem::internal(&error))?;
    }
    Ok(days)
}

fn tasks(by_task: &UsageAnswer, total: Decimal) -> TaskCost {
    let named: Vec<(&str, Decimal)> =
        by_task.rows.iter().filter_map(|row| Some((row.name(Dimension::Task)?, row.total.cost))).collect();
    let distinct: BTreeSet<&str> = named.iter().map(|(name, _)| *name).collect();
    let cost = named.iter().fold(Decimal::ZERO, |sum, (_, cost)| sum.saturating_add(*cost));
    TaskCost::new(distinct.len() as u64, cost, total)
}

async fn costs_by_key(query: &UsageQuery, store: &Store) -> ApiResult<BTreeMap<String, Decimal>> {
    let answer = usage_rollup(store, query).await?;
    let id = |row: &UsageRow| row.dimensions.get("key_id").cloned();
    Ok(answer.rows.iter().filter_map(|row| Some((id(row)?, row.total.cost))).collect())
}
