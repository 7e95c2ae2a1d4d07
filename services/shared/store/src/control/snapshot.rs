//! The whole control plane at one moment, for a proxy that starts or that saw a gap.

use super::client::{ClientRow, clients_in_tx};
use super::key::{KeyRow, all_keys_in_tx};
use super::member::{MemberRow, members_in_tx};
use super::price::{PriceVersionRow, price_versions_in_tx};
use super::project::{ProjectRow, projects_in_tx};
use super::provider::{ProviderRow, providers_in_tx};
use super::team::{TeamRow, teams_in_tx};
use crate::connect::Store;
use crate::error::StoreError;

/// All objects that decide what a request may do, as of `seq`. Archived and revoked ones are in it, since an answer
/// depends on them (`key_revoked`).
#[derive(Clone, Debug, PartialEq)]
pub struct ControlSnapshot {
    /// The position that the feed goes on from.
    pub seq: u64,
    pub teams: Vec<TeamRow>,
    pub members: Vec<MemberRow>,
    pub projects: Vec<ProjectRow>,
    pub clients: Vec<ClientRow>,
    /// With their keyed hashes.
    pub keys: Vec<KeyRow>,
    /// With their ciphertext.
    pub providers: Vec<ProviderRow>,
    pub prices: Vec<PriceVersionRow>,
}

impl Store {
    /// Reads everything in one unchanging view of the database.
    ///
    /// # Errors
    /// A database that is away.
    pub async fn control_snapshot(&self) -> Result<ControlSnapshot, StoreError> {
        self.run_snapshot("control.snapshot.read", |tx| {
            Box::pin(async move {
                let seq = sqlx::query_scalar!("SELECT seq FROM control_head").fetch_one(&mut **tx).await?;
                Ok(ControlSnapshot {
                    seq: seq.unsigned_abs(),
                    teams: teams_in_tx(tx).await?,
                    members: members_in_tx(tx).await?,
                    projects: projects_in_tx(tx).await?,
                    clients: clients_in_tx(tx).await?,
                    keys: all_keys_in_tx(tx).await?,
                    providers: providers_in_tx(tx).await?,
                    prices: price_versions_in_tx(tx).await?,
                })
            })
        })
        .await
    }
}
