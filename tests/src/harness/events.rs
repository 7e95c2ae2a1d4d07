//! The ledger, event by event, beside the provider's own bill.

use std::collections::HashMap;

use anyhow::Context;
use http::Method;
use rust_decimal::Decimal;
use serde_json::Value;

use super::gateway::Gateway;
use crate::provider::{Bill, BillLine};

/// What the comparison needs of an event.
#[derive(Clone, Debug)]
pub struct EventFigure {
    /// The event's id.
    pub event_id: String,
    /// The provider's `x-request-id`, when it gave one.
    pub upstream_request_id: Option<String>,
    /// `final`, `estimated` or `voided`.
    pub status: String,
    /// How it ended.
    pub outcome: String,
    /// What it costs; `None` while unrated.
    pub cost: Option<Decimal>,
    /// The sum of its priced lines.
    pub lines: Decimal,
}

/// The result of laying the bill beside the ledger.
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    /// Events in the ledger.
    pub events: usize,
    /// Calls that reached the provider.
    pub calls: usize,
    /// Events with the same request id and the same amount as their bill line.
    pub equal: usize,
    /// Events flagged `estimated`.
    pub estimated: usize,
    /// What can not be explained by a flagged estimate, one line each.
    pub findings: Vec<String>,
    /// Sum of all events.
    pub ledger: Decimal,
    /// Sum of the bill.
    pub bill: Decimal,
    /// Sum of the events that are not estimates.
    pub ledger_final: Decimal,
    /// Sum of the bill lines that such an event stands for.
    pub bill_final: Decimal,
}

impl Gateway {
    /// Every usage event of the ledger, by the public API, page by page.
    ///
    /// # Errors
    /// When the API does not answer as documented.
    pub async fn all_events(&self) -> anyhow::Result<Vec<EventFigure>> {
        let mut events = Vec::new();
        let mut path = "/api/v1/events?limit=500".to_owned();
        loop {
            let (status, page) = self.api(Method::GET, &path, None).await?;
            let data =
                page["data"].as_array().with_context(|| format!("{path} answered {status}: {page}"))?;
            for event in data {
                events.push(figure(event)?);
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/api/v1/events?limit=500&cursor={cursor}"),
                None => return Ok(events),
            }
        }
    }
}

fn figure(event: &Value) -> anyhow::Result<EventFigure> {
    let text = |name: &str| event[name].as_str().map(str::to_owned);
    let mut lines = Decimal::ZERO;
    for line in event["lines"].as_array().unwrap_or(&Vec::new()) {
        lines += line["amount"].as_str().context("amounts are strings")?.parse::<Decimal>()?;
    }
    Ok(EventFigure {
        event_id: text("event_id").context("every event has an id")?,
        upstream_request_id: text("upstream_request_id"),
        status: text("status").context("every event has a status")?,
        outcome: text("outcome").context("every event has an outcome")?,
        cost: text("cost").map(|cost| cost.parse()).transpose()?,
        lines,
    })
}

/// Lays the provider's bill beside the ledger. A call answered with a request id is matched by it; a call without an
/// answer can only stand behind an event flagged `estimated`, one for one.
pub fn reconcile(events: &[EventFigure], bill: &Bill) -> Reconciliation {
    let mut result =
        Reconciliation { events: events.len(), calls: bill.lines.len(), ..Reconciliation::default() };
    let by_id: HashMap<&str, &BillLine> =
        bill.lines.iter().map(|line| (line.provider_request_id.as_str(), line)).collect();
    let mut explained = 0_usize;
    for event in events {
        let cost = event.cost.unwrap_or_default();
        result.ledger += cost;
        if event.lines != cost {
            result
                .findings
                .push(format!("event {} costs {cost}, its lines add up to {}", event.event_id, event.lines));
        }
        let line = event.upstream_request_id.as_deref().and_then(|id| by_id.get(id));
        if event.status == "estimated" {
            result.estimated += 1;
            explained += 1;
            continue;
        }
        result.ledger_final += cost;
        let Some(line) = line else {
            if event.status != "voided" || !cost.is_zero() {
                result.findings.push(format!("event {} ({}) is on no bill", event.event_id, event.outcome));
            }
            continue;
        };
        explained += 1;
        let billed = Decimal::from_i128_with_scale(line.amount.0, 12).normalize();
        result.bill_final += billed;
        if billed == cost.normalize() {
            result.equal += 1;
        } else {
            result.findings.push(format!(
                "event {} ({}) costs {cost}, the provider asks {billed}",
                event.event_id, event.outcome
            ));
        }
    }
    result.bill = Decimal::from_i128_with_scale(bill.total().0, 12).normalize();
    if explained != bill.lines.len() {
        result.findings.push(format!(
            "{} calls reached the provider, {explained} events stand for them",
            bill.lines.len()
        ));
    }
    result
}
