//! The team's objects by every name that people use for them. Loaded once per request that names many.

use crate::api::error::{ApiError, ApiResult};
use std::collections::HashMap;
use std::hash::Hash;
use tallystick_domain::attribution::UNASSIGNED;
use tallystick_domain::period::Zone;
use tallystick_domain::{ClientId, KeyId, MemberId, ProjectId, ProviderId, TeamId};
use tallystick_store::control::{
    ClientRow, ControlObject, KeyRow, ListFilter, MemberRow, ProjectRow, ProviderRow, TeamRow,
};
use tallystick_store::usage::{Dimension, Wanted};
use tallystick_store::{Store, StoreError};

/// Objects of one kind by id and by name, live ones first.
#[derive(Debug)]
struct Named<I, T> {
    by_id: HashMap<I, T>,
    by_name: HashMap<String, I>,
}

impl<I: Copy + Eq + Hash + std::str::FromStr, T> Named<I, T> {
    fn new(
        rows: Vec<T>,
        id: impl Fn(&T) -> I,
        live: impl Fn(&T) -> bool,
        names: impl Fn(&T) -> Vec<String>,
    ) -> Self {
        let mut by_name = HashMap::new();
        let (now, before): (Vec<&T>, Vec<&T>) = rows.iter().partition(|row| live(row));
        // Later ones win: what is archived gives way to what is live.
        for row in before.into_iter().chain(now) {
            for name in names(row) {
                by_name.insert(name.to_lowercase(), id(row));
            }
        }
        Self { by_id: rows.into_iter().map(|row| (id(&row), row)).collect(), by_name }
    }

    fn find(&self, reference: &str) -> Option<&T> {
        let id = reference.parse().ok().filter(|id| self.by_id.contains_key(id));
        let id = id.or_else(|| self.by_name.get(&reference.to_lowercase()).copied())?;
        self.by_id.get(&id)
    }
}

/// Everything that a usage event of a team may name.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) team: TeamRow,
    /// The team's zone.
    pub(crate) zone: Zone,
    members: Named<MemberId, MemberRow>,
    projects: Named<ProjectId, ProjectRow>,
    clients: Named<ClientId, ClientRow>,
    keys: Named<KeyId, KeyRow>,
    providers: Named<ProviderId, ProviderRow>,
}

impl Directory {
    pub(crate) async fn load(store: &Store, team: &TeamRow) -> ApiResult<Self> {
        Ok(Self {
            team: team.clone(),
            zone: Zone::parse(&team.zone)?,
            members: Named::new(
                all::<MemberRow>(store, team.id).await?,
                |row| row.id,
                |row| row.removed_at.is_none(),
                |row| vec![row.name.clone(), row.email.clone()],
            ),
            projects: Named::new(
                all::<ProjectRow>(store, team.id).await?,
                |row| row.id,
                |row| row.archived_at.is_none(),
                |row| vec![row.name.clone()],
            ),
            clients: Named::new(
                all::<ClientRow>(store, team.id).await?,
                |row| row.id,
                |row| row.archived_at.is_none(),
                |row| vec![row.name.clone()],
            ),
            keys: Named::new(
                all::<KeyRow>(store, team.id).await?,
                |row| row.id,
                |row| row.revoked_at.is_none() && row.grace_until.is_none(),
                |row| vec![row.name.clone(), row.prefix.clone(), row.public_part.clone()],
            ),
            providers: Named::new(
                all::<ProviderRow>(store, team.id).await?,
                |row| row.id,
                |row| row.archived_at.is_none(),
                |row| vec![row.name.clone()],
            ),
        })
    }

    pub(crate) fn member(&self, reference: &str) -> Option<&MemberRow> {
        self.members.find(reference)
    }

    pub(crate) fn project(&self, reference: &str) -> Option<&ProjectRow> {
        self.projects.find(reference)
    }

    pub(crate) fn client(&self, reference: &str) -> Option<&ClientRow> {
        self.clients.find(reference)
    }

    pub(crate) fn client_by_id(&self, id: ClientId) -> Option<&ClientRow> {
        self.clients.by_id.get(&id)
    }

    pub(crate) fn key(&self, reference: &str) -> Option<&KeyRow> {
        self.keys.find(reference)
    }

    /// The provider under whose name the price book has the models of an account of the team; any other name stands for
    /// itself.
    pub(crate) fn price_name<'n>(&'n self, provider: &'n str) -> &'n str {
        self.providers.find(provider).map_or(provider, |row| &row.price_name)
    }

    /// The zone that a client's billing days are cut in; the team's without a client.
    pub(crate) fn zone_of(&self, client: Option<ClientId>) -> Zone {
        let zone =
            client.and_then(|id| self.client_by_id(id)).and_then(|client| Zone::parse(&client.zone).ok());
        zone.unwrap_or_else(|| self.zone.clone())
    }

    /// What a filter `dimension=value` wants.
    ///
    /// # Errors
    /// `404` when the team has no such object.
    pub(crate) fn wanted(&self, dimension: Dimension, value: &str) -> ApiResult<Wanted> {
        if value.eq_ignore_ascii_case(UNASSIGNED) && dimension.can_be_absent() {
            return Ok(Wanted::Absent);
        }
        let id = match dimension {
            Dimension::Member => self.member(value).map(|row| row.id.as_uuid()),
            Dimension::Project => self.project(value).map(|row| row.id.as_uuid()),
            Dimension::Client => self.client(value).map(|row| row.id.as_uuid()),
            Dimension::Key => self.key(value).map(|row| row.id.as_uuid()),
            _ => return Ok(Wanted::Text(value.to_owned())),
        };
        id.map(Wanted::Id).ok_or_else(|| ApiError::not_found(dimension.as_str(), value))
    }
}

async fn all<O: ControlObject>(store: &Store, team: TeamId) -> Result<Vec<O>, StoreError> {
    store.control_list(team, &ListFilter { name: None, archived: true, after: None, limit: i64::MAX }).await
}
