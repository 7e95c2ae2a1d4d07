//! Names that both the source and the pages know: none is missing on either side.

use std::collections::BTreeSet;
use std::fs;

use crate::markdown::{Page, files, root};
use tallystick_domain::event::{Billing, Outcome};

/// How far behind a call its first text literal may stand, in bytes.
const REACH: usize = 160;

/// The source below a folder, its unit tests left out.
fn sources(folder: &str) -> Vec<String> {
    let files = files(&root().join(folder), "rs").into_iter().filter(|path| !path.contains("tests"));
    let read = |path: String| fs::read_to_string(root().join(path)).expect("source files are text");
    files.map(read).map(|text| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()).collect()
}

/// Every text literal of a source that is one bare name.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

fn is_code(text: &str) -> bool {
    text.contains('_') && text.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !text.starts_with('_')
        || ["unauthorized", "forbidden", "conflict", "internal"].contains(&text)
}

/// The first code behind each of these calls.
fn codes(folder: &str, calls: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in sources(folder) {
        for call in calls {
            for behind in text.split(call).skip(1) {
                let end =
                    behind.char_indices().map(|(at, _)| at).find(|at| *at >= REACH).unwrap_or(behind.len());
                found.extend(literals(&behind[..end]).next().filter(|code| is_code(code)).map(str::to_owned));
            }
        }
    }
    assert!(found.len() >= 5, "only {found:?} in {folder}");
    found
}

/// The first code span of each row of a table.
fn first_column(page: &Page, heading: &str) -> BTreeSet<String> {
    let rows = page.table(heading);
    let spans = |cell: &String| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    rows.iter().filter_map(|row| row.first()).flat_map(spans).collect()
}

fn all_known(codes: &BTreeSet<String>, folder: &[&str]) {
    let text: String = folder.iter().flat_map(|folder| sources(folder)).collect();
    let unknown: Vec<_> = codes.iter().filter(|code| !text.contains(&format!("\"{code}\""))).collect();
    assert!(unknown.is_empty(), "{folder:?} does not know {unknown:?}");
}

#[test]
fn every_error_code_of_the_proxy_is_in_its_table_and_no_other() {
    let made = codes(
        "services/proxy/src",
        &["Refusal::forbidden(", "Refusal::not_found(", "Self::new(StatusCode::"],
    );
    let told = first_column(&Page::read("docs/API.md"), "Errors of the proxy");
    assert_eq!(made.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the table");
    all_known(&told, &["services/proxy/src"]);
}

#[test]
fn every_error_code_of_reporting_is_in_its_table_and_no_other() {
    let calls = [
        "Problem::bad_request(",
        "Problem::conflict(",
        "Problem::unprocessable(",
        "Problem::new(",
        "ApiError::conflict(",
    ];
    let made = codes("services/reporting/src", &calls);
    let told = first_column(&Page::read("docs/API.md"), "Errors of the API");
    assert_eq!(made.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the table");
    all_known(&told, &["services/reporting/src", "services/shared/runtime/src"]);
}

#[test]
fn every_metric_is_in_operations_and_no_other() {
    let not_metrics = ["tallystick.usage.", "tallystick.requests.", "tallystick.producer."];
    let made: BTreeSet<String> =
        ["services/proxy/src", "services/projector/src", "services/reporting/src", "services/shared"]
            .into_iter()
            .flat_map(sources)
            .flat_map(|text| literals(&text).map(str::to_owned).collect::<Vec<_>>())
            .filter(|name| name.starts_with("tallystick.") && name.matches('.').count() >= 2)
            .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c)))
            .filter(|name| !not_metrics.iter().any(|other| name.starts_with(other)))
            .collect();
    assert_eq!(made, first_column(&Page::read("docs/OPERATIONS.md"), "Metrics"));
}

#[test]
fn every_readiness_check_is_in_operations_and_no_other() {
    let mut made = BTreeSet::new();
    for text in [
        "services/proxy/src",
        "services/reporting/src",
        "services/tallystick/src",
        "services/shared/runtime/src",
    ]
    .into_iter()
    .flat_map(sources)
    {
        for behind in [".probe(", "readiness.check("].iter().flat_map(|call| text.split(call).skip(1)) {
            made.extend(behind.strip_prefix('"').and_then(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    assert_eq!(made, first_column(&Page::read("docs/OPERATIONS.md"), "Readiness"));
}

#[test]
fn the_ledger_page_says_of_every_outcome_what_the_domain_says() {
    let rows = Page::read("docs/LEDGER.md").table("Unrated and estimated");
    for (billing, word) in [(Billing::Yes, "yes"), (Billing::No, "no"), (Billing::Unknown, "nobody knows")] {
        let row = rows.iter().find(|row| row[0] == word).expect("each kind of billing has a row");
        let told: BTreeSet<&str> = row[1].split('`').skip(1).step_by(2).collect();
        let known = Outcome::ALL.into_iter().filter(|outcome| outcome.billing() == billing);
        assert_eq!(told, known.map(Outcome::name).collect(), "{word}");
    }
}

#[test]
fn every_check_of_verify_is_in_the_ledger_page_and_no_other() {
    let mut made = BTreeSet::new();
    for text in ["services/projector/src", "services/shared/store/src", "services/reporting/src"]
        .into_iter()
        .flat_map(sources)
    {
        for call in ["compare!(", "Check::of_findings(", "Comparison {"] {
            let behind = text.split(call).skip(1).map(|rest| rest.trim_start().trim_start_matches("name: "));
            made.extend(
                behind.filter_map(|rest| rest.strip_prefix('"')?.split('"').next().map(str::to_owned)),
            );
        }
    }
    let rows = Page::read("docs/LEDGER.md").table("What `tallystick verify` checks");
    assert_eq!(made, rows.into_iter().map(|row| row[0].clone()).collect());
}
