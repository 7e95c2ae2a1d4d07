//! The accept loop against raw sockets: what hyper, axum and we do together, seen from outside.

mod bodies;
mod ends;
mod heads;
mod tls;

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::State, routing::post};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;
use crate::{Problem, Shutdown, Task, Tasks};

/// Longer than anything here takes on a busy machine; only a broken test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// The time-out under test.
const SHORT: Duration = Duration::from_millis(250);

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
const LAST_GET: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";

struct TestServer {
    address: SocketAddr,
    shutdown: Shutdown,
    tasks: Tasks,
    served: Task<()>,
}

async fn start(router: Router, limits: ServeLimits, tls: Option<Tls>) -> TestServer {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let tasks = Tasks::new(shutdown.clone());
    let set = tasks.clone();
    let served = tasks.spawn("server", async move { serve(listener, router, limits, tls, &set).await });
    TestServer { address, shutdown, tasks, served }
}

impl TestServer {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Answers `GET /` with `hello` and `POST /` with the length of a body within the limit.
fn hello(limit: BodyLimit) -> Router {
    let length = async |State(limit): State<BodyLimit>, body: Body| -> Result<String, Problem> {
        Ok(read_body(body, limit.bytes, limit.timeout).await?.len().to_string())
    };
    Router::new().route("/", post(length).get(async || "hello")).with_state(limit)
}

fn roomy() -> BodyLimit {
    BodyLimit { bytes: 1 << 20, timeout: PATIENCE }
}

/// Everything until the server closes.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("closed in time");
    // A reset instead of an orderly end is fine for a client that was cut off, as long as nothing is missing before it.
    drop(read);
    String::from_utf8(bytes).unwrap()
}

/// One answer on a connection that stays open, recognised by its known body.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("answered in time");
        text.push(char::from(byte.unwrap_or_else(|error| panic!("{error} after {text:?}"))));
    }
    text
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
}
