//! The clock of an HTTP/1 connection: how long a request head may take, and how long a connection may be idle.
//!
//! hyper has one timer for both. The first time it is set, a head is due; every later time, the connection has just
//! become idle, and the head's time only begins with its first byte.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};

use super::connection::ConnectionState;

#[derive(Debug, Clone)]
pub(super) struct HeadTimer {
    pub(super) state: Arc<ConnectionState>,
    pub(super) head: Duration,
    pub(super) idle: Duration,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let sleep = if self.state.has_begun() {
            self.state.fall_idle();
            HeadSleep {
                inner: Box::pin(tokio::time::sleep(self.idle)),
                idle: Some((Arc::clone(&self.state), self.head)),
            }
        } else {
            HeadSleep { inner: Box::pin(tokio::time::sleep_until(deadline.into())), idle: None }
        };
        Box::pin(sleep)
    }
}

struct HeadSleep {
    inner: Pin<Box<tokio::time::Sleep>>,
    /// Set while no byte of the next head has arrived: where to look for it, and the time it then has.
    idle: Option<(Arc<ConnectionState>, Duration)>,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let woke = self.idle.as_ref().and_then(|(state, head)| state.woke_at().map(|at| at + *head));
        if let Some(deadline) = woke {
            self.idle = None;
            self.inner.as_mut().reset(deadline);
        }
        self.inner.as_mut().poll(cx)
    }
}

impl Sleep for HeadSleep {}
