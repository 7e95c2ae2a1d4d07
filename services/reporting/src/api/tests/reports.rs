//! Reports.

use super::Harness;
use super::ledger::foreign;
use serde_json::json;

#[tokio::test]
async fn a_report_ranks_with_the_change_on_the_period_before_and_adds_up() {
    let h = Harness::start().await;
    h.prices().await;
    h.client("Acme", "0").await;
    h.post("/keys", json!({ "name": "ci", "kind": "project" })).await.ok();
    let events = json!([
        foreign("0", json!({ "client": "Acme", "occurred_at": "2026-09-12T09:00:00Z" })),
        foreign("1", json!({ "client": "Acme", "task": "t1", "key": "ci" })),
        foreign("2", json!({ "client": "Acme", "task": "t2" })),
        foreign("3", json!({ "http_status": 500 })),
    ]);
    h.post("/events", events).await.ok();
    h.settle().await;
    let report = h.get("/reports/month/2026-10").await.ok();
    assert_eq!((&report["title"], &report["totals"]["cost"]), (&json!("October 2026"), &json!("0.0105")));
    assert_eq!(report["totals"]["failed_cost"], "0.0035");
    assert_eq!(report["days"].as_array().unwrap().len(), 31);
    let clients =
        report["tables"].as_array().unwrap().iter().find(|table| table["dimension"] == "client").unwrap();
    assert_eq!(
        (&clients["rows"][0]["name"], &clients["rows"][0]["change_percent"]),
        (&json!("Acme"), &json!("100"))
    );
    assert_eq!(clients["rows"][1]["unassigned"], true);
    assert_eq!((&report["tasks"]["tasks"], &report["tasks"]["average"]), (&json!(2), &json!("0.0035")));
    assert_eq!(report["tasks"]["named_percent"], "66.7");

    let week = h.get("/reports/week/2026-W42").await.ok();
    assert_eq!((&week["title"], &week["totals"]["requests"]), (&json!("Week 42, 2026"), &json!(3)));
    assert_eq!(week["keys_without_limit"][0]["name"], "ci");
    assert_eq!(week["unused_keys"][0]["last_used"], "2026-10-12");

    let file = h.text("/reports/month/2026-10?format=csv").await;
    assert!(
        file.contains("2026-10-01,2026-11-01,client,Acme,0.007,USD,2,0,2000,200,66.7,0.0035,100\r\n"),
        "{file}"
    );
    assert!(file.ends_with("total,,0.0105,USD,3,1,3000,300,,0.0035,200\r\n"), "{file}");
    assert_eq!(h.get("/reports/month/2026-10?format=pdf").await.refusal(), (501, "no_renderer".to_owned()));
    assert_eq!(h.get("/reports/month/october").await.refusal().0, 400);
}
