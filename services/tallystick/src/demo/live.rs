//! Today's traffic: a few hundred calls through the real proxy, made by a client of its own that knows nothing of us.
//!
//! Every key works as its people and services would: coding tools stream long contexts, backends ask short questions and
//! retry what the provider turned away, people close the window in mid-answer. And one script loops: it sends the very
//! same prompt again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tallystick_tests::load::{CallResult, CallSpec, Kind, Target};

use super::agency::LOOPING_KEY;
use super::random::Random;
use crate::error::{CliError, Outcome};

/// Calls at once.
const CONCURRENCY: usize = 8;
/// How often the looping script sends its prompt.
pub(super) const LOOPS: u64 = 180;
/// The client's patience for one call.
const PATIENCE: Duration = Duration::from_secs(30);

const TASK: HeaderName = HeaderName::from_static("x-tallystick-task");
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-stainless-retry-count");

/// Which API a call speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Chat,
    Messages,
    Embeddings,
}

/// What one key does today.
struct Work {
    key: &'static str,
    calls: u64,
    shape: Shape,
    model: &'static str,
    tasks: &'static [&'static str],
    prompts: &'static [&'static str],
    /// Input and output tokens, typically.
    tokens: (u64, u64),
    /// Streams of a hundred calls.
    streamed: u64,
}

/// One call, ready to be made.
struct Live {
    key: &'static str,
    spec: CallSpec,
    headers: HeaderMap,
    /// The provider turns the first attempt away; the client tries again.
    retried: bool,
}

const WORK: [Work; 9] = [
    Work {
        key: "cursor-priya",
        calls: 34,
        shape: Shape::Messages,
        model: "claude-sonnet-4-5",
        tasks: &["SHOP-322", "SHOP-323"],
        prompts: &[
            "Refactor the basket reducer to use the new money type",
            "Why does checkout.spec.ts fail on Safari?",
        ],
        tokens: (31_000, 1_100),
        streamed: 100,
    },
    Work {
        key: "cursor-tomasz",
        calls: 22,
        shape: Shape::Chat,
        model: "gpt-5.4",
        tasks: &["SUP-161"],
        prompts: &["Add a retry budget to the ticket importer", "Write tests for the escalation rules"],
        tokens: (24_000, 1_300),
        streamed: 100,
    },
    Work {
        key: "storefront-production",
        calls: 70,
        shape: Shape::Chat,
        model: "gpt-5.4",
        tasks: &["product-advice", "order-status", "returns"],
        prompts: &[
            "A customer asks which tent fits two people and a dog",
            "Where is order 118-204? Answer from the notes below",
        ],
        tokens: (7_800, 620),
        streamed: 60,
    },
    Work {
        key: "storefront-production",
        calls: 50,
        shape: Shape::Chat,
        model: "gpt-5-mini",
        tasks: &["size-finder"],
        prompts: &["Find the jacket size for 182 cm and 76 kg", "Explain the returns window in one sentence"],
        tokens: (4_600, 380),
        streamed: 30,
    },
    Work {
        key: "support-production",
        calls: 46,
        shape: Shape::Messages,
        model: "claude-haiku-4-5",
        tasks: &["triage", "summarise-thread"],
        prompts: &[
            "Sort this ticket into billing, bug or question",
            "Summarise the thread for the next shift",
        ],
        tokens: (5_900, 340),
        streamed: 20,
    },
    Work {
        key: "open-webui-team",
        calls: 24,
        shape: Shape::Chat,
        model: "gpt-5.4",
        tasks: &[],
        prompts: &["Draft an agenda for Thursday's kickoff", "Translate this brief into German"],
        tokens: (2_900, 760),
        streamed: 90,
    },
    Work {
        key: "catalog-nightly",
        calls: 18,
        shape: Shape::Embeddings,
        model: "text-embedding-3-small",
        tasks: &["embed-catalog"],
        prompts: &["Trail shoe, waterproof, reinforced toe", "Down jacket, 700 fill, recycled shell"],
        tokens: (38_000, 0),
        streamed: 0,
    },
    Work {
        key: "contractor-leo",
        calls: 16,
        shape: Shape::Messages,
        model: "claude-opus-4-5",
        tasks: &["PITCH-19"],
        prompts: &[
            "Turn the interview notes into three findings",
            "Check the funnel numbers against the sheet",
        ],
        tokens: (22_000, 1_400),
        streamed: 80,
    },
    Work {
        key: LOOPING_KEY,
        calls: 14,
        shape: Shape::Chat,
        model: "gpt-4.1-mini",
        tasks: &["nightly-evals"],
        prompts: &[
            "Grade this answer from 1 to 5 and say why",
            "Is the citation in the source? Answer yes or no",
        ],
        tokens: (3_300, 300),
        streamed: 0,
    },
];

