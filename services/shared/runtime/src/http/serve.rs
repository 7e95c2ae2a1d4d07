//! The accept loop.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use hyper::{Request, body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::{
    Peer, Tls,
    connection::{ConnectionState, TrackedBody},
    linger::Lingering,
    timer::HeadTimer,
};
use crate::lifecycle::Tasks;

/// Pause after the system refused to accept (out of file descriptors): long enough not to spin, short enough to heal.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// hyper's smallest read buffer.
const SMALLEST_HEAD: usize = 8 << 10;
const HTTP2_PING: Duration = Duration::from_secs(20);

/// What one listener allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeLimits {
    /// Largest request head in bytes, request line and headers together (at least 8 KiB). Beyond: `431`.
    pub header_bytes: usize,
    /// Most headers of a request. Beyond: `431`.
    pub header_count: usize,
    /// Time for the TLS handshake, and for a request head from its first byte. Beyond: closed.
    pub header_read_timeout: Duration,
    /// Time that a kept-alive connection may be idle. Beyond: closed.
    pub idle_timeout: Duration,
    /// Most open connections. Beyond: they wait in the kernel's backlog.
    pub connections: usize,
    /// Most concurrent streams of an HTTP/2 connection.
    pub http2_streams: u32,
}

impl Default for ServeLimits {
    fn default() -> Self {
        crate::config::Limits::default().serve()
    }
}

/// Binds a listener, with an error that names the address.
///
/// # Errors
/// When the address is taken or not ours.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("listening on {address}: {error}")))
}

struct Server {
    router: Router,
    limits: ServeLimits,
    tls: Option<Tls>,
    tasks: Tasks,
}

/// Accepts connections until the drain, then returns when every connection has ended (or the hard stop came).
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServeLimits,
    tls: Option<Tls>,
    tasks: &Tasks,
) {
    let shutdown = tasks.shutdown_signal().clone();
    let slots = Arc::new(Semaphore::new(limits.connections));
    let server = Arc::new(Server { router, limits, tls, tasks: tasks.clone() });
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.draining() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let connection = Arc::clone(&server).connection(accepted.0, accepted.1, accepted.2);
        server.tasks.spawn("http.connection", connections.track_future(connection));
    }
    drop(listener);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = shutdown.stopped() => {}
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let slot = Arc::clone(slots).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address, slot),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(error.message = %error, "accepting a connection failed, trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the connection was gone before it was accepted: nobody here has to act.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

impl Server {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        _slot: OwnedSemaphorePermit,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::trace!(error.message = %error, "the connection is gone already");
        }
        let state = ConnectionState::new();
        let Some(tls) = &self.tls else {
            return self.drive(stream, Peer { address, tls: false }, state).await;
        };
        match tokio::time::timeout(self.limits.header_read_timeout, tls.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.drive(stream, Peer { address, tls: true }, state).await,
            Ok(Err(error)) => tracing::debug!(error.message = %error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn drive<I>(&self, stream: I, peer: Peer, state: Arc<ConnectionState>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shutdown = self.tasks.shutdown_signal();
        let io = TokioIo::new(Lingering::new(stream, Arc::clone(&state)));
        let service = service_fn(|request| self.answer(request, peer, &state));
        let builder = self.builder(&state);
        let mut connection = pin!(builder.serve_connection(io, service));
        let mut first_head = pin!(tokio::time::sleep(self.limits.header_read_timeout));
        let (mut draining, mut waiting) = (false, true);
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error.message = %error, "a connection ended badly");
                    }
                    return;
                }
                () = first_head.as_mut(), if waiting => {
                    if !state.has_begun() {
                        tracing::debug!("a connection sent no request in time");
                        return;
                    }
                    waiting = false;
                }
                () = shutdown.draining(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = shutdown.stopped() => return,
            }
        }
    }

    fn builder(&self, state: &Arc<ConnectionState>) -> auto::Builder<TrackedExecutor> {
        let limits = &self.limits;
        let timer = HeadTimer {
            state: Arc::clone(state),
            head: limits.header_read_timeout,
            idle: limits.idle_timeout,
        };
        let mut builder = auto::Builder::new(TrackedExecutor(self.tasks.clone()));
        builder
            .http1()
            .timer(timer)
            .header_read_timeout(limits.header_read_timeout)
            .max_headers(limits.header_count)
            .max_buf_size(limits.header_bytes.max(SMALLEST_HEAD));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.http2_streams)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(HTTP2_PING)
            .keep_alive_timeout(HTTP2_PING);
        builder
    }

    fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        state: &Arc<ConnectionState>,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + 'static {
        state.begin_request();
        let mut request = request.map(|body| Body::new(TrackedBody::new(body, Arc::clone(state))));
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(ConnectInfo(peer.address));
        self.router.clone().oneshot(request)
    }
}

/// Runs the streams of an HTTP/2 connection as tracked tasks.
#[derive(Clone)]
struct TrackedExecutor(Tasks);

impl<F> Executor<F> for TrackedExecutor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn("http.stream", future);
    }
}
