//! Draining and stopping.

use std::sync::Arc;

use axum::routing::get;
use tokio::sync::Notify;

use super::*;

struct Slow {
    server: TestServer,
    began: Arc<Notify>,
    finish: Arc<Notify>,
}

/// A server whose answer waits for a word from the test.
async fn slow() -> Slow {
    let (began, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&began), Arc::clone(&finish));
    let handler = async move || {
        tell.notify_one();
        wait.notified().await;
        "hello"
    };
    let router = Router::new().route("/", get(handler));
    Slow { server: start(router, ServeLimits::default(), None).await, began, finish }
}

#[tokio::test]
async fn a_request_in_flight_ends_during_the_drain_and_nothing_new_is_accepted() {
    let Slow { server, began, finish } = slow().await;
    let mut in_flight = server.connect().await;
    send(&mut in_flight, GET).await;
    began.notified().await;

    server.shutdown.drain();
    let refused = async {
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("the listener closes at once");
    assert!(!server.served.is_finished(), "it waits for the request");

    finish.notify_one();
    let answer = read_to_end(&mut in_flight).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"), "{answer}");
    assert!(answer.contains("connection: close"), "the client is told not to reuse it: {answer}");
    server.served.await.unwrap();
    assert_eq!(server.tasks.shutdown(PATIENCE).await, Ok(()));
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_drain() {
    let server = start(hello(roomy()), ServeLimits::default(), None).await;
    let mut idle = server.connect().await;
    send(&mut idle, GET).await;
    read_until(&mut idle, "hello").await;
    let begun = std::time::Instant::now();
    assert_eq!(server.tasks.shutdown(PATIENCE).await, Ok(()));
    assert!(begun.elapsed() < Duration::from_secs(2), "the client never closed, and nobody waited for it");
}

#[tokio::test]
async fn the_hard_stop_drops_a_request_in_flight() {
    let Slow { server, began, finish: _finish } = slow().await;
    let mut in_flight = server.connect().await;
    send(&mut in_flight, GET).await;
    began.notified().await;
    server.tasks.shutdown(Duration::ZERO).await.unwrap_err();
    assert_eq!(read_to_end(&mut in_flight).await, "");
}

#[tokio::test]
async fn a_client_that_leaves_drops_its_handler() {
    struct Left(Arc<Notify>);
    impl Drop for Left {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (began, left) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, gone) = (Arc::clone(&began), Arc::clone(&left));
    let handler = async move || {
        let _left = Left(gone);
        tell.notify_one();
        std::future::pending::<()>().await;
    };
    let server = start(Router::new().route("/", get(handler)), ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, GET).await;
    began.notified().await;
    drop(stream);
    tokio::time::timeout(PATIENCE, left.notified()).await.expect("the handler was dropped");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(address).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
