//! Links lead somewhere, files that are named exist, pages keep their size.

use crate::markdown::{Page, pages, root};

/// The first folder of a path in this repository.
const TOP: [&str; 7] = ["services/", "schemas/", "tests/", "docs/", "migrations/", "deploy/", ".ci/"];

fn has_heading(page: &Page, anchor: &str) -> bool {
    page.anchors().iter().any(|found| found == anchor)
}

fn broken_links(page: &Page) -> Vec<String> {
    let folder = page.path.parent().expect("a page lies in a folder");
    let mut broken = Vec::new();
    for link in page.links() {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = folder.join(file);
        let leads = match (file.is_empty(), anchor.is_empty()) {
            (true, _) => has_heading(page, anchor),
            (false, true) => target.exists(),
            (false, false) => {
                let text = std::fs::read_to_string(&target).unwrap_or_default();
                has_heading(&Page { path: target, text }, anchor)
            }
        };
        if !leads {
            broken.push(format!("{}: {link}", page.name()));
        }
    }
    broken
}

fn missing_files(page: &Page) -> Vec<String> {
    let named = page.spans().into_iter().filter(|span| TOP.iter().any(|top| span.starts_with(top)));
    let named = named.filter(|span| !span.contains(['*', '{', ' ', '<']));
    named.filter(|path| !root().join(path).exists()).map(|path| format!("{}: {path}", page.name())).collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading_that_exist() {
    assert_eq!(pages().iter().flat_map(broken_links).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_file_that_a_page_names_exists() {
    assert_eq!(pages().iter().flat_map(missing_files).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_broken_link_and_a_missing_file_are_found() {
    let text = "# One\n[a](b.md) [c](#two) [d](#one) `services/nowhere.rs` `services`\n```\n[e](f.md)\n```\n";
    let page = Page { path: root().join("docs/planted.md"), text: text.to_owned() };
    assert_eq!(broken_links(&page), ["docs/planted.md: b.md", "docs/planted.md: #two"]);
    assert_eq!(missing_files(&page), ["docs/planted.md: services/nowhere.rs"]);
}

#[test]
fn the_architecture_fits_three_hundred_lines_and_names_the_files_of_its_walkthroughs() {
    let page = Page::read("docs/ARCHITECTURE.md");
    assert!(page.text.lines().count() < 300, "{} lines", page.text.lines().count());
    let files = page.spans().iter().filter(|span| span.ends_with(".rs")).count();
    assert!(files >= 30, "only {files} files are named");
}
