//! How a request begins: our own accept loop, because axum's has no header timeout.
//!
//! Each connection passes, in this order: a free slot (at most [`ServeLimits::connections`]), the TLS handshake if
//! there is one, a first request head within [`ServeLimits::header_read_timeout`], hyper's limits on head size, header
//! count and HTTP/2 streams, then the router. Bodies are read by [`read_body`] or behind [`limit_body`], which hold
//! the limits on size and time.
//!
//! A refusal must reach its reader: when an answer was given before the request's body was read, the connection
//! swallows some of the rest before it closes (see `linger`), or the client's kernel would report a reset instead of
//! our `413`.
//!
//! Draining closes the listener and idle connections at once and lets requests in flight end.

mod body;
mod connection;
mod linger;
mod serve;
#[cfg(test)]
mod tests;
mod timer;
mod tls;

pub use body::{BodyError, BodyLimit, limit_body, read_body};
pub use connection::Peer;
pub use serve::{ServeLimits, bind, serve};
pub use tls::{Tls, TlsError};
