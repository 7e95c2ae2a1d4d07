//! Keyset pages: `?limit=` and `?cursor=` in, `{data, has_more, next_cursor}` out.

use super::ApiState;
use super::error::{ApiError, ApiResult};
use axum::extract::{FromRequestParts, Query};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tallystick_runtime::Problem;
use url::form_urlencoded;

/// Parameters that belong to the page and not to the filter.
const PAGE_PARAMETERS: [&str; 2] = ["limit", "cursor"];

/// Which page a caller asks for.
#[derive(Clone, Debug)]
pub struct Page {
    /// Rows of the page.
    pub limit: u32,
    cursor: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether there are more behind them.
    pub has_more: bool,
    /// What to send as `cursor` to get them.
    pub next_cursor: Option<String>,
}

impl Page {
    /// Rows to read: one more than are shown tells whether there are more.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit).saturating_add(1)
    }

    /// Where the page begins: the key of the last row of the page before.
    ///
    /// # Errors
    /// `400 invalid_cursor` for a cursor that this list did not give out.
    pub fn after<K: DeserializeOwned>(&self) -> ApiResult<Option<K>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad_cursor())?;
        serde_json::from_slice(&bytes).map(Some).map_err(|_| bad_cursor())
    }
}

impl<T> List<T> {
    /// A page from at most [`Page::fetch`] rows: `key` is what the next page begins behind, `view` what is shown.
    pub fn cut<R, K: Serialize>(
        mut rows: Vec<R>,
        page: &Page,
        key: impl Fn(&R) -> K,
        view: impl FnMut(R) -> T,
    ) -> Self {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|last| {
            let key = serde_json::to_vec(&key(last)).expect("keys are ids, numbers and texts");
            URL_SAFE_NO_PAD.encode(key)
        });
        Self { data: rows.into_iter().map(view).collect(), has_more, next_cursor }
    }

    /// A list that is complete.
    #[must_use]
    pub fn whole(data: Vec<T>) -> Self {
        Self { data, has_more: false, next_cursor: None }
    }
}

fn bad_cursor() -> ApiError {
    Problem::bad_request("invalid_cursor", "the cursor is not one of this list; begin again without it")
        .into()
}

/// Which page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows of the page.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl FromRequestParts<ApiState> for Page {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, ApiError> {
        let Query(asked) =
            Query::<PageQuery>::try_from_uri(&parts.uri).map_err(|error| bad_query(&error.body_text()))?;
        let most = api.config.page_rows_max;
        let limit = asked.limit.unwrap_or(api.config.page_rows);
        if limit == 0 || limit > most {
            return Err(ApiError::invalid(format!(
                "limit is {limit}; ask for 1 to {most} rows and follow next_cursor"
            )));
        }
        Ok(Self { limit, cursor: asked.cursor })
    }
}

/// A query string as `T`. Give `T` `#[serde(deny_unknown_fields)]`: then a mistyped filter is an error and not a longer
/// list. `limit` and `cursor` are left out; they are [`Page`]'s.
#[derive(Clone, Copy, Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<ApiState> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let mut filter = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.contains('\0') {
                return Err(ApiError::invalid(format!(
                    "the parameter {name} holds a NUL character; remove it"
                )));
            }
            if !PAGE_PARAMETERS.contains(&name.as_ref()) {
                filter.append_pair(&name, &value);
            }
        }
        let uri: Uri =
            format!("/?{}", filter.finish()).parse().map_err(|_| bad_query("it cannot be read"))?;
        Query::<T>::try_from_uri(&uri)
            .map(|Query(found)| Self(found))
            .map_err(|error| bad_query(&error.body_text()))
    }
}

fn bad_query(why: &str) -> ApiError {
    ApiError::invalid(format!("the query string does not fit: {why}"))
}
