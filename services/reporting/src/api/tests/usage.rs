//! Sums of usage.

use super::Harness;
use super::ledger::{complete_until, foreign, key, recorded};
use http::Method;
use serde_json::{Value, json};
use tallystick_domain::Lane;
use tallystick_domain::event::Event;

/// The same usage by several dimensions, once from the hourly sums and once (with task) from single events.
#[tokio::test]
async fn every_grouping_adds_up_to_the_same_total_and_shows_what_is_unassigned() {
    let h = Harness::start().await;
    h.prices().await;
    h.client("Acme", "0").await;
    let failed = json!({ "client": "Acme", "http_status": 500, "tool": "ci" });
    let events = json!([
        foreign("1", json!({ "client": "Acme", "task": "t1", "tool": "ci" })),
        foreign("2", json!({ "task": "t1", "occurred_at": "2026-10-13T10:00:00Z" })),
        foreign("3", failed),
        foreign("4", json!({ "model": "unknown-model" })),
    ]);
    h.post("/events", events).await.ok();
    h.settle().await;
    let total = json!({ "requests": 4, "failed": 1, "input_tokens": 4000, "output_tokens": 400, "unrated": 1, "cost": "0.0105" });
    for by in [
        "",
        "client",
        "task",
        "day,client",
        "tool,model",
        "hour",
        "task,client,day",
        "member",
        "environment",
        "key",
    ] {
        let answer = h.get(&format!("/usage?month=2026-10&by={by}")).await.ok();
        assert_eq!(answer["total"], total, "{by}");
        let cost: rust_decimal::Decimal = answer["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["cost"].as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap())
            .sum();
        assert_eq!(cost.to_string(), "0.0105", "{by}");
    }
    let by_client = h.get("/usage?month=2026-10&by=client").await.ok();
    let names: Vec<&str> =
        by_client["rows"].as_array().unwrap().iter().map(|row| row["client"].as_str().unwrap()).collect();
    assert_eq!(names, ["Acme", "unassigned"]);
    let only = h.get("/usage?month=2026-10&by=tool&where=client=acme,task=unassigned").await.ok();
    assert_eq!(only["rows"][0]["tool"], "ci");
    assert_eq!(only["total"]["requests"], 1);
    assert_eq!(
        (&by_client["zone"], &by_client["from"], &by_client["to"]),
        (&json!("UTC"), &json!("2026-10-01"), &json!("2026-11-01"))
    );
    let day = h.get("/usage?from=2026-10-13&to=2026-10-14&by=day").await.ok();
    assert_eq!((&day["rows"][0]["day"], &day["total"]["requests"]), (&json!("2026-10-13"), &json!(1)));
    assert_eq!(h.get("/usage?week=2026-W42").await.ok()["total"], total);
}

#[tokio::test]
async fn an_unassigned_row_is_in_sight_when_nothing_is_unassigned() {
    let h = Harness::start().await;
    h.prices().await;
    h.client("Acme", "0").await;
    h.post("/events", foreign("1", json!({ "client": "Acme" }))).await.ok();
    h.settle().await;
    let rows = h.get("/usage?month=2026-10&by=client").await.ok()["rows"].clone();
    assert_eq!((&rows[1]["client"], &rows[1]["cost"]), (&json!("unassigned"), &json!("0")));
}

#[tokio::test]
async fn an_answer_says_up_to_when_usage_is_in() {
    let h = Harness::start().await;
    assert_eq!(h.get("/usage").await.ok()["watermark"], Value::Null);
    h.append(vec![complete_until(1, "2026-11-03T00:00:00Z")]).await;
    assert_eq!(h.get("/usage").await.ok()["watermark"], "2026-11-03T00:00:00Z");
}

#[tokio::test]
async fn a_name_that_looks_like_a_formula_is_text_in_the_file() {
    let h = Harness::start().await;
    h.prices().await;
    h.post("/events", foreign("1", json!({ "tool": "=HYPERLINK(\"http://x\")" }))).await.ok();
    h.settle().await;
    let file = h.text("/usage?month=2026-10&by=tool&format=csv").await;
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines[0], "tool,requests,failed,unrated,input_tokens,output_tokens,cost,currency");
    assert_eq!(lines[1], "\"'=HYPERLINK(\"\"http://x\"\")\",1,0,0,1000,100,0.0035,USD");
    assert_eq!(lines[2], "unassigned,0,0,0,0,0,0,USD");
}

#[tokio::test]
async fn a_question_that_is_not_understood_says_what_there_is() {
    let h = Harness::start().await;
    for (path, status) in [
        ("/usage?by=colour", 400),
        ("/usage?month=2026-13", 400),
        ("/usage?month=2026-10&week=2026-W40", 400),
        ("/usage?where=client", 400),
        ("/usage?where=client=nobody", 404),
        ("/usage?from=2026-10-02&to=2026-10-01", 400),
        ("/usage?format=xml", 400),
        ("/usage?colour=red", 400),
        ("/events?status=lost", 400),
        ("/events?from=yesterday", 400),
    ] {
        assert_eq!(h.get(path).await.refusal().0, status, "{path}");
    }
}

#[tokio::test]
async fn a_row_leads_to_its_events_and_a_list_pages_through_them() {
    let h = Harness::start().await;
    let team = h.team().await;
    let events = (1..=5).map(|n| {
        let mut event = recorded(team, n);
        event.key = Some(key(1));
        event.lane = Lane::of_key(key(1));
        event.occurred_at += jiff::SignedDuration::from_secs(i64::try_from(n).unwrap());
        Event::Recorded(Box::new(event))
    });
    h.append(events.collect()).await;
    let mut seen = Vec::new();
    let mut path = "/events?limit=2&model=gpt-4o-2024-08-06&from=2026-11-02&to=2026-11-03".to_owned();
    loop {
        let page = h.get(&path).await.ok();
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["request_id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path =
            format!("/events?limit=2&model=gpt-4o-2024-08-06&from=2026-11-02&to=2026-11-03&cursor={cursor}");
    }
    assert_eq!(seen, ["req_5", "req_4", "req_3", "req_2", "req_1"]);
    let stranger = h.other_team("elsewhere").await;
    let theirs = h.send(&stranger, Method::GET, "/events", Value::Null, None).await.ok();
    assert_eq!(theirs["data"], json!([]));
}
