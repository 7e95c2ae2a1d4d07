//! The control plane's tables, by what they promise.

mod feed;
mod guards;

use super::*;
use crate::Store;
use crate::testing::TestDatabase;
use jiff::Timestamp;
use tallystick_domain::{ClientId, Currency, KeyId, ProjectId, TeamId};
use uuid::Uuid;

fn at() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn by() -> Actor {
    Actor { name: "test".to_owned(), at: at() }
}

fn team(n: u128) -> TeamRow {
    TeamRow {
        id: TeamId::from_uuid(Uuid::from_u128(n)),
        slug: format!("team-{n}"),
        name: format!("Team {n}"),
        zone: "UTC".to_owned(),
        currency: Currency::USD,
        default_key_budgets: Vec::new(),
        created_at: at(),
    }
}

fn project(team: TeamId, n: u128) -> ProjectRow {
    ProjectRow {
        team_id: team,
        id: ProjectId::from_uuid(Uuid::from_u128(n)),
        name: format!("project {n}"),
        client_id: None,
        created_at: at(),
        archived_at: None,
    }
}

fn client(team: TeamId, n: u128) -> ClientRow {
    ClientRow {
        team_id: team,
        id: ClientId::from_uuid(Uuid::from_u128(n)),
        name: format!("client {n}"),
        legal_name: String::new(),
        address: Vec::new(),
        country: None,
        vat_id: None,
        registration: None,
        email: None,
        currency: Currency::EUR,
        zone: "Europe/Berlin".to_owned(),
        markup: "12.5".parse().unwrap(),
        markup_shown: false,
        internal: false,
        terms_days: 14,
        purchase_order: None,
        tax_label: Some("VAT".to_owned()),
        tax_percent: Some("19".parse().unwrap()),
        created_at: at(),
        archived_at: None,
    }
}

fn key(team: TeamId, n: u128) -> KeyRow {
    KeyRow {
        team_id: team,
        id: KeyId::from_uuid(Uuid::from_u128(n)),
        public_part: format!("{n:012}"),
        prefix: format!("ts_live_key_{n:012}"),
        hmac: vec![7; 32],
        pepper_version: 1,
        name: format!("key {n}"),
        kind: KeyKind::Project,
        member_id: None,
        project_id: None,
        client_id: None,
        environment: Some("production".to_owned()),
        tool: None,
        models: vec!["gpt-*".to_owned()],
        providers: Vec::new(),
        endpoints: Vec::new(),
        ip_ranges: Vec::new(),
        may_set_client: true,
        may_set_project: false,
        requests_per_minute: Some(60),
        tokens_per_minute: None,
        parallel_requests: None,
        budgets: vec![BudgetSpec {
            period: BudgetPeriod::Daily,
            limit: "7.5".parse().unwrap(),
            hard: true,
            warn: vec![80],
        }],
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

/// A store with one team.
async fn with_team() -> (TestDatabase, Store, TeamId) {
    let database = TestDatabase::create().await;
    let store = database.store().clone();
    store.control_add(&by(), &team(1)).await.unwrap();
    (database, store, team(1).id)
}
