//! The committed OpenAPI document is the one that the routes give.

use crate::api::openapi_json;
use std::path::Path;
use tallystick_runtime::config::Environment;

/// `UPDATE=1` writes the document instead of comparing it.
#[test]
fn the_committed_openapi_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/openapi.json");
    let current = openapi_json();
    if Environment::of_process().get("UPDATE") == Some("1") {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "schemas/openapi.json is not current: run this test again with UPDATE=1");
}

#[test]
fn every_operation_has_a_tag_a_summary_and_an_answer() {
    let document: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            assert!(operation["tags"][0].is_string(), "{method} {path} has no tag");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(
                operation["responses"].as_object().is_some_and(|found| !found.is_empty()),
                "{method} {path}"
            );
        }
    }
    assert!(operations >= 40, "{operations}");
}
