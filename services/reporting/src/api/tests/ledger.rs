//! A ledger for tests: what the inbox shipped, or what a test made up, is folded as the projector would.

use super::{Harness, Reply};
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::time::Duration;
use tallystick_domain::event::Event;
use tallystick_domain::ledger::Fold;
use tallystick_domain::usage::{Bucket, Usage};
use tallystick_domain::{KeyId, Lane, TeamId, testing};
use tallystick_eventlog::{EventLog as _, ReadLimit, Record};
use tallystick_store::ledger::{Batch, LoggedEvent};
use tower::ServiceExt as _;

impl Harness {
    pub(super) async fn team(&self) -> TeamId {
        self.get("/team").await.ok()["id"].as_str().unwrap().parse().unwrap()
    }

    /// A client with everything that an invoice needs, and its mark-up.
    pub(super) async fn client(&self, name: &str, markup: &str) -> Value {
        let body = json!({ "name": name, "markup": markup, "legal_name": format!("{name} GmbH"), "address": ["Street 1", "Berlin"] });
        self.post("/clients", body).await.ok()
    }

    pub(super) async fn issuer(&self) {
        let body = json!({ "legal_name": "Studio UG", "address": ["Lane 2", "Hamburg"], "vat_id": "DE1", "iban": "DE02120300000000202051" });
        self.patch("/issuer", body).await.ok();
    }

    /// Prices of gpt-4o: 2.50 in, 10 out.
    pub(super) async fn prices(&self) {
        let version = json!({ "provider": "openai", "model": "gpt-4o", "effective_from": "2026-01-01T00:00:00Z", "source": "list",
            "checked_on": "2026-01-01", "currency": "USD", "rates": { "input_uncached": "2.5", "output_text": "10" } });
        self.post("/prices", json!({ "versions": [version] })).await.ok();
    }

    /// Sends a body of events as it is.
    pub(super) async fn import(&self, token: &str, media: &str, body: impl Into<String>) -> Reply {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/events")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", media)
            .body(Body::from(body.into()))
            .unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            replayed: false,
        }
    }

    /// The text of a file.
    pub(super) async fn text(&self, path: &str) -> String {
        let request = Request::builder()
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.admin))
            .body(Body::empty())
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    /// Waits until the inbox is shipped, then folds everything that the log holds.
    pub(super) async fn settle(&self) {
        while self.store().inbox_backlog().await.unwrap().events > 0 {
            let end = self.log.end_offset(0).await.unwrap();
            self.log.wait(0, end, Duration::from_millis(200)).await.unwrap();
        }
        self.fold().await;
    }

    /// Appends events of this team and folds them.
    pub(super) async fn append(&self, events: Vec<Event>) {
        let records: Vec<Record> = events
            .iter()
            .map(|event| {
                let envelope = tallystick_schemas::encode(event, None).unwrap();
                Record {
                    lane: envelope.lane,
                    key: Some(envelope.key),
                    headers: envelope.headers,
                    payload: envelope.payload,
                }
            })
            .collect();
        self.log.append(&records).await.unwrap();
        self.fold().await;
    }

    async fn fold(&self) {
        let owner = testing::uuid(99, 1);
        let mut claim =
            self.store().cursor_claim("ledger", 0, owner, Duration::from_secs(60)).await.unwrap().unwrap();
        let limit = ReadLimit { records: 100_000, bytes: 1 << 30 };
        let records = self.log.read(0, claim.next_offset, limit).await.unwrap();
        if records.is_empty() {
            return;
        }
        let mut batch =
            Batch { from: claim.next_offset, rolling_hash: claim.rolling_hash, ..Batch::default() };
        let mut fold = Fold::default();
        for record in records {
            let event = tallystick_schemas::decode(&record.record.headers, &record.record.payload).unwrap();
            fold.apply(&event).unwrap();
            batch.to = record.offset + 1;
            batch.events.push(LoggedEvent {
                log_offset: record.offset,
                event,
                headers: record.record.headers,
                payload: record.record.payload.clone(),
            });
        }
        batch.fold = fold;
        self.store().ledger_batch_commit(&mut claim, &batch).await.unwrap();
    }

    /// Every comparison that the ledger and the invoices know finds nothing.
    pub(super) async fn verify(&self) {
        for comparison in self.store().ledger_comparisons().await.unwrap() {
            assert!(comparison.findings.is_empty(), "{}: {:?}", comparison.name, comparison.findings);
        }
        for check in crate::verify_invoices(self.store()).await.unwrap() {
            assert!(check.ok, "{}: {}", check.name, check.detail);
        }
    }
}

/// A foreign event: 1,000 tokens in and 100 out of gpt-4o, 0.0035 USD.
pub(super) fn foreign(id: &str, fields: Value) -> Value {
    let mut event = json!({ "source": "old-gateway", "id": id, "occurred_at": "2026-10-12T09:30:00Z", "provider": "openai",
        "model": "gpt-4o", "api": "chat",
        "usage": { "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100 } });
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

/// A statement of a proxy that everything before an instant is in.
pub(super) fn complete_until(n: u64, at: &str) -> Event {
    let Event::Heartbeat(mut heartbeat) = testing::heartbeat(n, 0) else { panic!("a heartbeat") };
    heartbeat.occurred_at = at.parse().unwrap();
    heartbeat.last_seq.clear();
    Event::Heartbeat(heartbeat)
}

/// A recorded event of a team without any attribution but what the test sets: 1,000 in and 100 out, 0.0035 USD.
pub(super) fn recorded(team: TeamId, n: u64) -> tallystick_domain::event::UsageRecorded {
    let mut event = testing::recorded(n);
    event.team = team;
    (event.key, event.member, event.project, event.client) = (None, None, None, None);
    event.lane = Lane::of_team(team);
    event.usage = Usage::new().with(Bucket::InputUncached, 1_000).with(Bucket::OutputText, 100);
    event
}

/// A key id by number, for tests that need no row of it.
pub(super) fn key(n: u64) -> KeyId {
    testing::key(n)
}
