//! Every command that a page shows is one that the program understands, flag by flag.
//!
//! Commands that ask a server are run as they stand, against an address where nobody listens: what does not fit together
//! is refused before anything is asked. Commands that do their work in their own process, and those that a sentence only
//! mentions, are run with `--help` behind them, which checks their words and flags alone.

use std::process::{Command, Stdio};

use crate::markdown::{Page, files, pages, root};
use tallystick_tests::harness::binary;

/// Commands that do not ask a server but work in their own process.
const AT_WORK: [&str; 8] = ["up", "proxy", "projector", "reporting", "demo", "verify", "spool", "doctor"];

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

/// A command as a page shows it.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    /// Variables that are set before it.
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    /// Only its name is shown, in a sentence.
    mentioned: bool,
}

/// The command of a line that runs the program.
fn shown(line: &str, mentioned: bool) -> Option<Shown> {
    let mut words = words(line);
    let at = words.iter().position(|word| !word.contains('=') || word.contains('/'))?;
    let arguments = words.split_off(at);
    let (program, arguments) = arguments.split_first()?;
    let environment = words.iter().filter_map(|word| word.split_once('='));
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let ours = program == "tallystick" || program.ends_with("/tallystick");
    ours.then(|| Shown { environment, arguments: arguments.to_vec(), mentioned })
}

/// Every command of a page: lines of shell blocks, commands inside `$(...)`, and spans that begin with the program's name.
fn commands(page: &Page) -> Vec<Shown> {
    let mut lines = page.shell_lines();
    let inner: Vec<String> = lines
        .iter()
        .flat_map(|line| line.split("$(").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(inner, _)| inner.to_owned()))
        .collect();
    lines.extend(inner);
    let spans = page.spans().into_iter().filter(|span| span.starts_with("tallystick "));
    let mentioned = spans.filter_map(|span| shown(&span, true));
    lines.iter().filter_map(|line| shown(line, false)).chain(mentioned).collect()
}

/// What the program says against a command; nothing when it understands it.
fn refused(shown: &Shown) -> Option<String> {
    let nowhere = tempfile::tempdir().expect("a temporary folder can be made");
    let mut command = Command::new(binary());
    command.args(&shown.arguments).current_dir(nowhere.path()).stdin(Stdio::null()).env_clear();
    command.env("TALLYSTICK_URL", "http://127.0.0.1:9").env("TALLYSTICK_TOKEN", "ts_api_none");
    command.env("TALLYSTICK_DATA_DIR", nowhere.path()).envs(shown.environment.iter().cloned());
    if shown.mentioned || shown.arguments.first().is_some_and(|word| AT_WORK.contains(&word.as_str())) {
        command.arg("--help");
    }
    let output = command.output().expect("the program runs");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let understood = !complaint.contains("try '--help'");
    (!understood).then(|| format!("tallystick {}: {complaint}", shown.arguments.join(" ")))
}

#[test]
fn every_command_that_a_page_shows_is_understood() {
    let mut shown = 0;
    let mut findings = Vec::new();
    for page in pages() {
        for command in commands(&page) {
            shown += 1;
            findings.extend(refused(&command).map(|finding| format!("{}: {finding}", page.name())));
        }
    }
    assert_eq!(findings, Vec::<String>::new());
    assert!(shown >= 20, "only {shown} commands are shown");
}

/// The commands that the program's own messages tell people to run: what stands behind the program's name in a text, set
/// off by a backtick or a colon.
fn told(source: &str) -> Vec<Vec<String>> {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let starts = ["`tallystick ", ": tallystick "];
    let behind = lines.flat_map(|line| starts.iter().flat_map(|start| line.split(start).skip(1)));
    let word = |word: &&str| {
        word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && word.starts_with(|c| c != '-')
    };
    let cut = behind.map(|rest| rest.split(['`', '"', '\'', '\\', ';', ',', '{']).next().unwrap_or_default());
    let words =
        cut.map(|text| text.split(' ').take_while(word).take(2).map(str::to_owned).collect::<Vec<_>>());
    words.filter(|words| !words.is_empty()).collect()
}

#[test]
fn every_command_that_a_message_tells_people_to_run_exists() {
    let mut found = std::collections::BTreeSet::new();
    for path in files(&root().join("services"), "rs") {
        found.extend(told(&std::fs::read_to_string(root().join(path)).expect("source files are text")));
    }
    let show = |arguments: Vec<String>| Shown { environment: Vec::new(), arguments, mentioned: true };
    let findings: Vec<String> =
        found.iter().cloned().filter_map(|arguments| refused(&show(arguments))).collect();
    assert_eq!(findings, Vec::<String>::new());
    assert!(found.len() >= 5, "only {found:?} are told");
}

#[test]
fn a_command_or_a_flag_that_does_not_exist_is_found() {
    let text = "```sh\nA=b tallystick usage --by \\\n  key --no-such-flag | head\n./x/tallystick frobnicate # why\n```\n`tallystick up --nowhere`\n";
    let page = Page { path: "planted.md".into(), text: text.to_owned() };
    let commands = commands(&page);
    let read: Vec<_> = commands.iter().map(|command| command.arguments.join(" ")).collect();
    assert_eq!(read, ["usage --by key --no-such-flag", "frobnicate", "up --nowhere"]);
    assert_eq!(commands[0].environment, [("A".to_owned(), "b".to_owned())]);
    assert!(commands.iter().all(|command| refused(command).is_some()));
}

#[test]
fn a_line_is_read_as_the_shell_reads_it() {
    assert_eq!(words("a 'b c' \"d\" e\"f\"g > h"), ["a", "b c", "d", "efg"]);
    assert_eq!(shown("curl http://x", false), None);
}
