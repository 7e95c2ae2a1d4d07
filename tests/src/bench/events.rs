//! A made-up stretch of an agency's traffic: realistic events of about 1.2 KB, the same for the same seed and position.

use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;
use tallystick_domain::attribution::TaskSource;
use tallystick_domain::event::{Event, RawJson, UsageRecorded};
use tallystick_domain::ids::{ClientId, EventId, KeyId, MemberId, PriceVersionId, ProjectId, TeamId};
use tallystick_domain::testing::recorded;
use tallystick_domain::usage::{Bucket, PricedLine, Usage};
use tallystick_domain::{Currency, Lane};
use tallystick_eventlog::Record;
use uuid::Uuid;

/// 2026-11-02 09:00 UTC in milliseconds.
const START_MS: u64 = 1_793_610_000_000;
/// The events lie this far apart.
const STEP_MS: u64 = 20;

/// Provider, model as served, prices per million: input, cached input, output.
const MODELS: [(&str, &str, &str, [&str; 3]); 6] = [
    ("openai", "gpt-4o", "gpt-4o-2024-08-06", ["2.5", "1.25", "10"]),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", ["0.15", "0.075", "0.6"]),
    ("openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", ["0.4", "0.1", "1.6"]),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", ["3", "0.3", "15"]),
    ("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", ["1", "0.1", "5"]),
    ("mistral", "mistral-small-latest", "mistral-small-2506", ["0.1", "0.05", "0.3"]),
];
const TOOLS: [&str; 5] =
    ["cursor-dev", "open-webui-team", "backend-staging", "backend-production", "claude-code"];

/// Whose traffic it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agency {
    /// Virtual keys, spread over all lanes by their hash. Each has one member and one project; four keys share a
    /// member, ten a project, fifty a client.
    pub(crate) keys: u64,
}

/// Makes events one after the other, with dense sequence numbers per lane.
pub(crate) struct Traffic {
    agency: Agency,
    position: u64,
    seq: [u64; Lane::COUNT as usize],
}

impl Traffic {
    pub(crate) fn new(agency: Agency) -> Self {
        Self { agency, position: 0, seq: [0; Lane::COUNT as usize] }
    }

    /// The next `count` events.
    pub(crate) fn events(&mut self, count: usize) -> Vec<Event> {
        (0..count).map(|_| Event::Recorded(Box::new(self.event()))).collect()
    }

    /// The next `count` events as records of the log.
    pub(crate) fn records(&mut self, count: usize) -> Vec<Record> {
        let record = |event: &Event| {
            let envelope = tallystick_schemas::encode(event, None).expect("a made-up event is plain data");
            Record {
                lane: envelope.lane,
                key: Some(envelope.key),
                headers: envelope.headers,
                payload: envelope.payload,
            }
        };
        self.events(count).iter().map(record).collect()
    }

