//! Builders with boring defaults, for the tests of every crate.

use crate::Currency;
use crate::event::{
    AdjustReason, Event, Outcome, Position, ProducerHeartbeat, RequestsRefused, UsageAdjusted, UsageRecorded,
};
use crate::ids::{ClientId, EventId, KeyId, MemberId, PriceVersionId, ProducerId, ProjectId, TeamId};
use crate::lane::Lane;
use crate::usage::{Bucket, PricedLine, Usage};
use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A UUID that is `kind` and `n`, in UUIDv7 layout at 2026-11-02.
#[must_use]
pub const fn uuid(kind: u16, n: u64) -> Uuid {
    let value = 0x019a_4300_0000_7000_8000_0000_0000_0000_u128
        | ((kind as u128) << 48)
        | (n as u128 & 0xffff_ffff_ffff);
    Uuid::from_u128(value)
}

/// A team, a key and so on by number.
#[must_use]
pub const fn team(n: u64) -> TeamId {
    TeamId::from_uuid(uuid(1, n))
}
/// See [`team`].
#[must_use]
pub const fn key(n: u64) -> KeyId {
    KeyId::from_uuid(uuid(2, n))
}
/// See [`team`].
#[must_use]
pub const fn member(n: u64) -> MemberId {
    MemberId::from_uuid(uuid(3, n))
}
/// See [`team`].
#[must_use]
pub const fn project(n: u64) -> ProjectId {
    ProjectId::from_uuid(uuid(4, n))
}
/// See [`team`].
#[must_use]
pub const fn client(n: u64) -> ClientId {
    ClientId::from_uuid(uuid(5, n))
}
/// See [`team`].
#[must_use]
pub const fn producer(n: u64) -> ProducerId {
    ProducerId::from_uuid(uuid(6, n))
}
/// See [`team`].
#[must_use]
pub const fn event_id(n: u64) -> EventId {
    EventId::from_uuid(uuid(7, n))
}

/// 2026-11-02 09:00 UTC.
#[must_use]
pub fn monday() -> Timestamp {
    Timestamp::from_second(1_793_610_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A completed chat call: 1,000 input tokens at 2.50 and 100 output tokens at 10 USD per million, by key 1 of team 1.
#[must_use]
pub fn recorded(n: u64) -> UsageRecorded {
    let lines = vec![line(Bucket::InputUncached, 1_000, "2.5"), line(Bucket::OutputText, 100, "10")];
    UsageRecorded {
        event_id: event_id(n),
        producer: producer(1),
        epoch: 1,
        lane: Lane::of_key(key(1)),
        seq: n,
        occurred_at: monday(),
        recorded_at: monday(),
        team_day: date(2026, 11, 2),
        client_day: date(2026, 11, 2),
        team: team(1),
        key: Some(key(1)),
        member: Some(member(1)),
        project: Some(project(1)),
        client: Some(client(1)),
        environment: Some("production".to_owned()),
        tool: Some("backend-production".to_owned()),
        task: None,
        task_source: None,
        end_user: None,
        tags: BTreeMap::new(),
        request_id: format!("req_{n}"),
        attempt: 1,
        client_retry: false,
        user_agent: None,
        origin: None,
        prompt_print: None,
        provider: "openai".to_owned(),
        endpoint: "chat".to_owned(),
        model_requested: "gpt-4o".to_owned(),
        model_served: Some("gpt-4o-2024-08-06".to_owned()),
        service_tier: None,
        upstream_request_id: None,
        status: Outcome::Completed.status(),
        outcome: Outcome::Completed,
        http_status: Some(200),
        error_code: None,
        usage: Usage::new().with(Bucket::InputUncached, 1_000).with(Bucket::OutputText, 100),
        usage_raw: None,
        price_version: Some(PriceVersionId::from_uuid(uuid(8, 1))),
        cost: Some(lines.iter().map(|line| line.amount).sum()),
        lines,
        currency: Currency::USD,
        unrated: None,
        reported_cost: None,
        latency_ms: Some(900),
        ttft_ms: Some(200),
        streamed: false,
        holds: Vec::new(),
        source: None,
        source_id: None,
    }
}

/// A line whose amount is exact; `unit_price` per million.
#[must_use]
pub fn line(bucket: Bucket, quantity: u64, unit_price: &str) -> PricedLine {
    let unit_price: Decimal = unit_price.parse().unwrap_or_default();
    let amount = (Decimal::from(quantity).checked_mul(unit_price))
        .and_then(|product| product.checked_div(Decimal::from(1_000_000)))
        .unwrap_or_default();
    PricedLine { bucket, quantity, unit_price, amount }
}

/// An adjustment of an event that moves it to another client.
#[must_use]
pub fn moved_to_client(event: &UsageRecorded, to: ClientId, seq: u64) -> UsageAdjusted {
    let before = Position::from(event);
    let after = Position { client: Some(to), ..before.clone() };
    let reason = AdjustReason::Reattributed;
    let id = UsageAdjusted::derive_id(event.event_id, event.event_id, reason, Some(&after));
    UsageAdjusted {
        event_id: id.unwrap_or(event.event_id),
        producer: producer(2),
        epoch: 1,
        lane: event.lane,
        seq,
        recorded_at: monday(),
        team: event.team,
        target: event.event_id,
        supersedes: event.event_id,
        reason,
        actor: "finance@example.com".to_owned(),
        note: None,
        before,
        after: Some(after),
    }
}

/// Three refusals of key 1.
#[must_use]
pub fn refused(n: u64) -> Event {
    Event::Refused(RequestsRefused {
        event_id: event_id(n),
        producer: producer(1),
        epoch: 1,
        lane: Lane::of_key(key(1)),
        seq: n,
        occurred_at: monday(),
        window_s: 10,
        recorded_at: monday(),
        team_day: date(2026, 11, 2),
        team: team(1),
        key: Some(key(1)),
        reason: "model_not_allowed".to_owned(),
        http_status: 403,
        model: Some("gpt-4o".to_owned()),
        count: 3,
    })
}

/// A heartbeat of producer 1 that states lane `lane_of_key(1)` up to `last`.
#[must_use]
pub fn heartbeat(n: u64, last: u64) -> Event {
    Event::Heartbeat(ProducerHeartbeat {
        event_id: event_id(n),
        producer: producer(1),
        epoch: 1,
        lane: Lane::of_key(key(1)),
        seq: n,
        occurred_at: monday(),
        oldest_unsettled_at: None,
        last_seq: BTreeMap::from([(Lane::of_key(key(1)).get(), last)]),
        closing: false,
    })
}
