//! Every command that a page shows is one that the program understands, flag by flag.
//!
//! Each is run with `--help` behind it: the program reads all that stands before, refuses what it does not know, and does
//! nothing.

use std::process::Command;

use crate::markdown::{Page, pages};
use tallystick_tests::harness::binary;

/// The words of one shell command, as far as quoting goes; ends at a pipe, a redirection or a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None::<char>);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '|' | '>' | '<' | ';' | '&') => break,
            (None, '#') if word.is_none() => break,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The arguments of a line that runs the program, whatever variables are set before it.
fn arguments(line: &str) -> Option<Vec<String>> {
    let mut words = words(line).into_iter().skip_while(|word| word.contains('=') && !word.contains('/'));
    let program = words.next()?;
    (program == "tallystick" || program.ends_with("/tallystick")).then(|| words.collect())
}

/// Every command of a page: lines of shell blocks, commands inside `$(...)`, and spans that begin with the program's name.
fn commands(page: &Page) -> Vec<Vec<String>> {
    let mut lines = page.shell_lines();
    let inner: Vec<String> = lines
        .iter()
        .flat_map(|line| line.split("$(").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(inner, _)| inner.to_owned()))
        .collect();
    lines.extend(inner);
    lines.extend(page.spans().into_iter().filter(|span| span.starts_with("tallystick ")));
    lines.iter().filter_map(|line| arguments(line)).collect()
}

fn refused(arguments: &[String]) -> Option<String> {
    let output = Command::new(binary()).args(arguments).arg("--help").env_clear().output().expect("the program runs");
    let complaint = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
    (!output.status.success()).then(|| format!("tallystick {}: {complaint}", arguments.join(" ")))
}

#[test]
fn every_command_that_a_page_shows_is_understood() {
    let mut shown = 0;
    let mut findings = Vec::new();
    for page in pages() {
        for arguments in commands(&page) {
            shown += 1;
            findings.extend(refused(&arguments).map(|finding| format!("{}: {finding}", page.name())));
        }
    }
    assert_eq!(findings, Vec::<String>::new());
    assert!(shown >= 20, "only {shown} commands are shown");
}

#[test]
fn a_command_or_a_flag_that_does_not_exist_is_found() {
    let text = "```sh\nA=b tallystick usage --by \\\n  key --no-such-flag | head\n./x/tallystick frobnicate # why\n```\n";
    let page = Page { path: "planted.md".into(), text: text.to_owned() };
    let commands = commands(&page);
    assert_eq!(commands, [vec!["usage", "--by", "key", "--no-such-flag"], vec!["frobnicate"]]);
    assert!(commands.iter().all(|arguments| refused(arguments).is_some()));
}

#[test]
fn a_line_is_read_as_the_shell_reads_it() {
    assert_eq!(words("a 'b c' \"d\" e\"f\"g > h"), ["a", "b c", "d", "efg"]);
    assert_eq!(arguments("curl http://x"), None);
}
