//! Objects that a request names, and numbers that people write.

use super::ApiState;
use super::error::{ApiError, ApiResult};
use rust_decimal::Decimal;
use serde::Deserialize;
use tallystick_domain::TeamId;
use tallystick_store::control::{ClientRow, ControlObject, ListFilter, MemberRow, ProjectRow};

/// Most percent that is taken for meant.
const MOST_PERCENT: u32 = 10_000;
/// Most decimals of a percentage or an amount.
const MOST_DECIMALS: u32 = 12;

/// Filters that every list of named objects has.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NameFilter {
    /// Only those whose name holds this, in any case.
    name: Option<String>,
    /// With archived, removed or revoked ones.
    #[serde(default)]
    archived: bool,
}

impl NameFilter {
    pub(super) fn of(self, page: &super::paging::Page) -> ApiResult<ListFilter> {
        Ok(ListFilter { name: self.name, archived: self.archived, after: page.after()?, limit: page.fetch() })
    }
}

/// An object of the team by id or name; `404` when the team has none.
pub(super) async fn find<O: ControlObject>(api: &ApiState, team: TeamId, reference: &str) -> ApiResult<O> {
    let found = api.store.control_find(team, reference).await?;
    found.ok_or_else(|| ApiError::not_found(O::KIND.as_str(), reference))
}

fn archived(what: &str, name: &str) -> ApiError {
    ApiError::conflict("archived", format!("the {what} '{name}' is archived; name one that is not"))
}

pub(super) async fn live_client(api: &ApiState, team: TeamId, reference: &str) -> ApiResult<ClientRow> {
    let found: ClientRow = find(api, team, reference).await?;
    if found.archived_at.is_some() { Err(archived("client", &found.name)) } else { Ok(found) }
}

pub(super) async fn live_project(api: &ApiState, team: TeamId, reference: &str) -> ApiResult<ProjectRow> {
    let found: ProjectRow = find(api, team, reference).await?;
    if found.archived_at.is_some() { Err(archived("project", &found.name)) } else { Ok(found) }
}

pub(super) async fn live_member(api: &ApiState, team: TeamId, reference: &str) -> ApiResult<MemberRow> {
    let found: MemberRow = find(api, team, reference).await?;
    if found.removed_at.is_some() { Err(ApiError::not_found("member", reference)) } else { Ok(found) }
}

/// A percentage as people write it: `20`, `20%`, `7.5 %`.
pub(super) fn percent(field: &str, text: &str) -> ApiResult<Decimal> {
    let number = text.trim().trim_end_matches('%').trim();
    let bad = |why: &str| ApiError::invalid(format!("{field} is '{number}', {why}; write it as 20% or 7.5%"));
    let percent = Decimal::from_str_exact(number).map_err(|_| bad("which is no number"))?;
    if percent.is_sign_negative() && !percent.is_zero() {
        return Err(bad("which is negative"));
    }
    if percent > Decimal::from(MOST_PERCENT) || percent.normalize().scale() > MOST_DECIMALS {
        return Err(bad("which is out of range"));
    }
    Ok(percent.normalize())
}

/// A positive amount of money.
pub(super) fn amount(field: &str, amount: Decimal) -> ApiResult<Decimal> {
    let most = Decimal::from(1_000_000_000_000_i64);
    if amount <= Decimal::ZERO || amount > most || amount.normalize().scale() > MOST_DECIMALS {
        let detail = format!("{field} is {amount}; give an amount above zero, such as \"20\" or \"7.50\"");
        return Err(ApiError::invalid(detail));
    }
    Ok(amount.normalize())
}

/// An ISO 3166 country code.
pub(super) fn country(text: &str) -> ApiResult<String> {
    let code = text.trim().to_ascii_uppercase();
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(code);
    }
    Err(ApiError::invalid("country is no ISO 3166 code; write two letters, such as DE or US"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_read_as_people_write_it_and_never_negative() {
        for (text, expected) in
            [("20%", "20"), ("20", "20"), (" 7.5 %", "7.5"), ("0", "0"), ("12.50%", "12.5")]
        {
            assert_eq!(percent("markup", text).unwrap().to_string(), expected);
        }
        for text in ["-5%", "", "%", "ten", "1e3", "100000", "0.0000000000001"] {
            assert!(percent("markup", text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_amount_is_above_zero() {
        assert!(amount("limit", Decimal::ONE).is_ok());
        assert!(amount("limit", Decimal::ZERO).is_err());
        assert!(amount("limit", Decimal::NEGATIVE_ONE).is_err());
    }
}
