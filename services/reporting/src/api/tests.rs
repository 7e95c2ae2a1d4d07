//! The API as a caller sees it, on a database of its own.

mod control;
mod guard;
mod imports;
mod invoices;
mod keys;
mod ledger;
mod openapi;
mod prices;
mod providers;
mod reassign;
mod reports;
mod usage;

use crate::config::ReportingConfig;
use crate::service::{Deps, Reporting};
use crate::{FirstStart, bootstrap};
use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::sync::Arc;
use tallystick_domain::{Currency, TeamId, TokenId};
use tallystick_eventlog::MemoryLog;
use tallystick_runtime::config::{Limits, Reporting as Settings};
use tallystick_runtime::{Ids, Shutdown, Tasks, TestClock};
use tallystick_store::Store;
use tallystick_store::control::{Actor, Role, TeamRow, TokenRow};
use tallystick_store::secrets::{MASTER_BYTES, MasterKey, Secrets};
use tallystick_store::testing::TestDatabase;
use tower::ServiceExt as _;

/// The API on a fresh database, and the operator's token of its first team.
struct Harness {
    database: TestDatabase,
    router: Router,
    clock: TestClock,
    ids: Arc<Ids>,
    secrets: Secrets,
    admin: String,
    /// Where the relay ships to.
    log: MemoryLog,
}

/// What an answer was.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    body: Value,
    replayed: bool,
}

impl Reply {
    /// The body of a request that must have succeeded.
    #[track_caller]
    fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    /// Status and code of a request that must have failed.
    #[track_caller]
    fn refusal(self) -> (u16, String) {
        assert!(!self.status.is_success(), "{} {}", self.status, self.body);
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default().to_owned())
    }
}

impl Harness {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let clock = TestClock::at("2026-11-23T12:00:00Z").unwrap();
        let ids = Arc::new(Ids::new(clock.shared()));
        let secrets = MasterKey::from_bytes([9; MASTER_BYTES]).secrets();
        let store = database.store().clone();
        let log = MemoryLog::new();
        let first: FirstStart = bootstrap(&store, &secrets, &clock, &ids, &[]).await.unwrap();
        let config = ReportingConfig::new("http://tally.test/", &Limits::default(), &Settings::default());
        let deps = Deps {
            store,
            clock: clock.shared(),
            ids: Arc::clone(&ids),
            tasks: Tasks::new(Shutdown::new()),
            secrets: secrets.clone(),
            log: Arc::new(log.clone()),
            renderer: None,
        };
        let router = Reporting::build(config, deps);
        let admin = first.admin_token.unwrap().expose_secret().to_owned();
        Self { database, router, clock, ids, secrets, admin, log }
    }

    fn store(&self) -> &Store {
        self.database.store()
    }

    /// Another team with a token of its owner, who is no operator.
    async fn other_team(&self, slug: &str) -> String {
        let by = Actor { name: "test".to_owned(), at: "2026-11-23T12:00:00Z".parse().unwrap() };
        let team = TeamRow {
            id: self.ids.typed(TeamId::from_uuid),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            zone: "Europe/Berlin".to_owned(),
            currency: Currency::EUR,
            default_key_budgets: Vec::new(),
            created_at: by.at,
        };
        self.store().control_add(&by, &team).await.unwrap();
        self.token_in(team.id, Role::Owner).await
    }

    /// A token of a role in a team.
    async fn token_in(&self, team: TeamId, role: Role) -> String {
        let by = Actor { name: "test".to_owned(), at: "2026-11-23T12:00:00Z".parse().unwrap() };
        let text = crate::bootstrap::fresh_token();
        let token = TokenRow {
            team_id: team,
            id: self.ids.typed(TokenId::from_uuid),
            name: format!("{role} of the test"),
            hmac: self.secrets.pepper.hmac(&text).to_vec(),
            pepper_version: 1,
            role,
            operator: false,
            created_by: by.name.clone(),
            created_at: by.at,
            expires_at: None,
            revoked_at: None,
        };
        self.store().control_add(&by, &token).await.unwrap();
        text
    }

    async fn send(&self, token: &str, method: Method, path: &str, body: Value, key: Option<&str>) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status: parts.status, body, replayed: parts.headers.contains_key("idempotent-replayed") }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(&self.admin, Method::GET, path, Value::Null, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(&self.admin, Method::POST, path, body, None).await
    }

    async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(&self.admin, Method::PATCH, path, body, None).await
    }

    /// All that is written down about changes, as one text.
    async fn story(&self) -> String {
        let team = self.get("/team").await.ok()["id"].as_str().unwrap().parse().unwrap();
        let events = self.store().control_events(team, true, None, None, 1_000).await.unwrap();
        serde_json::to_string(&events).unwrap()
    }
}

fn a_key(name: &str) -> Value {
    json!({ "name": name, "kind": "project" })
}
