//! `tallystick events import`: a JSONL file in batches, with a report that names every bad line.
//!
//! The server judges each line by itself; a bad one never keeps the good ones out.
//! Sending a file twice changes nothing: the server knows events by their source and id.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::client::{Api, Body};
use crate::context::Context;
use crate::error::{CliError, Doing as _, Outcome};
use crate::output;

/// Events of one request.
const BATCH_EVENTS: usize = 2_000;
/// Bytes of one request, roughly.
const BATCH_BYTES: usize = 8 << 20;
/// Bad lines that are named; the rest is counted.
const NAMED: usize = 20;

/// What became of the lines of a file: the API's report, with the lines of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    pub(crate) accepted: u64,
    pub(crate) duplicates: u64,
    pub(crate) invalid: u64,
    /// Accepted, but without a price yet.
    pub(crate) unrated: u64,
    /// What became of every event, by the line of the file.
    pub(crate) results: Vec<Value>,
}

impl Report {
    fn bad(&mut self, line: u64, code: &str, reason: &str) {
        self.invalid += 1;
        self.results.push(json!({"line": line, "status": "invalid", "code": code, "reason": reason}));
    }

    /// Takes in the server's answer to a batch whose events stood on these lines.
    fn take(&mut self, mut answer: Value, lines: &[u64]) -> Outcome {
        let number = |name: &str| answer[name].as_u64().unwrap_or(0);
        self.accepted += number("accepted");
        self.duplicates += number("duplicates");
        self.invalid += number("invalid");
        self.unrated += number("unrated");
        let results = match answer["results"].take() {
            Value::Array(results) if results.len() == lines.len() => results,
            _ => return Err(CliError::new("the answer to the import does not name every event")),
        };
        for (mut result, line) in results.into_iter().zip(lines) {
            result["line"] = (*line).into();
            self.results.push(result);
        }
        Ok(())
    }

    /// The lines that did not land.
    fn errors(&self) -> impl Iterator<Item = &Value> {
        self.results.iter().filter(|result| result["status"] == "invalid")
    }

    /// The first bad lines with their reasons, and how many more there are.
    fn told(&self) -> Vec<String> {
        let reason = |bad: &Value| bad["reason"].as_str().unwrap_or("it was refused").to_owned();
        let named = self.errors().take(NAMED).map(|bad| format!("line {}: {}", bad["line"], reason(bad)));
        named.chain(output::more(self.invalid, NAMED)).collect()
    }
}

/// Lines that travel together, and their numbers in the file.
#[derive(Debug, Default)]
struct Batch {
    body: String,
    lines: Vec<u64>,
}

impl Batch {
    fn push(&mut self, line: u64, event: &str) {
        self.body.push_str(event);
        self.body.push('\n');
        self.lines.push(line);
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= BATCH_EVENTS || self.body.len() >= BATCH_BYTES
    }
}

/// Sends every line of a source; `progress` hears how many lines were dealt with.
pub(crate) async fn import(api: &Api, mut source: impl BufRead, progress: impl Fn(u64)) -> Outcome<Report> {
    let mut report = Report::default();
    let mut batch = Batch::default();
    let (mut number, mut line) = (0_u64, Vec::new());
    loop {
        line.clear();
        let read = source.read_until(b'\n', &mut line).doing(|| format!("reading line {}", number + 1))?;
        if read == 0 {
            break;
        }
        number += 1;
        match std::str::from_utf8(&line).map(|text| text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n'])) {
            Ok("") => {}
            Ok(text) => batch.push(number, text),
            Err(_) => report.bad(number, "malformed", "it is not UTF-8"),
        }
        if batch.is_full() {
            send(api, &mut batch, &mut report).await?;
            progress(number);
        }
    }
    if !batch.lines.is_empty() {
        send(api, &mut batch, &mut report).await?;
    }
    progress(number);
    report.results.sort_by_key(|result| result["line"].as_u64());
    Ok(report)
}

async fn send(api: &Api, batch: &mut Batch, report: &mut Report) -> Outcome {
    let Batch { body, lines } = std::mem::take(batch);
    let body = Body::Bytes("application/x-ndjson", Bytes::from(body));
    let reply = api.send(Method::POST, "/events", body).await?;
    report.take(reply.json()?, &lines)
}

pub(super) async fn run(context: &Context, file: &Path) -> Outcome {
    let api = context.api()?;
    let progress = |lines: u64| {
        if !context.json {
            output::note(&format!("{} lines sent", output::count(lines)));
        }
    };
    let report = if file == Path::new("-") {
        import(&api, io::stdin().lock(), progress).await?
    } else {
        let source = File::open(file).doing(|| format!("opening {}", file.display()))?;
        import(&api, BufReader::new(source), progress).await?
    };
    if context.json {
        let document = serde_json::to_value(&report).expect("counts and texts are JSON");
        output::json(&document)?;
    } else {
        let counts = [
            ("accepted", report.accepted),
            ("duplicates", report.duplicates),
            ("invalid", report.invalid),
            ("without a price", report.unrated),
        ];
        for (name, number) in counts {
            output::line(&format!("{name}\t{number}"))?;
        }
        report.told().iter().for_each(|text| output::note(text));
    }
    if report.invalid == 0 {
        return Ok(());
    }
    Err(CliError::new(format!("{} lines did not land, the others did", report.invalid))
        .advise("mend these lines and import the file again: what landed is recognised"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_counted_and_bad_lines_keep_their_number() {
        let mut report = Report::default();
        let answer = json!({"accepted": 1, "duplicates": 1, "invalid": 1, "unrated": 0, "results": [
            {"status": "accepted"},
            {"status": "duplicate"},
            {"status": "invalid", "code": "malformed", "reason": "model is missing"},
        ]});
        report.take(answer, &[1, 3, 7]).unwrap();
        assert_eq!((report.accepted, report.duplicates, report.invalid), (1, 1, 1));
        let errors: Vec<&Value> = report.errors().collect();
        assert_eq!(
            (errors.len(), &errors[0]["line"], &errors[0]["reason"]),
            (1, &json!(7), &json!("model is missing"))
        );
    }

    #[test]
    fn bad_lines_beyond_the_named_ones_are_counted() {
        let mut report = Report::default();
        (1..=23).for_each(|line| report.bad(line, "malformed", "it is not UTF-8"));
        let told = report.told();
        assert_eq!((told.len(), told[19].as_str()), (21, "line 20: it is not UTF-8"));
        assert_eq!(told[20], "and 3 more (use --json for all)");
    }

    #[test]
    fn an_answer_that_leaves_out_an_event_is_an_error() {
        assert!(Report::default().take(json!({"results": []}), &[1]).is_err());
    }

    #[test]
    fn a_batch_is_one_event_a_line() {
        let mut batch = Batch::default();
        batch.push(1, "{\"id\":1}");
        batch.push(2, "{\"id\":2}");
        assert_eq!(batch.body.lines().count(), 2);
    }
}
