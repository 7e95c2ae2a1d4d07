//! `/clients`: who the team works for.

pub(super) mod body;

use super::ApiState;
use super::auth::{Can, ManageClients, View};
use super::error::{ApiError, ApiResult};
use super::extract::Json;
use super::paging::{List, Page, PageQuery, Params};
use super::references::{NameFilter, find, live_client};
use axum::Json as Answer;
use axum::extract::{Path, State};
use http::StatusCode;
use rust_decimal::Decimal;
use tallystick_domain::ClientId;
use tallystick_store::control::ClientRow;

pub(super) use body::{ClientBody, ClientView};

/// Lists clients.
#[utoipa::path(get, path = "/clients", tag = "clients", params(PageQuery, NameFilter),
    responses((status = 200, body = List<ClientView>)))]
pub(super) async fn list(
    State(api): State<ApiState>,
    caller: Can<View>,
    page: Page,
    Params(filter): Params<NameFilter>,
) -> ApiResult<Answer<List<ClientView>>> {
    let rows = api.store.control_list::<ClientRow>(caller.team_id(), &filter.of(&page)?).await?;
    Ok(Answer(List::cut(rows, &page, |row| row.id, ClientView::from)))
}

/// Adds a client; `name` is required, currency and zone are the team's where absent.
#[utoipa::path(post, path = "/clients", tag = "clients", request_body = ClientBody,
    responses((status = 201, body = ClientView)))]
pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Can<ManageClients>,
    Json(body): Json<ClientBody>,
) -> ApiResult<(StatusCode, Answer<ClientView>)> {
    let change = body.checked()?;
    if !change.names() {
        return Err(ApiError::invalid("name is missing; say what the client is called"));
    }
    let actor = caller.actor(&api);
    let mut row = ClientRow {
        team_id: caller.team_id(),
        id: api.ids.typed(ClientId::from_uuid),
        name: String::new(),
        legal_name: String::new(),
        address: Vec::new(),
        country: None,
        vat_id: None,
        registration: None,
        email: None,
        currency: caller.team.currency,
        zone: caller.team.zone.clone(),
        markup: Decimal::ZERO,
        markup_shown: false,
        internal: false,
        terms_days: 14,
        purchase_order: None,
        tax_label: None,
        tax_percent: None,
        created_at: actor.at,
        archived_at: None,
    };
    change.apply(&mut row);
    api.store.control_add(&actor, &row).await?;
    Ok((StatusCode::CREATED, Answer(row.into())))
}

/// Shows a client.
#[utoipa::path(get, path = "/clients/{client}", tag = "clients", params(("client" = String, Path, description = "Id or name")),
    responses((status = 200, body = ClientView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<View>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<ClientView>> {
    Ok(Answer(find::<ClientRow>(&api, caller.team_id(), &reference).await?.into()))
}

/// Changes a client; what is absent stays, null clears.
#[utoipa::path(patch, path = "/clients/{client}", tag = "clients", params(("client" = String, Path, description = "Id or name")),
    request_body = ClientBody, responses((status = 200, body = ClientView)))]
pub(super) async fn update(
    State(api): State<ApiState>,
    caller: Can<ManageClients>,
    Path(reference): Path<String>,
    Json(body): Json<ClientBody>,
) -> ApiResult<Answer<ClientView>> {
    let change = body.checked()?;
    let id = live_client(&api, caller.team_id(), &reference).await?.id.to_string();
    let edited = api
        .store
        .control_edit::<ClientRow, _>(&caller.actor(&api), caller.team_id(), &id, "update", |client| {
            change.apply(client);
            Ok(())
        })
        .await?;
    edited.map(|row| Answer(row.into())).ok_or_else(|| ApiError::not_found("client", &reference))
}

/// Archives a client: it can no longer be named; what was booked to it stays.
#[utoipa::path(post, path = "/clients/{client}/archive", tag = "clients", params(("client" = String, Path, description = "Id or name")),
    responses((status = 200, body = ClientView)))]
pub(super) async fn archive(
    State(api): State<ApiState>,
    caller: Can<ManageClients>,
    Path(reference): Path<String>,
) -> ApiResult<Answer<ClientView>> {
    let actor = caller.actor(&api);
    let edited = api
        .store
        .control_edit::<ClientRow, _>(&actor, caller.team_id(), &reference, "archive", |client| {
            client.archived_at = client.archived_at.or(Some(actor.at));
            Ok(())
        })
        .await?;
    edited.map(|row| Answer(row.into())).ok_or_else(|| ApiError::not_found("client", &reference))
}
