//! The report models. Money is exact in the currency of the head; percentages have one decimal.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::rank::{change_percent, share_percent};
use crate::Currency;
use crate::period::DayRange;

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportHead {
    /// For example `October 2026` or `Week 45, 2026`.
    pub title: String,
    /// Name of the team.
    pub team: String,
    /// Billing days in `zone`, `to` exclusive.
    pub period: DayRange,
    /// What the period is compared with.
    pub previous_period: DayRange,
    /// The team's IANA zone.
    pub zone: String,
    /// Currency of every amount.
    pub currency: Currency,
    /// Usage up to this moment is in.
    pub watermark: Option<Timestamp>,
}

/// Sums over a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportTotals {
    /// Exact cost.
    pub cost: Decimal,
    /// Requests, failed ones included.
    pub requests: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Input tokens of every kind.
    pub input_tokens: u64,
    /// Output tokens of every kind.
    pub output_tokens: u64,
    /// What failed requests cost all the same.
    pub failed_cost: Decimal,
    /// Requests that repeat an earlier one.
    pub retries: u64,
    /// What repeats cost.
    pub retry_cost: Decimal,
    /// Part of the cost that rests on an estimate.
    pub estimated_cost: Decimal,
    /// Requests that have no price yet; their cost is in no sum.
    pub unrated_requests: u64,
}

/// Cost of one billing day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCost {
    /// The day in the team's zone.
    pub day: Date,
    /// Exact cost.
    pub cost: Decimal,
}

/// What usage can be ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// By person.
    Member,
    /// By project.
    Project,
    /// By client.
    Client,
    /// By model.
    Model,
    /// By virtual key.
    Key,
    /// By tool.
    Tool,
}

impl Dimension {
    /// The dimension as queries name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Project => "project",
            Self::Client => "client",
            Self::Model => "model",
            Self::Key => "key",
            Self::Tool => "tool",
        }
    }
}

/// A ranking by one dimension, dearest first, unassigned last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedTable {
    /// What the rows are.
    pub dimension: Dimension,
    /// The rows; the last one is `unassigned`.
    pub rows: Vec<RankedRow>,
}

/// One row of a ranking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedRow {
    /// Name, or `unassigned`.
    pub name: String,
    /// Whether the row is usage that names nothing in this dimension.
    pub unassigned: bool,
    /// Exact cost.
    pub cost: Decimal,
    /// Requests, failed ones included.
    pub requests: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Percent of the total cost; absent when the total is zero.
    pub share_percent: Option<Decimal>,
    /// Cost in the period before.
    pub previous_cost: Decimal,
    /// Percent against the period before; absent when there was none.
    pub change_percent: Option<Decimal>,
}

/// Cost per task, over the usage that names one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCost {
    /// Distinct tasks.
    pub tasks: u64,
    /// Cost of usage that names a task.
    pub named_cost: Decimal,
    /// Cost per task, six decimals; absent without tasks.
    pub average: Option<Decimal>,
    /// Percent of the total cost that names a task.
    pub named_percent: Option<Decimal>,
}

impl TaskCost {
    /// Average and share of `named_cost` over `tasks`.
    #[must_use]
    pub fn new(tasks: u64, named_cost: Decimal, total_cost: Decimal) -> Self {
        let average = named_cost.checked_div(Decimal::from(tasks)).map(|average| average.round_dp(6));
        Self { tasks, named_cost, average, named_percent: share_percent(named_cost, total_cost) }
    }
}

/// A key that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNote {
    /// Name of the key.
    pub name: String,
    /// Public prefix.
    pub prefix: String,
    /// Who answers for it, where known.
    pub owner: Option<String>,
    /// Billing day of its last request; absent: never used.
    pub last_used: Option<Date>,
    /// Cost in the period.
    pub cost: Decimal,
}

/// What both reports share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendSummary {
    /// Sums of the period.
    pub totals: ReportTotals,
    /// Sums of the period before.
    pub previous_totals: ReportTotals,
    /// Percent against the period before; absent when it cost nothing.
    pub change_percent: Option<Decimal>,
    /// Cost per day, every day of the period once.
    pub days: Vec<DayCost>,
    /// Rankings, in the order of the page.
    pub tables: Vec<RankedTable>,
    /// Cost per task.
    pub tasks: TaskCost,
}

impl SpendSummary {
    /// A summary whose change follows from its sums.
    #[must_use]
    pub fn new(
        totals: ReportTotals,
        previous_totals: ReportTotals,
        days: Vec<DayCost>,
        tables: Vec<RankedTable>,
        tasks: TaskCost,
    ) -> Self {
        let change_percent = change_percent(totals.cost, previous_totals.cost);
        Self { totals, previous_totals, change_percent, days, tables, tasks }
    }
}

/// The monthly report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthReport {
    /// What it is about.
    #[serde(flatten)]
    pub head: ReportHead,
    /// The month, `2026-10`.
    pub month: String,
    /// Sums and rankings.
    #[serde(flatten)]
    pub summary: SpendSummary,
}

/// The weekly review: the summary, and keys that need attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekReport {
    /// What it is about.
    #[serde(flatten)]
    pub head: ReportHead,
    /// The ISO week, `2026-W45`.
    pub week: String,
    /// Sums and rankings.
    #[serde(flatten)]
    pub summary: SpendSummary,
    /// Active keys that no limit bounds.
    pub keys_without_limit: Vec<KeyNote>,
    /// Active keys that were not used for `unused_days`.
    pub unused_keys: Vec<KeyNote>,
    /// What counts as unused, in days.
    pub unused_days: u32,
}
