//! Tasks that are known by name until they end.

use std::{
    any::Any,
    borrow::Cow,
    collections::BTreeMap,
    error::Error,
    fmt,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use super::Shutdown;
use crate::error_chain;

/// How long a task that was dropped at the hard stop may take to run its guards.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// Starts tasks and waits for them. Clones are the same set of tasks.
#[derive(Debug, Clone)]
pub struct Tasks {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tracker: TaskTracker,
    shutdown: Shutdown,
    abort: CancellationToken,
    next: AtomicU64,
    running: Mutex<BTreeMap<u64, Cow<'static, str>>>,
}

/// Why a task gave no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskEnded {
    /// It panicked; the panic was logged under the task's name.
    #[error("the task panicked")]
    Panicked,
    /// It was dropped at the hard stop.
    #[error("the task was stopped")]
    Stopped,
}

/// The tasks that had to be dropped because they did not end in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} task(s) did not end in time: {}", names.len(), names.join(", "))]
pub struct Unfinished {
    /// Their names, oldest first.
    pub names: Vec<String>,
}

impl Tasks {
    /// An empty set that ends with `shutdown`.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            inner: Arc::new(Inner {
                tracker: TaskTracker::new(),
                shutdown,
                abort: CancellationToken::new(),
                next: AtomicU64::new(0),
                running: Mutex::default(),
            }),
        }
    }

    /// Starts a task. A panic in it is logged and ends only this task. Dropping the handle lets it run on.
    pub fn spawn<F>(&self, name: impl Into<Cow<'static, str>>, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let name = name.into();
        let entry = self.enter(name.clone());
        let abort = self.inner.abort.clone();
        let guarded = async move {
            let _entry = entry;
            match abort.run_until_cancelled_owned(AssertUnwindSafe(future).catch_unwind()).await {
                Some(Ok(output)) => Ok(output),
                Some(Err(panic)) => {
                    tracing::error!(task.name = %name, panic.message = panic_message(&*panic), "a task panicked");
                    Err(TaskEnded::Panicked)
                }
                None => Err(TaskEnded::Stopped),
            }
        };
        Task { handle: self.inner.tracker.spawn(guarded.in_current_span()) }
    }

    /// Starts a task that the process can not live without. When it fails, panics, or ends before the drain began, the
    /// reason is logged and the process drains and ends with an error (see [`Shutdown::failure`]).
    pub fn spawn_critical<F, E>(&self, name: impl Into<Cow<'static, str>>, future: F) -> Task<()>
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let name = name.into();
        let shutdown = self.inner.shutdown.clone();
        self.spawn(name.clone(), async move {
            match AssertUnwindSafe(future).catch_unwind().await {
                Ok(Ok(())) if shutdown.is_draining() => {}
                Ok(Ok(())) => fail(&shutdown, &name, "ended although nobody asked it to"),
                Ok(Err(error)) => {
                    let error: Box<dyn Error + Send + Sync> = error.into();
                    fail(&shutdown, &name, &error_chain(&*error));
                }
                Err(panic) => fail(&shutdown, &name, &format!("panicked: {}", panic_message(&*panic))),
            }
        })
    }

    /// Runs blocking work on a thread of the pool. It can not be dropped at the hard stop: keep it short.
    pub fn spawn_blocking<F, T>(&self, name: impl Into<Cow<'static, str>>, work: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let name = name.into();
        let entry = self.enter(name.clone());
        let span = tracing::Span::current();
        Task {
            handle: self.inner.tracker.spawn_blocking(move || {
                let _entry = entry;
                span.in_scope(|| std::panic::catch_unwind(AssertUnwindSafe(work))).map_err(|panic| {
                    tracing::error!(task.name = %name, panic.message = panic_message(&*panic), "a task panicked");
                    TaskEnded::Panicked
                })
            }),
        }
    }

    /// The announcement that these tasks end with.
    #[must_use]
    pub fn shutdown_signal(&self) -> &Shutdown {
        &self.inner.shutdown
    }

    /// How many tasks have not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        self.inner.tracker.len()
    }

    /// Drains (stage one) and waits until every task has ended. After `deadline`, or when the hard stop is announced
    /// meanwhile, the rest is dropped.
    ///
    /// # Errors
    /// The names of the tasks that had to be dropped.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), Unfinished> {
        let inner = &self.inner;
        inner.shutdown.drain();
        inner.tracker.close();
        tokio::select! {
            biased;
            () = inner.tracker.wait() => return Ok(()),
            () = inner.shutdown.stopped() => {}
            () = tokio::time::sleep(deadline) => {}
        }
        let names: Vec<String> = self.names();
        inner.shutdown.stop();
        inner.abort.cancel();
        if tokio::time::timeout(ABORT_GRACE, inner.tracker.wait()).await.is_err() {
            tracing::error!(task.names = ?self.names(), "tasks block the hard stop, leaving without them");
        }
        if names.is_empty() { Ok(()) } else { Err(Unfinished { names }) }
    }

    fn names(&self) -> Vec<String> {
        let running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.values().map(ToString::to_string).collect()
    }

    fn enter(&self, name: Cow<'static, str>) -> Entry {
        let number = self.inner.next.fetch_add(1, Ordering::Relaxed);
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).insert(number, name);
        Entry { number, inner: Arc::clone(&self.inner) }
    }
}

fn fail(shutdown: &Shutdown, name: &str, reason: &str) {
    tracing::error!(task.name = %name, error.message = %reason, "a critical task ended, the process drains");
    shutdown.fail(format!("{name}: {reason}"));
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A line in the list of running tasks; removed when the task's future is dropped.
#[derive(Debug)]
struct Entry {
    number: u64,
    inner: Arc<Inner>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// A started task; awaiting it gives its value.
pub struct Task<T> {
    handle: tokio::task::JoinHandle<Result<T, TaskEnded>>,
}

impl<T> Task<T> {
    /// Drops the task's future at its next await.
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskEnded>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.handle).poll(cx).map(|joined| joined.unwrap_or(Err(TaskEnded::Stopped)))
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("finished", &self.is_finished()).finish()
    }
}
