//! The seams on Postgres: the control plane and the register of epochs, by way of the store. No SQL here.

use crate::control::{
    Change, Changes, Client, ControlError, ControlSource, Key, KeyKind, KeyState, Project, Provider,
    ProviderKind, ProviderSecret, Snapshot, Team,
};
use crate::spool::{Advance, EpochRegister};
use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::period::Zone;
use tallystick_domain::price::{PriceBook, PriceVersion};
use tallystick_domain::{ProducerId, ProviderId, TeamId};
use tallystick_runtime::SharedClock;
use tallystick_store::control::{
    self as rows, ClientRow, ControlChange, ControlListener, EpochMove, KeyRow, ObjectKind, PriceVersionRow,
    ProjectRow, ProviderRow, TeamRow,
};
use tallystick_store::secrets::{SecretBox, provider_binding};
use tallystick_store::{Store, StoreError};
use tokio::sync::Mutex;
use uuid::Uuid;

/// With more changes than this at once, a new snapshot is cheaper.
const MAX_CHANGES: u32 = 256;

/// The control plane in Postgres.
#[derive(Debug)]
pub struct StoreControl {
    store: Store,
    secret_box: SecretBox,
    listener: Mutex<ControlListener>,
}

impl StoreControl {
    /// A source that opens provider secrets with `secret_box` and looks at the feed at least every `poll`.
    #[must_use]
    pub fn new(store: Store, secret_box: SecretBox, poll: Duration) -> Self {
        let listener = Mutex::new(ControlListener::new(store.clone(), poll));
        Self { store, secret_box, listener }
    }

