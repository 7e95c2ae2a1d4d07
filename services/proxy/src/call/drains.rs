//! What goes on after the client has left: tracked tasks, at most so many.

use crate::config::DrainLimits;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tallystick_runtime::Tasks;
use tokio::sync::Semaphore;

/// Takes over what nobody waits for.
pub(crate) struct Drains {
    tasks: Tasks,
    slots: Arc<Semaphore>,
    limit: usize,
    time: Duration,
}

impl Drains {
    pub(crate) fn new(tasks: Tasks, limits: &DrainLimits) -> Self {
        let limit = limits.concurrent;
        Self { tasks, slots: Arc::new(Semaphore::new(limit)), limit, time: limits.time }
    }

    /// How many drains are under way.
    pub(crate) fn running(&self) -> usize {
        self.limit.saturating_sub(self.slots.available_permits())
    }

    /// Runs `work` to its end. Where there is no place for it, or the process is at its hard stop, it is dropped: its
    /// guards settle what is known.
    pub(crate) fn adopt(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping =
            self.tasks.shutdown_signal().is_stopped() || tokio::runtime::Handle::try_current().is_err();
        let slot = if stopping { None } else { Arc::clone(&self.slots).try_acquire_owned().ok() };
        let Some(slot) = slot else {
            return drop(work);
        };
        let time = self.time;
        drop(self.tasks.spawn("proxy.drain", async move {
            if tokio::time::timeout(time, work).await.is_err() {
                tracing::debug!("a drain took too long");
            }
            drop(slot);
        }));
    }
}

type Work<O> = Pin<Box<dyn Future<Output = O> + Send>>;

/// A future that goes on as a drain when it is dropped before its end.
pub(crate) struct Detachable<O: Send + 'static> {
    work: Option<Work<O>>,
    drains: Arc<Drains>,
    client_gone: Arc<AtomicBool>,
    /// Set while polling: a panic leaves it set.
    inside: bool,
}

impl<O: Send + 'static> Detachable<O> {
    pub(crate) fn new(
        drains: Arc<Drains>,
        client_gone: Arc<AtomicBool>,
        work: impl Future<Output = O> + Send + 'static,
    ) -> Self {
        Self { work: Some(Box::pin(work)), drains, client_gone, inside: false }
    }
}

impl<O: Send + 'static> Future for Detachable<O> {
    type Output = O;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        self.inside = true;
        let work = self.work.as_mut().expect("it is not polled after its end");
        let polled = work.as_mut().poll(cx);
        self.inside = false;
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<O: Send + 'static> Drop for Detachable<O> {
    fn drop(&mut self) {
        let Some(work) = self.work.take().filter(|_| !self.inside) else { return };
        self.client_gone.store(true, Ordering::Release);
        self.drains.adopt(async move { drop(work.await) });
    }
}
