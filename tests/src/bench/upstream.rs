//! A lean upstream in a process of its own: reads a chat call to its end, waits, gives the same 1 KB answer.

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Model and size of every call and answer.
pub(crate) const MODEL: &str = "gpt-4o-mini";
/// Bytes of a request's body and of an answer, about.
pub(crate) const BODY_BYTES: usize = 1_024;

/// Serves on a free port of the loopback interface, printed as the first line, until it is killed.
///
/// # Errors
/// When no port can be had.
pub async fn serve_upstream(delay_ms: u64) -> anyhow::Result<()> {
    let answer = answer();
    let delay = Duration::from_millis(delay_ms);
    serve(move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            request.into_body().collect().await?;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let response = Response::builder()
                .header("content-type", "application/json")
                .header("x-request-id", "req_0");
            Ok::<_, anyhow::Error>(response.body(Full::new(answer))?)
        }
    })
    .await
}

/// Accepts connections for ever and answers each request by `respond`.
pub(crate) async fn serve<R, F, B>(respond: R) -> anyhow::Result<()>
where
    R: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<Response<B>>> + Send + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("binding a free port")?;
    print_address(listener.local_addr()?)?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        connections.spawn(connection(stream, respond.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection<R, F, B>(stream: TcpStream, respond: R)
where
    R: Fn(Request<Incoming>) -> F + Send + Sync,
    F: Future<Output = anyhow::Result<Response<B>>> + Send,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let _without_it_answers_wait = stream.set_nodelay(true);
    let _a_client_that_hangs_up =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(respond)).await;
}

fn print_address(address: SocketAddr) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{address}").and_then(|()| out.flush()).context("printing the address")
}

/// A chat call of about 1 KB.
pub(crate) fn request_body() -> Bytes {
    let head = format!(r#"{{"model":"{MODEL}","max_tokens":200,"messages":[{{"role":"user","content":""#);
    padded(&head, r#""}]}"#)
}

fn answer() -> Bytes {
    let head = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1793610000,"model":"{MODEL}","usage":{{"prompt_tokens":240,"completion_tokens":180,"total_tokens":420,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0}}}},"choices":[{{"index":0,"finish_reason":"stop","message":{{"role":"assistant","content":""#
    );
    padded(&head, r#""}}]}"#)
}

fn padded(head: &str, tail: &str) -> Bytes {
    let words = "how many notches has this stick ".chars().cycle();
    let filler: String = words.take(BODY_BYTES.saturating_sub(head.len() + tail.len())).collect();
    format!("{head}{filler}{tail}").into()
}