/// What the client saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) calls: u64,
    pub(super) streams: u64,
    pub(super) failed: u64,
    pub(super) hung_up: u64,
    pub(super) retried: u64,
}

/// Makes all calls of the day; `progress` hears how many are done.
pub(super) async fn run(
    proxy_url: &str,
    secrets: &BTreeMap<String, String>,
    seed: u64,
    progress: impl Fn(u64),
) -> Outcome<Seen> {
    let mut targets = BTreeMap::new();
    for (key, secret) in secrets {
        targets.insert(key.as_str(), Target::new(format!("{proxy_url}/v1"), secret));
    }
    let calls = plan(seed);
    let mut running = futures_util::stream::iter(&calls)
        .map(|live| {
            let target = targets.get(live.key).cloned();
            async move {
                let target = target.ok_or_else(|| CliError::new(format!("no key is called {}", live.key)))?;
                Ok::<_, CliError>(call(&target, live).await)
            }
        })
        .buffer_unordered(CONCURRENCY);
    let mut seen = Seen::default();
    while let Some(results) = running.next().await {
        for result in results? {
            seen.take(&result);
        }
        progress(seen.calls);
    }
    Ok(seen)
}

async fn call(target: &Target, live: &Live) -> Vec<CallResult> {
    let first = target.clone().with_headers(live.headers.clone()).call(&live.spec).await;
    if !live.retried {
        return vec![first];
    }
    let mut headers = live.headers.clone();
    headers.insert(RETRY_COUNT, HeaderValue::from_static("1"));
    let second = target.clone().with_headers(headers).call(&live.spec).await;
    vec![first, second]
}

impl Seen {
    fn take(&mut self, result: &CallResult) {
        self.calls += 1;
        self.streams += u64::from(result.events > 0);
        self.failed += u64::from(result.status.is_none_or(|status| status >= 400));
        self.hung_up += u64::from(result.kind == Kind::Disconnect);
        self.retried += u64::from(result.kind == Kind::UpstreamError && result.status == Some(200));
    }
}

/// The day's calls in the order in which they are made: the loop runs beside the ordinary work.
fn plan(seed: u64) -> Vec<Live> {
    let mut random = Random::new(seed, "live");
    let mut calls: Vec<(u64, Live)> = Vec::new();
    for work in &WORK {
        for number in 0..work.calls {
            calls.push((random.below(1 << 32), ordinary(work, number, &mut random)));
        }
    }
    for number in 0..LOOPS {
        calls.push((random.below(1 << 32), looping(number)));
    }
    calls.sort_by_key(|(order, _)| *order);
    calls.into_iter().map(|(_, live)| live).collect()
}

