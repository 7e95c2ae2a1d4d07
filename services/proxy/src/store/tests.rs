//! The mapping from the control plane's tables, against a real database.

use super::*;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tallystick_domain::{Currency, KeyId, PriceVersionId};
use tallystick_runtime::TestClock;
use tallystick_store::control::Actor;
use tallystick_store::secrets::MasterKey;
use tallystick_store::testing::TestDatabase;

const NOW: &str = "2026-11-23T12:00:00Z";

fn at() -> Timestamp {
    NOW.parse().unwrap()
}

fn by() -> Actor {
    Actor { name: "test".to_owned(), at: at() }
}

fn team_row() -> TeamRow {
    TeamRow {
        id: TeamId::derived("test", &[b"team"]),
        slug: "agency".to_owned(),
        name: "Agency".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        currency: Currency::EUR,
        default_key_budgets: Vec::new(),
        created_at: at(),
    }
}

fn key_row() -> KeyRow {
    KeyRow {
        team_id: team_row().id,
        id: KeyId::derived("test", &[b"key"]),
        public_part: "abcdefghijkl".to_owned(),
        prefix: "ts_live_ci_abcdefghijkl".to_owned(),
        hmac: vec![7; 32],
        pepper_version: 1,
        name: "ci".to_owned(),
        kind: rows::KeyKind::Project,
        member_id: None,
        project_id: None,
        client_id: None,
        environment: Some("staging".to_owned()),
        tool: None,
        models: vec!["gpt-*".to_owned()],
        providers: Vec::new(),
        endpoints: Vec::new(),
        ip_ranges: Vec::new(),
        may_set_client: true,
        may_set_project: false,
        requests_per_minute: None,
        tokens_per_minute: None,
        parallel_requests: None,
        budgets: Vec::new(),
        expires_at: None,
        suspended_at: None,
        suspended_by: None,
        suspended_reason: None,
        revoked_at: None,
        rotated_from: None,
        grace_until: None,
        created_by: "test".to_owned(),
        created_at: at(),
    }
}

fn provider_row(secret_box: &SecretBox) -> ProviderRow {
    let team = team_row().id;
    let origin = "https://api.openai.com";
    let sealed = secret_box.seal(&provider_binding(team, "openai", origin), [1; 12], b"sk-test");
    ProviderRow {
        team_id: team,
        id: ProviderId::derived("test", &[b"openai"]),
        name: "openai".to_owned(),
        kind: rows::ProviderKind::OpenAi,
        base_url: format!("{origin}/v1"),
        origin: origin.to_owned(),
        secret: Some(sealed),
        secret_set_at: Some(at()),
        price_name: "openai".to_owned(),
        models: Vec::new(),
        private_address: false,
        created_at: at(),
        archived_at: None,
    }
}

async fn world() -> (TestDatabase, Store, StoreControl) {
    let database = TestDatabase::create().await;
    let store = database.store().clone();
    let secret_box = MasterKey::from_bytes([7; 32]).secrets().secret_box;
    store.control_add(&by(), &team_row()).await.unwrap();
    store.control_add(&by(), &key_row()).await.unwrap();
    store.control_add(&by(), &provider_row(&secret_box)).await.unwrap();
    let control = StoreControl::new(store.clone(), secret_box, Duration::from_secs(60));
    (database, store, control)
}

async fn only_change(control: &StoreControl, after: u64) -> Change {
    match control.changes(after).await.unwrap() {
        Changes::UpTo { seq, mut changes } => {
            assert_eq!((seq, changes.len()), (after + 1, 1));
            changes.remove(0)
        }
        Changes::Gap => panic!("the feed has no gap"),
    }
}

#[tokio::test]
async fn a_snapshot_has_every_row_and_opens_the_providers_secret() {
    let (_database, store, control) = world().await;
    let snapshot = control.snapshot().await.unwrap();
    assert_eq!(snapshot.seq, store.control_seq().await.unwrap());
    assert_eq!((snapshot.teams[0].zone.name(), snapshot.teams[0].currency), ("Europe/Berlin", Currency::EUR));
    let key = &snapshot.keys[0];
    assert_eq!((key.public.as_str(), key.digest, key.may_name_client), ("abcdefghijkl", [7; 32], true));
    assert_eq!(key.state, KeyState::Active);
    let ProviderSecret::Value(secret) = &snapshot.providers[0].secret else {
        panic!("the secret does not open")
    };
    assert_eq!(secret.expose_secret(), "sk-test");
}

