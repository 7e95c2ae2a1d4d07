//! Closing a connection so that its last answer is read.
//!
//! A socket that is closed while the client is still sending answers with a reset, and a reset can overtake the answer
//! that was sent just before. So, where something is left unread, closing takes two steps: shut down our half, then
//! swallow what the client sends until it closes too, for at most [`LINGER_TIME`] and [`LINGER_BYTES`].

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::connection::ConnectionState;

const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 << 20;
const SWALLOW_BYTES: usize = 16 << 10;

/// The byte stream of one connection, watched for its timers and closed gently.
pub(super) struct Lingering<I> {
    inner: I,
    state: Arc<ConnectionState>,
    closing: Option<Closing>,
}

struct Closing {
    deadline: Pin<Box<Sleep>>,
    swallowed: usize,
}

impl<I> Lingering<I> {
    pub(super) fn new(inner: I, state: Arc<ConnectionState>) -> Self {
        Self { inner, state, closing: None }
    }
}

impl<I: AsyncRead + Unpin> Lingering<I> {
    fn poll_swallow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let closing = self.closing.get_or_insert_with(|| Closing {
            deadline: Box::pin(tokio::time::sleep(LINGER_TIME)),
            swallowed: 0,
        });
        let mut space = [0; SWALLOW_BYTES];
        while closing.swallowed < LINGER_BYTES && closing.deadline.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => closing.swallowed += buffer.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Lingering<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.state.wake();
        }
        polled
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
        }
        if self.state.has_unread() {
            ready!(self.poll_swallow(cx));
        }
        Poll::Ready(Ok(()))
    }
}
