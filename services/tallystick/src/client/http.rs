//! Sending and reading.

use std::time::Duration;

use ::http::{HeaderValue, Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tallystick_runtime::config::{Environment, Settings};
use tallystick_runtime::{Ids, SystemClock, error_chain};

use super::Query;
use super::problem::failure;
use super::target::Target;
use crate::error::{CliError, Doing as _, Outcome};

/// Where the API begins.
const BASE: &str = "/api/v1";
/// Longest wait for an answer: a large export, or a verify, takes a while.
const PATIENCE: Duration = Duration::from_secs(300);
/// Most rows that one page is asked for.
const PAGE_ROWS: u32 = 1_000;

type Connector = HttpsConnector<HttpConnector>;

/// The API of one server, with one token. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    target: Target,
    client: Client<Connector, Full<Bytes>>,
    ids: std::sync::Arc<Ids>,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// A JSON document.
    Json(Value),
    /// Bytes of a kind.
    Bytes(&'static str, Bytes),
}

/// An answer whose status is a success.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body as JSON; `null` where there is none.
    pub(crate) fn json(&self) -> Outcome<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).doing(|| "reading the answer of the API".to_owned())
    }
}

impl Api {
    /// The server and the token as the environment, the settings and the data directory say.
    pub(crate) fn find(environment: &Environment, settings: &Settings) -> Outcome<Self> {
        Self::to(Target::find(environment, settings)?)
    }

    /// A server by its URL.
    pub(crate) fn at(url: &str, token: &str) -> Outcome<Self> {
        Self::to(Target { url: url.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    fn to(target: Target) -> Outcome<Self> {
        let connector = connector()?;
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { target, client, ids: std::sync::Arc::new(Ids::new(SystemClock::shared())) })
    }

    /// The server's URL, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.target.url
    }

    /// Asks for a path below `/api/v1`.
    pub(crate) async fn get(&self, path: &str) -> Outcome<Value> {
        self.send(Method::GET, path, Body::None).await?.json()
    }

    /// Sends a document to a path below `/api/v1`.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Outcome<Value> {
        self.send(Method::POST, path, Body::Json(body)).await?.json()
    }

    /// Changes what is at a path below `/api/v1`.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Outcome<Value> {
        self.send(Method::PATCH, path, Body::Json(body)).await?.json()
    }

    /// A list, page by page, as one document `{data, has_more, next_cursor}` with at most `limit` rows.
    pub(crate) async fn list(&self, path: &str, query: &Query, limit: u32) -> Outcome<Value> {
        let mut rows: Vec<Value> = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let missing = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            let page =
                query.clone().with("limit", Some(missing.min(PAGE_ROWS))).with("cursor", cursor.take());
            let mut answer = self.get(&page.on(path)).await?;
            if let Value::Array(data) = answer["data"].take() {
                rows.extend(data);
            }
            let more = answer["has_more"].as_bool().unwrap_or(false);
            cursor = answer["next_cursor"].as_str().map(str::to_owned);
            let full = u32::try_from(rows.len()).unwrap_or(u32::MAX) >= limit;
            if !more || full || cursor.is_none() {
                return Ok(json!({"data": rows, "has_more": more, "next_cursor": cursor}));
            }
        }
    }

    /// Sends a request to a path below `/api/v1`; an answer that is no success is an error.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Body) -> Outcome<Reply> {
        let path = if path.starts_with(BASE) { path.to_owned() } else { format!("{BASE}{path}") };
        let named = format!("{method} {path}");
        let reply = self.call(method, &path, body).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(failure(reply.status, &reply.body, &named)) }
    }

    /// Sends a request to any path of the server, whatever the answer.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Body) -> Outcome<Reply> {
        let url = format!("{}{path}", self.target.url);
        let request = self.request(method, &url, body)?;
        let answering = async {
            let response = self.client.request(request).await.map_err(|error| self.unreachable(&error))?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.doing(|| format!("reading the answer of {url}"))?.to_bytes();
            Ok(Reply { status: parts.status, body })
        };
        let late = || CliError::new(format!("{url} did not answer within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, answering).await.unwrap_or_else(|_| Err(late()))
    }

    fn request(&self, method: Method, url: &str, body: Body) -> Outcome<Request<Full<Bytes>>> {
        // An import is recognised event by event; everything else by its key.
        let keyed = method == Method::POST && !matches!(body, Body::Bytes(..));
        let (kind, bytes) = match body {
            Body::None => (None, Bytes::new()),
            Body::Json(value) => (Some("application/json"), Bytes::from(value.to_string())),
            Body::Bytes(kind, bytes) => (Some(kind), bytes),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.target.token))
            .header(header::USER_AGENT, concat!("tallystick/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(bytes))
            .doing(|| format!("making a request to {url}"))?;
        if let Some(kind) = kind {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if keyed {
            let key = self.ids.uuid().to_string();
            let key = HeaderValue::try_from(key).expect("a uuid is visible ASCII");
            request.headers_mut().insert("idempotency-key", key);
        }
        Ok(request)
    }

    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> CliError {
        CliError::new(format!("nothing answers at {}: {}", self.target.url, error_chain(error)))
            .advise("start it with `tallystick up`, or set TALLYSTICK_URL to where it is")
    }
}

/// Plain and encrypted connections, with the certificates that this machine trusts.
fn connector() -> Outcome<Connector> {
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_nodelay(true);
    plain.set_connect_timeout(Some(Duration::from_secs(10)));
    let builder = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()
        .doing(|| "reading the certificates that this machine trusts".to_owned())?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(plain))
}
