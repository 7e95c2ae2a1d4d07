//! The question and its answer.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use tallystick_domain::attribution::UNASSIGNED;
use tallystick_domain::period::{DayRange, Zone};
use tallystick_domain::{Currency, TeamId};
use tallystick_store::usage::{Dimension, RollupQuery, RollupRow, RollupSums, Wanted};
use tallystick_store::{Store, StoreError};

/// What to add up.
#[derive(Clone, Debug)]
pub struct UsageQuery {
    pub team: TeamId,
    /// The team's ledger currency.
    pub currency: Currency,
    /// The zone that the days are cut in: the team's.
    pub zone: Zone,
    /// Billing days, half-open.
    pub days: DayRange,
    /// Groups; none gives one row.
    pub by: Vec<Dimension>,
    /// All must hold.
    pub filter: BTreeMap<Dimension, Wanted>,
}

/// Usage in groups.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct UsageAnswer {
    /// Currency of every cost.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The zone that days are cut in.
    pub zone: String,
    /// First billing day.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The day after the last.
    #[schema(value_type = String, format = Date)]
    pub to: Date,
    /// Everything before this moment is in; null before any producer said so.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub watermark: Option<Timestamp>,
    /// One per group: days and hours in order, then dearest first.
    pub rows: Vec<UsageRow>,
    /// The sum of the rows.
    pub total: UsageTotal,
}

/// One group: its dimensions by name (and `<dimension>_id` where it is an object), and its sums.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct UsageRow {
    /// `unassigned` stands for an absent one.
    #[serde(flatten)]
    pub dimensions: BTreeMap<String, String>,
    #[serde(flatten)]
    pub total: UsageTotal,
}

/// Sums.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct UsageTotal {
    pub requests: i64,
    pub failed: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    /// Requests without a price; `cost` knows nothing of them.
    pub unrated: i64,
    /// Exact.
    #[schema(value_type = String)]
    pub cost: Decimal,
    /// What reports need beside.
    #[serde(skip)]
    #[schema(ignore)]
    pub sums: RollupSums,
}

impl From<RollupSums> for UsageTotal {
    fn from(sums: RollupSums) -> Self {
        Self {
            requests: sums.requests,
            failed: sums.failed,
            input_tokens: sums.input_tokens,
            output_tokens: sums.output_tokens,
            unrated: sums.unrated,
            cost: sums.cost,
            sums,
        }
    }
}

impl UsageRow {
    /// The name in a dimension; `None` where it is absent.
    #[must_use]
    pub fn name(&self, dimension: Dimension) -> Option<&str> {
        self.dimensions.get(dimension.as_str()).map(String::as_str).filter(|name| *name != UNASSIGNED)
    }
}

/// Adds up usage. Every number that leaves this program comes from here.
///
/// # Errors
/// When the database is away.
pub async fn usage_rollup(store: &Store, query: &UsageQuery) -> Result<UsageAnswer, StoreError> {
    // The watermark first: what is folded meanwhile is more than it promises, never less.
    let watermark = store.ledger_watermark().await?.complete_until;
    let rollup = RollupQuery {
        team: query.team,
        days: query.days,
        client_days: false,
        by: query.by.clone(),
        filter: query.filter.clone(),
    };
    let mut total = RollupSums::default();
    let mut rows = Vec::new();
    for row in store.usage_rollup(&rollup).await? {
        total.add(&row.sums);
        rows.push(UsageRow { dimensions: dimensions(query, &row), total: row.sums.into() });
    }
    if let Some(row) = missing_unassigned(query, &rows) {
        rows.push(row);
    }
    Ok(UsageAnswer {
        currency: query.currency,
        zone: query.zone.name().to_owned(),
        from: query.days.from,
        to: query.days.to,
        watermark,
        rows,
        total: total.into(),
    })
}

/// The row that shows that nothing is unassigned, where one dimension was asked for and none of its usage lacks it.
fn missing_unassigned(query: &UsageQuery, rows: &[UsageRow]) -> Option<UsageRow> {
    let [dimension] = query.by.as_slice() else { return None };
    let in_sight =
        query.filter.contains_key(dimension) || rows.iter().any(|row| row.name(*dimension).is_none());
    if in_sight || !dimension.can_be_absent() {
        return None;
    }
    let dimensions = BTreeMap::from([(dimension.as_str().to_owned(), UNASSIGNED.to_owned())]);
    Some(UsageRow { dimensions, total: RollupSums::default().into() })
}

fn dimensions(query: &UsageQuery, row: &RollupRow) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    for dimension in &query.by {
        let object = match dimension {
            Dimension::Member => row.member.as_ref().map(|(id, name)| (id.to_string(), name)),
            Dimension::Project => row.project.as_ref().map(|(id, name)| (id.to_string(), name)),
            Dimension::Client => row.client.as_ref().map(|(id, name)| (id.to_string(), name)),
            Dimension::Key => row.key.as_ref().map(|(id, name)| (id.to_string(), name)),
            _ => None,
        };
        let word = match dimension {
            Dimension::Model => row.model.clone(),
            Dimension::Provider => row.provider.clone(),
            Dimension::Tool => row.tool.clone(),
            Dimension::Environment => row.environment.clone(),
            Dimension::Task => row.task.clone(),
            Dimension::Day => row.day.map(|day| day.to_string()),
            Dimension::Hour => row.hour.map(|hour| in_zone(hour, &query.zone)),
            _ => object.as_ref().map(|(_, name)| (*name).clone()),
        };
        if let Some((id, _)) = object {
            shown.insert(format!("{}_id", dimension.as_str()), id);
        }
        shown.insert(dimension.as_str().to_owned(), word.unwrap_or_else(|| UNASSIGNED.to_owned()));
    }
    shown
}

/// RFC 3339 with the zone's offset.
fn in_zone(at: Timestamp, zone: &Zone) -> String {
    at.display_with_offset(zone.time_zone().to_offset(at)).to_string()
}