    fn event(&mut self) -> UsageRecorded {
        let n = self.position;
        self.position += 1;
        let draw = mix(n);
        let owner = draw % self.agency.keys;
        let key = KeyId::from_uuid(named(2, owner));
        let lane = Lane::of_key(key);
        let seq = &mut self.seq[lane.index()];
        *seq += 1;
        // Four calls of five go to the key's usual model.
        let usual = usize::try_from(mix(owner) % 6).unwrap_or(0);
        let model = if (draw >> 20).is_multiple_of(5) { (usual + 1) % 6 } else { usual };
        let (provider, asked, served, prices) = MODELS[model];
        let cached = if (draw >> 24).is_multiple_of(3) { 1_024 } else { 0 };
        let counts = [200 + (draw >> 32) % 6_000, cached, 20 + (draw >> 48) % 900];
        let lines = priced(counts, prices);
        let task = (draw >> 28).is_multiple_of(3).then_some(draw % 997);
        let occurred_ms = START_MS + n * STEP_MS;
        let occurred_at = Timestamp::from_millisecond(i64::try_from(occurred_ms).unwrap_or(i64::MAX));
        let occurred_at = occurred_at.expect("the made-up month is in range");
        UsageRecorded {
            event_id: EventId::from_uuid(event_id(occurred_ms, draw)),
            lane,
            seq: *seq,
            occurred_at,
            recorded_at: occurred_at,
            team_day: date(2026, 11, 2),
            client_day: date(2026, 11, 2),
            team: TeamId::from_uuid(named(1, 1)),
            key: Some(key),
            member: Some(MemberId::from_uuid(named(3, owner / 4))),
            project: Some(ProjectId::from_uuid(named(4, owner / 10))),
            client: Some(ClientId::from_uuid(named(5, owner / 50))),
            environment: Some(if owner.is_multiple_of(3) { "staging" } else { "production" }.to_owned()),
            tool: Some(TOOLS[usize::try_from(owner % 5).unwrap_or(0)].to_owned()),
            task: task.map(|ticket| format!("ticket-{ticket}")),
            task_source: task.map(|_| TaskSource::Header),
            request_id: format!("req_{n:012x}"),
            user_agent: Some("OpenAI/Python 2.8.1".to_owned()),
            origin: Some(format!("{:010x}", mix(owner) >> 24)),
            prompt_print: Some(format!("{:016x}", mix(draw))),
            provider: provider.to_owned(),
            model_requested: asked.to_owned(),
            model_served: Some(served.to_owned()),
            upstream_request_id: Some(format!("chatcmpl-{:016x}", mix(draw))),
            usage: usage(counts),
            usage_raw: RawJson::parse(provider_usage(counts)).ok(),
            price_version: Some(PriceVersionId::from_uuid(named(8, model as u64))),
            cost: Some(lines.iter().map(|line| line.amount).sum()),
            lines,
            currency: Currency::USD,
            latency_ms: Some(400 + draw % 4_000),
            ttft_ms: Some(120 + draw % 600),
            streamed: draw.is_multiple_of(2),
            ..recorded(1)
        }
    }
}

fn usage([input, cached, output]: [u64; 3]) -> Usage {
    let usage = Usage::new().with(Bucket::InputUncached, input).with(Bucket::OutputText, output);
    if cached > 0 { usage.with(Bucket::CacheRead, cached) } else { usage }
}

fn priced(counts: [u64; 3], prices: [&str; 3]) -> Vec<PricedLine> {
    let buckets = [Bucket::InputUncached, Bucket::CacheRead, Bucket::OutputText];
    let lines = buckets.into_iter().zip(counts).zip(prices);
    let lines = lines.filter(|((_, quantity), _)| *quantity > 0).map(|((bucket, quantity), price)| {
        let unit_price: Decimal = price.parse().expect("the prices above are decimals");
        let amount = Decimal::from(quantity) * unit_price * Decimal::new(1, 6);
        PricedLine { bucket, quantity, unit_price, amount: amount.normalize() }
    });
    lines.collect()
}

fn provider_usage([input, cached, output]: [u64; 3]) -> String {
    let (prompt, total) = (input + cached, input + cached + output);
    format!(
        r#"{{"prompt_tokens":{prompt},"completion_tokens":{output},"total_tokens":{total},"prompt_tokens_details":{{"cached_tokens":{cached}}}}}"#
    )
}

/// A UUIDv7 of that millisecond.
fn event_id(ms: u64, draw: u64) -> Uuid {
    let random = mix(draw ^ ms).to_be_bytes();
    let mut bytes = [0_u8; 10];
    bytes[..8].copy_from_slice(&random);
    uuid::Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid()
}

/// The UUIDv7 of a made-up object; the upper bits of its random part are drawn, as real ones are.
fn named(kind: u64, n: u64) -> Uuid {
    event_id(START_MS - 86_400_000 * kind, mix(kind << 32 | n))
}

/// A well-mixed 64-bit number of each position (the finaliser of splitmix64).
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
