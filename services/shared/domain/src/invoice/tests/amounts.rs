//! Charging, rounding and tax.

use proptest::prelude::*;

use super::*;

#[test]
fn a_charge_is_the_cost_with_the_markup_on_top_and_exact() {
    assert_eq!(charge(dec("12.345678901234567890"), dec("20")).unwrap(), dec("14.814814681481481468"));
    assert_eq!(charge(dec("10"), dec("0")).unwrap(), dec("10"));
    assert_eq!(charge(dec("10"), dec("17.5")).unwrap(), dec("11.75"));
    assert_eq!(charge(dec("10"), dec("-10")).unwrap(), dec("9"));
    assert!(charge(Decimal::MAX, dec("1")).is_err());
}

#[test]
fn halves_go_to_the_even_neighbour_in_the_minor_unit_of_the_currency() {
    let at = |text, code: &str| {
        round_half_even(dec(text), Currency::parse(code).unwrap().minor_digits()).to_string()
    };
    assert_eq!(at("0.125", "USD"), "0.12");
    assert_eq!(at("0.135", "USD"), "0.14");
    assert_eq!(at("2.5", "JPY"), "2");
    assert_eq!(at("3.5", "JPY"), "4");
    assert_eq!(at("1.00050", "KWD"), "1.000");
    assert_eq!(at("1.5", "KWD"), "1.500");
    assert_eq!(at("-0.001", "USD"), "0.00");
}

#[test]
fn thirds_of_a_cent_add_up_by_largest_remainder() {
    let lines = round_lines(&[dec("0.333333"), dec("0.333334"), dec("0.333333")], 2).unwrap();
    assert_eq!(lines, [dec("0.33"), dec("0.34"), dec("0.33")]);
    assert_eq!(round_lines(&[], 2).unwrap(), []);
}

#[test]
fn a_charge_without_a_remainder_is_never_moved() {
    let lines = round_lines(&[dec("1.00"), dec("0.006"), dec("0.006"), dec("0.006")], 2).unwrap();
    assert_eq!(lines, [dec("1.00"), dec("0.01"), dec("0.01"), dec("0.00")]);
}

#[test]
fn tax_is_taken_on_the_subtotal_and_refuses_silly_rates() {
    assert_eq!(tax_on(dec("100.50"), dec("19"), 2).unwrap(), dec("19.10"));
    assert_eq!(tax_on(dec("-10"), dec("19"), 2).unwrap(), dec("-1.90"));
    assert!(tax_on(dec("1"), dec("-1"), 2).is_err());
    assert!(tax_on(dec("1"), dec("101"), 2).is_err());
}

/// Costs of up to a million with up to 18 decimals, either sign.
fn cost() -> impl Strategy<Value = Decimal> {
    (-1_000_000_000_000_000_000_000_i128..1_000_000_000_000_000_000_000_000_i128, 6_u32..=18)
        .prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
}

proptest! {
    #[test]
    fn rounded_lines_add_up_and_stay_within_one_unit(costs in prop::collection::vec(cost(), 0..40), digits in 0_u32..=3) {
        let lines = round_lines(&costs, digits).unwrap();
        let exact: Decimal = costs.iter().sum();
        prop_assert_eq!(lines.iter().sum::<Decimal>(), round_half_even(exact, digits));
        for (line, cost) in lines.iter().zip(&costs) {
            prop_assert!((line - cost).abs() < Decimal::new(1, digits), "{} became {}", cost, line);
            prop_assert!(line.scale() <= digits);
        }
    }

    #[test]
    fn an_invoice_adds_up(
        costs in prop::collection::vec(0_i64..50_000_000_000, 0..25),
        markup in -50_i64..300,
        discount in prop::option::of(0_i64..=100),
        tax in prop::option::of(0_i64..=2500),
        minimum in prop::option::of(0_i64..100_000),
        currency in prop::sample::select(vec!["USD", "JPY", "KWD"]),
    ) {
        let items = costs.iter().enumerate().map(|(n, cost)| UsageItem {
            cost: Decimal::new(*cost, 9),
            ..usage(&format!("p{}", n % 4), &format!("m{n}"), "0")
        });
        let mut input = draft(items.collect());
        input.currency = Currency::parse(currency).unwrap();
        input.cost_currency = input.currency;
        input.markup.percent = Decimal::new(markup, 0);
        input.discount_percent = discount.map(|percent| Decimal::new(percent, 0));
        input.tax_rate = tax.map(|percent| TaxRate { label: "VAT".to_owned(), percent: Decimal::new(percent, 2) });
        input.minimum = minimum.map(|amount| Decimal::new(amount, 2));
        let digits = input.currency.minor_digits();
        let invoice = compose(input.clone()).unwrap();

        prop_assert_eq!(invoice.lines.iter().map(|line| line.charge).sum::<Decimal>(), invoice.subtotal);
        prop_assert_eq!(invoice.subtotal + invoice.tax, invoice.total);
        let exact: Decimal = input.usage.iter().map(|item| charge(item.cost, input.markup.percent).unwrap()).sum();
        prop_assert_eq!(invoice.usage_charge(), round_half_even(exact, digits));
        for line in &invoice.lines {
            prop_assert!(line.charge.scale() <= digits);
            let explained: Decimal = line.evidence.iter().map(|row| row.amount).sum();
            prop_assert_eq!(explained, line.cost);
            if line.kind == LineKind::Usage {
                let exact = charge(line.cost, input.markup.percent).unwrap();
                prop_assert!((line.charge - exact).abs() < Decimal::new(1, digits));
            }
        }
        if let Some(minimum) = input.minimum {
            prop_assert!(invoice.subtotal >= round_half_even(minimum, digits));
        }
    }
}