    /// The row that a change names, as it is now.
    async fn load(&self, change: &ControlChange) -> Result<Option<Change>, ControlError> {
        let Some(team) = change.team else { return Ok(None) };
        let (store, id) = (&self.store, change.object_id.to_string());
        Ok(match change.kind {
            ObjectKind::Team => store.team_load(team).await?.map(team_of).transpose()?.map(Change::Team),
            ObjectKind::Client => {
                let row = store.control_find::<ClientRow>(team, &id).await?;
                row.map(client_of).transpose()?.map(Change::Client)
            }
            ObjectKind::Project => {
                store.control_find::<ProjectRow>(team, &id).await?.map(|row| Change::Project(project_of(row)))
            }
            ObjectKind::Key => {
                store.control_find::<KeyRow>(team, &id).await?.map(|row| Change::Key(key_of(row)))
            }
            ObjectKind::Provider => {
                let row = store.control_find::<ProviderRow>(team, &id).await?;
                Some(match row.filter(|row| row.archived_at.is_none()) {
                    Some(row) => Change::Provider(provider_of(row, &self.secret_box)),
                    None => Change::ProviderGone(ProviderId::from_uuid(change.object_id)),
                })
            }
            _ => None,
        })
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

#[async_trait::async_trait]
impl ControlSource for StoreControl {
    async fn snapshot(&self) -> Result<Snapshot, ControlError> {
        let all = self.store.control_snapshot().await?;
        let (prices, team_prices) = books(&all.prices);
        let providers = all.providers.into_iter().filter(|row| row.archived_at.is_none());
        Ok(Snapshot {
            seq: all.seq,
            teams: all.teams.into_iter().map(team_of).collect::<Result<_, _>>()?,
            clients: all.clients.into_iter().map(client_of).collect::<Result<_, _>>()?,
            projects: all.projects.into_iter().map(project_of).collect(),
            providers: providers.map(|row| provider_of(row, &self.secret_box)).collect(),
            keys: all.keys.into_iter().map(key_of).collect(),
            prices,
            team_prices,
        })
    }

    async fn changes(&self, after: u64) -> Result<Changes, ControlError> {
        let found = self.store.control_changes_after(after, MAX_CHANGES).await?;
        let Some(last) = found.last() else {
            // Nothing behind us is right; a head before us is a database that was restored.
            let head = self.store.control_seq().await?;
            let empty = Changes::UpTo { seq: after, changes: Vec::new() };
            return Ok(if head < after { Changes::Gap } else { empty });
        };
        let dense =
            found.iter().zip(after.saturating_add(1)..).all(|(change, expected)| change.seq == expected);
        if !dense || found.len() >= MAX_CHANGES as usize {
            return Ok(Changes::Gap);
        }
        let seq = last.seq;
        let mut seen = BTreeSet::new();
        let mut changes = Vec::new();
        for change in &found {
            if change.kind == ObjectKind::PriceBook {
                if seen.insert((change.kind, Uuid::nil())) {
                    let (prices, team_prices) = books(&self.store.price_versions().await?);
                    changes.push(Change::Prices(prices, team_prices));
                }
            } else if seen.insert((change.kind, change.object_id)) {
                changes.extend(self.load(change).await?);
            }
        }
        Ok(Changes::UpTo { seq, changes })
    }

    async fn wait(&self, _after: u64, timeout: Duration) {
        let mut listener = self.listener.lock().await;
        drop(tokio::time::timeout(timeout, listener.wait()).await);
    }
}

fn zone(name: &str) -> Result<Zone, ControlError> {
    Zone::parse(name).map_err(|error| ControlError(error.into()))
}

fn team_of(row: TeamRow) -> Result<Team, ControlError> {
    Ok(Team { id: row.id, name: row.name, zone: zone(&row.zone)?, currency: row.currency })
}

fn client_of(row: ClientRow) -> Result<Client, ControlError> {
    let zone = Some(zone(&row.zone)?);
    Ok(Client { id: row.id, team: row.team_id, name: row.name, zone, archived: row.archived_at.is_some() })
}

fn project_of(row: ProjectRow) -> Project {
    let archived = row.archived_at.is_some();
    Project { id: row.id, team: row.team_id, name: row.name, client: row.client_id, archived }
}

fn provider_of(row: ProviderRow, secret_box: &SecretBox) -> Provider {
    let binding = provider_binding(row.team_id, &row.name, &row.origin);
    let secret = match row.secret.as_deref().map(|sealed| secret_box.open_text(&binding, sealed)) {
        None => ProviderSecret::None,
        Some(Ok(secret)) => ProviderSecret::Value(secret),
        Some(Err(error)) => {
            tracing::error!(provider.id = %row.id, error.message = %error, "a provider's secret can not be opened");
            ProviderSecret::Unreadable
        }
    };
    Provider {
        id: row.id,
        team: row.team_id,
        name: row.name,
        kind: match row.kind {
            rows::ProviderKind::OpenAi => ProviderKind::OpenAi,
            rows::ProviderKind::Anthropic => ProviderKind::Anthropic,
            rows::ProviderKind::Gemini => ProviderKind::Gemini,
            rows::ProviderKind::OpenAiCompatible => ProviderKind::OpenAiCompatible,
        },
        base_url: row.base_url,
        secret,
        price_name: row.price_name,
        private_address: row.private_address,
        models: row.models,
    }
}

fn key_of(row: KeyRow) -> Key {
    let state = match (row.revoked_at, row.suspended_at) {
        (Some(_), _) => KeyState::Revoked,
        (None, Some(_)) => KeyState::Suspended { reason: row.suspended_reason },
        (None, None) => KeyState::Active,
    };
    Key {
        id: row.id,
        team: row.team_id,
        name: row.name,
        kind: match row.kind {
            rows::KeyKind::Member => KeyKind::Member,
            rows::KeyKind::Project => KeyKind::Project,
            rows::KeyKind::Automation => KeyKind::Automation,
            rows::KeyKind::Temporary => KeyKind::Temporary,
        },
        public: row.public_part,
        // A hash of another length matches nothing.
        digest: row.hmac.try_into().unwrap_or_default(),
        member: row.member_id,
        project: row.project_id,
        client: row.client_id,
        environment: row.environment,
        tool: row.tool,
        models: row.models,
        providers: row.providers,
        endpoints: row.endpoints,
        may_name_client: row.may_set_client,
        may_name_project: row.may_set_project,
        expires_at: row.expires_at,
        rotated_out_at: row.grace_until,
        state,
    }
}

/// The common book, and one for each team with prices of its own.
fn books(versions: &[PriceVersionRow]) -> (Arc<PriceBook>, HashMap<TeamId, Arc<PriceBook>>) {
    let mut common = PriceBook::default();
    for row in versions.iter().filter(|row| row.team_id.is_none()) {
        insert(&mut common, row);
    }
    let mut teams: HashMap<TeamId, PriceBook> = HashMap::new();
    for row in versions {
        if let Some(team) = row.team_id {
            insert(teams.entry(team).or_insert_with(|| common.clone()), row);
        }
    }
    (Arc::new(common), teams.into_iter().map(|(team, book)| (team, Arc::new(book))).collect())
}

/// A version that can not be used leaves its model unrated, which is seen; it does not stop the others.
fn insert(book: &mut PriceBook, row: &PriceVersionRow) {
    let version: Result<PriceVersion, _> = serde_json::from_value(row.body.clone());
    let refused: Option<Box<dyn Error>> = match version {
        Ok(version) => book.insert(version).err().map(Into::into),
        Err(error) => Some(error.into()),
    };
    if let Some(error) = refused {
        tracing::error!(price.id = %row.id, error.message = %tallystick_runtime::error_chain(error.as_ref()), "a price can not be used");
    }
}

/// The register of epochs in Postgres.
#[derive(Clone, Debug)]
pub struct StoreEpochs {
    store: Store,
    clock: SharedClock,
}

impl StoreEpochs {
    /// A register that writes its rows with this clock's time.
    #[must_use]
    pub fn new(store: Store, clock: SharedClock) -> Self {
        Self { store, clock }
    }
}

#[async_trait::async_trait]
impl EpochRegister for StoreEpochs {
    async fn advance(
        &self,
        producer: ProducerId,
        expected_epoch: u32,
        boot: Uuid,
    ) -> Result<Advance, Box<dyn Error + Send + Sync>> {
        let now = self.clock.now();
        Ok(match self.store.producer_epoch_advance(producer, expected_epoch, boot, now).await? {
            EpochMove::Advanced => Advance::Advanced,
            EpochMove::Mismatch => Advance::Mismatch,
        })
    }
}

#[cfg(test)]
mod tests;
