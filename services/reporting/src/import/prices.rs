//! The price book of a team, kept until versions are added.

use crate::api::error::ApiResult;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tallystick_domain::TeamId;
use tallystick_domain::price::{BookError, PriceBook, PriceVersion};
use tallystick_store::Store;
use tallystick_store::control::{PriceVersionRow, TeamRow};

/// Books by team, each with the number of versions it was made of.
#[derive(Debug, Default)]
pub(crate) struct PriceBooks(Mutex<HashMap<TeamId, (u64, Arc<PriceBook>)>>);

impl PriceBooks {
    /// The book that a team is rated by now.
    pub(crate) async fn of(&self, store: &Store, team: &TeamRow) -> ApiResult<Arc<PriceBook>> {
        let versions = store.usage_price_versions(team.id).await?;
        if let Some(book) = self.kept(team.id, versions) {
            return Ok(book);
        }
        let rows = store.price_versions_of(team.id).await?;
        let made_of = rows.len() as u64;
        let book = Arc::new(book_of(rows));
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        books.insert(team.id, (made_of, Arc::clone(&book)));
        Ok(book)
    }

    fn kept(&self, team: TeamId, versions: u64) -> Option<Arc<PriceBook>> {
        let books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        books.get(&team).filter(|(made_of, _)| *made_of == versions).map(|(_, book)| Arc::clone(book))
    }
}

/// Versions in every currency, so that a missing conversion can be named; where the team's own and a common one claim the same place, its own counts.
fn book_of(rows: Vec<PriceVersionRow>) -> PriceBook {
    let (own, common): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.team_id.is_some());
    let mut book = PriceBook::default();
    for row in own.into_iter().chain(common) {
        let (id, is_common) = (row.id, row.team_id.is_none());
        let version: PriceVersion = match serde_json::from_value(row.body) {
            Ok(version) => version,
            Err(error) => {
                tracing::error!(price.version = %id, error = %error, "a price version can not be read and rates nothing");
                continue;
            }
        };
        match book.insert(version) {
            Err(BookError::Conflict { .. }) if is_common => {}
            Err(error) => {
                tracing::error!(price.version = %id, error = %error, "a price version can not be used")
            }
            Ok(()) => {}
        }
    }
    book
}
