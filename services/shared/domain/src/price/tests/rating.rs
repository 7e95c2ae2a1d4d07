//! Exact amounts, tiers and what stays unrated.

use super::super::{PriceError, Rate, RateError, Rated, Unrated, rate};
use super::*;
use crate::usage::Usage;
use Bucket::*;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn price(version: &PriceVersion, tier: &str, usage: &Usage) -> Result<Rated, Unrated> {
    version.validate().unwrap();
    rate(usage, &TierName::parse(Some(tier)).unwrap(), version)
}

fn cost(version: &PriceVersion, tier: &str, usage: &Usage) -> String {
    price(version, tier, usage).unwrap().cost.to_string()
}

fn input(tokens: u64) -> Usage {
    Usage::new().with(InputUncached, tokens)
}

#[test]
fn lines_carry_quantity_unit_price_and_the_exact_amount() {
    let version = version("m");
    let rated = price(&version, "standard", &input(1234).with(OutputText, 1)).unwrap();
    let lines: Vec<_> = rated
        .lines
        .iter()
        .map(|line| (line.bucket, line.quantity, line.unit_price.to_string(), line.amount.to_string()))
        .collect();
    let expected = [
        (InputUncached, 1234, "3".to_owned(), "0.003702".to_owned()),
        (OutputText, 1, "15".to_owned(), "0.000015".to_owned()),
    ];
    assert_eq!(lines, expected);
    assert_eq!((rated.cost.to_string(), rated.version), ("0.003717".to_owned(), version.id));
    assert_eq!(price(&version, "standard", &Usage::new()).unwrap().cost, Decimal::ZERO);
}

#[test]
fn a_quantity_without_a_rate_is_unrated_and_never_zero() {
    for bucket in Bucket::ALL
        .into_iter()
        .filter(|bucket| ![InputUncached, OutputText, Requests, WebFetches].contains(bucket))
    {
        let used = input(10).with(bucket, 1);
        assert_eq!(price(&version("m"), "standard", &used), Err(Unrated::NoRateForBucket { bucket }));
    }
}

#[test]
fn zero_rates_need_the_mark_of_a_free_model() {
    let mut free = version("m");
    free.rates = rates(&[(InputUncached, "0"), (OutputText, "0")]);
    assert_eq!(free.validate(), Err(PriceError::Zero("input_uncached in standard".to_owned())));
    free.free = true;
    assert_eq!(cost(&free, "flex", &input(1_000_000)), "0");
    free.rates.set(OutputText, "1".parse().unwrap());
    assert_eq!(free.validate(), Err(PriceError::NotFree("output_text in standard".to_owned())));
}

