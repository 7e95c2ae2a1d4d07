//! What one connection knows about itself, shared between its I/O, its timers and its requests.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

/// Who is at the other end; a request extension, also as `ConnectInfo<SocketAddr>` for axum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The address of the socket's other end: the client, or the last proxy before us.
    pub address: SocketAddr,
    /// Whether the connection is encrypted up to here.
    pub tls: bool,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct ConnectionState {
    /// A request head has been read completely.
    began: AtomicBool,
    /// The client is still sending something that nobody will read.
    unread: AtomicBool,
    /// When the first byte after an idle time arrived.
    woke: Mutex<Option<Instant>>,
}

impl ConnectionState {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: AtomicBool::new(false),
            unread: AtomicBool::new(true),
            woke: Mutex::new(None),
        })
    }

    pub(super) fn begin_request(&self) {
        self.began.store(true, Ordering::Relaxed);
        self.unread.store(false, Ordering::Relaxed);
    }

    pub(super) fn has_begun(&self) -> bool {
        self.began.load(Ordering::Relaxed)
    }

    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// Bytes arrived. Only the first call after [`Self::fall_idle`] counts.
    pub(super) fn wake(&self) {
        self.woke.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
    }

    /// The connection waits for its next request.
    pub(super) fn fall_idle(&self) {
        *self.woke.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// When the head that is being read now began to arrive.
    pub(super) fn woke_at(&self) -> Option<Instant> {
        *self.woke.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request body that tells its connection when it was dropped before its end.
#[derive(Debug)]
pub(super) struct TrackedBody {
    inner: Incoming,
    ended: bool,
    state: Arc<ConnectionState>,
}

impl TrackedBody {
    pub(super) fn new(inner: Incoming, state: Arc<ConnectionState>) -> Self {
        let ended = http_body::Body::is_end_stream(&inner);
        Self { inner, ended, state }
    }
}

impl http_body::Body for TrackedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) {
            self.ended = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        if !self.ended && !http_body::Body::is_end_stream(&self.inner) {
            self.state.leave_unread();
        }
    }
}
