//! A key as it is asked for, checked.

use crate::api::budgets::{BudgetBody, specs};
use crate::api::clients::body::{clearable, put};
use crate::api::error::{ApiError, ApiResult};
use crate::api::extract::{name, texts};
use crate::api::given;
use jiff::{SignedDuration, Timestamp, civil};
use serde::Deserialize;
use std::net::IpAddr;
use tallystick_domain::period::Zone;
use tallystick_domain::{ClientId, MemberId, ProjectId};
use tallystick_store::control::{BudgetSpec, KeyKind, KeyRow};

/// Most entries of a list of models, providers or address ranges.
const MOST_ENTRIES: usize = 64;
/// Families of endpoints that a key can be limited to.
const ENDPOINTS: &[&str] = &[
    "chat",
    "responses",
    "embeddings",
    "completions",
    "images",
    "audio",
    "moderations",
    "files",
    "batches",
    "messages",
    "models",
];

/// A new key.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewKey {
    pub(super) name: String,
    /// `member`, `project`, `automation` (needs a hard daily budget) or `temporary` (needs `expires`).
    #[schema(value_type = String)]
    pub(super) kind: KeyKind,
    /// Id, address or name.
    member: Option<String>,
    /// Id or name.
    project: Option<String>,
    /// Id or name; that of the project where absent.
    client: Option<String>,
    environment: Option<String>,
    tool: Option<String>,
    /// Patterns such as `gpt-4o*`; empty: every model.
    models: Option<Vec<String>>,
    providers: Option<Vec<String>>,
    /// `chat`, `embeddings`, ...
    endpoints: Option<Vec<String>>,
    /// CIDR ranges.
    ip: Option<Vec<String>>,
    may_set_client: Option<bool>,
    may_set_project: Option<bool>,
    /// Requests per minute.
    rpm: Option<u32>,
    /// Tokens per minute.
    tpm: Option<u64>,
    /// Requests at once.
    parallel: Option<u32>,
    /// Absent: the team's default budgets.
    budgets: Option<Vec<BudgetBody>>,
    /// `7d`, a date (its first moment in the team's zone) or an instant.
    expires: Option<String>,
}

/// What to change of a key; what is absent stays, null clears.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct KeyPatch {
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(super) member: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(super) project: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub(super) client: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    environment: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    tool: Option<Option<String>>,
    models: Option<Vec<String>>,
    providers: Option<Vec<String>>,
    endpoints: Option<Vec<String>>,
    ip: Option<Vec<String>>,
    may_set_client: Option<bool>,
    may_set_project: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    rpm: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>)]
    tpm: Option<Option<u64>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    parallel: Option<Option<u32>>,
    budgets: Option<Vec<BudgetBody>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    expires: Option<Option<String>>,
}

impl NewKey {
    /// Everything but name and kind, as a change to an empty key.
    pub(super) fn fields(self) -> KeyPatch {
        KeyPatch {
            name: None,
            member: self.member.map(Some),
            project: self.project.map(Some),
            client: self.client.map(Some),
            environment: self.environment.map(Some),
            tool: self.tool.map(Some),
            models: self.models,
            providers: self.providers,
            endpoints: self.endpoints,
            ip: self.ip,
            may_set_client: self.may_set_client,
            may_set_project: self.may_set_project,
            rpm: self.rpm.map(Some),
            tpm: self.tpm.map(Some),
            parallel: self.parallel.map(Some),
            budgets: self.budgets,
            expires: self.expires.map(Some),
        }
    }
}

/// A patch and the objects that it names.
pub(super) struct KeyFields {
    pub(super) patch: KeyPatch,
    pub(super) member: Option<MemberId>,
    pub(super) project: Option<ProjectId>,
    pub(super) project_client: Option<ClientId>,
    pub(super) client: Option<ClientId>,
}

/// A checked change.
pub(super) struct KeyChange {
    fields: KeyFields,
    budgets: Option<Vec<BudgetSpec>>,
    expires: Option<Option<Timestamp>>,
    rpm: Option<Option<i32>>,
    tpm: Option<Option<i64>>,
    parallel: Option<Option<i32>>,
}

impl KeyFields {
    pub(super) fn new(patch: KeyPatch) -> Self {
        Self { patch, member: None, project: None, project_client: None, client: None }
    }

    /// Checks every field.
    pub(super) fn checked(mut self, now: Timestamp, zone: &str) -> ApiResult<KeyChange> {
        let patch = &mut self.patch;
        patch.name = patch.name.take().map(|value| name("name", &value)).transpose()?;
        patch.environment = clearable("environment", patch.environment.take())?;
        patch.tool = clearable("tool", patch.tool.take())?;
        for (field, values) in [
            ("models", &mut patch.models),
            ("providers", &mut patch.providers),
            ("endpoints", &mut patch.endpoints),
            ("ip", &mut patch.ip),
        ] {
            *values = values.take().map(|values| texts(field, &values, MOST_ENTRIES)).transpose()?;
        }
        if let Some(unknown) =
            patch.endpoints.iter().flatten().find(|word| !ENDPOINTS.contains(&word.as_str()))
        {
            let known = ENDPOINTS.join(", ");
            return Err(ApiError::invalid(format!("endpoints holds '{unknown}'; choose from {known}")));
        }
        if let Some(bad) = patch.ip.iter().flatten().find(|range| !is_range(range)) {
            return Err(ApiError::invalid(format!("ip holds '{bad}'; write ranges such as 203.0.113.0/24")));
        }
        let budgets = patch.budgets.as_deref().map(specs).transpose()?;
        let expires =
            patch.expires.as_ref().map(|end| end.as_deref().map(|end| expiry(end, now, zone)).transpose());
        let (expires, rpm) = (expires.transpose()?, limit("rpm", patch.rpm)?);
        let (tpm, parallel) = (limit("tpm", patch.tpm)?, limit("parallel", patch.parallel)?);
        Ok(KeyChange { fields: self, budgets, expires, rpm, tpm, parallel })
    }
}

