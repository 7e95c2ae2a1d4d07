//! One instance, from its first start over a month's usage to its end, and its second start.

use crate::instance::{Ended, Instance, tallystick};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

#[test]
fn an_instance_is_set_up_used_proved_and_ended_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let instance = Instance::start(&data);
    sets_up(&instance);
    shows_a_secret_once(&instance);
    ends_with_the_code_that_fits(&instance, &data);
    imports_good_lines_and_names_bad_ones(&instance, dir.path());
    adds_up_and_moves_usage(&instance);
    proves_itself(&instance);
    let second = Ended::of(tallystick(&data).args(["up", "--listen", "127.0.0.1:0"]).output().unwrap());
    assert_eq!(second.code, 5, "{second:?}");
    assert!(second.stderr.contains("another tallystick"), "{second:?}");
    let token = fs::read_to_string(data.join("admin.token")).unwrap();
    assert_eq!(instance.terminate(), 0);
    assert!(!data.join("running.json").exists());

    let again = Instance::start(&data);
    assert_eq!(again.json(&["team", "show"])["name"], "Northlight Studio");
    assert_eq!(again.json(&["usage", "--month", "2026-10"])["total"]["requests"], 2);
    assert_eq!(fs::read_to_string(data.join("admin.token")).unwrap(), token);
    assert_eq!(again.terminate(), 0);
}

fn sets_up(instance: &Instance<'_>) {
    let team = instance.json(&["team", "set", "--name", "Northlight Studio", "--zone", "Europe/Berlin"]);
    assert_eq!(team["zone"], "Europe/Berlin");
    let client = instance.json(&["clients", "add", "Acme Corp", "--markup", "20%", "--terms", "30d"]);
    assert_eq!((&client["markup"], &client["terms"]), (&json!("20"), &json!("30d")));
    instance.json(&["members", "add", "priya@northlight.example", "--name", "Priya", "--role", "developer"]);
    instance.json(&["projects", "create", "Storefront", "--client", "Acme Corp"]);
    let clients = instance.run(&["clients", "list", "--csv"]);
    assert!(
        clients.stdout.starts_with("name,legal_name,") && clients.stdout.contains("Acme Corp"),
        "{clients:?}"
    );
}

fn shows_a_secret_once(instance: &Instance<'_>) {
    let key =
        instance.json(&["keys", "add", "--name", "backend", "--kind", "project", "--project", "Storefront"]);
    let secret = key["secret"].as_str().unwrap();
    assert!(secret.starts_with(key["prefix"].as_str().unwrap()), "{key}");
    assert!(key["base_urls"]["openai"].as_str().unwrap().ends_with("/v1"), "{key}");
    let shown = instance.run(&["keys", "show", "backend"]);
    assert!(shown.code == 0 && !shown.stdout.contains(secret), "{shown:?}");
    let cursor = ["keys", "add", "--name", "cursor", "--kind", "project", "--tool", "cursor"];
    let text = instance.run(&[&cursor[..], &["--budget", "daily=5"]].concat());
    assert!(text.stdout.contains("Override OpenAI Base URL"), "{text:?}");
    assert!(text.stderr.contains("not enforced in this version"), "{text:?}");
    let variables = instance.run(&["keys", "add", "--name", "env", "--kind", "project", "--format", "env"]);
    assert!(variables.stdout.starts_with("OPENAI_API_KEY=ts_live_"), "{variables:?}");
}

