//! The load: as fast as a number of connections can go, or so many calls per second. Every answer must be a 200.

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Where calls go, and what is sent.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    /// The key that the client shows.
    pub(crate) key: String,
    pub(crate) body: Bytes,
}

impl Line {
    fn request(&self, uri: &str) -> anyhow::Result<Request<Full<Bytes>>> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header("host", self.address.to_string())
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .header("user-agent", "OpenAI/Python 2.8.1")
            .body(Full::new(self.body.clone()))?;
        Ok(request)
    }
}

/// Latencies of a stretch of calls.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The latency that `per_mille` of a thousand calls do not exceed, in milliseconds. Exact: nothing is bucketed.
    pub(crate) fn quantile_ms(&mut self, per_mille: usize) -> f64 {
        self.0.sort_unstable();
        let rank = (self.0.len() * per_mille).div_ceil(1_000).max(1) - 1;
        self.0.get(rank).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }
}

/// Calls one after the other on each of `connections` kept-alive connections, for `lasting`.
///
/// # Errors
/// The first call that does not end in a 200.
pub(crate) async fn flood(
    line: &Line,
    connections: usize,
    lasting: Duration,
) -> anyhow::Result<(Latencies, Duration)> {
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        workers.spawn(work(line.clone(), started + lasting));
    }
    let mut all = Latencies::default();
    while let Some(worker) = workers.join_next().await {
        all.0.extend(worker??);
    }
    Ok((all, started.elapsed()))
}

async fn work(line: Line, until: Instant) -> anyhow::Result<Vec<Duration>> {
    let stream = TcpStream::connect(line.address).await.context("connecting")?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let sent = Instant::now();
        sender.ready().await?;
        let response = sender.send_request(line.request("/v1/chat/completions")?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        must_be_ok(status, &body)?;
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}

/// So many calls per second for `lasting`, each sent when its time comes whatever became of those before it.
///
/// # Errors
/// The first call that does not end in a 200.
pub(crate) async fn pace(line: &Line, per_second: u32, lasting: Duration) -> anyhow::Result<Latencies> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let uri = format!("http://{}/v1/chat/completions", line.address);
    let mut calls = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = Instant::now() + lasting;
    while Instant::now() < end {
        ticks.tick().await;
        let (request, client): (_, Client<HttpConnector, Full<Bytes>>) =
            (line.request(&uri)?, client.clone());
        calls.spawn(async move {
            let sent = Instant::now();
            let response = client.request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            must_be_ok(status, &body)?;
            anyhow::Ok(sent.elapsed())
        });
    }
    let mut all = Latencies::default();
    while let Some(call) = calls.join_next().await {
        all.0.push(call??);
    }
    Ok(all)
}

fn must_be_ok(status: StatusCode, body: &Bytes) -> anyhow::Result<()> {
    if status == StatusCode::OK {
        return Ok(());
    }
    bail!("a call was answered {status}: {}", String::from_utf8_lossy(body))
}
