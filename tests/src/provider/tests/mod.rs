//! The provider judged as its clients see it: wire shapes, faults, and the bill.

mod billing;
mod faults;
mod wire;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::{DEFAULT_KEY, Provider, Settings};

/// An answer, read to its end or to where it broke off.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    whole: bool,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The data of every event of a stream.
    fn events(&self) -> Vec<&str> {
        self.text.lines().filter_map(|line| line.strip_prefix("data: ")).collect()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn started() -> Provider {
    Provider::start(Settings::default()).await.unwrap()
}

async fn send(provider: &Provider, method: Method, path: &str, key: &str, body: &[u8]) -> Option<Answer> {
    let client =
        Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http::<Full<Bytes>>();
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", provider.root_url()))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::copy_from_slice(body)))
        .unwrap();
    let (parts, mut body) = client.request(request).await.ok()?.into_parts();
    let mut bytes = Vec::new();
    let whole = loop {
        match body.frame().await {
            Some(Ok(frame)) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Some(Err(_)) => break false,
            None => break true,
        }
    };
    let text = String::from_utf8(bytes).unwrap();
    Some(Answer { status: parts.status, headers: parts.headers, text, whole })
}

async fn post(provider: &Provider, path: &str, body: &Value) -> Option<Answer> {
    send(provider, Method::POST, path, DEFAULT_KEY, body.to_string().as_bytes()).await
}

/// A chat request with these words in a mark.
fn chat(model: &str, words: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": format!("Hello [[{words}]]")}]})
}

fn stream(model: &str, words: &str, usage: Option<bool>) -> Value {
    let mut body = chat(model, words);
    body["stream"] = json!(true);
    if let Some(usage) = usage {
        body["stream_options"] = json!({"include_usage": usage});
    }
    body
}

async fn ask(provider: &Provider, body: &Value) -> Answer {
    post(provider, "/v1/chat/completions", body).await.unwrap()
}
