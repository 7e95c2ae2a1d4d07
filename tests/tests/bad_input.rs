//! Bad input gets a clear error that says what to do; nothing is lost and nothing gets stuck.

use std::time::Duration;

use anyhow::Context;
use http::{HeaderName, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tallystick_tests::harness::{Gateway, GatewayOptions};
use tallystick_tests::provider::{Provider, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct World {
    provider: Provider,
    gateway: Gateway,
    key: String,
}

impl World {
    async fn new(options: GatewayOptions) -> anyhow::Result<Self> {
        let provider = Provider::start(Settings::default()).await?;
        let gateway = Gateway::start(options).await?;
        let key = gateway.connect(&provider, "bad input").await?;
        Ok(Self { provider, gateway, key })
    }

    async fn chat(
        &self,
        body: impl Into<Bytes>,
        header: Option<(&'static str, String)>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/chat/completions", self.gateway.openai_url()))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        if let Some((name, value)) = header {
            request = request.header(HeaderName::from_static(name), value);
        }
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request.body(Full::new(body.into()))?).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// A good call still works, every call that was let through is in the ledger, and the ledger proves itself.
    async fn still_well(&self, calls: usize) -> anyhow::Result<()> {
        let (status, answer) = self.chat(good("n=last"), None).await?;
        assert_eq!(status, StatusCode::OK, "{answer}");
        self.provider.settled().await;
        self.gateway.until_folded().await?;
        assert_eq!(self.gateway.all_events().await?.len(), calls + 1);
        let verify = self.gateway.cli(&["verify"]).await?;
        assert_eq!(verify["ok"], true, "{verify:#}");
        Ok(())
    }
}

fn good(marks: &str) -> Vec<u8> {
    let content = format!("Say hello. [[{marks} p=12 c=3]]");
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}]})
        .to_string()
        .into_bytes()
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("none")
}

fn message(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_request_is_told_what_is_wrong_and_leaves_no_trace_in_the_ledger() -> anyhow::Result<()> {
    let world = World::new(GatewayOptions::for_tests()).await?;

    let (status, answer) = world.chat(&b"{\"model\": \"gpt-4o-mini\", \"messages\": [}"[..], None).await?;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "invalid_request"), "{answer}");

    let mut with_nul: Value = serde_json::from_slice(&good("n=nul"))?;
    with_nul["user"] = json!("nul\u{0}inside");
    let (status, answer) = world.chat(with_nul.to_string(), None).await?;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "invalid_request"), "{answer}");
    assert!(message(&answer).contains("user"), "the field is named: {answer}");

    let (status, answer) = world.chat(good("n=task"), Some(("x-tallystick-task", "t".repeat(5_000)))).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    assert!(message(&answer).contains("x-tallystick-task"), "the header is named: {answer}");

    let (status, answer) =
        world.chat(good("n=client"), Some(("x-tallystick-client", "Nobody Inc".to_owned()))).await?;
    assert_eq!((status, code(&answer)), (StatusCode::BAD_REQUEST, "unknown_attribution"), "{answer}");

    let mut unknown: Value = serde_json::from_slice(&good("n=unknown"))?;
    unknown["a_field_from_next_year"] = json!({"deep": [1, 2, 3]});
    let (status, answer) = world.chat(unknown.to_string(), None).await?;
    assert_eq!(status, StatusCode::OK, "unknown fields pass through: {answer}");

    world.still_well(1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_body_a_huge_header_and_a_slow_sender_are_cut_off_and_others_go_on() -> anyhow::Result<()> {
    let options = GatewayOptions::for_tests()
        .with("TALLYSTICK_LIMITS_HEADER_READ_TIMEOUT", "1s")
        .with("TALLYSTICK_LIMITS_BODY_READ_TIMEOUT", "1s");
    let world = World::new(options).await?;

    let huge = format!("{{\"model\": \"gpt-4o-mini\", \"pad\": \"{}\"}}", "x".repeat(50 << 20));
    let (status, answer) = world.chat(huge, None).await?;
    assert_eq!((status, code(&answer)), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"), "{answer}");

    let (status, _) = world.chat(good("n=header"), Some(("x-padding", "h".repeat(200_000)))).await?;
    assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);

    let (slow_head, slow_body) = tokio::join!(
        world.slow(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: "),
        world.slow(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"mod")
    );
    for (what, answer) in [("head", slow_head?), ("body", slow_body?)] {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "slow {what}: {answer}");
    }
    world.still_well(0).await
}

impl World {
    /// Sends the beginning of a request and nothing more; gives what came before the gateway closed.
    async fn slow(&self, beginning: &[u8]) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(self.gateway.address()).await?;
        stream.write_all(beginning).await?;
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        // A reset is an end as good as any other.
        let _ = closed.context("the gateway waits for ever")?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_file_is_refused_line_by_line_and_the_good_lines_land() -> anyhow::Result<()> {
    let world = World::new(GatewayOptions::for_tests()).await?;
    let file = |name: &str, text: &str| -> anyhow::Result<String> {
        let path = world.gateway.scratch().join(name);
        std::fs::write(&path, text)?;
        Ok(path.to_str().context("temporary paths are text")?.to_owned())
    };

    let prices = file(
        "bad-prices.json",
        r#"{"zero-model": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
            "negative-model": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": -1e-6, "output_cost_per_token": 1e-6}}"#,
    )?;
    let (_, stdout, stderr) =
        world.gateway.cli_raw(&["prices", "import", "--format", "litellm", &prices]).await?;
    for model in ["zero-model", "negative-model"] {
        assert!(format!("{stdout}{stderr}").contains(model), "the bad price is named: {stdout}{stderr}");
    }
    let (code, stdout, stderr) = world.gateway.cli_raw(&["prices", "show", "negative-model"]).await?;
    assert_eq!(code, 3, "a refused price does not exist: {stdout}{stderr}");

    let (code, _, stderr) = world.gateway.cli_raw(&["team", "set", "--zone", "Mars/Olympus"]).await?;
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("Mars/Olympus") && stderr.contains("Europe/Berlin"),
        "says what to write instead: {stderr}"
    );

    let event = |id: &str| {
        json!({"source": "old-gateway", "id": id, "occurred_at": "2026-10-05T10:00:00Z", "provider": "openai", "model": "gpt-4o-mini",
               "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}, "api": "chat"})
    };
    let lines = format!("{}\n{{\"source\": \"old-gateway\", \"id\":\n{}\n", event("a"), event("b"));
    let import = file("events.jsonl", &lines)?;
    let (code, stdout, stderr) = world.gateway.cli_raw(&["events", "import", &import]).await?;
    assert_eq!(code, 1, "a broken line is an error at the end: {stdout}{stderr}");
    assert!(format!("{stdout}{stderr}").contains("line 2"), "the broken line is named: {stdout}{stderr}");
    world.still_well(2).await
}
