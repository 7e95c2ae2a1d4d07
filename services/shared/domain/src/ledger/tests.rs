//! The four laws, on random events, and what the fold refuses.

use super::*;
use crate::event::{Outcome, Status};
use crate::price::Unrated;
use crate::testing::{
    client, event_id, key, line, member, moved_to_client, project, recorded, refused, team,
};
use crate::usage::{Bucket, Usage};
use crate::{Currency, Lane};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn posted(event: UsageRecorded) -> Event {
    Event::Recorded(Box::new(event))
}

/// Random events over few keys, members, clients, models and hours, some unrated, some failed, some repeated.
fn any_event() -> impl Strategy<Value = Event> {
    let who = (0..4_u64, 0..3_u64, 0..3_u64, 0..3_u64, 0..2_u64);
    let what = (0..200_u64, 0..5_000_u64, 0..5_000_u64, 0..10_000_000_u64, 0..7_200_i64);
    (who, what, prop::bool::weighted(0.1), prop::bool::weighted(0.1), prop::bool::weighted(0.2)).prop_map(
        |((k, m, p, c, t), (id, input, output, price, later), unrated, failed, adjusted)| {
            let mut event = recorded(id);
            event.team = team(t);
            event.key = (k > 0).then(|| key(k));
            event.lane = event.key.map_or(Lane::of_team(event.team), Lane::of_key);
            event.member = (m > 0).then(|| member(m));
            event.project = (p > 0).then(|| project(p));
            event.client = (c > 0).then(|| client(c));
            event.occurred_at =
                event.occurred_at.checked_add(jiff::SignedDuration::from_secs(later)).unwrap();
            event.usage = Usage::new().with(Bucket::InputUncached, input).with(Bucket::OutputText, output);
            let price = format!("{}.{:06}", price / 1_000_000, price % 1_000_000);
            event.lines =
                vec![line(Bucket::InputUncached, input, &price), line(Bucket::OutputText, output, "10")];
            event.cost = Some(event.lines.iter().map(|l| l.amount).sum());
            if unrated {
                event.lines.clear();
                event.cost = None;
                event.unrated = Some(Unrated::UnknownModel);
            }
            if failed {
                event.outcome = Outcome::UpstreamBroken;
                event.status = Status::Estimated;
            }
            if adjusted {
                return Event::Adjusted(Box::new(moved_to_client(&event, client(7), id)));
            }
            posted(event)
        },
    )
}

fn fold_of(events: &[Event]) -> Fold {
    let mut fold = Fold::default();
    for event in events {
        fold.apply(event).unwrap();
    }
    fold
}

/// Adds what a second fold holds to the first, as the store's upserts do.
fn merged(mut first: Fold, second: Fold) -> Fold {
    for (key, amount) in second.postings {
        let slot = first.postings.entry(key).or_default();
        *slot = (*slot + amount).normalize();
    }
    for (key, sums) in second.hourly {
        let slot = first.hourly.entry(key).or_default();
        *slot = slot.checked_add(&sums).unwrap();
    }
    for (key, sums) in second.priced {
        let slot = first.priced.entry(key).or_default();
        slot.quantity += sums.quantity;
        slot.amount = (slot.amount + sums.amount).normalize();
    }
    first.seen.extend(second.seen);
    first
}

fn per_book(fold: &Fold) -> BTreeMap<(Book, Currency), Decimal> {
    let mut sums = BTreeMap::new();
    for (key, amount) in &fold.postings {
        *sums.entry((key.book, key.currency)).or_insert(Decimal::ZERO) += amount;
    }
    sums
}