impl KeyChange {
    /// Puts what was given in place.
    pub(super) fn apply(&self, row: &mut KeyRow) {
        let patch = &self.fields.patch;
        put(&mut row.name, patch.name.as_ref());
        put(&mut row.environment, patch.environment.as_ref());
        put(&mut row.tool, patch.tool.as_ref());
        put(&mut row.models, patch.models.as_ref());
        put(&mut row.providers, patch.providers.as_ref());
        put(&mut row.endpoints, patch.endpoints.as_ref());
        put(&mut row.ip_ranges, patch.ip.as_ref());
        put(&mut row.may_set_client, patch.may_set_client.as_ref());
        put(&mut row.may_set_project, patch.may_set_project.as_ref());
        put(&mut row.budgets, self.budgets.as_ref());
        put(&mut row.expires_at, self.expires.as_ref());
        put(&mut row.requests_per_minute, self.rpm.as_ref());
        put(&mut row.tokens_per_minute, self.tpm.as_ref());
        put(&mut row.parallel_requests, self.parallel.as_ref());
        if patch.member.is_some() {
            row.member_id = self.fields.member;
        }
        if patch.project.is_some() {
            row.project_id = self.fields.project;
        }
        if patch.client.is_some() {
            row.client_id = self.fields.client;
        } else if patch.project.is_some() {
            row.client_id = self.fields.project_client.or(row.client_id);
        }
    }
}

/// A limit that is above zero and fits its column.
fn limit<A, B>(field: &str, value: Option<Option<A>>) -> ApiResult<Option<Option<B>>>
where
    A: Copy + Into<u64>,
    B: TryFrom<u64>,
{
    let checked = |value: A| match value.into() {
        0 => Err(ApiError::invalid(format!(
            "{field} is 0, which lets nothing through; suspend the key instead"
        ))),
        number => B::try_from(number).map_err(|_| ApiError::invalid(format!("{field} is too large"))),
    };
    value.map(|value| value.map(checked).transpose()).transpose()
}

/// Whether a text is an address, or one with the length of a prefix.
fn is_range(text: &str) -> bool {
    let (address, length) =
        text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|length| length.parse::<u8>().is_ok_and(|length| length <= most))
}

/// A length of time such as `30m`, `24h`, `7d` or `2w`.
pub(super) fn span(field: &str, text: &str) -> ApiResult<SignedDuration> {
    let bad = || ApiError::invalid(format!("{field} is no length of time; write it as 30m, 24h or 7d"));
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(bad)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(bad()),
    };
    let number: u32 = number.parse().map_err(|_| bad())?;
    Ok(SignedDuration::from_secs(i64::from(number) * seconds))
}

/// An instant, or the first moment of a date in the team's zone.
pub(in crate::api) fn instant(field: &str, text: &str, zone: &str) -> ApiResult<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let day: civil::Date = text.parse().map_err(|_| {
        ApiError::invalid(format!("{field} is no time; write it as 2026-12-31 or 2026-12-31T18:00:00Z"))
    })?;
    Ok(Zone::parse(zone)?.start_of(day)?)
}

/// When something ends: after a length of time, on a date in the team's zone, or at an instant; in the future.
pub(in crate::api) fn expiry(text: &str, now: Timestamp, zone: &str) -> ApiResult<Timestamp> {
    let bad = || ApiError::invalid("expires is no time; write it as 7d, 2026-12-31 or 2026-12-31T18:00:00Z");
    let end = match instant("expires", text, zone) {
        Ok(end) => end,
        Err(_) => now.checked_add(span("expires", text).map_err(|_| bad())?).map_err(|_| bad())?,
    };
    if end <= now {
        return Err(ApiError::invalid("expires lies in the past; choose a later time"));
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_span_a_date_in_the_teams_zone_or_an_instant_and_lies_ahead() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let end = |text| expiry(text, now, "Europe/Berlin").map(|end| end.to_string());
        assert_eq!(end("7d").unwrap(), "2026-11-30T12:00:00Z");
        assert_eq!(end("2026-12-31").unwrap(), "2026-12-30T23:00:00Z");
        assert_eq!(end("2026-12-31T18:00:00+01:00").unwrap(), "2026-12-31T17:00:00Z");
        for bad in ["soon", "0d", "2020-01-01", "", "d", "-7d", "7é"] {
            assert!(end(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_range_has_a_prefix_that_fits() {
        for good in ["203.0.113.0/24", "203.0.113.7", "2001:db8::/32", "::1"] {
            assert!(is_range(good), "{good}");
        }
        for bad in ["203.0.113.0/33", "office", "203.0.113/24", "::1/129", "1.2.3.4/"] {
            assert!(!is_range(bad), "{bad}");
        }
    }
}
