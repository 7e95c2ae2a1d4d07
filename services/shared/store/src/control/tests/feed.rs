use super::*;
use futures_util::future::join_all;
use std::time::Duration;

#[tokio::test]
async fn the_story_is_dense_and_in_the_order_of_commits_under_concurrent_writers() {
    let (_database, store, team) = with_team().await;
    let writers = (0..8_u128).map(|writer| {
        let store = store.clone();
        async move {
            for n in 0..10_u128 {
                let id = 1_000 + writer * 100 + n;
                store.control_add(&by(), &project(team, id)).await.unwrap();
                // A change that is refused leaves no gap.
                assert!(store.control_add(&by(), &project(team, id)).await.is_err());
            }
        }
    });
    let reader = async {
        let (mut position, mut seen) = (0, Vec::new());
        while position < 81 {
            for change in store.control_changes_after(position, 7).await.unwrap() {
                assert_eq!(change.seq, position + 1, "a change became visible before an earlier one");
                position = change.seq;
                seen.push(change.object_id);
            }
        }
        seen
    };
    let (_, seen) = tokio::join!(join_all(writers), reader);
    assert_eq!(seen.len(), 81);
    assert_eq!(store.control_seq().await.unwrap(), 81);
}

#[tokio::test]
async fn a_snapshot_holds_everything_at_one_position() {
    let (_database, store, team) = with_team().await;
    store.control_add(&by(), &client(team, 2)).await.unwrap();
    let key = KeyRow { client_id: Some(client(team, 2).id), ..key(team, 3) };
    store.control_add(&by(), &key).await.unwrap();
    let snapshot = store.control_snapshot().await.unwrap();
    assert_eq!(snapshot.seq, 3);
    assert_eq!(snapshot.teams, [super::team(1)]);
    assert_eq!(snapshot.clients, [client(team, 2)]);
    assert_eq!(snapshot.keys, [key]);
    assert_eq!(store.control_changes_after(snapshot.seq, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_listener_wakes_with_the_commit_of_a_change() {
    let (_database, store, team) = with_team().await;
    let mut listener = ControlListener::new(store.clone(), Duration::from_secs(60));
    listener.wait().await;
    let add = async { store.control_add(&by(), &project(team, 2)).await.unwrap() };
    let heard = tokio::time::timeout(Duration::from_secs(20), listener.wait());
    let (heard, ()) = tokio::join!(heard, add);
    heard.expect("the change was announced");
    assert_eq!(store.control_changes_after(1, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_edit_that_is_refused_or_changes_nothing_writes_nothing() {
    let (_database, store, team) = with_team().await;
    store.control_add(&by(), &project(team, 2)).await.unwrap();
    let refused = store
        .control_edit::<ProjectRow, _>(&by(), team, "project 2", "update", |row| {
            row.name = "other".to_owned();
            Err(crate::StoreError::conflict("no"))
        })
        .await;
    assert!(refused.is_err());
    store
        .control_edit::<ProjectRow, _>(&by(), team, "project 2", "update", |_| Ok(()))
        .await
        .unwrap()
        .unwrap();
    let absent =
        store.control_edit::<ProjectRow, _>(&by(), team, "nothing", "update", |_| Ok(())).await.unwrap();
    assert_eq!(absent, None);
    assert_eq!(store.control_seq().await.unwrap(), 2);
    assert_eq!(store.control_find::<ProjectRow>(team, "project 2").await.unwrap(), Some(project(team, 2)));
}

#[tokio::test]
async fn price_versions_are_stored_once_and_announced_as_one_change() {
    let (_database, store, team) = with_team().await;
    let version = |n: u128| PriceVersionRow {
        id: tallystick_domain::PriceVersionId::from_uuid(Uuid::from_u128(n)),
        team_id: None,
        provider: "openai".to_owned(),
        model: format!("model-{n}"),
        effective_from: at(),
        body: serde_json::json!({ "n": n.to_string() }),
        source: "test".to_owned(),
        created_at: at(),
    };
    let import = Uuid::from_u128(9);
    let add = async |versions: &[PriceVersionRow]| {
        store.price_versions_add(&by(), None, import, versions).await.unwrap()
    };
    assert_eq!(add(&[version(1), version(2)]).await, 2);
    assert_eq!(add(&[version(2)]).await, 0);
    assert_eq!(add(&[version(2), version(3)]).await, 1);
    let changes = store.control_changes_after(1, 10).await.unwrap();
    assert_eq!(changes.iter().map(|change| change.kind).collect::<Vec<_>>(), [ObjectKind::PriceBook; 2]);
    assert_eq!(store.price_versions_of(team).await.unwrap(), [version(1), version(2), version(3)]);
}

#[tokio::test]
async fn the_first_start_makes_one_team_and_one_token_however_many_start_at_once() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let starts = (1..=6_u128).map(|n| async move {
        let token = TokenRow {
            team_id: team(n).id,
            id: tallystick_domain::TokenId::from_uuid(Uuid::from_u128(n)),
            name: format!("operator {n}"),
            hmac: vec![u8::try_from(n).unwrap(); 32],
            pepper_version: 1,
            role: Role::Owner,
            operator: true,
            created_by: "first start".to_owned(),
            created_at: at(),
            expires_at: None,
            revoked_at: None,
        };
        store
            .control_bootstrap(&by(), &TeamRow { slug: "default".to_owned(), ..team(n) }, &token)
            .await
            .unwrap()
    });
    let made = join_all(starts).await;
    assert_eq!(made.iter().filter(|start| start.token_made).count(), 1);
    assert_eq!(store.teams().await.unwrap().len(), 1);
    assert!(made.iter().all(|start| start.team == made[0].team));
}
