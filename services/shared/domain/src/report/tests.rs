//! Tests of ranking, shares and changes.

use proptest::prelude::*;

use super::*;
use rust_decimal::Decimal;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn row(name: &str, cost: &str) -> Measured {
    Measured {
        name: (!name.is_empty()).then(|| name.to_owned()),
        cost: dec(cost),
        requests: 10,
        failed: 1,
        input_tokens: 1000,
        output_tokens: 100,
    }
}

#[test]
fn rows_are_ranked_by_cost_with_share_and_change() {
    let before = [row("ana", "5"), row("gone", "3"), row("", "1")];
    let table = rank(Dimension::Member, vec![row("", "2"), row("ben", "6"), row("ana", "2")], &before);
    let seen: Vec<_> = table
        .rows
        .iter()
        .map(|row| (row.name.as_str(), row.cost, row.share_percent, row.previous_cost, row.change_percent))
        .collect();
    assert_eq!(
        seen,
        [
            ("ben", dec("6"), Some(dec("60")), dec("0"), None),
            ("ana", dec("2"), Some(dec("20")), dec("5"), Some(dec("-60"))),
            ("gone", dec("0"), Some(dec("0")), dec("3"), Some(dec("-100"))),
            ("unassigned", dec("2"), Some(dec("20")), dec("1"), Some(dec("100"))),
        ]
    );
}

#[test]
fn unassigned_is_shown_even_when_nothing_is() {
    let table = rank(Dimension::Tool, Vec::new(), &[]);
    assert_eq!(table.rows.len(), 1);
    assert!(table.rows[0].unassigned);
    assert_eq!((table.rows[0].cost, table.rows[0].share_percent), (Decimal::ZERO, None));
}

#[test]
fn a_member_called_unassigned_is_not_the_unassigned_row() {
    let table = rank(Dimension::Member, vec![row("unassigned", "4")], &[]);
    assert_eq!(table.rows.iter().map(|row| row.unassigned).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_change_against_nothing_is_absent() {
    assert_eq!(change_percent(dec("5"), Decimal::ZERO), None);
    assert_eq!(change_percent(dec("5"), dec("4")), Some(dec("25")));
    assert_eq!(share_percent(dec("1"), dec("3")), Some(dec("33.3")));
    assert_eq!(change_percent(Decimal::MAX, dec("0.0001")), None);
}

#[test]
fn the_average_per_task_says_what_part_of_the_spend_it_speaks_for() {
    let tasks = TaskCost::new(3, dec("10"), dec("40"));
    assert_eq!((tasks.average, tasks.named_percent), (Some(dec("3.333333")), Some(dec("25"))));
    assert_eq!(TaskCost::new(0, Decimal::ZERO, dec("40")).average, None);
}

#[test]
fn a_month_report_reads_back_from_its_json() {
    let report = MonthReport {
        head: ReportHead {
            title: "October 2026".to_owned(),
            team: "default".to_owned(),
            period: crate::period::DayRange::month("2026-10").unwrap(),
            previous_period: crate::period::DayRange::month("2026-09").unwrap(),
            zone: "UTC".to_owned(),
            currency: crate::Currency::USD,
            watermark: None,
        },
        month: "2026-10".to_owned(),
        summary: SpendSummary::new(
            ReportTotals { cost: dec("3"), ..ReportTotals::default() },
            ReportTotals { cost: dec("2"), ..ReportTotals::default() },
            Vec::new(),
            vec![rank(Dimension::Model, vec![row("gpt-5", "3")], &[])],
            TaskCost::default(),
        ),
    };
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["totals"]["cost"], &json["change_percent"]), (&"3".into(), &"50".into()));
    assert_eq!(serde_json::from_value::<MonthReport>(json).unwrap(), report);
}

proptest! {
    #[test]
    fn the_rows_add_up_to_the_total(costs in prop::collection::vec((0_u8..6, 0_i64..1_000_000_000), 0..30)) {
        let rows: Vec<Measured> = costs
            .iter()
            .map(|(name, cost)| Measured {
                name: (*name > 0).then(|| format!("n{name}")),
                cost: Decimal::new(*cost, 9),
                requests: 1,
                ..Measured::default()
            })
            .collect();
        let total: Decimal = rows.iter().map(|row| row.cost).sum();
        let table = rank(Dimension::Project, rows, &[]);
        prop_assert_eq!(table.rows.iter().map(|row| row.cost).sum::<Decimal>(), total);
        prop_assert_eq!(table.rows.iter().map(|row| row.requests).sum::<u64>(), costs.len() as u64);
        prop_assert_eq!(table.rows.iter().filter(|row| row.unassigned).count(), 1);
    }
}
