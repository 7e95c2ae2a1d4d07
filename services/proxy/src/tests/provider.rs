//! A provider on a real socket. Each connection answers one request with the next script.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tallystick_runtime::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What the provider does, step by step.
#[derive(Clone)]
pub(super) enum Step {
    /// Writes bytes as they are.
    Send(Bytes),
    /// Waits until the test says so.
    Wait(Arc<Notify>),
    /// Never goes on.
    Stall,
    /// Resets the connection.
    Reset,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) head: String,
    pub(super) body: String,
}

#[derive(Clone)]
pub(super) struct Provider {
    pub(super) port: u16,
    scripts: Arc<Mutex<VecDeque<Vec<Step>>>>,
    received: Arc<Mutex<Vec<Received>>>,
    arrived: Arc<Notify>,
}

impl Provider {
    pub(super) async fn start(tasks: &Tasks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            port: listener.local_addr().unwrap().port(),
            scripts: Arc::default(),
            received: Arc::default(),
            arrived: Arc::default(),
        };
        let (serving, tracker) = (provider.clone(), tasks.clone());
        drop(tasks.spawn("test.provider", async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(tracker.spawn("test.provider.connection", serving.clone().answer(stream)));
            }
        }));
        provider
    }

    /// What the next request gets.
    pub(super) fn next(&self, script: Vec<Step>) {
        self.scripts.lock().unwrap().push_back(script);
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Returns when a request has arrived.
    pub(super) async fn arrival(&self) {
        self.arrived.notified().await;
    }

    async fn answer(self, mut stream: TcpStream) {
        let Some(received) = read(&mut stream).await else { return };
        self.received.lock().unwrap().push(received);
        self.arrived.notify_one();
        let script = self.scripts.lock().unwrap().pop_front().unwrap_or_default();
        for step in script {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Wait(go) => go.notified().await,
                Step::Stall => tokio::time::sleep(Duration::from_secs(3600)).await,
                Step::Reset => {
                    #[expect(deprecated, reason = "a reset is what is wanted, and it does not block")]
                    stream.set_linger(Some(Duration::ZERO)).unwrap();
                    return;
                }
            }
        }
        stream.shutdown().await.ok();
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.unwrap_or(0) {
            return Some(Received { head: head.to_owned(), body: body.to_owned() });
        }
    }
}

/// A whole answer in one step.
pub(super) fn whole(status: &str, headers: &[(&str, &str)], body: &str) -> Vec<Step> {
    let mut text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    vec![Step::Send(text.into())]
}

pub(super) fn json(status: &str, body: &str) -> Vec<Step> {
    whole(status, &[("content-type", "application/json"), ("x-request-id", "req_up")], body)
}

/// The head of an event stream that ends with its connection.
pub(super) fn stream_head() -> Step {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    Step::Send(Bytes::from_static(head.as_bytes()))
}

/// A piece of a chunked body.
pub(super) fn piece(text: &str) -> Step {
    Step::Send(format!("{:x}\r\n{text}\r\n", text.len()).into())
}

/// The end of a chunked body.
pub(super) fn last() -> Step {
    Step::Send(Bytes::from_static(b"0\r\n\r\n"))
}

pub(super) const ANSWER: &str = r#"{"id":"c1","model":"m-1-2026-01-01","service_tier":"default","choices":[{"message":{"content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":40}}}"#;
pub(super) const DELTA: &str =
    "data: {\"id\":\"c1\",\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"hello wo\"}}]}\n\n";
pub(super) const FINISH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub(super) const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20,\"total_tokens\":120}}\n\n";
pub(super) const DONE: &str = "data: [DONE]\n\n";
