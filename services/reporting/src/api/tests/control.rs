//! Team, people, clients, projects, issuer, contracts, tokens, audit.

use super::Harness;
use serde_json::json;

#[tokio::test]
async fn the_team_is_shown_and_changed_and_bad_values_say_what_to_do() {
    let h = Harness::start().await;
    let team = h.get("/team").await.ok();
    assert_eq!(
        (&team["slug"], &team["zone"], &team["currency"]),
        (&json!("default"), &json!("UTC"), &json!("USD"))
    );

    let changed = h
        .patch("/team", json!({ "name": "Studio", "zone": "Europe/Berlin", "default_key_budgets": [{ "period": "daily", "limit": "5" }] }))
        .await
        .ok();
    assert_eq!((&changed["name"], &changed["zone"]), (&json!("Studio"), &json!("Europe/Berlin")));
    assert_eq!(
        changed["default_key_budgets"][0],
        json!({ "period": "daily", "limit": "5", "currency": "USD", "hard": true, "warn": [] })
    );

    for (body, code) in [
        (json!({ "zone": "Europe/Atlantis" }), "unknown_zone"),
        (json!({ "currency": "EURO" }), "unknown_currency"),
        (json!({ "name": "a\u{0}b" }), "invalid_request"),
        (json!({ "name": "  " }), "invalid_request"),
        (json!({ "owner": "me" }), "invalid_request"),
        (json!({ "default_key_budgets": [{ "period": "daily", "limit": "-1" }] }), "invalid_request"),
    ] {
        assert_eq!(h.patch("/team", body.clone()).await.refusal(), (400, code.to_owned()), "{body}");
    }
    assert_eq!(h.get("/team").await.ok()["name"], "Studio");
}

#[tokio::test]
async fn a_client_is_added_with_the_teams_defaults_found_by_name_changed_and_archived() {
    let h = Harness::start().await;
    let made = h
        .post("/clients", json!({ "name": "Acme Corp", "markup": "20%", "tax": "VAT 19%", "terms": "30d" }))
        .await
        .ok();
    assert_eq!(
        (&made["markup"], &made["tax_percent"], &made["terms"]),
        (&json!("20"), &json!("19"), &json!("30d"))
    );
    assert_eq!((&made["currency"], &made["zone"]), (&json!("USD"), &json!("UTC")));
    assert_eq!(h.get("/clients/acme%20corp").await.ok()["id"], made["id"]);

    let patch = json!({ "legal_name": "Acme Corporation GmbH", "address": ["Street 1", "Berlin"], "country": "de", "tax": null, "zone": "Europe/Berlin" });
    let changed = h.patch("/clients/Acme%20Corp", patch).await.ok();
    assert_eq!(
        (&changed["country"], &changed["tax_label"], &changed["address"][1]),
        (&json!("DE"), &json!(null), &json!("Berlin"))
    );
    assert_eq!(changed["markup"], "20");

    assert_eq!(
        h.post("/clients", json!({ "name": "ACME corp" })).await.refusal(),
        (409, "name_taken".to_owned())
    );
    h.post("/clients/Acme%20Corp/archive", json!({})).await.ok();
    assert_eq!(h.get("/clients").await.ok()["data"], json!([]));
    assert_eq!(h.get("/clients?archived=true").await.ok()["data"][0]["id"], made["id"]);
    assert_eq!(
        h.post("/keys", json!({ "name": "k", "kind": "project", "client": "Acme Corp" })).await.refusal().1,
        "archived"
    );
    let again = h.post("/clients", json!({ "name": "Acme Corp" })).await.ok();
    assert_eq!(h.get("/clients/Acme%20Corp").await.ok()["id"], again["id"]);
}

#[tokio::test]
async fn bad_clients_are_refused_with_a_code() {
    let h = Harness::start().await;
    for (body, code) in [
        (json!({}), "invalid_request"),
        (json!({ "name": "A", "markup": "-20%" }), "invalid_request"),
        (json!({ "name": "A", "markup": 20 }), "invalid_request"),
        (json!({ "name": "A", "zone": "Mars/Olympus" }), "unknown_zone"),
        (json!({ "name": "A", "currency": "Euro" }), "unknown_currency"),
        (json!({ "name": "unassigned" }), "invalid_request"),
        (json!({ "name": "A", "email": "nobody" }), "invalid_request"),
        (json!({ "name": "A", "country": "Germany" }), "invalid_request"),
        (json!({ "name": "A", "terms": "soon" }), "invalid_request"),
        (json!({ "name": "A", "address": ["a\u{0}"] }), "invalid_request"),
        (json!({ "name": "x".repeat(300) }), "invalid_request"),
    ] {
        assert_eq!(h.post("/clients", body.clone()).await.refusal(), (400, code.to_owned()), "{body}");
    }
    assert_eq!(h.get("/clients?nmae=x").await.refusal().0, 400);
    assert_eq!(h.get("/clients/%00").await.refusal().0, 400);
}

