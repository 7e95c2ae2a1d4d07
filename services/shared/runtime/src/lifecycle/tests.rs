//! Ending in two stages, with tasks that behave and tasks that do not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::*;

const LONG: Duration = Duration::from_secs(30);

fn process() -> (Shutdown, Tasks) {
    let shutdown = Shutdown::new();
    (shutdown.clone(), Tasks::new(shutdown))
}

#[tokio::test]
async fn a_task_gives_its_value() {
    let (_, tasks) = process();
    assert_eq!(tasks.spawn("answer", async { 42 }).await, Ok(42));
    assert_eq!(tasks.spawn_blocking("blocking answer", || 43).await, Ok(43));
}

#[tokio::test]
async fn draining_lets_a_task_in_flight_end_by_itself() {
    let (shutdown, tasks) = process();
    let heard = shutdown.clone();
    let flushed = Arc::new(AtomicBool::new(false));
    let flush = Arc::clone(&flushed);
    tasks.spawn("writer", async move {
        heard.draining().await;
        tokio::task::yield_now().await;
        flush.store(true, Ordering::SeqCst);
    });
    assert_eq!(tasks.shutdown(LONG).await, Ok(()));
    assert!(flushed.load(Ordering::SeqCst));
    assert!(!shutdown.is_stopped());
}

#[tokio::test]
async fn a_task_that_does_not_end_is_dropped_at_the_deadline_and_named() {
    struct Guard(Arc<AtomicBool>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (shutdown, tasks) = process();
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Guard(Arc::clone(&dropped));
    let task = tasks.spawn("stubborn", async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    let ended = tasks.shutdown(Duration::from_millis(20)).await;
    assert_eq!(ended, Err(Unfinished { names: vec!["stubborn".into()] }));
    assert!(dropped.load(Ordering::SeqCst), "its guard ran");
    assert!(shutdown.is_stopped());
    assert_eq!(task.await, Err(TaskEnded::Stopped));
}

#[tokio::test]
async fn a_hard_stop_cuts_the_drain_short() {
    let (shutdown, tasks) = process();
    tasks.spawn("stubborn", std::future::pending::<()>());
    shutdown.stop();
    let ended = tokio::time::timeout(LONG / 2, tasks.shutdown(LONG)).await.unwrap();
    assert!(ended.is_err());
}

#[tokio::test]
async fn a_panicking_task_ends_alone() {
    let (shutdown, tasks) = process();
    let ended = tasks.spawn("clumsy", async { panic!("slipped") }).await;
    assert_eq!(ended, Err::<(), _>(TaskEnded::Panicked));
    assert!(!shutdown.is_draining());
    assert_eq!(tasks.shutdown(LONG).await, Ok(()));
}

#[tokio::test]
async fn a_critical_task_that_fails_drains_the_process_and_keeps_the_first_reason() {
    let (shutdown, tasks) = process();
    tasks.spawn_critical("spool", async { Err(std::io::Error::other("fsync failed")) });
    shutdown.draining().await;
    shutdown.fail("a later reason");
    assert_eq!(shutdown.failure(), Some("spool: fsync failed"));
}

#[tokio::test]
async fn a_critical_task_that_panics_drains_the_process() {
    let (shutdown, tasks) = process();
    tasks.spawn_critical("fold", async {
        if tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.is_err() {
            panic!("no rows");
        }
        Ok::<(), std::io::Error>(())
    });
    shutdown.draining().await;
    assert_eq!(shutdown.failure(), Some("fold: panicked: no rows"));
}

#[tokio::test]
async fn a_critical_task_may_end_only_during_the_drain() {
    let (shutdown, tasks) = process();
    let heard = shutdown.clone();
    let server = tasks.spawn_critical("server", async move {
        heard.draining().await;
        Ok::<(), std::io::Error>(())
    });
    shutdown.drain();
    server.await.unwrap();
    assert_eq!(shutdown.failure(), None);

    let (shutdown, tasks) = process();
    tasks.spawn_critical("server", async { Ok::<(), std::io::Error>(()) });
    shutdown.draining().await;
    assert_eq!(shutdown.failure(), Some("server: ended although nobody asked it to"));
}
