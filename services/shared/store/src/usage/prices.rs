//! Whether the prices that a team can be rated by have changed.

use crate::{Store, StoreError};
use tallystick_domain::TeamId;

impl Store {
    /// How many price versions a team can be rated by. Versions are only ever added, so an unchanged number means
    /// unchanged prices.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn usage_price_versions(&self, team: TeamId) -> Result<u64, StoreError> {
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM price_version WHERE team_id IS NULL OR team_id = $1"#,
            team.as_uuid()
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(count.unsigned_abs())
    }
}