#[tokio::test]
async fn a_secret_does_not_follow_its_provider_to_another_origin() {
    let (_database, store, control) = world().await;
    let after = control.snapshot().await.unwrap().seq;
    let redirect = |row: &mut ProviderRow| {
        row.base_url = "https://evil.example/v1".to_owned();
        row.origin = "https://evil.example".to_owned();
        Ok(())
    };
    store.control_edit(&by(), team_row().id, "openai", "update", redirect).await.unwrap().unwrap();
    let Change::Provider(provider) = only_change(&control, after).await else {
        panic!("it was the provider")
    };
    assert!(matches!(provider.secret, ProviderSecret::Unreadable));
}

#[tokio::test]
async fn a_revocation_is_announced_and_arrives_within_a_second() {
    let (_database, store, control) = world().await;
    let after = control.snapshot().await.unwrap().seq;
    control.wait(after, Duration::from_secs(10)).await;
    assert!(
        matches!(control.changes(after).await.unwrap(), Changes::UpTo { changes, .. } if changes.is_empty())
    );
    let revoke = |row: &mut KeyRow| {
        row.revoked_at = Some(at());
        Ok(())
    };
    let waiting = async {
        loop {
            control.wait(after, Duration::from_secs(10)).await;
            if matches!(control.changes(after).await.unwrap(), Changes::UpTo { changes, .. } if !changes.is_empty())
            {
                break;
            }
        }
    };
    let by = by();
    let revoking = store.control_edit(&by, team_row().id, "ci", "revoke", revoke);
    let (revoked, ()) =
        tokio::time::timeout(Duration::from_secs(1), async { tokio::join!(revoking, waiting) })
            .await
            .expect("the announcement arrives long before the poll");
    revoked.unwrap().unwrap();
    let Change::Key(key) = only_change(&control, after).await else { panic!("it was the key") };
    assert_eq!(key.state, KeyState::Revoked);
}

#[tokio::test]
async fn imported_prices_make_new_books_and_a_team_may_have_its_own() {
    let (_database, store, control) = world().await;
    let after = control.snapshot().await.unwrap().seq;
    let version = |rate: &str| {
        let version: PriceVersion = serde_json::from_value(serde_json::json!({
            "provider": "openai", "model": "gpt-x", "effective_from": NOW, "source": "test", "checked_on": "2026-11-23",
            "currency": "EUR", "rates": { "input_uncached": rate, "output_text": "4" },
            "revision": if rate == "1" { 0 } else { 1 },
        }))
        .unwrap();
        version.with_derived_id()
    };
    let row = |version: &PriceVersion, team: Option<TeamId>| PriceVersionRow {
        id: version.id,
        team_id: team,
        provider: version.provider.clone(),
        model: version.model.clone(),
        effective_from: version.effective_from,
        body: serde_json::to_value(version).unwrap(),
        source: "test".to_owned(),
        created_at: at(),
    };
    let (common, own) = (version("1"), version("2"));
    let broken = PriceVersionRow {
        id: PriceVersionId::derived("test", &[b"broken"]),
        body: serde_json::json!({ "not": "a price" }),
        ..row(&common, None)
    };
    let rows = [row(&common, None), row(&own, Some(team_row().id)), broken];
    store.price_versions_add(&by(), None, Uuid::nil(), &rows).await.unwrap();
    let Change::Prices(book, teams) = only_change(&control, after).await else {
        panic!("it was the price book")
    };
    let found = |book: &PriceBook| book.lookup("openai", "gpt-x", at()).unwrap().version.id;
    assert_eq!(found(&book), common.id);
    assert_eq!(found(&teams[&team_row().id]), own.id);
}

#[tokio::test]
async fn the_register_moves_an_epoch_once_and_answers_a_repeated_question_alike() {
    let (_database, store, _) = world().await;
    let epochs = StoreEpochs::new(store, TestClock::at(NOW).unwrap().shared());
    let producer = ProducerId::derived("test", &[b"spool"]);
    let (boot, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(epochs.advance(producer, 0, boot).await.unwrap(), Advance::Advanced);
    assert_eq!(epochs.advance(producer, 0, boot).await.unwrap(), Advance::Advanced);
    assert_eq!(epochs.advance(producer, 0, other).await.unwrap(), Advance::Mismatch);
    assert_eq!(epochs.advance(producer, 1, other).await.unwrap(), Advance::Advanced);
}
