//! Lookup: names, instants and what contradicts what.

use super::super::{BookError, MatchedBy, PriceBook, Unrated};
use super::*;
use proptest::prelude::*;

const LATER: &str = "2026-06-01T00:00:00Z";

fn book() -> PriceBook {
    let mut named = version("gpt-4o");
    named.aliases = vec!["chatgpt-4o".to_owned()];
    named.prefixes = vec!["gpt-4o-eu".to_owned(), "gpt-4".to_owned()];
    let mut mini = version("gpt-4o-mini");
    mini.prefixes = vec!["gpt-4o-mini-".to_owned()];
    let dated = version("gpt-4o-2024-05-13");
    PriceBook::of([named, mini, dated]).unwrap()
}

fn found(book: &PriceBook, model: &str) -> Result<(String, MatchedBy), Unrated> {
    let found = book.lookup("acme", model, at(LATER))?;
    Ok((found.version.model.clone(), found.matched_by))
}

#[test]
fn the_surest_name_wins() {
    let book = book();
    let expect =
        |model: &str, id: &str, by| assert_eq!(found(&book, model), Ok((id.to_owned(), by)), "{model}");
    expect("gpt-4o", "gpt-4o", MatchedBy::Id);
    expect("models/gpt-4o", "gpt-4o", MatchedBy::Id);
    expect("gpt-4o-2024-05-13", "gpt-4o-2024-05-13", MatchedBy::Id);
    expect("chatgpt-4o", "gpt-4o", MatchedBy::Alias);
    expect("chatgpt-4o-latest", "gpt-4o", MatchedBy::Snapshot);
    for snapshot in
        ["gpt-4o-2024-08-06", "gpt-4o-20250219", "gpt-4o@20250219", "gpt-4o-latest", "gpt-4o@default"]
    {
        expect(snapshot, "gpt-4o", MatchedBy::Snapshot);
    }
    expect("gpt-4o-mini-2024-07-18", "gpt-4o-mini", MatchedBy::Snapshot);
    expect("gpt-4o-mini-tts", "gpt-4o-mini", MatchedBy::Prefix);
    expect("gpt-4o-eu-west", "gpt-4o", MatchedBy::Prefix);
    for unknown in ["gpt-5", "", "ft:gpt-4o:acme", "-latest", "o-20249906", "@20250219"] {
        assert_eq!(found(&book, unknown), Err(Unrated::UnknownModel), "{unknown}");
    }
    assert!(matches!(book.lookup("other", "gpt-4o", at(LATER)), Err(Unrated::UnknownModel)));
}

#[test]
fn a_price_is_in_force_from_its_second_until_the_next_one() {
    let first = version("m");
    let mut second = version("m");
    second.effective_from = at("2026-07-30T00:00:00Z");
    let second = second.with_derived_id();
    let book = PriceBook::of([second.clone(), first.clone()]).unwrap();
    let in_force = |instant: &str| book.lookup("acme", "m", at(instant)).map(|found| found.version.id);
    assert_eq!(in_force("2025-12-31T23:59:59Z"), Err(Unrated::NotInForce));
    assert_eq!(in_force("2026-01-01T00:00:00Z"), Ok(first.id));
    assert_eq!(in_force("2026-07-29T23:59:59Z"), Ok(first.id));
    assert_eq!(in_force("2026-07-30T00:00:00Z"), Ok(second.id));
    assert_eq!(in_force("2026-07-30T00:00:01Z"), Ok(second.id));
}

#[test]
fn a_correction_of_the_same_instant_needs_a_higher_revision_and_then_wins() {
    let wrong = version("m");
    let mut right = wrong.clone();
    right.rates.set(Bucket::InputUncached, "2".parse().unwrap());
    let mut book = PriceBook::of([wrong.clone()]).unwrap();
    assert!(matches!(book.insert(right.clone()), Err(BookError::Conflict { .. })));
    right.revision = 1;
    let right = right.with_derived_id();
    book.insert(right.clone()).unwrap();
    book.insert(right.clone()).unwrap();
    assert_eq!(book.len(), 2);
    assert_eq!(book.lookup("acme", "m", at(LATER)).unwrap().version.id, right.id);
    assert_eq!(book.version(wrong.id).map(|old| &**old), Some(&wrong));
}

