//! The committed contracts are what the types say. `UPDATE=1 cargo test -p tallystick-schemas` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use std::path::{Path, PathBuf};
use tallystick_domain::event::Event;
use tallystick_domain::testing::{client, heartbeat, moved_to_client, recorded, refused};
use tallystick_schemas::{EventKind, decode, encode, json_schema};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap())
}

fn updating() -> bool {
    std::env::vars().any(|(name, value)| name == "UPDATE" && value == "1")
}

fn same_as_committed(path: &Path, current: &str) {
    if updating() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, current).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(committed, current, "{} is not current: run the test with UPDATE=1", path.display());
}

/// One event of each kind, with every field of the usage event filled.
fn examples() -> Vec<(&'static str, Event)> {
    let plain = recorded(1);
    let mut full: serde_json::Value = serde_json::to_value(recorded(2)).unwrap();
    let more = serde_json::json!({
        "task": "ticket-4711", "task_source": "header", "end_user": "u-17", "tags": {"sprint": "42"},
        "client_retry": true, "user_agent": "OpenAI/Python 3.54.0", "origin": "5f1c2a9be0", "prompt_print": "a41b77c0d2",
        "service_tier": "default", "upstream_request_id": "req_9f3b", "error_code": "none", "reported_cost": "0.0035",
        "usage_raw": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        "holds": [{"budget": "019a4300-0000-7000-8009-000000000001", "period": "2026-11", "amount": "0.05"}],
        "source": "elsewhere", "source_id": "abc-1", "streamed": true
    });
    full.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let full = serde_json::from_value(full).unwrap();
    vec![
        ("usage_recorded.v1", Event::Recorded(Box::new(plain.clone()))),
        ("usage_recorded_full.v1", Event::Recorded(Box::new(full))),
        ("usage_adjusted.v1", Event::Adjusted(Box::new(moved_to_client(&plain, client(2), 3)))),
        ("requests_refused.v1", refused(4)),
        ("producer_heartbeat.v1", heartbeat(5, 4)),
    ]
}

#[test]
fn the_committed_json_schemas_are_current() {
    for kind in EventKind::ALL {
        let path = root().join("json").join(format!("{}.json", kind.type_name()));
        same_as_committed(&path, &pretty(&json_schema(kind)));
    }
}

#[test]
fn golden_examples_read_back_to_the_same_event_and_write_the_same_bytes() {
    for (name, event) in examples() {
        let envelope =
            encode(&event, Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&envelope.payload).unwrap();
        let golden = serde_json::json!({ "lane": envelope.lane, "key": envelope.key, "headers": envelope.headers, "payload": value });
        let path = root().join("examples").join(format!("{name}.json"));
        same_as_committed(&path, &pretty(&golden));

        let committed: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let headers: Vec<(String, String)> = serde_json::from_value(committed["headers"].clone()).unwrap();
        let payload = serde_json::to_vec(&committed["payload"]).unwrap();
        assert_eq!(decode(&headers, &payload).unwrap(), event, "{name}");
    }
}

#[test]
fn every_field_of_the_usage_event_stands_in_the_full_example() {
    let schema = json_schema(EventKind::Recorded);
    let (_, full) = examples().swap_remove(1);
    let value: serde_json::Value = serde_json::from_slice(&encode(&full, None).unwrap().payload).unwrap();
    let missing: Vec<&String> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|field| value.get(field.as_str()).is_none() && *field != "unrated")
        .collect();
    assert!(missing.is_empty(), "the full example lacks {missing:?}");
}