#[test]
fn the_whole_request_is_re_priced_above_a_context_threshold() {
    for threshold in [200_000, 272_000] {
        let mut version = version("m");
        version.rates.set(CacheRead, "0.3".parse().unwrap());
        version.context =
            vec![above(threshold, &[(InputUncached, "6"), (OutputText, "22.5"), (CacheRead, "0.6")])];
        let short = input(threshold - 100_000).with(CacheRead, 100_000).with(OutputText, 1000);
        let long = short.with(CacheRead, 100_001);
        let amounts = |usage: &Usage| {
            let lines = price(&version, "standard", usage).unwrap().lines;
            lines.iter().map(|line| line.unit_price.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(amounts(&short), ["3", "0.3", "15"]);
        assert_eq!(amounts(&long), ["6", "0.6", "22.5"]);
    }
}

#[test]
fn a_bucket_that_a_context_tier_does_not_name_has_no_price_there() {
    let mut version = version("m");
    version.rates.set(WebSearches, "0.01".parse().unwrap());
    version.context = vec![above(10, &[(InputUncached, "6")])];
    let long = input(11).with(WebSearches, 3);
    assert_eq!(cost(&version, "standard", &long), "0.030066");
    let unrated = Err(Unrated::NoRateForBucket { bucket: OutputText });
    assert_eq!(price(&version, "standard", &long.with(OutputText, 1)), unrated);
}

#[test]
fn service_tiers_have_tables_or_factors_and_unknown_ones_are_unrated() {
    let mut version = version("m");
    version.rates.set(WebSearches, "0.01".parse().unwrap());
    version.context = vec![above(100, &[(InputUncached, "6")])];
    version.tiers.insert(ServiceTier::Batch, TierPrice::Factor { factor: "0.5".parse().unwrap() });
    let context = vec![above(100, &[(InputUncached, "10")])];
    let table = TierPrice::Table { rates: Box::new(rates(&[(InputUncached, "5")])), context };
    version.tiers.insert(ServiceTier::Priority, table);
    version.modifiers.insert("us".to_owned(), "1.1".parse().unwrap());

    let used = input(100).with(WebSearches, 1);
    assert_eq!(cost(&version, "standard", &used), "0.0103");
    assert_eq!(cost(&version, "batch", &used), "0.01015");
    assert_eq!(cost(&version, "batch", &used.with(InputUncached, 101)), "0.010303");
    assert_eq!(cost(&version, "ON_DEMAND_PRIORITY", &used), "0.0105");
    assert_eq!(cost(&version, "fast", &used.with(InputUncached, 101)), "0.01101");
    assert_eq!(cost(&version, "standard+us", &used), "0.01033");
    for tier in ["flex", "scale", "standard+eu", "flex+us"] {
        assert!(matches!(price(&version, tier, &used), Err(Unrated::UnknownTier { .. })), "{tier}");
    }
    assert_eq!(TierName::parse(Some("turbo")), Err(Unrated::UnknownTier { tier: "turbo".to_owned() }));
    assert_eq!(TierName::parse(None), Ok(TierName::STANDARD));
}

#[test]
fn a_tier_that_forgets_a_threshold_of_the_base_is_refused() {
    let mut version = version("m");
    version.context = vec![above(200_000, &[(InputUncached, "6")])];
    let table = TierPrice::Table { rates: Box::new(version.rates), context: Vec::new() };
    version.tiers.insert(ServiceTier::Flex, table);
    assert_eq!(version.validate(), Err(PriceError::MissingThreshold(200_000)));
    version.context = vec![above(9, &[]), above(9, &[])];
    assert_eq!(version.validate(), Err(PriceError::Thresholds));
}

#[test]
fn a_fee_per_request_is_charged_where_it_is_stated() {
    let mut version = version("m");
    version.rates.set(Requests, "0.005".parse().unwrap());
    assert_eq!(cost(&version, "standard", &input(1_000_000)), "3.005");
    assert_eq!(cost(&version, "standard", &input(1_000_000).with(Requests, 2)), "3.01");
    let counted = input(1_000_000).with(Requests, 2).with(WebFetches, 1);
    assert_eq!(cost(&super::version("m"), "standard", &counted), "3");
}

#[test]
fn the_dearest_rate_covers_context_and_modifiers() {
    let mut version = version("m");
    version.context = vec![above(200_000, &[(InputUncached, "6"), (OutputText, "22.5")])];
    version.modifiers.insert("us".to_owned(), "1.1".parse().unwrap());
    let dearest = |tier: &str, wanted: fn(Bucket) -> bool| {
        version.max_rate(&TierName::parse(Some(tier)).unwrap(), wanted).map(|rate| rate.to_string())
    };
    assert_eq!(dearest("standard", Bucket::is_input_token).as_deref(), Some("6"));
    assert_eq!(dearest("standard+us", Bucket::is_output_token).as_deref(), Some("24.75"));
    assert_eq!(dearest("flex", Bucket::is_output_token), None);
    assert_eq!(dearest("standard", |bucket| bucket == Images), None);
}

#[test]
fn rates_are_bounded_so_that_amounts_stay_exact() {
    let rate = |text: &str| text.parse::<Rate>();
    assert_eq!(rate("0.000000000001").unwrap().to_string(), "0.000000000001");
    assert_eq!(rate("2.50").unwrap(), rate("2.5").unwrap());
    assert_eq!(rate("0.0000000000001"), Err(RateError::TooFine));
    assert_eq!(rate("-1"), Err(RateError::Negative));
    assert_eq!(rate("1000000000.1"), Err(RateError::TooLarge));
    assert_eq!(rate("99999999999999999999999999"), Err(RateError::TooLarge));
    assert_eq!(rate("NaN"), Err(RateError::NotANumber));
    assert!(serde_json::from_str::<Rate>("2.5").is_err(), "a float is not a rate");
}

#[test]
fn an_amount_that_can_not_be_exact_is_unrated() {
    let mut version = version("m");
    version.rates.set(InputUncached, "999999999.999999999999".parse().unwrap());
    let unrated = Err(Unrated::AmountTooLarge { bucket: InputUncached });
    assert_eq!(price(&version, "standard", &input(Usage::MAX_COUNT - 1)), unrated);
    assert!(price(&version, "standard", &input(10_000_000)).is_ok());
}

#[test]
fn a_pinned_rate_converts_unit_prices_and_tells_what_it_rounded() {
    let mut version = version("m");
    version.rates.set(CacheRead, "0.0000003".parse().unwrap());
    let day = "2026-11-02".parse().unwrap();
    let converted = version.converted(Currency::EUR, "0.8612345678".parse().unwrap(), day, "ECB").unwrap();
    let euro = &converted.version;
    assert_eq!(euro.rates.get(InputUncached).unwrap().to_string(), "2.5837037034");
    assert_eq!(euro.rates.get(CacheRead).unwrap().to_string(), "0.00000025837");
    assert_eq!(converted.rounded.iter().map(|lost| lost.bucket).collect::<Vec<_>>(), [CacheRead]);
    assert_eq!((euro.currency, euro.fx.as_ref().unwrap().from), (Currency::EUR, Currency::USD));
    assert_ne!(euro.id, version.id);
    let rated = price(euro, "standard", &input(1_000_000)).unwrap();
    assert_eq!((rated.cost.to_string(), rated.currency), ("2.5837037034".to_owned(), Currency::EUR));
}

/// Schoolbook multiplication on decimal digits: shares nothing with the code under test.
fn long_product(left: &str, right: &str) -> String {
    let digits = |text: &str| text.bytes().rev().map(|byte| u32::from(byte - b'0')).collect::<Vec<_>>();
    let (left, right) = (digits(left), digits(right));
    let mut product = vec![0_u32; left.len() + right.len()];
    for (i, a) in left.iter().enumerate() {
        for (j, b) in right.iter().enumerate() {
            let value = product[i + j] + a * b;
            product[i + j] = value % 10;
            product[i + j + 1] += value / 10;
        }
    }
    product.iter().rev().map(|digit| char::from_digit(*digit, 10).unwrap()).collect()
}

/// The amount at 18 decimals as a whole number of 10^-18.
fn attos(amount: Decimal) -> String {
    let text = amount.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{fraction:0<18}").trim_start_matches('0').to_owned()
}

proptest! {
    #[test]
    fn amounts_are_exact_at_18_decimals(
        whole in 0_u64..100_000, decimals in 0_u64..1_000_000_000_000, quantity in 1_u64..1_000_000_000,
        output in 1_u64..1_000_000_000,
    ) {
        let digits = format!("{whole}{decimals:012}");
        prop_assume!(digits.bytes().any(|digit| digit != b'0'));
        let mut version = version("m");
        version.rates.set(InputUncached, format!("{whole}.{decimals:012}").parse().unwrap());
        let rated = price(&version, "standard", &input(quantity).with(OutputText, output)).unwrap();
        let expected = long_product(&digits, &quantity.to_string());
        prop_assert_eq!(attos(rated.lines[0].amount), expected.trim_start_matches('0'));
        prop_assert!(rated.cost.scale() <= 18);
        let whole_sum = i128::from(quantity) * digits.parse::<i128>().unwrap()
            + i128::from(output) * 15_000_000_000_000;
        prop_assert_eq!(attos(rated.cost), whole_sum.to_string());
    }

    #[test]
    fn what_is_rated_has_a_line_for_every_quantity(
        counts in proptest::collection::vec((0_usize..Bucket::COUNT, 0_u64..1_000_000), 0..10),
        priced in proptest::collection::vec(any::<bool>(), Bucket::COUNT),
    ) {
        let used: Usage = counts.into_iter().map(|(index, count)| (Bucket::ALL[index], count)).collect();
        let mut version = version("m");
        version.rates = Rates::default();
        for bucket in Bucket::ALL {
            if priced[bucket.index()] {
                version.rates.set(bucket, "1.5".parse().unwrap());
            }
        }
        let covered = used.iter().all(|(bucket, _)| bucket.is_free_unless_priced() || priced[bucket.index()]);
        match rate(&used, &TierName::STANDARD, &version) {
            Ok(rated) => {
                prop_assert!(covered);
                prop_assert!(rated.lines.iter().all(|line| !line.amount.is_zero()));
                let lines: Usage = rated.lines.iter().map(|line| (line.bucket, line.quantity)).collect();
                for (bucket, count) in used.iter().filter(|(bucket, _)| !bucket.is_free_unless_priced()) {
                    prop_assert_eq!(lines.get(bucket), count);
                }
            }
            Err(Unrated::NoRateForBucket { bucket }) => prop_assert!(!covered && used.get(bucket) > 0),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
