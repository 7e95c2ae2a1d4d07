//! The index that a request reads: built from rows, swapped as a whole.
//!
//! Cost of building: linear in the rows, a hash each; it happens once per batch of changes, off the request path.

use super::model::{Change, Client, Key, Project, Provider, Snapshot, Team};
use crate::upstream::Target;
use std::collections::HashMap;
use std::sync::Arc;
use tallystick_domain::period::Zone;
use tallystick_domain::price::PriceBook;
use tallystick_domain::{ClientId, KeyId, ProjectId, ProviderId, TeamId};

/// The rows by id: what changes are applied to.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) seq: u64,
    teams: HashMap<TeamId, Team>,
    clients: HashMap<ClientId, Client>,
    projects: HashMap<ProjectId, Project>,
    providers: HashMap<ProviderId, Provider>,
    keys: HashMap<KeyId, Arc<Key>>,
    prices: Arc<PriceBook>,
    team_prices: HashMap<TeamId, Arc<PriceBook>>,
}

impl From<Snapshot> for Rows {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            seq: snapshot.seq,
            teams: snapshot.teams.into_iter().map(|row| (row.id, row)).collect(),
            clients: snapshot.clients.into_iter().map(|row| (row.id, row)).collect(),
            projects: snapshot.projects.into_iter().map(|row| (row.id, row)).collect(),
            providers: snapshot.providers.into_iter().map(|row| (row.id, row)).collect(),
            keys: snapshot.keys.into_iter().map(|row| (row.id, Arc::new(row))).collect(),
            prices: snapshot.prices,
            team_prices: snapshot.team_prices,
        }
    }
}

impl Rows {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Team(row) => drop(self.teams.insert(row.id, row)),
            Change::Client(row) => drop(self.clients.insert(row.id, row)),
            Change::Project(row) => drop(self.projects.insert(row.id, row)),
            Change::Provider(row) => drop(self.providers.insert(row.id, row)),
            Change::ProviderGone(id) => drop(self.providers.remove(&id)),
            Change::Key(row) => drop(self.keys.insert(row.id, Arc::new(row))),
            Change::Prices(common, by_team) => {
                self.prices = common;
                self.team_prices = by_team;
            }
        }
    }

    /// Builds the index. `allow_private` overrides the providers' own permission.
    pub(crate) fn directory(&self, allow_private: bool) -> Directory {
        let mut teams: HashMap<TeamId, TeamView> =
            self.teams.values().map(|team| (team.id, self.empty_view(team))).collect();
        for client in self.clients.values() {
            if let Some(view) = teams.get_mut(&client.team) {
                let client = Arc::new(client.clone());
                if !client.archived {
                    view.clients.insert(client.name.to_lowercase(), Arc::clone(&client));
                }
                view.clients_by_id.insert(client.id, client);
            }
        }
        for project in self.projects.values() {
            if let Some(view) = teams.get_mut(&project.team) {
                let project = Arc::new(project.clone());
                if !project.archived {
                    view.projects.insert(project.name.to_lowercase(), Arc::clone(&project));
                }
                view.projects_by_id.insert(project.id, project);
            }
        }
        for provider in self.providers.values() {
            if let Some(view) = teams.get_mut(&provider.team) {
                view.targets.push(Arc::new(Target::new(provider, allow_private)));
            }
        }
        let teams: HashMap<TeamId, Arc<TeamView>> = teams
            .into_iter()
            .map(|(id, mut view)| {
                view.targets.sort_by(|a, b| a.name.cmp(&b.name));
                (id, Arc::new(view))
            })
            .collect();
        let keys = self.keys.values().filter_map(|key| {
            let team = Arc::clone(teams.get(&key.team)?);
            Some((Box::from(key.public.as_str()), Arc::new(Caller { key: Arc::clone(key), team })))
        });
        Directory { keys: keys.collect() }
    }

    fn empty_view(&self, team: &Team) -> TeamView {
        let prices = self.team_prices.get(&team.id).unwrap_or(&self.prices);
        TeamView {
            team: team.clone(),
            clients: HashMap::new(),
            clients_by_id: HashMap::new(),
            projects: HashMap::new(),
            projects_by_id: HashMap::new(),
            targets: Vec::new(),
            prices: Arc::clone(prices),
        }
    }
}

/// Who can call: every key by its public part.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    keys: HashMap<Box<str>, Arc<Caller>>,
}

impl Directory {
    pub(crate) fn caller(&self, public: &str) -> Option<&Arc<Caller>> {
        self.keys.get(public)
    }
}

/// A key with everything that it is fixed to.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) key: Arc<Key>,
    pub(crate) team: Arc<TeamView>,
}

/// A team with its names resolved.
#[derive(Debug)]
pub(crate) struct TeamView {
    pub(crate) team: Team,
    clients: HashMap<String, Arc<Client>>,
    clients_by_id: HashMap<ClientId, Arc<Client>>,
    projects: HashMap<String, Arc<Project>>,
    projects_by_id: HashMap<ProjectId, Arc<Project>>,
    /// By name.
    pub(crate) targets: Vec<Arc<Target>>,
    pub(crate) prices: Arc<PriceBook>,
}

impl TeamView {
    /// A client that a request may name.
    pub(crate) fn client_named(&self, name: &str) -> Option<&Arc<Client>> {
        self.clients.get(&name.to_lowercase())
    }

    /// A project that a request may name.
    pub(crate) fn project_named(&self, name: &str) -> Option<&Arc<Project>> {
        self.projects.get(&name.to_lowercase())
    }

    /// A project that a key is fixed to; it may be archived.
    pub(crate) fn project(&self, id: ProjectId) -> Option<&Arc<Project>> {
        self.projects_by_id.get(&id)
    }

    pub(crate) fn client_name(&self, id: ClientId) -> Option<&str> {
        self.clients_by_id.get(&id).map(|client| client.name.as_str())
    }

    pub(crate) fn target(&self, name: &str) -> Option<&Arc<Target>> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The zone of a client's billing days; the team's where there is no client, or it has none.
    pub(crate) fn client_zone(&self, client: Option<ClientId>) -> &Zone {
        let client = client.and_then(|id| self.clients_by_id.get(&id));
        client.and_then(|client| client.zone.as_ref()).unwrap_or(&self.team.zone)
    }
}
