//! Reading a page: its links, code spans, headings and shell lines. As much of Markdown as these pages use.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours, or are not written by hand.
const PASSED_OVER: [&str; 4] = ["target", "demo-out", "node_modules", "venv"];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the test crate lies in the repository").to_owned()
}

/// One page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Page {
    /// Reads a page by its path from the root.
    pub(crate) fn read(path: &str) -> Self {
        let path = root().join(path);
        assert!(path.is_file(), "{} is not there", path.display());
        let text = fs::read_to_string(&path).expect("pages are text");
        Self { path, text }
    }

    /// Its path from the root.
    pub(crate) fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap_or(&self.path).display().to_string()
    }

    /// Lines outside fenced code.
    pub(crate) fn prose(&self) -> impl Iterator<Item = &str> {
        let mut fenced = false;
        self.text.lines().filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        })
    }

    /// Targets of links and images.
    pub(crate) fn links(&self) -> Vec<String> {
        self.prose()
            .flat_map(|line| line.split("](").skip(1))
            .filter_map(|rest| rest.split_once(')').map(|(target, _)| target.to_owned()))
            .collect()
    }

    /// What stands between single backticks.
    pub(crate) fn spans(&self) -> Vec<String> {
        self.prose().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
    }

    /// Anchors of the headings, as code hosts make them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        self.prose()
            .filter_map(|line| line.strip_prefix('#'))
            .map(|heading| {
                let heading = heading.trim_start_matches('#').trim().to_lowercase();
                heading.chars().filter(|c| c.is_alphanumeric() || "- _".contains(*c)).collect::<String>()
            })
            .map(|heading| heading.replace(' ', "-"))
            .collect()
    }

    /// Lines of fenced blocks marked `sh`, continued lines joined, comments and blank lines left out.
    pub(crate) fn shell_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let (mut shell, mut open) = (false, String::new());
        for line in self.text.lines() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                shell = language.trim() == "sh";
                continue;
            }
            let line = line.trim();
            if !shell || line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(part) = line.strip_suffix('\\') {
                open.push_str(part);
            } else {
                lines.push(std::mem::take(&mut open) + line);
            }
        }
        lines
    }

    /// The rows of the first table behind a heading: each its cells, the head and the rule left out.
    pub(crate) fn table(&self, heading: &str) -> Vec<Vec<String>> {
        let behind = self.text.lines().skip_while(|line| line.trim_start_matches('#').trim() != heading);
        let rows = behind.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let cells =
            |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        let rows: Vec<_> = rows.skip(2).map(cells).collect();
        assert!(!rows.is_empty(), "{} has no table behind '{heading}'", self.name());
        rows
    }
}

/// Every page of the repository.
pub(crate) fn pages() -> Vec<Page> {
    let pages: Vec<Page> = files(&root(), "md").into_iter().map(|path| Page::read(&path)).collect();
    assert!(pages.len() >= 10, "only {} pages were found", pages.len());
    pages
}

/// Every file below a folder with that extension, as paths from the root.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("folders of the repository can be listed").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()) {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path.strip_prefix(root()).expect("it lies below the root").display().to_string());
            }
        }
    }
    found.sort();
    found
}
