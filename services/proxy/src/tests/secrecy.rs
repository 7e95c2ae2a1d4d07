//! S1: no credential of a client goes up, no secret of a provider comes back, none of either is in an event.

use super::provider::{json, whole};
use super::world::{SECRET, World, text};

#[tokio::test]
async fn no_credential_passes_in_either_direction() {
    let world = World::new().await;
    let answer = format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {SECRET}.","code":"invalid_api_key"}}}}"#
    );
    let headers = [("set-cookie", "session=1"), ("openai-organization", "org-1"), ("authorization", SECRET)];
    world.provider.next(whole("401 Unauthorized", &headers, &answer));
    let mut request = world.request("/v1/chat/completions", r#"{"model":"m-1"}"#);
    let key = world.key.clone();
    for (name, value) in [
        ("x-api-key", key.as_str()),
        ("x-goog-api-key", &key),
        ("cookie", "session=2"),
        ("openai-organization", "org-2"),
        ("openai-project", "proj-2"),
        ("x-tallystick-task", "t"),
        ("x-forwarded-for", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
        ("te", "trailers"),
    ] {
        request
            .headers_mut()
            .insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    let response = world.send(request).await;
    let received = &world.provider.received()[0];
    assert!(received.head.contains(&format!("authorization: Bearer {SECRET}")), "{}", received.head);
    for hidden in ["ts_live_", "session=2", "org-2", "proj-2", "x-tallystick", "203.0.113.9", "trailers"] {
        assert!(!received.head.contains(hidden), "{hidden} went up: {}", received.head);
    }
    let names: Vec<&str> = response.headers().keys().map(http::HeaderName::as_str).collect();
    assert!(
        ["set-cookie", "openai-organization", "authorization"].iter().all(|name| !names.contains(name)),
        "{names:?}"
    );
    let body = text(response).await;
    assert_eq!(body, answer.replace(SECRET, "[redacted]"));
    let event = serde_json::to_string(&world.only_usage().await).unwrap();
    assert!(
        !event.contains("ts_live_") && !event.contains(SECRET) && !event.contains("198.51.100"),
        "{event}"
    );
}

#[tokio::test]
async fn prompts_are_in_no_event() {
    let world = World::new().await;
    let answer = r#"{"model":"m-1","choices":[{"message":{"content":"the answer is blue"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    world.provider.next(json("200 OK", answer));
    world.chat(r#"{"model":"m-1","messages":[{"role":"user","content":"what colour is it"}]}"#).await;
    let event = serde_json::to_string(&world.only_usage().await).unwrap();
    assert!(!event.contains("colour") && !event.contains("blue"), "{event}");
}

#[tokio::test]
async fn nobody_else_on_the_machine_can_read_the_spool() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    world.provider.next(json("200 OK", super::provider::ANSWER));
    world.chat(r#"{"model":"m-1"}"#).await;
    let mut looked_at = 0;
    let mut folders = vec![world.spool_dir()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let meta = entry.metadata().unwrap();
            assert_eq!(meta.permissions().mode() & 0o077, 0, "{:?}", entry.path());
            folders.extend(meta.is_dir().then(|| entry.path()));
            looked_at += 1;
        }
    }
    assert!(looked_at >= 4, "{looked_at}");
}
