use super::*;
use tallystick_domain::ProducerId;

#[tokio::test]
async fn the_database_refuses_a_reference_to_an_object_of_another_team() {
    let (_database, store, ours) = with_team().await;
    store.control_add(&by(), &team(2)).await.unwrap();
    let theirs = team(2).id;
    store.control_add(&by(), &client(theirs, 20)).await.unwrap();
    store.control_add(&by(), &project(theirs, 21)).await.unwrap();
    let stolen = Some(client(theirs, 20).id);
    let refusals = [
        store.control_add(&by(), &ProjectRow { client_id: stolen, ..project(ours, 3) }).await,
        store.control_add(&by(), &KeyRow { client_id: stolen, ..key(ours, 4) }).await,
        store.control_add(&by(), &KeyRow { project_id: Some(project(theirs, 21).id), ..key(ours, 5) }).await,
    ];
    for refusal in refusals {
        assert!(refusal.unwrap_err().is_data());
    }
    assert_eq!(store.control_find::<ClientRow>(ours, "client 20").await.unwrap(), None);
}

#[tokio::test]
async fn the_story_the_prices_and_the_contracts_can_only_grow() {
    let (_database, store, _) = with_team().await;
    for statement in [
        "UPDATE control_event SET actor = 'nobody'",
        "DELETE FROM control_event",
        "TRUNCATE control_event",
        "TRUNCATE price_version",
        "TRUNCATE contract",
    ] {
        let refused = sqlx::query(statement).execute(store.pool()).await;
        assert!(refused.unwrap_err().to_string().contains("append-only"), "{statement}");
    }
}

#[tokio::test]
async fn the_database_holds_what_each_kind_of_key_asks_for() {
    let (_database, store, team) = with_team().await;
    let unbounded = KeyRow { kind: KeyKind::Automation, budgets: Vec::new(), ..key(team, 2) };
    let refused = store.control_add(&by(), &unbounded).await.unwrap_err();
    assert!(refused.violates("virtual_key_automation_is_capped"), "{refused:?}");
    let endless = KeyRow { kind: KeyKind::Temporary, ..key(team, 2) };
    let refused = store.control_add(&by(), &endless).await.unwrap_err();
    assert!(refused.violates("virtual_key_temporary_expires"), "{refused:?}");
}

#[tokio::test]
async fn rotating_twice_at_once_makes_one_successor() {
    let (_database, store, team) = with_team().await;
    store.control_add(&by(), &key(team, 2)).await.unwrap();
    let (first, second) = (key(team, 3), key(team, 4));
    let (author, id) = (by(), key(team, 2).id.to_string());
    let (a, b) = tokio::join!(
        store.key_rotate(&author, team, &id, &first, at()),
        store.key_rotate(&author, team, &id, &second, at()),
    );
    let refused =
        |outcome: &Result<_, crate::StoreError>| matches!(outcome, Err(crate::StoreError::Conflict(_)));
    assert!(a.is_ok() && refused(&b) || b.is_ok() && refused(&a), "{a:?} {b:?}");
}

#[tokio::test]
async fn a_spools_epoch_moves_once_for_each_start_and_a_copy_is_noticed() {
    let database = TestDatabase::create().await;
    let store = database.store();
    let producer = ProducerId::from_uuid(Uuid::from_u128(1));
    let advance = async |expected: u32, boot: u128| {
        store.producer_epoch_advance(producer, expected, Uuid::from_u128(boot), at()).await.unwrap()
    };
    assert_eq!(advance(1, 10).await, EpochMove::Mismatch, "never registered");
    assert_eq!(advance(0, 10).await, EpochMove::Advanced);
    assert_eq!(advance(0, 10).await, EpochMove::Advanced, "the answer was lost");
    assert_eq!(advance(0, 11).await, EpochMove::Mismatch, "a copy from before the first start");
    assert_eq!(advance(1, 12).await, EpochMove::Advanced);
    assert_eq!(advance(1, 12).await, EpochMove::Advanced);
    assert_eq!(advance(1, 13).await, EpochMove::Mismatch, "a restored backup");
    assert_eq!(advance(0, 10).await, EpochMove::Mismatch);
}

#[tokio::test]
async fn an_idempotency_key_is_claimed_once_and_answers_from_then_on() {
    let (_database, store, team) = with_team().await;
    let (request, other) = ([1_u8; 32], [2_u8; 32]);
    let long_ago = "2026-11-23T11:00:00Z".parse().unwrap();
    let claim = async |hash: &[u8; 32], abandoned| {
        store.idempotency_claim(team, "k", hash, at(), abandoned).await.unwrap()
    };
    assert_eq!(claim(&request, long_ago).await, Claim::Claimed);
    assert_eq!(claim(&request, long_ago).await, Claim::Pending);
    assert_eq!(claim(&other, long_ago).await, Claim::Other);
    let later = "2026-11-23T13:00:00Z".parse().unwrap();
    assert_eq!(claim(&other, later).await, Claim::Other, "an abandoned claim is not another request's");
    assert_eq!(claim(&request, later).await, Claim::Claimed, "an abandoned claim is taken over");
    store.idempotency_answer(team, "k", 201, b"sealed").await.unwrap();
    assert_eq!(claim(&request, later).await, Claim::Answered { status: 201, sealed: b"sealed".to_vec() });
    store.idempotency_release(team, "k").await.unwrap();
    assert_eq!(claim(&request, later).await, Claim::Answered { status: 201, sealed: b"sealed".to_vec() });
    assert_eq!(store.idempotency_expire(later).await.unwrap(), 1);
    assert_eq!(claim(&request, long_ago).await, Claim::Claimed);
}

#[test]
fn of_the_contracts_that_have_begun_the_latest_counts_and_of_its_corrections_the_newest() {
    let team = team(1).id;
    let contract = |id: u128, from: &str| ContractRow {
        team_id: team,
        id: Uuid::from_u128(id),
        client_id: client(team, 2).id,
        from_date: from.parse().unwrap(),
        markup: Some(id.into()),
        markup_shown: None,
        discount: None,
        minimum: None,
        tax_label: None,
        tax_percent: None,
        terms_days: None,
        purchase_order: None,
        exchange_rate: None,
        created_at: at(),
    };
    let all = [
        contract(1, "2026-01-01"),
        contract(3, "2026-06-01"),
        contract(2, "2026-06-01"),
        contract(4, "2026-12-01"),
    ];
    let markup =
        |day: &str| contract_in_force(&all, day.parse().unwrap()).and_then(|contract| contract.markup);
    assert_eq!(markup("2025-12-31"), None);
    assert_eq!(markup("2026-05-31"), Some(1.into()));
    assert_eq!(markup("2026-06-01"), Some(3.into()));
    let applied = contract(9, "2026-06-01").applied_to(&client(team, 2));
    assert_eq!((applied.markup, applied.tax_percent), (9.into(), Some(19.into())));
}
