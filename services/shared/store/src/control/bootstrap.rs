//! What is there after the first start: a team and an operator's token.

use super::feed::control_lock_in_tx;
use super::model::Actor;
use super::object::{ControlObject as _, record_in_tx};
use super::team::{TeamRow, teams_in_tx};
use super::token::TokenRow;
use crate::connect::Store;
use crate::error::StoreError;
use tallystick_domain::TeamId;

/// What the first start found or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The first team.
    pub team: TeamId,
    /// Whether the given token was stored: only where the instance had no live operator's token.
    pub token_made: bool,
}

impl Store {
    /// Makes `team` where the instance has none, and stores `token` (for the first team) where no operator's token is
    /// live. Safe to call at every start and from several processes at once.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn control_bootstrap(
        &self,
        by: &Actor,
        team: &TeamRow,
        token: &TokenRow,
    ) -> Result<Bootstrap, StoreError> {
        self.run_tx("control.instance.bootstrap", |tx| {
            Box::pin(async move {
                control_lock_in_tx(tx).await?;
                let first = match teams_in_tx(tx).await?.into_iter().next() {
                    Some(first) => first.id,
                    None => {
                        team.insert(tx).await?;
                        record_in_tx(tx, by, "add", None, team).await?;
                        team.id
                    }
                };
                let live = sqlx::query_scalar!(
                r#"SELECT EXISTS (SELECT FROM api_token WHERE operator AND revoked_at IS NULL) AS "live!""#
            )
            .fetch_one(&mut **tx)
            .await?;
                if !live {
                    let token = TokenRow { team_id: first, ..token.clone() };
                    token.insert(tx).await?;
                    record_in_tx(tx, by, "add", None, &token).await?;
                }
                Ok(Bootstrap { team: first, token_made: !live })
            })
        })
        .await
    }
}