/// What each book owes each provider.
fn owed(fold: &Fold, book: Book) -> BTreeMap<String, Decimal> {
    let mut sums = BTreeMap::new();
    for (key, amount) in fold.postings.iter().filter(|(key, _)| key.book == book) {
        if let Account::Accrued(provider) = &key.account {
            *sums.entry(provider.clone()).or_insert(Decimal::ZERO) -= amount;
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn applying_an_event_twice_equals_applying_it_once(events in prop::collection::vec(any_event(), 1..40)) {
        let once = fold_of(&events);
        let twice: Vec<Event> = events.iter().chain(&events).cloned().collect();
        prop_assert_eq!(fold_of(&twice), once);
    }

    #[test]
    fn cutting_a_batch_anywhere_changes_nothing(events in prop::collection::vec(any_event(), 1..40), at in 0..40_usize) {
        let whole = fold_of(&events);
        let (front, back) = events.split_at(at.min(events.len()));
        let first = fold_of(front);
        let mut second = Fold::default();
        first.seen.iter().for_each(|id| second.forget(*id));
        for event in back {
            second.apply(event).unwrap();
        }
        prop_assert_eq!(merged(first, second), whole);
    }

    #[test]
    fn events_commute(events in prop::collection::vec(any_event(), 1..40), turn in 0..40_usize) {
        let mut unique = events;
        let mut seen = HashSet::new();
        unique.retain(|event| seen.insert(event.id()));
        let straight = fold_of(&unique);
        let middle = turn % unique.len();
        unique.rotate_left(middle);
        unique.reverse();
        prop_assert_eq!(fold_of(&unique), straight);
    }

    #[test]
    fn every_batch_sums_to_zero_in_each_book_and_the_books_cross_foot(events in prop::collection::vec(any_event(), 1..40)) {
        let fold = fold_of(&events);
        for (book, sum) in per_book(&fold) {
            prop_assert!(sum.is_zero(), "{book:?} is off by {sum}");
        }
        prop_assert_eq!(owed(&fold, Book::Member), owed(&fold, Book::Project));
        prop_assert_eq!(owed(&fold, Book::Member), owed(&fold, Book::Client));
        let rolled: Decimal = fold.hourly.values().map(|row| row.cost).sum();
        let accrued: Decimal = owed(&fold, Book::Client).values().sum();
        prop_assert_eq!(rolled, accrued);
    }
}

#[test]
fn replayed_usage_recorded_is_idempotent() {
    let mut fold = fold_of(&[posted(recorded(1))]);
    let before = fold.clone();
    assert_eq!(fold.apply(&posted(recorded(1))), Ok(Applied::Duplicate));
    assert_eq!(fold, before);
}

#[test]
fn replayed_usage_adjusted_is_idempotent() {
    let adjustment = Event::Adjusted(Box::new(moved_to_client(&recorded(1), client(2), 1)));
    let mut fold = fold_of(&[posted(recorded(1)), adjustment.clone()]);
    let before = fold.clone();
    assert_eq!(fold.apply(&adjustment), Ok(Applied::Duplicate));
    assert_eq!(fold, before);
}

#[test]
fn replayed_refusals_and_heartbeats_change_no_sum() {
    let mut fold = Fold::default();
    assert_eq!(fold.apply(&refused(1)), Ok(Applied::NotForLedger));
    assert_eq!(fold.apply(&refused(1)), Ok(Applied::Duplicate));
    assert_eq!(fold.apply(&crate::testing::heartbeat(2, 1)), Ok(Applied::NotForLedger));
    assert!(fold.is_empty());
}

#[test]
fn moving_an_event_to_another_client_leaves_nothing_behind() {
    let event = recorded(1);
    let fold =
        fold_of(&[posted(event.clone()), Event::Adjusted(Box::new(moved_to_client(&event, client(2), 1)))]);
    let balance = |wanted: u64| -> Decimal {
        let account = Account::Client(Some(client(wanted)));
        fold.postings.iter().filter(|(key, _)| key.account == account).map(|(_, amount)| *amount).sum()
    };
    assert_eq!(balance(1), Decimal::ZERO);
    assert_eq!(balance(2), "0.0035".parse().unwrap());
    let requests: i64 = fold.hourly.values().map(|row| row.requests).sum();
    assert_eq!(requests, 1);
}

#[test]
fn an_absent_dimension_is_the_account_unassigned() {
    let mut event = recorded(1);
    event.client = None;
    let fold = fold_of(&[posted(event)]);
    let mut names: Vec<String> =
        fold.postings.keys().filter(|key| key.book == Book::Client).map(|key| key.account.name()).collect();
    names.sort();
    assert_eq!(names, ["openai", "unassigned"]);
}

#[test]
fn an_event_that_contradicts_itself_is_refused_and_leaves_the_fold_untouched() {
    type Change = fn(&mut UsageRecorded);
    let cases: [(Change, FoldError); 5] = [
        (|e| e.cost = None, FoldError::NeitherRatedNorUnrated(event_id(2))),
        (|e| e.unrated = Some(Unrated::UnknownModel), FoldError::RatedAndUnrated(event_id(2))),
        (|e| e.cost = Some("0.0036".parse().unwrap()), FoldError::LinesDoNotAddUp(event_id(2))),
        (|e| e.cost = Some("-1".parse().unwrap()), FoldError::NegativeCost(event_id(2))),
        (
            |e| {
                e.lines[0].amount = "0.0000000000000000001".parse().unwrap();
                e.cost = Some(e.lines.iter().map(|line| line.amount).sum());
            },
            FoldError::Inexact(event_id(2)),
        ),
    ];
    for (change, expected) in cases {
        let mut fold = fold_of(&[posted(recorded(1))]);
        let before = fold.clone();
        let mut event = recorded(2);
        change(&mut event);
        assert_eq!(fold.apply(&posted(event)), Err(expected));
        assert_eq!(fold, before);
    }
}

#[test]
fn a_sum_out_of_range_is_refused_and_leaves_the_fold_untouched() {
    let huge = |id: u64| {
        let mut event = recorded(id);
        event.lines = vec![line(Bucket::InputUncached, 1, "1")];
        event.lines[0].amount = "79000000000.000000000000000001".parse().unwrap();
        event.cost = Some(event.lines[0].amount);
        posted(event)
    };
    let mut fold = fold_of(&[huge(1)]);
    let before = fold.clone();
    assert_eq!(fold.apply(&huge(2)), Err(FoldError::Overflow(event_id(2))));
    assert_eq!(fold, before);
}

#[test]
fn an_estimate_and_a_failure_are_counted_with_their_cost() {
    let mut event = recorded(1);
    event.outcome = Outcome::UpstreamBroken;
    event.status = Outcome::UpstreamBroken.status();
    let fold = fold_of(&[posted(event)]);
    let sums = fold.hourly.values().next().unwrap();
    let cost: Decimal = "0.0035".parse().unwrap();
    assert_eq!((sums.requests, sums.failed, sums.estimated), (1, 1, 1));
    assert_eq!((sums.cost, sums.failed_cost, sums.estimated_cost), (cost, cost, cost));
}

#[test]
fn an_unrated_event_is_counted_and_never_zero_cost_in_silence() {
    let mut event = recorded(1);
    event.lines.clear();
    event.cost = None;
    event.unrated = Some(Unrated::UnknownModel);
    let fold = fold_of(&[posted(event)]);
    assert!(fold.postings.is_empty());
    assert_eq!(fold.hourly.values().next().unwrap().unrated, 1);
}
