//! Who calls, and what they may do. Deny by default: a handler learns its team only from [`Can`], and `Can<P>` exists
//! only for callers whose role carries the permission `P`.
//!
//! The roles' permissions are one table, below; [`covers`] compares roles by it, so that nobody gives away more than
//! they have.

use super::ApiState;
use super::error::{ApiError, ApiResult};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use tallystick_domain::TeamId;
use tallystick_runtime::Problem;
use tallystick_store::control::{Actor, Role, TeamRow, TokenRow};

/// What an API token begins with.
pub const TOKEN_PREFIX: &str = "ts_api_";
/// Longest token that is looked up, in bytes.
const TOKEN_MAX: usize = 128;

/// A caller whose token was accepted.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The token.
    pub token: TokenRow,
    /// Its team.
    pub team: TeamRow,
}

impl Caller {
    /// The caller's team: what every query is limited to.
    #[must_use]
    pub fn team_id(&self) -> TeamId {
        self.team.id
    }

    /// The caller as changes name it, at this moment.
    #[must_use]
    pub fn actor(&self, api: &ApiState) -> Actor {
        Actor { name: format!("token {}", self.token.name), at: api.clock.now() }
    }

    /// Refuses whoever is not the operator of the instance.
    ///
    /// # Errors
    /// `403 forbidden`.
    pub fn require_operator(&self, what: &str) -> ApiResult<()> {
        if self.token.operator {
            return Ok(());
        }
        Err(Problem::forbidden(format!("{what} concerns the whole instance and needs an operator's token"))
            .into())
    }
}

/// Something that a role may do.
pub trait Permission: Send + Sync + 'static {
    /// As refusals name it.
    const NAME: &'static str;
    /// Who may do it.
    const ROLES: &'static [Role];
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal for $($role:ident)|+;)+) => {
        $($(#[$doc])* #[derive(Debug)] pub struct $name;
        impl Permission for $name {
            const NAME: &'static str = $word;
            const ROLES: &'static [Role] = &[$(Role::$role),+];
        })+

        /// Every permission with the roles that carry it.
        pub const PERMISSIONS: &[(&str, &[Role])] = &[$(($name::NAME, $name::ROLES)),+];
    };
}

permissions! {
    /// See the team, its people, clients, projects, keys, providers and prices.
    View = "view" for Owner | Admin | Finance | Developer | Oncall;
    /// See usage, events and errors.
    ViewUsage = "view usage" for Owner | Admin | Finance | Developer | Oncall;
    /// See invoices, reports of money owed, contracts and the issuer.
    ViewBilling = "view billing" for Owner | Admin | Finance;
    /// See who changed what.
    ViewAudit = "view the audit log" for Owner | Admin | Finance;
    /// Change the team itself.
    ManageTeam = "change the team" for Owner | Admin;
    /// Add, change and remove members.
    ManageMembers = "manage members" for Owner | Admin;
    /// Add and change provider accounts and their secrets.
    ManageProviders = "manage providers" for Owner | Admin;
    /// Add and change clients and projects.
    ManageClients = "manage clients and projects" for Owner | Admin | Finance;
    /// Set contracts and the issuer; draft, finalise and void invoices.
    ManageBilling = "manage billing" for Owner | Admin | Finance;
    /// Make, change, rotate and revoke keys.
    ManageKeys = "manage keys" for Owner | Admin;
    /// Suspend and restore keys.
    ContainKeys = "suspend and restore keys" for Owner | Admin | Oncall;
    /// Set and import the team's prices.
    ManagePrices = "manage prices" for Owner | Admin | Finance;
    /// Import foreign usage, reassign and re-rate usage.
    ManageUsage = "import and correct usage" for Owner | Admin | Finance;
    /// Make and revoke API tokens.
    ManageTokens = "manage tokens" for Owner | Admin;
}

/// Whether whoever has `issuer` may hand out `given`: every permission of `given` is one of `issuer`.
#[must_use]
pub fn covers(issuer: Role, given: Role) -> bool {
    let owner_is_given = given == Role::Owner && issuer != Role::Owner;
    !owner_is_given && PERMISSIONS.iter().all(|(_, roles)| !roles.contains(&given) || roles.contains(&issuer))
}

/// A caller that may do `P`.
#[derive(Debug)]
pub struct Can<P> {
    caller: Arc<Caller>,
    permission: PhantomData<P>,
}

impl<P> Deref for Can<P> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<P: Permission> FromRequestParts<ApiState> for Can<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Arc<Caller>>().cloned().ok_or_else(unauthorized)?;
        if P::ROLES.contains(&caller.token.role) {
            return Ok(Self { caller, permission: PhantomData });
        }
        let detail =
            format!("the role {} may not {}; ask an owner or admin of the team", caller.token.role, P::NAME);
        Err(Problem::forbidden(detail).into())
    }
}

/// Middleware: looks the bearer token up and puts the [`Caller`] beside the request, or answers `401`.
pub(super) async fn authenticate(State(api): State<ApiState>, mut request: Request, next: Next) -> Response {
    match caller_of(&api, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(Arc::new(caller));
            next.run(request).await
        }
        Err(error) => {
            let mut response = error.into_response();
            if response.status() == http::StatusCode::UNAUTHORIZED {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

async fn caller_of(api: &ApiState, headers: &HeaderMap) -> ApiResult<Caller> {
    let text = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| token.starts_with(TOKEN_PREFIX) && token.len() <= TOKEN_MAX)
        .ok_or_else(unauthorized)?;
    let hmac = api.secrets.pepper.hmac(text);
    let token = api.store.token_by_hmac(&hmac).await?.ok_or_else(unauthorized)?;
    if !token.is_live(api.clock.now()) {
        return Err(unauthorized());
    }
    let team = api.store.team_load(token.team_id).await?.ok_or_else(unauthorized)?;
    Ok(Caller { token, team })
}

/// One text for every way in which a token is not good.
fn unauthorized() -> ApiError {
    Problem::unauthorized(
        "send a valid API token as 'Authorization: Bearer ts_api_...'; the first one stands in admin.token in the data \
         directory, 'tallystick tokens add' makes more",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_hands_out_more_than_they_have() {
        assert!(covers(Role::Owner, Role::Owner));
        assert!(covers(Role::Owner, Role::Finance));
        assert!(covers(Role::Admin, Role::Admin));
        assert!(covers(Role::Finance, Role::Developer));
        assert!(!covers(Role::Admin, Role::Owner));
        assert!(!covers(Role::Finance, Role::Admin));
        assert!(!covers(Role::Finance, Role::Oncall));
        assert!(!covers(Role::Developer, Role::Finance));
    }
}