fn ordinary(work: &Work, number: u64, random: &mut Random) -> Live {
    let nonce = format!("{}-{}-{number}", work.key, work.model);
    let (input, output) = (random.around(work.tokens.0).max(1), random.around(work.tokens.1));
    let streamed = work.shape != Shape::Embeddings && random.below(100) < work.streamed;
    // Of twenty calls one meets an overloaded provider; some of these are tried again, some are given up.
    let fault = work.shape != Shape::Embeddings && random.chance(50);
    let retried = fault && random.chance(700);
    let hangs_up = streamed && !fault && random.chance(30);
    let mut marks = format!("n={nonce} p={input}");
    if work.shape != Shape::Embeddings {
        marks += &format!(" c={}", output.max(1));
    }
    if streamed {
        marks += " chunks=12";
    }
    if fault {
        marks += if retried { " fault=429 times=1" } else { " fault=503" };
    }
    let prompt = random.one_of(work.prompts).copied().unwrap_or_default();
    let text = format!("{prompt} [[{marks}]]");
    let kind = match (fault, hangs_up) {
        (true, _) => Kind::UpstreamError,
        (false, true) => Kind::Disconnect,
        (false, false) => Kind::Chat,
    };
    let mut headers = HeaderMap::new();
    if let Some(task) = random.one_of(work.tasks) {
        headers.insert(TASK, HeaderValue::from_static(task));
    }
    let hang_up_after = hangs_up.then_some(3);
    let spec = spec(work.shape, nonce, kind, hang_up_after, &body(work, &text, output.max(1), streamed));
    Live { key: work.key, spec, headers, retried }
}

/// The script that does not notice that it got its answer: no nonce, no new word, the same bytes every time.
fn looping(number: u64) -> Live {
    let text = "Score the regression suite against the reference answers and stop when all pass. [[p=14200 cached=0 c=720]]";
    let body = json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": text}], "max_completion_tokens": 720});
    let mut headers = HeaderMap::new();
    headers.insert(TASK, HeaderValue::from_static("nightly-evals"));
    let spec = spec(Shape::Chat, format!("loop-{number}"), Kind::Chat, None, &body);
    Live { key: LOOPING_KEY, spec, headers, retried: false }
}

fn spec(shape: Shape, nonce: String, kind: Kind, hang_up_after: Option<usize>, body: &Value) -> CallSpec {
    let path = match shape {
        Shape::Chat => "/chat/completions",
        Shape::Messages => "/messages",
        Shape::Embeddings => "/embeddings",
    };
    CallSpec { nonce, kind, path, body: body.to_string().into(), hang_up_after, timeout: PATIENCE }
}

fn body(work: &Work, text: &str, output: u64, streamed: bool) -> Value {
    match work.shape {
        Shape::Embeddings => json!({"model": work.model, "input": text, "dimensions": 8}),
        Shape::Messages => json!({
            "model": work.model, "max_tokens": output, "stream": streamed,
            "messages": [{"role": "user", "content": text}],
        }),
        Shape::Chat => json!({
            "model": work.model, "max_completion_tokens": output, "stream": streamed,
            "messages": [{"role": "system", "content": "You are a careful assistant."}, {"role": "user", "content": text}],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_plans_the_same_day_again() {
        let bodies = |seed| plan(seed).into_iter().map(|live| live.spec.body).collect::<Vec<_>>();
        assert_eq!(bodies(1), bodies(1));
        assert_ne!(bodies(1), bodies(2));
    }

    #[test]
    fn the_looping_script_sends_the_same_bytes_and_nobody_else_does() {
        let calls = plan(1);
        let looping: BTreeSet<_> = calls
            .iter()
            .filter(|live| live.spec.nonce.starts_with("loop-"))
            .map(|live| live.spec.body.clone())
            .collect();
        assert_eq!(looping.len(), 1);
        let others: Vec<_> = calls.iter().filter(|live| !live.spec.nonce.starts_with("loop-")).collect();
        let distinct: BTreeSet<_> = others.iter().map(|live| live.spec.body.clone()).collect();
        assert_eq!(distinct.len(), others.len());
    }

    #[test]
    fn a_day_holds_streams_failures_retries_and_closed_windows() {
        let calls = plan(1);
        assert!(calls.iter().any(|live| live.retried));
        assert!(calls.iter().any(|live| live.spec.kind == Kind::UpstreamError && !live.retried));
        assert!(calls.iter().any(|live| live.spec.kind == Kind::Disconnect));
        assert!((300..700).contains(&calls.len()), "{}", calls.len());
    }
}
