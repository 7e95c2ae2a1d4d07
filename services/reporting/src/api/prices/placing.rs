//! The team's book, and the place of a new version in it.

use crate::api::ApiState;
use crate::api::error::{ApiError, ApiResult};
use serde::Deserialize;
use tallystick_domain::price::{BookError, PriceBook, PriceVersion};
use tallystick_domain::{PriceVersionId, TeamId};
use tallystick_runtime::Problem;

/// Most corrections of one version.
const MOST_REVISIONS: u32 = 1_000;

/// Whom prices are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scope {
    /// The caller's team.
    #[default]
    Team,
    /// Every team.
    Instance,
}

/// The book that a team is rated by. A stored version that contradicts another is left out and logged.
pub(super) async fn book_of(api: &ApiState, team: TeamId) -> ApiResult<PriceBook> {
    let mut book = PriceBook::default();
    for row in api.store.price_versions_of(team).await? {
        let version: PriceVersion =
            serde_json::from_value(row.body).map_err(|error| Problem::internal(&error))?;
        if let Err(error) = book.insert(version) {
            tracing::warn!(price.version = %row.id, error = %error, "a stored price is not usable and was left out");
        }
    }
    Ok(book)
}

/// Puts a version into the book: with the id that its content gives, and as a correction where another version of the
/// model takes effect at the same instant.
pub(super) fn placed(
    book: &mut PriceBook,
    mut version: PriceVersion,
    owner: Option<TeamId>,
) -> ApiResult<PriceVersion> {
    loop {
        version = version.with_derived_id();
        if let Some(team) = owner {
            let shared = version.id.as_uuid();
            version.id =
                PriceVersionId::derived("team price", &[team.as_uuid().as_bytes(), shared.as_bytes()]);
        }
        match book.insert(version.clone()) {
            Ok(()) => return Ok(version),
            Err(BookError::Conflict { .. }) if version.revision < MOST_REVISIONS => version.revision += 1,
            Err(error) => return Err(invalid(&error)),
        }
    }
}

fn invalid(error: &BookError) -> ApiError {
    let detail = format!("{}; correct the file", tallystick_runtime::error_chain(error));
    Problem::bad_request("invalid_price", detail).into()
}
