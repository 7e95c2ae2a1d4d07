//! A public trace of requests, replayed as the calls of one key, as fast as the machine allows.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use tallystick_tests::load::{CallSpec, Kind, Target};

use crate::error::{CliError, Doing as _, Outcome};

/// Calls at once.
const CONCURRENCY: usize = 32;
/// The model that the calls ask for.
pub(super) const MODEL: &str = "gpt-4.1-mini";
/// Longest answer that a call may ask for.
const MOST_OUTPUT: u64 = 32_000;

/// One request of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    input: u64,
    output: u64,
}

/// Reads a CSV file with the columns `ContextTokens` and `GeneratedTokens`.
pub(super) fn read(path: &Path) -> Outcome<Vec<Request>> {
    let mut reader =
        csv::Reader::from_path(path).doing(|| format!("opening the trace {}", path.display()))?;
    let headers = reader.headers().doing(|| format!("reading the trace {}", path.display()))?.clone();
    let column = |name: &str| headers.iter().position(|header| header.trim().eq_ignore_ascii_case(name));
    let (Some(input), Some(output)) = (column("ContextTokens"), column("GeneratedTokens")) else {
        return Err(CliError::usage(format!("{} is no trace", path.display()))
            .advise("it needs the columns TIMESTAMP, ContextTokens and GeneratedTokens"));
    };
    let mut requests = Vec::new();
    for (index, row) in reader.records().enumerate() {
        let place = || format!("line {} of {}", index + 2, path.display());
        let row = row.doing(place)?;
        let number = |at: usize| row.get(at).and_then(|text| text.trim().parse::<u64>().ok());
        match (number(input), number(output)) {
            (Some(input), Some(output)) => {
                requests.push(Request { input: input.max(1), output: output.clamp(1, MOST_OUTPUT) })
            }
            _ => return Err(CliError::usage(format!("{} holds no token counts", place()))),
        }
    }
    Ok(requests)
}

/// Sends every request; gives how many were answered in full.
pub(super) async fn replay(
    proxy_url: &str,
    secret: &str,
    requests: &[Request],
    progress: impl Fn(u64),
) -> Outcome<u64> {
    let target = Target::new(format!("{proxy_url}/v1"), secret);
    let mut running = futures_util::stream::iter(requests.iter().enumerate())
        .map(|(number, request)| {
            let (target, spec) = (target.clone(), spec(number, *request));
            async move { target.call(&spec).await.status == Some(200) }
        })
        .buffer_unordered(CONCURRENCY);
    let (mut done, mut answered) = (0_u64, 0_u64);
    while let Some(good) = running.next().await {
        done += 1;
        answered += u64::from(good);
        if done.is_multiple_of(100) {
            progress(done);
        }
    }
    Ok(answered)
}

fn spec(number: usize, request: Request) -> CallSpec {
    let Request { input, output } = request;
    let text = format!("Complete this function. [[n=trace-{number} p={input} cached=0 c={output}]]");
    let body = json!({
        "model": MODEL, "max_completion_tokens": output, "messages": [{"role": "user", "content": text}],
    });
    CallSpec {
        nonce: format!("trace-{number}"),
        kind: Kind::Chat,
        path: "/chat/completions",
        body: body.to_string().into(),
        hang_up_after: None,
        timeout: Duration::from_secs(60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read_text(text: &str) -> Outcome<Vec<Request>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace.csv");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn a_trace_is_read_by_the_names_of_its_columns() {
        let requests =
            read_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.97,4808,10\n").unwrap();
        assert_eq!(requests, [Request { input: 4_808, output: 10 }]);
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = read_text("TIMESTAMP,ContextTokens,GeneratedTokens\nx,1,2\nx,many,2\n").unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        assert!(read_text("a,b\n1,2\n").is_err());
    }
}