#[test]
fn an_invalid_version_does_not_enter_the_book() {
    let mut invalid = version("m");
    invalid.rates.set(Bucket::OutputText, "0".parse().unwrap());
    let mut book = PriceBook::default();
    assert!(matches!(book.insert(invalid), Err(BookError::Invalid { .. })));
    assert!(book.is_empty());
}

#[test]
fn ids_are_derived_from_what_identifies_a_version_and_survive_json() {
    let one = version("m");
    assert_eq!(one.id, version("m").id);
    assert_ne!(one.id, version("n").id);
    let mut later = version("m");
    later.effective_from = at(LATER);
    assert_ne!(one.id, later.with_derived_id().id);
    let json = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<PriceVersion>(&json).unwrap(), one);
    assert!(json.contains(r#""rates":{"input_uncached":"3","output_text":"15"}"#));
}

proptest! {
    #[test]
    fn the_order_of_insertion_changes_no_lookup(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let versions: Vec<PriceVersion> = ["a-1", "a-2", "a-3"].into_iter().flat_map(|model| {
            ["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"].map(|from| {
                let mut version = version(model);
                version.aliases = vec!["a".to_owned()];
                version.prefixes = vec!["a-".to_owned()];
                version.effective_from = at(from);
                version.with_derived_id()
            })
        }).collect();
        let shuffled = PriceBook::of(order.into_iter().map(|index| versions[index].clone())).unwrap();
        let straight = PriceBook::of(versions).unwrap();
        for model in ["a", "a-1", "a-3", "a-9", "a-latest"] {
            for instant in ["2026-02-01T00:00:00Z", LATER] {
                let id = |book: &PriceBook| book.lookup("acme", model, at(instant)).map(|found| found.version.id);
                prop_assert_eq!(id(&shuffled), id(&straight));
            }
        }
    }
}

#[test]
fn a_ledger_is_rated_in_its_own_currency_or_told_which_one_the_price_is_in() {
    let dollars = version("m");
    let mut newer = version("m");
    newer.effective_from = at("2026-07-30T00:00:00Z");
    let newer = newer.with_derived_id();
    let euros = dollars.converted(
        Currency::EUR,
        "0.9".parse().unwrap(),
        at(LATER).to_zoned(jiff::tz::TimeZone::UTC).date(),
        "ECB",
    );
    let mut euros = euros.unwrap().version;
    euros.revision = 1;
    let euros = euros.with_derived_id();
    let usage = crate::usage::Usage::new().with(crate::usage::Bucket::InputUncached, 1_000);
    let rated = |book: &PriceBook, currency| {
        book.rate(currency, "acme", "m", at("2026-08-01T00:00:00Z"), None, &usage)
    };

    let book = PriceBook::of([dollars.clone(), newer.clone()]).unwrap();
    assert_eq!(rated(&book, Currency::USD).unwrap().version, newer.id);
    let other = Unrated::OtherCurrency { currency: Currency::USD };
    assert_eq!(rated(&book, Currency::EUR).unwrap_err(), other);
    assert_eq!(other.code(), "other_currency");

    let book = PriceBook::of([dollars, newer.clone(), euros.clone()]).unwrap();
    assert_eq!(
        rated(&book, Currency::EUR).unwrap().version,
        euros.id,
        "a newer price in dollars hides no price in euros"
    );
    assert_eq!(rated(&book, Currency::EUR).unwrap().currency, Currency::EUR);
    assert_eq!(rated(&book, Currency::USD).unwrap().version, newer.id);
    assert!(matches!(
        book.lookup_in(Currency::EUR, "acme", "m", at("2020-01-01T00:00:00Z")),
        Err(Unrated::NotInForce)
    ));
    assert!(matches!(book.lookup_in(Currency::EUR, "acme", "n", at(LATER)), Err(Unrated::UnknownModel)));
}
