//! The yardstick of the proxy: the same HTTP stack (hyper's server, hyper-util's pooled client, mimalloc), nothing else.
//! Bodies stream through unread; no key, no price, no event.

use super::upstream::serve;
use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;

/// Passes everything to `upstream`, on a free port that is printed as the first line, until it is killed.
///
/// # Errors
/// When no port can be had.
pub async fn serve_passthrough(upstream: SocketAddr) -> anyhow::Result<()> {
    let authority: Authority = upstream.to_string().parse()?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    serve(move |mut request: Request<Incoming>| {
        let (client, authority) = (client.clone(), authority.clone());
        async move {
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            (parts.scheme, parts.authority) = (Some(Scheme::HTTP), Some(authority));
            *request.uri_mut() = Uri::from_parts(parts)?;
            request.headers_mut().remove("host");
            request.headers_mut().remove("connection");
            Ok(client.request(request).await?)
        }
    })
    .await
}
