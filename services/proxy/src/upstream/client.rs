//! The HTTP client: hyper's, over rustls with ring, with pooled connections and a time for everything.

use super::address::Resolver;
use super::target::Target;
use crate::config::UpstreamLimits;
use crate::endpoint::Call;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::Arc;
use std::time::Duration;

type Pool = Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// Both pools: one that reaches public addresses only, one for providers that may be anywhere.
#[derive(Clone)]
pub(crate) struct Upstream {
    public: Pool,
    private: Pool,
    first_byte: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// No connection: nothing was sent.
    #[error("connecting to the provider")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    /// The connection broke after the request, or some of it, was sent.
    #[error("waiting for the provider's answer")]
    Broken(#[source] hyper_util::client::legacy::Error),
    /// No status line in time.
    #[error("the provider did not answer in time")]
    Timeout,
}

impl Upstream {
    pub(crate) fn new(limits: &UpstreamLimits) -> Result<Self, rustls::Error> {
        let tls = tls()?;
        Ok(Self {
            public: pool(limits, tls.clone(), false),
            private: pool(limits, tls, true),
            first_byte: limits.first_byte_timeout,
        })
    }

    /// Sends one request and waits for the head of its answer.
    pub(crate) async fn send(
        &self,
        target: &Target,
        call: Call,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let uri = target.uri(call).expect("a target is chosen only if it offers the call").clone();
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let pool = if target.private { &self.private } else { &self.public };
        match tokio::time::timeout(self.first_byte, pool.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(UpstreamError::Unreachable(error)),
            Ok(Err(error)) => Err(UpstreamError::Broken(error)),
            Err(_) => Err(UpstreamError::Timeout),
        }
    }
}

fn pool(limits: &UpstreamLimits, tls: rustls::ClientConfig, private: bool) -> Pool {
    let mut http = HttpConnector::new_with_resolver(Resolver::new(private));
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(limits.connect_timeout));
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(http);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(limits.pool_idle_per_host)
        .pool_idle_timeout(limits.pool_idle_timeout)
        .build(https)
}

/// The machine's own certificate authorities; without any, only plain `http` providers can be reached.
fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions()?;
    Ok(match builder.clone().with_native_roots() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(error) => {
            tracing::warn!(error.message = %error, "no certificate authorities found, providers over https are out of reach");
            builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
        }
    })
}
