//! A key as it is shown.

use crate::api::budgets::{BudgetView, views};
use jiff::Timestamp;
use serde::Serialize;
use tallystick_domain::{ClientId, Currency, KeyId, MemberId, ProjectId};
use tallystick_store::control::{KeyKind, KeyRow};

/// A key, without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::api) struct KeyView {
    #[schema(value_type = String)]
    id: KeyId,
    name: String,
    /// What the key begins with.
    prefix: String,
    /// `member`, `project`, `automation` or `temporary`.
    #[schema(value_type = String)]
    kind: KeyKind,
    /// `active`, `suspended`, `expired` or `revoked`.
    state: &'static str,
    #[schema(value_type = Option<String>)]
    member: Option<MemberId>,
    #[schema(value_type = Option<String>)]
    project: Option<ProjectId>,
    #[schema(value_type = Option<String>)]
    client: Option<ClientId>,
    environment: Option<String>,
    tool: Option<String>,
    /// Patterns; empty: every model.
    models: Vec<String>,
    /// Empty: every provider.
    providers: Vec<String>,
    /// Empty: every endpoint.
    endpoints: Vec<String>,
    /// CIDR ranges; empty: every address.
    ip: Vec<String>,
    /// Whether a request may name another client.
    may_set_client: bool,
    /// Whether a request may name another project.
    may_set_project: bool,
    rpm: Option<i32>,
    tpm: Option<i64>,
    parallel: Option<i32>,
    budgets: Vec<BudgetView>,
    #[schema(value_type = Option<String>)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    suspended_at: Option<Timestamp>,
    suspended_by: Option<String>,
    suspended_reason: Option<String>,
    #[schema(value_type = Option<String>)]
    revoked_at: Option<Timestamp>,
    /// The key that this one replaced.
    #[schema(value_type = Option<String>)]
    rotated_from: Option<KeyId>,
    /// Set when a successor was made: this key works until then.
    #[schema(value_type = Option<String>)]
    grace_until: Option<Timestamp>,
    created_by: String,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

impl KeyView {
    pub(super) fn of(row: &KeyRow, currency: Currency, now: Timestamp) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            prefix: row.prefix.clone(),
            kind: row.kind,
            state: row.state(now).as_str(),
            member: row.member_id,
            project: row.project_id,
            client: row.client_id,
            environment: row.environment.clone(),
            tool: row.tool.clone(),
            models: row.models.clone(),
            providers: row.providers.clone(),
            endpoints: row.endpoints.clone(),
            ip: row.ip_ranges.clone(),
            may_set_client: row.may_set_client,
            may_set_project: row.may_set_project,
            rpm: row.requests_per_minute,
            tpm: row.tokens_per_minute,
            parallel: row.parallel_requests,
            budgets: views(&row.budgets, currency),
            expires_at: row.expires_at,
            suspended_at: row.suspended_at,
            suspended_by: row.suspended_by.clone(),
            suspended_reason: row.suspended_reason.clone(),
            revoked_at: row.revoked_at,
            rotated_from: row.rotated_from,
            grace_until: row.grace_until,
            created_by: row.created_by.clone(),
            created_at: row.created_at,
        }
    }
}

/// Where clients of each shape point their base URL.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::api) struct BaseUrls {
    openai: String,
    anthropic: String,
    gemini: String,
}

/// A new key with its secret, which is shown here only.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct MadeKey {
    #[serde(flatten)]
    key: KeyView,
    /// The whole key: what goes where the provider's API key was.
    secret: String,
    base_urls: BaseUrls,
}

impl MadeKey {
    pub(super) fn new(key: KeyView, secret: String, public_url: &str) -> Self {
        let base_urls = BaseUrls {
            openai: format!("{public_url}/v1"),
            anthropic: format!("{public_url}/anthropic"),
            gemini: format!("{public_url}/gemini"),
        };
        Self { key, secret, base_urls }
    }
}
