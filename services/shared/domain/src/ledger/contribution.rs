//! What one event adds to the fold, merged before anything is changed.

use super::rows::exact_add;
use super::{
    AMOUNT_SCALE, Account, Book, Fold, FoldError, HourlyKey, HourlySums, PostingKey, PricedKey, PricedSums,
};
use crate::currency::Currency;
use crate::event::{Outcome, Position, Status, UsageRecorded};
use crate::ids::{ClientId, EventId, KeyId, MemberId, PriceVersionId, ProjectId, TeamId};
use crate::lane::Lane;
use crate::usage::{Bucket, PricedLine, Usage};
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// Whether a position is posted or taken back.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    Post,
    Reverse,
}

impl Sign {
    fn amount(self, amount: Decimal) -> Decimal {
        match self {
            Self::Post => amount,
            Self::Reverse => Decimal::ZERO.checked_sub(amount).unwrap_or(amount),
        }
    }

    fn count(self, count: u64) -> Option<i64> {
        let count = i64::try_from(count).ok()?;
        match self {
            Self::Post => Some(count),
            Self::Reverse => count.checked_neg(),
        }
    }
}

/// The fields that the fold reads, borrowed from either kind of event.
pub(super) struct View<'a> {
    team: TeamId,
    lane: Lane,
    occurred_at: Timestamp,
    team_day: Date,
    client_day: Date,
    key: Option<KeyId>,
    member: Option<MemberId>,
    project: Option<ProjectId>,
    client: Option<ClientId>,
    environment: Option<&'a str>,
    tool: Option<&'a str>,
    provider: &'a str,
    model: &'a str,
    status: Status,
    outcome: Outcome,
    client_retry: bool,
    usage: &'a Usage,
    price_version: Option<PriceVersionId>,
    lines: &'a [PricedLine],
    cost: Option<Decimal>,
    unrated: bool,
    currency: Currency,
}

impl<'a> View<'a> {
    pub(super) fn of_recorded(e: &'a UsageRecorded) -> Self {
        Self {
            team: e.team,
            lane: e.lane,
            occurred_at: e.occurred_at,
            team_day: e.team_day,
            client_day: e.client_day,
            key: e.key,
            member: e.member,
            project: e.project,
            client: e.client,
            environment: e.environment.as_deref(),
            tool: e.tool.as_deref(),
            provider: &e.provider,
            model: e.model(),
            status: e.status,
            outcome: e.outcome,
            client_retry: e.client_retry,
            usage: &e.usage,
            price_version: e.price_version,
            lines: &e.lines,
            cost: e.cost,
            unrated: e.unrated.is_some(),
            currency: e.currency,
        }
    }

    pub(super) fn of_position(team: TeamId, lane: Lane, p: &'a Position) -> Self {
        Self {
            team,
            lane,
            occurred_at: p.occurred_at,
            team_day: p.team_day,
            client_day: p.client_day,
            key: p.key,
            member: p.member,
            project: p.project,
            client: p.client,
            environment: p.environment.as_deref(),
            tool: p.tool.as_deref(),
            provider: &p.provider,
            model: &p.model,
            status: p.status,
            outcome: p.outcome,
            client_retry: p.client_retry,
            usage: &p.usage,
            price_version: p.price_version,
            lines: &p.lines,
            cost: p.cost,
            unrated: p.unrated.is_some(),
            currency: p.currency,
        }
    }

    /// Refuses what contradicts itself.
    pub(super) fn check(&self, id: EventId) -> Result<(), FoldError> {
        let Some(cost) = self.cost else {
            return if self.unrated { Ok(()) } else { Err(FoldError::NeitherRatedNorUnrated(id)) };
        };
        if self.unrated {
            return Err(FoldError::RatedAndUnrated(id));
        }
        if cost.is_sign_negative() && !cost.is_zero() {
            return Err(FoldError::NegativeCost(id));
        }
        let mut sum = Decimal::ZERO;
        for line in self.lines {
            if line.amount.normalize().scale() > AMOUNT_SCALE {
                return Err(FoldError::Inexact(id));
            }
            sum = exact_add(sum, line.amount).ok_or(FoldError::Overflow(id))?;
        }
        if sum == cost { Ok(()) } else { Err(FoldError::LinesDoNotAddUp(id)) }
    }

    fn hour(&self) -> Option<Timestamp> {
        let second = self.occurred_at.as_second();
        Timestamp::from_second(second.checked_sub(second.rem_euclid(3600))?).ok()
    }
}

/// A short list of changes, each key once.
#[derive(Default)]
pub(super) struct Contribution {
    postings: Vec<(PostingKey, Decimal)>,
    hourly: Vec<(HourlyKey, HourlySums)>,
    priced: Vec<(PricedKey, PricedSums)>,
}

impl Contribution {
    /// Adds a position's share; `None` when a number leaves its range.
    pub(super) fn add(&mut self, view: &View<'_>, sign: Sign) -> Option<()> {
        let cost = sign.amount(view.cost.unwrap_or(Decimal::ZERO));
        if !cost.is_zero() {
            self.post(view, cost)?;
        }
        self.roll_up(view, sign, cost)?;
        for line in view.lines {
            let Some(price_version) = view.price_version else { continue };
            self.price(view, sign, price_version, line)?;
        }
        Some(())
    }

