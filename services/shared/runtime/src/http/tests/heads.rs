//! Limits on request heads and connections.

use super::*;

fn hasty() -> ServeLimits {
    ServeLimits { header_read_timeout: SHORT, ..ServeLimits::default() }
}

#[tokio::test]
async fn a_request_is_answered_and_the_connection_kept() {
    let server = start(hello(roomy()), ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, GET).await;
    assert!(read_until(&mut stream, "hello").await.starts_with("HTTP/1.1 200 OK\r\n"));
    send(&mut stream, LAST_GET).await;
    assert!(read_to_end(&mut stream).await.ends_with("hello"));
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed() {
    let server = start(hello(roomy()), hasty(), None).await;
    let mut stream = server.connect().await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let server = start(hello(roomy()), hasty(), None).await;
    let (mut reader, mut writer) = server.connect().await.into_split();
    let trickle = async {
        send_slowly(&mut writer).await;
    };
    let mut answer = Vec::new();
    let read = async {
        let _ = reader.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(PATIENCE, async {
        tokio::select! { () = trickle => {}, () = read => {} }
    })
    .await
    .expect("cut off although every byte came soon after the one before");
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
}

/// One header byte every 20 ms for ever.
async fn send_slowly(writer: &mut tokio::net::tcp::OwnedWriteHalf) {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    if writer.write_all(b"GET / HTTP/1.1\r\nx-slow: ").await.is_err() {
        return;
    }
    loop {
        pace.tick().await;
        if writer.write_all(b"a").await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn an_http2_preface_that_never_ends_is_cut_off() {
    let server = start(hello(roomy()), hasty(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, b"PRI * HTTP/2.0\r\n").await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_timeout_but_a_slow_second_head_does_not() {
    let server = start(hello(roomy()), hasty(), None).await;
    let mut stream = server.connect().await;
    send(&mut stream, GET).await;
    read_until(&mut stream, "hello").await;

    let early = tokio::time::timeout(SHORT * 4, stream.read_u8()).await;
    assert!(early.is_err(), "idle, not cut off: {early:?}");
    send(&mut stream, GET).await;
    read_until(&mut stream, "hello").await;

    send(&mut stream, b"GET / HT").await;
    assert!(!read_to_end(&mut stream).await.contains("200"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_idle_timeout() {
    let limits = ServeLimits { idle_timeout: SHORT, ..ServeLimits::default() };
    let server = start(hello(roomy()), limits, None).await;
    let mut stream = server.connect().await;
    send(&mut stream, GET).await;
    read_until(&mut stream, "hello").await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_answered_431() {
    let limits = ServeLimits { header_bytes: 8 << 10, ..ServeLimits::default() };
    let server = start(hello(roomy()), limits, None).await;
    let mut stream = server.connect().await;
    send(&mut stream, format!("GET / HTTP/1.1\r\nx-big: {}\r\n\r\n", "a".repeat(64 << 10)).as_bytes()).await;
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn a_head_just_within_the_limit_is_answered() {
    let limits = ServeLimits { header_bytes: 16 << 10, ..ServeLimits::default() };
    let server = start(hello(roomy()), limits, None).await;
    let mut stream = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nconnection: close\r\nx-big: {}\r\n\r\n", "a".repeat(15 << 10));
    send(&mut stream, head.as_bytes()).await;
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn too_many_headers_are_answered_431() {
    let limits = ServeLimits { header_count: 10, ..ServeLimits::default() };
    let server = start(hello(roomy()), limits, None).await;
    let mut stream = server.connect().await;
    send(&mut stream, format!("GET / HTTP/1.1\r\n{}\r\n", "x-many: 1\r\n".repeat(11)).as_bytes()).await;
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_a_free_slot() {
    let limits = ServeLimits { connections: 1, ..ServeLimits::default() };
    let server = start(hello(roomy()), limits, None).await;
    let mut first = server.connect().await;
    send(&mut first, GET).await;
    read_until(&mut first, "hello").await;

    let mut second = server.connect().await;
    send(&mut second, LAST_GET).await;
    let early = tokio::time::timeout(SHORT, second.read_u8()).await;
    assert!(early.is_err(), "answered although the only slot is taken");

    drop(first);
    assert!(read_to_end(&mut second).await.ends_with("hello"));
}

#[tokio::test]
async fn a_handler_sees_who_is_at_the_other_end() {
    let show = async |axum::Extension(peer): axum::Extension<Peer>| format!("{} {}", peer.address, peer.tls);
    let router = Router::new().route("/", axum::routing::get(show));
    let server = start(router, ServeLimits::default(), None).await;
    let mut stream = server.connect().await;
    let own = stream.local_addr().unwrap();
    send(&mut stream, LAST_GET).await;
    assert!(read_to_end(&mut stream).await.ends_with(&format!("{own} false")));
}
