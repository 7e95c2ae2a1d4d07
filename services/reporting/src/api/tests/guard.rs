//! Who may do what; teams apart; requests repeated.

use super::{Harness, a_key};
use crate::bootstrap;
use http::Method;
use serde_json::{Value, json};
use std::future::{Future as _, poll_fn};
use std::task::Poll;
use tallystick_store::control::Role;

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PATCH: Method = Method::PATCH;

#[tokio::test]
async fn without_a_good_token_nothing_is_told_but_the_openapi_document() {
    let h = Harness::start().await;
    for token in ["", "ts_api_wrong", "nonsense", &format!("{}x", h.admin)] {
        let reply = h.send(token, GET, "/team", Value::Null, None).await;
        assert_eq!(reply.refusal(), (401, "unauthorized".to_owned()));
    }
    let document = h.send("", GET, "/openapi.json", Value::Null, None).await.ok();
    assert!(document["paths"]["/api/v1/keys"]["post"].is_object());
    let wrong = h.send(&h.admin, Method::PUT, "/team", json!({}), None).await;
    assert_eq!(wrong.refusal(), (405, "method_not_allowed".to_owned()));
    assert_eq!(h.get("/nothing/here").await.refusal(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn each_role_may_do_what_its_permissions_say_and_nothing_else() {
    let h = Harness::start().await;
    let team = h.get("/team").await.ok()["id"].as_str().unwrap().parse().unwrap();
    h.post("/keys", a_key("shared")).await.ok();
    let requests: [(&Method, &str, Value, &[Role]); 10] = [
        (&GET, "/keys", Value::Null, &[Role::Admin, Role::Finance, Role::Developer, Role::Oncall]),
        (&GET, "/audit", Value::Null, &[Role::Admin, Role::Finance]),
        (&PATCH, "/team", json!({}), &[Role::Admin]),
        (&POST, "/keys/shared/suspend", json!({}), &[Role::Admin, Role::Oncall]),
        (&POST, "/keys/shared/restore", json!({}), &[Role::Admin, Role::Oncall]),
        (&PATCH, "/keys/shared", json!({}), &[Role::Admin]),
        (&PATCH, "/issuer", json!({ "legal_name": "Studio" }), &[Role::Admin, Role::Finance]),
        (&GET, "/tokens", Value::Null, &[Role::Admin]),
        (&POST, "/providers/none/archive", json!({}), &[Role::Admin]),
        (&POST, "/members/none/remove", json!({}), &[Role::Admin]),
    ];
    for role in [Role::Admin, Role::Finance, Role::Developer, Role::Oncall] {
        let token = h.token_in(team, role).await;
        for (method, path, body, allowed) in &requests {
            let status = h.send(&token, (*method).clone(), path, body.clone(), None).await.status.as_u16();
            assert_eq!(status != 403, allowed.contains(&role), "{role} {method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn a_token_never_carries_more_than_its_issuer_and_ends_when_revoked() {
    let h = Harness::start().await;
    let team = h.get("/team").await.ok()["id"].as_str().unwrap().parse().unwrap();
    let admin = h.token_in(team, Role::Admin).await;
    let ask = |body: Value| h.send(&admin, POST, "/tokens", body, None);
    assert_eq!(ask(json!({ "role": "owner" })).await.refusal().0, 403);
    assert_eq!(ask(json!({ "role": "admin", "operator": true })).await.refusal().0, 403);
    let made = ask(json!({ "role": "finance", "name": "books", "expires": "30d" })).await.ok();
    let books = made["token"].as_str().unwrap();
    assert_eq!(h.send(books, GET, "/whoami", Value::Null, None).await.ok()["token"]["role"], "finance");
    assert!(!h.get("/tokens").await.ok().to_string().contains(books));
    assert!(!h.story().await.contains(books));

    h.clock.advance(std::time::Duration::from_secs(31 * 86_400));
    assert_eq!(h.send(books, GET, "/whoami", Value::Null, None).await.refusal().0, 401);
    h.send(&admin, POST, "/tokens/admin%20of%20the%20test/revoke", json!({}), None).await.ok();
    assert_eq!(h.send(&admin, GET, "/whoami", Value::Null, None).await.refusal().0, 401);
}

#[tokio::test]
async fn no_object_of_another_team_can_be_seen_named_or_changed() {
    let h = Harness::start().await;
    let stranger = h.other_team("elsewhere").await;
    let key = h.post("/keys", a_key("secret key")).await.ok();
    let made = [
        ("clients", h.post("/clients", json!({ "name": "Acme" })).await.ok()),
        ("projects", h.post("/projects", json!({ "name": "Website" })).await.ok()),
        ("members", h.post("/members", json!({ "email": "eve@studio.example" })).await.ok()),
        ("providers", h.post("/providers", json!({ "name": "openai", "secret": "sk-1" })).await.ok()),
        ("tokens", h.post("/tokens", json!({ "role": "admin", "name": "ci" })).await.ok()),
        ("keys", key.clone()),
    ];
    h.post("/contracts", json!({ "client": "Acme", "from": "2026-01-01" })).await.ok();
    h.patch("/issuer", json!({ "legal_name": "Studio" })).await.ok();
    let end = [
        ("clients", "archive"),
        ("projects", "archive"),
        ("members", "remove"),
        ("providers", "archive"),
        ("tokens", "revoke"),
        ("keys", "revoke"),
        ("keys", "suspend"),
        ("keys", "restore"),
        ("keys", "rotate"),
    ];
    for (resource, object) in &made {
        let list =
            h.send(&stranger, GET, &format!("/{resource}?archived=true"), Value::Null, None).await.ok();
        assert!(!list.to_string().contains(object["id"].as_str().unwrap()), "{resource}");
        for reference in ["id", "name", "email", "prefix"].iter().filter_map(|field| object[field].as_str()) {
            let path = format!("/{resource}/{}", reference.replace(' ', "%20"));
            if *resource != "tokens" {
                assert_eq!(h.send(&stranger, GET, &path, Value::Null, None).await.refusal().0, 404, "{path}");
                assert_eq!(h.send(&stranger, PATCH, &path, json!({}), None).await.refusal().0, 404, "{path}");
            }
            for (_, action) in end.iter().filter(|(of, _)| of == resource) {
                let path = format!("{path}/{action}");
                assert_eq!(h.send(&stranger, POST, &path, json!({}), None).await.refusal().0, 404, "{path}");
            }
        }
    }
    for (field, (_, object)) in ["client", "project", "member"].iter().zip(&made) {
        let body = json!({ "name": "mine", "kind": "project", *field: object["id"] });
        assert_eq!(h.send(&stranger, POST, "/keys", body, None).await.refusal().0, 404, "{field}");
    }
    assert_eq!(h.send(&stranger, GET, "/contracts/Acme", Value::Null, None).await.refusal().0, 404);
    assert_eq!(h.send(&stranger, GET, "/issuer", Value::Null, None).await.refusal().0, 404);
    let audit = h.send(&stranger, GET, "/audit", Value::Null, None).await.ok().to_string();
    assert!(!audit.contains("Acme") && !audit.contains(key["id"].as_str().unwrap()));
    assert_eq!(h.get("/keys/secret%20key").await.ok()["state"], "active");
}

#[tokio::test]
async fn a_post_that_is_sent_twice_is_carried_out_once_and_answered_alike() {
    let h = Harness::start().await;
    let send = |body: Value, key: &'static str| h.send(&h.admin, POST, "/keys", body, Some(key));
    let first = send(a_key("once"), "a").await.ok();
    let second = send(a_key("once"), "a").await;
    assert!(second.replayed);
    assert_eq!(second.status, 201);
    assert_eq!(second.body, first, "the secret too");
    assert_eq!(h.get("/keys").await.ok()["data"].as_array().unwrap().len(), 1);
    assert_eq!(send(a_key("twice"), "a").await.refusal(), (422, "idempotency_key_reused".to_owned()));
    assert_eq!(send(a_key("once"), "b").await.refusal(), (409, "name_taken".to_owned()));
    assert_eq!(send(a_key("once"), "b").await.refusal(), (409, "name_taken".to_owned()));
    assert_eq!(send(a_key("x"), "").await.refusal().0, 400);
}

#[tokio::test]
async fn the_same_key_in_two_teams_is_two_requests() {
    let h = Harness::start().await;
    let stranger = h.other_team("elsewhere").await;
    let ours = h.send(&h.admin, POST, "/keys", a_key("k"), Some("same")).await.ok();
    let theirs = h.send(&stranger, POST, "/keys", a_key("k"), Some("same")).await.ok();
    assert_ne!(ours["id"], theirs["id"]);
}

#[tokio::test]
async fn a_second_start_makes_no_second_token_and_adds_no_price_twice() {
    let h = Harness::start().await;
    let prices = tallystick_schemas::pricebook::builtin();
    let again = async || bootstrap(h.store(), &h.secrets, &h.clock, &h.ids, &prices).await.unwrap();
    let second = again().await;
    assert!(second.admin_token.is_none());
    assert_eq!(second.prices_added, prices.len() as u64);
    assert_eq!(again().await.prices_added, 0);
    assert_eq!(h.get("/whoami").await.ok()["token"]["operator"], true);
    let known = h.get("/prices/gpt-4o?provider=openai").await.ok();
    assert_eq!(known["data"][0]["provider"], "openai");
}

#[tokio::test]
async fn a_caller_who_hangs_up_at_any_point_finds_the_answer_when_asking_again() {
    let h = Harness::start().await;
    let mut finished = 0;
    for polls in 1..40 {
        let name = format!("key {polls}");
        let ask = || h.send(&h.admin, POST, "/keys", a_key(&name), Some(&name));
        let mut first = Box::pin(ask());
        let mut left = polls;
        let cut_short = poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            first.as_mut().poll(context).map(Some)
        });
        finished += u32::from(cut_short.await.is_some());
        drop(first);
        let mut answer = ask().await;
        for _ in 0..2_000 {
            if answer.status != 409 {
                break;
            }
            tokio::task::yield_now().await;
            answer = ask().await;
        }
        assert_eq!(answer.ok()["name"], name, "after {polls} polls");
    }
    assert!((1..39).contains(&finished), "some were cut short and some were not: {finished}");
}