#[tokio::test]
async fn a_list_is_paged_by_cursor_without_gaps_or_repeats() {
    let h = Harness::start().await;
    for n in 0..5 {
        h.post("/projects", json!({ "name": format!("project {n}") })).await.ok();
    }
    let mut names = Vec::new();
    let mut path = "/projects?limit=2".to_owned();
    loop {
        let page = h.get(&path).await.ok();
        names.extend(
            page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(page["has_more"], false);
            break;
        };
        path = format!("/projects?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["project 0", "project 1", "project 2", "project 3", "project 4"]);
    assert_eq!(h.get("/projects?cursor=nonsense").await.refusal(), (400, "invalid_cursor".to_owned()));
    assert_eq!(h.get("/projects?limit=0").await.refusal().0, 400);
    assert_eq!(h.get("/projects?name=T%203").await.ok()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn removing_a_member_revokes_their_own_keys_and_names_the_shared_ones() {
    let h = Harness::start().await;
    let eve = h.post("/members", json!({ "email": "eve@studio.example", "role": "developer" })).await.ok();
    assert_eq!(eve["name"], "eve");
    h.post("/keys", json!({ "name": "eve laptop", "kind": "member", "member": "eve@studio.example" }))
        .await
        .ok();
    let nightly = json!({ "name": "nightly", "kind": "automation", "member": "eve", "budgets": [{ "period": "daily", "limit": "5" }] });
    h.post("/keys", nightly).await.ok();

    let removed = h.post("/members/eve@studio.example/remove", json!({})).await.ok();
    assert_eq!(removed["revoked_keys"][0]["name"], "eve laptop");
    assert_eq!(removed["shared_keys"][0]["name"], "nightly");
    assert_eq!(h.get("/keys/eve%20laptop").await.ok()["state"], "revoked");
    assert_eq!(h.get("/keys/nightly").await.ok()["state"], "active");
    assert_eq!(h.post("/members/eve/remove", json!({})).await.refusal().0, 404);
    h.post("/members", json!({ "email": "Eve@studio.example" })).await.ok();
}

#[tokio::test]
async fn the_issuer_begins_with_a_legal_name_and_keeps_what_a_later_change_leaves_out() {
    let h = Harness::start().await;
    assert_eq!(h.get("/issuer").await.refusal().0, 404);
    assert_eq!(h.patch("/issuer", json!({ "email": "a@b.example" })).await.refusal().0, 400);
    let set = h
        .patch("/issuer", json!({ "legal_name": "Studio GmbH", "iban": "DE02120300000000202051" }))
        .await
        .ok();
    assert_eq!(set["number_format"], "INV-{year}-{seq:04}");
    let png = "iVBORw0KGgoAAAANSUhEUg==";
    let again = h.patch("/issuer", json!({ "logo": png, "number_format": "ST-{seq:05}" })).await.ok();
    assert_eq!((&again["legal_name"], &again["logo_type"]), (&json!("Studio GmbH"), &json!("image/png")));
    assert_eq!(h.patch("/issuer", json!({ "number_format": "INV-1" })).await.refusal().0, 400);
    assert_eq!(h.patch("/issuer", json!({ "logo": "bm90IGFuIGltYWdl" })).await.refusal().0, 400);
}

#[tokio::test]
async fn a_contract_is_added_beside_earlier_ones() {
    let h = Harness::start().await;
    h.post("/clients", json!({ "name": "Acme", "currency": "EUR" })).await.ok();
    h.post("/contracts", json!({ "client": "Acme", "from": "2026-01-01", "markup": "10%" })).await.ok();
    let pinned = json!({ "from": "USD", "rate": "0.92", "source": "ECB", "date": "2026-10-30" });
    let second = json!({ "client": "Acme", "from": "2026-11-01", "markup": "25%", "minimum": "500", "exchange_rate": pinned });
    h.post("/contracts", second).await.ok();
    let shown = h.get("/contracts/Acme").await.ok();
    assert_eq!((&shown["data"][0]["markup"], &shown["data"][1]["markup"]), (&json!("25"), &json!("10")));
    assert_eq!((&shown["data"][0]["minimum"], &shown["data"][0]["currency"]), (&json!("500"), &json!("EUR")));
    let too_much = json!({ "client": "Acme", "from": "2026-11-01", "discount": "101%" });
    assert_eq!(h.post("/contracts", too_much).await.refusal().0, 400);
    assert_eq!(
        h.post("/contracts", json!({ "client": "Nobody", "from": "2026-11-01" })).await.refusal().0,
        404
    );
}

#[tokio::test]
async fn the_audit_log_tells_who_changed_what_from_what_to_what() {
    let h = Harness::start().await;
    let made = h.post("/projects", json!({ "name": "Website" })).await.ok();
    h.patch("/projects/Website", json!({ "name": "Site" })).await.ok();
    h.patch("/projects/Site", json!({ "name": "Site" })).await.ok();
    let id = made["id"].as_str().unwrap();
    let log = h.get(&format!("/audit?object={id}")).await.ok();
    let entries = log["data"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "an edit that changes nothing is not recorded");
    assert_eq!((&entries[0]["action"], &entries[0]["kind"]), (&json!("update"), &json!("project")));
    assert_eq!(
        (&entries[0]["before"]["name"], &entries[0]["after"]["name"]),
        (&json!("Website"), &json!("Site"))
    );
    assert!(entries[0]["actor"].as_str().unwrap().starts_with("token operator"));
}