fn ends_with_the_code_that_fits(instance: &Instance<'_>, data: &Path) {
    assert_eq!(instance.run(&["clients", "show", "Nobody"]).code, 3);
    assert_eq!(instance.run(&["clients", "add", "Acme Corp"]).code, 5);
    let uncapped = instance.run(&["keys", "add", "--name", "ci", "--kind", "automation"]);
    assert_eq!(uncapped.code, 2, "{uncapped:?}");
    assert!(uncapped.stderr.contains("daily"), "{uncapped:?}");
    let unasked = instance.run(&["clients", "archive", "Acme Corp"]);
    assert_eq!(unasked.code, 2, "{unasked:?}");
    assert!(unasked.stderr.contains("--yes"), "{unasked:?}");
    let mut stranger = tallystick(data);
    let stranger =
        Ended::of(stranger.env("TALLYSTICK_TOKEN", "ts_api_wrong").arg("status").output().unwrap());
    assert_eq!(stranger.code, 4, "{stranger:?}");
    let refused = instance.run(&["clients", "show", "Nobody", "--json"]);
    let document: Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!((document["code"].as_str(), refused.stdout.as_str()), (Some("not_found"), ""));
}

fn event(id: &str, extra: &Value) -> String {
    let mut event = json!({
        "source": "test", "id": id, "occurred_at": "2026-10-14T09:30:00Z", "provider": "openai", "model": "gpt-4o",
        "api": "chat", "usage": {"prompt_tokens": 100_000, "completion_tokens": 10_000, "total_tokens": 110_000},
    });
    event.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    event.to_string()
}

fn imports_good_lines_and_names_bad_ones(instance: &Instance<'_>, dir: &Path) {
    let file = dir.join("usage.jsonl");
    let lines = [event("a", &json!({"key": "backend"})), "{\"source\": ".to_owned(), event("b", &json!({}))];
    fs::write(&file, lines.join("\n")).unwrap();
    let path = file.to_str().unwrap();
    let ended = instance.run(&["events", "import", path, "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["accepted"], &report["invalid"]), (&json!(2), &json!(1)));
    let bad: Vec<&Value> =
        report["results"].as_array().unwrap().iter().filter(|result| result["status"] == "invalid").collect();
    assert_eq!((bad.len(), &bad[0]["line"]), (1, &json!(2)), "{report}");
    let again = instance.run(&["events", "import", path, "--json"]).json();
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(2)));
    folded(instance, 2);
}

/// Waits until the ledger has so many requests of the month.
fn folded(instance: &Instance<'_>, requests: u64) {
    for _ in 0..600 {
        if instance.json(&["usage", "--month", "2026-10"])["total"]["requests"] == requests {
            return;
        }
    }
    panic!("the ledger never had {requests} requests");
}

fn adds_up_and_moves_usage(instance: &Instance<'_>) {
    let usage = instance.json(&["usage", "--month", "2026-10", "--by", "client"]);
    assert_eq!(
        usage["total"]["cost"].as_str().unwrap().parse(),
        Ok(rust_decimal::Decimal::new(70, 2)),
        "{usage}"
    );
    let over = instance.run(&["usage", "--month", "2026-10", "--fail-over", "0.5"]);
    assert_eq!(over.code, 7, "{over:?}");
    assert_eq!(instance.run(&["usage", "--month", "2026-10", "--fail-over", "1"]).code, 0);
    let moving =
        ["usage", "reassign", "--where", "client=unassigned", "--from", "2026-10-01", "--to", "2026-11-01"];
    let dry = instance.json(&[&moving[..], &["--client", "Acme Corp"]].concat());
    assert_eq!((&dry["matched"], &dry["posted"]), (&json!(1), &json!(0)), "{dry}");
    let csv = instance.run(&["usage", "--month", "2026-10", "--by", "model", "--csv"]);
    assert!(csv.stdout.starts_with("model,requests,"), "{csv:?}");
}

fn proves_itself(instance: &Instance<'_>) {
    let proof = instance.json(&["verify"]);
    assert_eq!(proof["ok"], true, "{proof}");
    assert!(proof["checks"].as_array().unwrap().len() > 5, "{proof}");
    assert_eq!(instance.json(&["status"])["ready"], true);
    assert_eq!(instance.run(&["doctor"]).code, 0);
    let raw = instance.run(&["api", "GET", "/team"]).json();
    assert_eq!(raw["name"], "Northlight Studio");
    assert_eq!(instance.run(&["api", "GET", "/nothing"]).code, 3);
}
