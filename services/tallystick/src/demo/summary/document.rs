//! The same page as one JSON document, for `--json`.

use serde_json::{Value, json};

use super::{Ranking, Summary, Trouble};
use crate::demo::place::Place;

impl Summary<'_> {
    /// Everything, for programs.
    pub(in crate::demo) fn document(&self, place: &Place) -> Value {
        let live = &self.figures.reconciled;
        let invoices: Vec<Value> = self
            .figures
            .issued
            .iter()
            .map(|issued| {
                json!({
                    "number": issued.field("number"), "client": issued.field("client"), "total": issued.field("total"),
                    "currency": issued.field("currency"), "due_date": issued.field("due_date"), "pdf": issued.pdf,
                })
            })
            .collect();
        let rankings: serde_json::Map<String, Value> =
            self.rankings.iter().map(|ranking| (ranking.by.to_owned(), rows(ranking))).collect();
        json!({
            "title": self.title,
            "currency": self.currency,
            "total": self.total,
            "requests": self.requests,
            "by": rankings,
            "last_month": trouble(&self.month),
            "today": trouble(&self.live),
            "loop": {"times": self.looping.times, "cost": self.looping.cost, "usual_day": self.looping.usual},
            "trace": self.trace_cost.map(|cost| json!({"requests": self.figures.replayed.map(|(count, _)| count), "cost": cost})),
            "invoices": invoices,
            "reconciled": {
                "bill": live.bill, "ledger": live.ledger, "calls": live.calls, "events": live.ledger_calls,
                "equal": live.is_equal(),
            },
            "verify": self.figures.verified,
            "folder": place.file("").display().to_string(),
        })
    }
}

fn rows(ranking: &Ranking) -> Value {
    let row = |row: &super::Row| json!({"name": row.name, "cost": row.cost, "requests": row.requests, "failed": row.failed});
    ranking.rows.iter().map(row).collect()
}

fn trouble(trouble: &Trouble) -> Value {
    json!({
        "requests": trouble.requests, "failed": trouble.failed, "failed_cost": trouble.failed_cost,
        "retries": trouble.retries, "retry_cost": trouble.retry_cost,
    })
}
