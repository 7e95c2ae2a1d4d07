//! Limits on request bodies, and that a refusal is read.

use axum::{Json, extract::DefaultBodyLimit, middleware::from_fn_with_state};

use super::*;

fn tight() -> BodyLimit {
    BodyLimit { bytes: 1024, timeout: SHORT }
}

#[tokio::test]
async fn a_body_at_the_limit_is_read_and_one_byte_more_is_not() {
    let server = start(hello(tight()), ServeLimits::default(), None).await;
    for (length, expected) in [(1024, "HTTP/1.1 200 "), (1025, "HTTP/1.1 413 ")] {
        let mut stream = server.connect().await;
        let head = format!("POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        send(&mut stream, head.as_bytes()).await;
        send(&mut stream, &vec![b'x'; length]).await;
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with(expected), "{length}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let server = start(hello(tight()), ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, b"POST / HTTP/1.1\r\ncontent-length: 50000000\r\n\r\n").await;
    let answer = read_until(&mut stream, "}").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("\"code\":\"too_large\""), "{answer}");
}

#[tokio::test]
async fn a_client_that_sends_fifty_megabytes_regardless_still_reads_its_refusal() {
    let server = start(hello(tight()), ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, b"POST / HTTP/1.1\r\ncontent-length: 50000000\r\n\r\n").await;
    send(&mut stream, &vec![b'x'; 50_000_000]).await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    assert!(answer.ends_with('}'), "the whole document arrived: {answer:?}");
}

#[tokio::test]
async fn a_chunked_body_is_refused_as_soon_as_it_has_passed_the_limit() {
    let server = start(hello(tight()), ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n").await;
    send(&mut stream, format!("401\r\n{}\r\n", "x".repeat(0x401)).as_bytes()).await;
    let answer = read_until(&mut stream, "}").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "no end of the body was sent: {answer}");
}

#[tokio::test]
async fn a_chunked_body_within_the_limit_is_put_together() {
    let server = start(hello(tight()), ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, b"POST / HTTP/1.1\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for _ in 0..4 {
        send(&mut stream, b"5\r\nhello\r\n").await;
    }
    send(&mut stream, b"0\r\n\r\n").await;
    assert!(read_to_end(&mut stream).await.ends_with("\r\n\r\n20"));
}

#[tokio::test]
async fn a_body_that_stalls_is_answered_408() {
    let server = start(hello(tight()), ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, b"POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\nonly this").await;
    let answer = read_until(&mut stream, "}").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"body_timeout\""), "{answer}");
}

#[tokio::test]
async fn a_badly_framed_body_is_answered_400() {
    let server = start(hello(tight()), ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nnot a length\r\n").await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn the_middleware_holds_whole_body_handlers_to_the_same_limits() {
    let echo = async |Json(value): Json<serde_json::Value>| Json(value);
    let router = Router::new()
        .route("/", post(echo))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(tight(), limit_body));
    let server = start(router, ServeLimits::default(), None).await;
    for (body, expected) in
        [("[1]".to_owned(), "HTTP/1.1 200 "), (format!("[{}1]", "1,".repeat(1000)), "HTTP/1.1 413 ")]
    {
        let mut stream = server.connect().await;
        let head = "POST / HTTP/1.1\r\nconnection: close\r\ncontent-type: application/json\r\n";
        send(&mut stream, format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with(expected), "{answer}");
    }
}
