//! Tables that are made from the source: the settings in OPERATIONS, the endpoints in API.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use crate::markdown::{Page, root};
use serde_json::Value;

fn updating() -> bool {
    std::env::vars().any(|(name, value)| name == "UPDATE" && value == "1")
}

/// Compares what stands between two marks of a page with what it should be, or writes it.
fn same_as_written(path: &str, mark: &str, current: &str) {
    let page = Page::read(path);
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->\n"));
    let parts = page.text.split_once(&open).and_then(|(before, rest)| {
        let (written, after) = rest.split_once(&close)?;
        Some((before, written, after))
    });
    let (before, written, after) = parts.expect("the page has both marks of the table");
    if updating() {
        let text = format!("{before}{open}{current}{close}{after}");
        return fs::write(&page.path, text).expect("the page can be written");
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (written, current) = (lines(written), lines(current));
    let differing: Vec<_> = written.symmetric_difference(&current).collect();
    assert!(differing.is_empty(), "{path} is not current, run this test with UPDATE=1: {differing:#?}");
}

#[test]
fn the_settings_in_operations_are_the_ones_that_the_program_has() {
    let mut table = "| setting | default | meaning |\n|---|---|---|\n".to_owned();
    for entry in tallystick_runtime::config::reference() {
        let default = match entry.default.as_str() {
            _ if entry.path == "data_dir" => "the user's".to_owned(),
            "" => "unset".to_owned(),
            default => format!("`{default}`"),
        };
        writeln!(table, "| `{}` | {default} | {} |", entry.path, entry.about.replace('|', "\\|"))
            .expect("text can be written to text");
    }
    same_as_written("docs/OPERATIONS.md", "settings", &table);
}

#[test]
fn the_endpoints_in_api_are_the_ones_of_the_openapi_document() {
    let text = fs::read_to_string(root().join("schemas/openapi.json")).expect("the document is committed");
    let document: Value = serde_json::from_str(&text).expect("the document is JSON");
    let mut table = "| method | path | does |\n|---|---|---|\n".to_owned();
    for (path, operations) in document["paths"].as_object().expect("the document has paths") {
        for (method, operation) in operations.as_object().expect("a path has operations") {
            let parts = ["summary", "description"].map(|field| operation[field].as_str().unwrap_or_default());
            let about = parts.join(" ").replace('\n', " ");
            let about = about.split(". ").next().unwrap_or_default().trim().trim_end_matches('.');
            writeln!(table, "| {} | `{path}` | {about} |", method.to_uppercase())
                .expect("text can be written to text");
        }
    }
    same_as_written("docs/API.md", "endpoints", &table);
}
