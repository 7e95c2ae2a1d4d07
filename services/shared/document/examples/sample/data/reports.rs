//! Sample reports.

use jiff::ToSpan;
use jiff::civil::date;
use rust_decimal::Decimal;
use tallystick_domain::Currency;
use tallystick_domain::period::DayRange;
use tallystick_domain::report::{
    DayCost, Dimension, KeyNote, Measured, MonthReport, RankedTable, ReportHead, ReportTotals, SpendSummary,
    TaskCost, WeekReport, rank,
};

use super::dec;

fn measured(name: &str, cost: &str, requests: u64) -> Measured {
    Measured {
        name: (!name.is_empty()).then(|| name.to_owned()),
        cost: dec(cost),
        requests,
        failed: requests / 37,
        input_tokens: requests * 3_217,
        output_tokens: requests * 411,
    }
}

fn tables() -> Vec<RankedTable> {
    let clients = vec![
        measured("Acme Corp", "812.44", 20_113),
        measured("Startup X", "402.1", 9_120),
        measured("", "88.02", 901),
    ];
    let members = vec![
        measured("Ana Petrović", "611.20", 14_003),
        measured("Ben Okafor", "410.11", 9_811),
        measured("Chiara Rossi", "193.23", 5_420),
        measured("", "88.02", 900),
    ];
    let keys = (1..=27)
        .map(|n| measured(&format!("key-{n:02}-backend-production"), &format!("{}.5", 120 - 4 * n), 700))
        .collect();
    let models = vec![
        measured("claude-sonnet-4-5", "702.9", 12_000),
        measured("gpt-5.1", "480.01", 11_010),
        measured("gpt-5.1-mini", "119.65", 7_124),
    ];
    let projects = vec![
        measured("Website relaunch", "700", 17_000),
        measured("Support bot", "514.54", 12_233),
        measured("", "88.02", 901),
    ];
    let tools = vec![
        measured("cursor-dev", "640.4", 15_000),
        measured("backend-production", "574.14", 14_233),
        measured("", "88.02", 901),
    ];
    [
        (Dimension::Client, clients),
        (Dimension::Project, projects),
        (Dimension::Member, members),
        (Dimension::Model, models),
        (Dimension::Tool, tools),
        (Dimension::Key, keys),
    ]
    .into_iter()
    .map(|(dimension, rows)| {
        let before =
            [measured(rows[0].name.as_deref().unwrap_or("other"), "651.3", 1), measured("", "91", 1)];
        rank(dimension, rows, &before)
    })
    .collect()
}

fn summary(period: DayRange) -> SpendSummary {
    let mut days = Vec::new();
    let mut day = period.from;
    while day < period.to {
        let weekend = day.weekday().to_monday_zero_offset() > 4;
        let cost = if weekend { dec("6.2") } else { Decimal::from(30 + i32::from(day.day()) * 7 % 23) };
        days.push(DayCost { day, cost: if day.day() == 14 { dec("141.9") } else { cost } });
        day = day.checked_add(1.day()).expect("the samples end before the calendar does");
    }
    let totals = ReportTotals {
        cost: dec("1302.5612"),
        requests: 30_134,
        failed: 812,
        input_tokens: 96_911_000,
        output_tokens: 12_385_074,
        failed_cost: dec("14.02"),
        retries: 402,
        retry_cost: dec("21.4"),
        estimated_cost: dec("2.11"),
        unrated_requests: 4,
    };
    let previous = ReportTotals { cost: dec("1111.02"), ..ReportTotals::default() };
    SpendSummary::new(totals, previous, days, tables(), TaskCost::new(311, dec("911.3"), dec("1302.5612")))
}

fn head(title: &str, period: DayRange, previous: DayRange) -> ReportHead {
    ReportHead {
        title: title.to_owned(),
        team: "Studio Nordlicht".to_owned(),
        period,
        previous_period: previous,
        zone: "Europe/Berlin".to_owned(),
        currency: Currency::USD,
        watermark: Some("2026-11-01T23:04:00Z".parse().expect("the samples write times")),
    }
}

pub(super) fn month() -> MonthReport {
    let period = DayRange { from: date(2026, 10, 1), to: date(2026, 11, 1) };
    let previous = DayRange { from: date(2026, 9, 1), to: date(2026, 10, 1) };
    MonthReport {
        head: head("October 2026", period, previous),
        month: "2026-10".to_owned(),
        summary: summary(period),
    }
}

pub(super) fn week() -> WeekReport {
    let period = DayRange { from: date(2026, 10, 26), to: date(2026, 11, 2) };
    let previous = DayRange { from: date(2026, 10, 19), to: date(2026, 10, 26) };
    let note = |name: &str, owner: Option<&str>, cost| KeyNote {
        name: name.to_owned(),
        prefix: "ts_live_backend_4f8a01c29d3e".to_owned(),
        owner: owner.map(str::to_owned),
        last_used: owner.map(|_| date(2026, 9, 12)),
        cost: dec(cost),
    };
    WeekReport {
        head: head("Week 44, 2026", period, previous),
        week: "2026-W44".to_owned(),
        summary: summary(period),
        keys_without_limit: vec![
            note("backend-production", Some("Ben Okafor"), "120.5"),
            note("cursor-dev", Some("Ana Petrović"), "61.02"),
        ],
        unused_keys: vec![note("old-prototype", None, "0")],
        unused_days: 30,
    }
}

pub(super) fn quiet_week() -> WeekReport {
    let mut report = week();
    report.summary = SpendSummary::new(
        ReportTotals::default(),
        ReportTotals::default(),
        report.summary.days.into_iter().map(|day| DayCost { cost: Decimal::ZERO, ..day }).collect(),
        vec![rank(Dimension::Member, Vec::new(), &[])],
        TaskCost::default(),
    );
    report.keys_without_limit.clear();
    report.unused_keys.clear();
    report
}
