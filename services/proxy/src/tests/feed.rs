//! Following the control plane: changes are in force at once, and a proxy that lost touch admits nothing.

use super::provider::{ANSWER, json};
use super::world::{World, document, key};
use crate::control::{Change, KeyState};
use std::time::Duration;

const BODY: &str = r#"{"model":"m-1"}"#;

#[tokio::test]
async fn a_revocation_is_in_force_as_soon_as_it_is_applied() {
    let world = World::new().await;
    world.provider.next(json("200 OK", ANSWER));
    assert_eq!(world.chat(BODY).await.status(), 200);
    let (mut row, _) = key("ci");
    row.state = KeyState::Revoked;
    let seq = world.change(Change::Key(row));
    tokio::time::timeout(Duration::from_secs(1), world.applied(seq)).await.unwrap();
    assert_eq!(document(world.chat(BODY).await).await["error"]["code"], "key_revoked");
}

#[tokio::test]
async fn a_new_key_works_as_soon_as_it_is_applied() {
    let world = World::new().await;
    let (row, text) = key("new");
    let seq = world.change(Change::Key(row));
    world.applied(seq).await;
    let mut request = world.request("/v1/chat/completions", BODY);
    request.headers_mut().insert("authorization", format!("Bearer {text}").parse().unwrap());
    world.provider.next(json("200 OK", ANSWER));
    assert_eq!(world.send(request).await.status(), 200);
}

#[tokio::test]
async fn a_proxy_that_lost_touch_with_the_control_plane_says_so_and_admits_nothing() {
    let world = World::new().await;
    assert!(world.readiness.is_ready(), "{:?}", world.readiness);
    world.control.go_away(true);
    // A question that was under way may still confirm; move the clock until nobody does.
    while world.readiness.is_ready() {
        world.clock.advance(Duration::from_secs(31));
        tokio::task::yield_now().await;
    }
    let response = world.chat(BODY).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
    assert_eq!(document(response).await["error"]["code"], "not_ready");
    world.control.go_away(false);
    while !world.readiness.is_ready() {
        tokio::task::yield_now().await;
    }
    world.provider.next(json("200 OK", ANSWER));
    assert_eq!(world.chat(BODY).await.status(), 200);
}
