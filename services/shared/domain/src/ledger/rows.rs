//! The rows that a fold changes. Every row belongs to one lane, so it has one writer.

use crate::currency::Currency;
use crate::ids::{ClientId, KeyId, MemberId, PriceVersionId, ProjectId, TeamId};
use crate::lane::Lane;
use crate::usage::Bucket;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// One of the three double-entry books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Book {
    Member,
    Project,
    Client,
}

impl Book {
    /// All books.
    pub const ALL: [Self; 3] = [Self::Member, Self::Project, Self::Client];

    /// The name in the store and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Project => "project",
            Self::Client => "client",
        }
    }
}

/// An account of a book. `None` is the account `unassigned`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    Member(Option<MemberId>),
    Project(Option<ProjectId>),
    /// A client's usage that is not on an invoice yet.
    Client(Option<ClientId>),
    /// What a provider is going to bill.
    Accrued(String),
}

impl Account {
    /// The kind in the store: `usage`, `unbilled` (client book) or `accrued`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Member(_) | Self::Project(_) => "usage",
            Self::Client(_) => "unbilled",
            Self::Accrued(_) => "accrued",
        }
    }

    /// The account's name within its kind: an id, `unassigned`, or the provider.
    #[must_use]
    pub fn name(&self) -> String {
        let id = match self {
            Self::Member(id) => id.map(|id| id.to_string()),
            Self::Project(id) => id.map(|id| id.to_string()),
            Self::Client(id) => id.map(|id| id.to_string()),
            Self::Accrued(provider) => Some(provider.clone()),
        };
        id.unwrap_or_else(|| crate::attribution::UNASSIGNED.to_owned())
    }
}

/// One line of a batch's journal: the sum per account, provider side or usage side, and billing day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostingKey {
    pub team: TeamId,
    pub lane: Lane,
    pub book: Book,
    pub account: Account,
    pub currency: Currency,
    /// `effective_on`: the billing day in the team's zone.
    pub day: Date,
}

/// One row of the hourly rollup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HourlyKey {
    pub team: TeamId,
    pub lane: Lane,
    /// Start of the UTC hour.
    pub hour: Timestamp,
    pub team_day: Date,
    pub client_day: Date,
    pub key: Option<KeyId>,
    pub member: Option<MemberId>,
    pub project: Option<ProjectId>,
    pub client: Option<ClientId>,
    pub environment: Option<String>,
    pub tool: Option<String>,
    pub provider: String,
    pub model: String,
    pub currency: Currency,
}

/// The sums of an hourly row. Signed, because an adjustment takes away what it supersedes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HourlySums {
    pub requests: i64,
    pub failed: i64,
    pub retries: i64,
    /// Events whose cost is an estimate.
    pub estimated: i64,
    /// Events without a cost.
    pub unrated: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cost: Decimal,
    pub failed_cost: Decimal,
    pub retry_cost: Decimal,
    pub estimated_cost: Decimal,
}

impl HourlySums {
    /// Sum of two rows; `None` when a sum leaves its range.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        Some(Self {
            requests: self.requests.checked_add(other.requests)?,
            failed: self.failed.checked_add(other.failed)?,
            retries: self.retries.checked_add(other.retries)?,
            estimated: self.estimated.checked_add(other.estimated)?,
            unrated: self.unrated.checked_add(other.unrated)?,
            input_tokens: self.input_tokens.checked_add(other.input_tokens)?,
            output_tokens: self.output_tokens.checked_add(other.output_tokens)?,
            cache_read_tokens: self.cache_read_tokens.checked_add(other.cache_read_tokens)?,
            cost: exact_add(self.cost, other.cost)?,
            failed_cost: exact_add(self.failed_cost, other.failed_cost)?,
            retry_cost: exact_add(self.retry_cost, other.retry_cost)?,
            estimated_cost: exact_add(self.estimated_cost, other.estimated_cost)?,
        })
    }
}

/// One row of the priced quantities.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PricedKey {
    pub team: TeamId,
    pub lane: Lane,
    pub client_day: Date,
    pub client: Option<ClientId>,
    pub project: Option<ProjectId>,
    pub provider: String,
    pub model: String,
    pub price_version: PriceVersionId,
    pub bucket: Bucket,
    /// As in [`crate::usage::PricedLine`].
    pub unit_price: Decimal,
    pub currency: Currency,
}

/// The sums of a priced row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PricedSums {
    pub quantity: i64,
    pub amount: Decimal,
}

/// A sum that is exact at 18 decimals, or nothing. The decimal type would drop digits silently where it runs out of
/// them; a sum that comes back with a smaller scale than it should have is therefore refused.
#[must_use]
pub(super) fn exact_add(a: Decimal, b: Decimal) -> Option<Decimal> {
    let sum = a.checked_add(b)?;
    (sum.scale() >= a.scale().max(b.scale()) || sum.is_zero()).then(|| sum.normalize())
}