    fn post(&mut self, view: &View<'_>, cost: Decimal) -> Option<()> {
        for book in Book::ALL {
            let debit = match book {
                Book::Member => Account::Member(view.member),
                Book::Project => Account::Project(view.project),
                Book::Client => Account::Client(view.client),
            };
            let credit = Account::Accrued(view.provider.to_owned());
            for (account, amount) in [(debit, cost), (credit, Sign::Reverse.amount(cost))] {
                let key = PostingKey {
                    team: view.team,
                    lane: view.lane,
                    book,
                    account,
                    currency: view.currency,
                    day: view.team_day,
                };
                merge(&mut self.postings, key, amount, |a, b| exact_add(*a, *b))?;
            }
        }
        Some(())
    }

    fn roll_up(&mut self, view: &View<'_>, sign: Sign, cost: Decimal) -> Option<()> {
        let when = |condition: bool| if condition { sign.count(1) } else { Some(0) };
        let amount_when = |condition: bool| if condition { cost } else { Decimal::ZERO };
        let (failed, estimated) = (view.outcome.is_failure(), view.status == Status::Estimated);
        let sums = HourlySums {
            requests: sign.count(1)?,
            failed: when(failed)?,
            retries: when(view.client_retry)?,
            estimated: when(estimated)?,
            unrated: when(view.unrated)?,
            input_tokens: sign.count(view.usage.input_tokens())?,
            output_tokens: sign.count(view.usage.output_tokens())?,
            cache_read_tokens: sign.count(view.usage.get(Bucket::CacheRead))?,
            cost,
            failed_cost: amount_when(failed),
            retry_cost: amount_when(view.client_retry),
            estimated_cost: amount_when(estimated),
        };
        let key = HourlyKey {
            team: view.team,
            lane: view.lane,
            hour: view.hour()?,
            team_day: view.team_day,
            client_day: view.client_day,
            key: view.key,
            member: view.member,
            project: view.project,
            client: view.client,
            environment: view.environment.map(str::to_owned),
            tool: view.tool.map(str::to_owned),
            provider: view.provider.to_owned(),
            model: view.model.to_owned(),
            currency: view.currency,
        };
        merge(&mut self.hourly, key, sums, HourlySums::checked_add)
    }

    fn price(
        &mut self,
        view: &View<'_>,
        sign: Sign,
        version: PriceVersionId,
        line: &PricedLine,
    ) -> Option<()> {
        let key = PricedKey {
            team: view.team,
            lane: view.lane,
            client_day: view.client_day,
            client: view.client,
            project: view.project,
            provider: view.provider.to_owned(),
            model: view.model.to_owned(),
            price_version: version,
            bucket: line.bucket,
            unit_price: line.unit_price.normalize(),
            currency: view.currency,
        };
        let sums = PricedSums { quantity: sign.count(line.quantity)?, amount: sign.amount(line.amount) };
        merge(&mut self.priced, key, sums, add_priced)
    }

    /// Whether every sum can be made.
    pub(super) fn fits(&self, fold: &Fold) -> bool {
        self.postings
            .iter()
            .all(|(k, v)| fold.postings.get(k).is_none_or(|old| exact_add(*old, *v).is_some()))
            && self
                .hourly
                .iter()
                .all(|(k, v)| fold.hourly.get(k).is_none_or(|old| old.checked_add(v).is_some()))
            && self
                .priced
                .iter()
                .all(|(k, v)| fold.priced.get(k).is_none_or(|old| add_priced(old, v).is_some()))
    }

    /// Makes every sum; [`Self::fits`] was asked before.
    pub(super) fn commit(self, fold: &mut Fold) {
        for (key, value) in self.postings {
            let slot = fold.postings.entry(key).or_default();
            *slot = exact_add(*slot, value).unwrap_or(*slot);
        }
        for (key, value) in self.hourly {
            let slot = fold.hourly.entry(key).or_default();
            *slot = slot.checked_add(&value).unwrap_or(*slot);
        }
        for (key, value) in self.priced {
            let slot = fold.priced.entry(key).or_default();
            *slot = add_priced(slot, &value).unwrap_or(*slot);
        }
    }
}

fn add_priced(a: &PricedSums, b: &PricedSums) -> Option<PricedSums> {
    Some(PricedSums { quantity: a.quantity.checked_add(b.quantity)?, amount: exact_add(a.amount, b.amount)? })
}

/// Adds to the entry of a key in a short list.
fn merge<K: PartialEq, V>(
    list: &mut Vec<(K, V)>,
    key: K,
    value: V,
    add: impl Fn(&V, &V) -> Option<V>,
) -> Option<()> {
    match list.iter_mut().find(|(known, _)| *known == key) {
        Some((_, slot)) => *slot = add(slot, &value)?,
        None => list.push((key, value)),
    }
    Some(())
}
