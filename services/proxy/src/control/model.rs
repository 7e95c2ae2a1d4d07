//! What the proxy knows of the control plane: plain rows, as a snapshot or as one change.

use jiff::Timestamp;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::Arc;
use tallystick_domain::period::Zone;
use tallystick_domain::price::PriceBook;
use tallystick_domain::{ClientId, Currency, KeyId, MemberId, ProjectId, ProviderId, TeamId};

/// Everything at one position of the feed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Position of the feed that the rows correspond to.
    pub seq: u64,
    /// Teams.
    pub teams: Vec<Team>,
    /// Clients, archived ones included (a key may still name one).
    pub clients: Vec<Client>,
    /// Projects, archived ones included.
    pub projects: Vec<Project>,
    /// Providers that are not archived.
    pub providers: Vec<Provider>,
    /// Keys, revoked ones included for as long as callers should be told so.
    pub keys: Vec<Key>,
    /// The price book of every team without prices of its own.
    pub prices: Arc<PriceBook>,
    /// The books of teams with prices of their own, the common ones included.
    pub team_prices: HashMap<TeamId, Arc<PriceBook>>,
}

/// One row as it is now; replaces the row of the same id.
#[derive(Clone, Debug)]
pub enum Change {
    /// A team was made or changed.
    Team(Team),
    /// A client was made, changed or archived.
    Client(Client),
    /// A project was made, changed or archived.
    Project(Project),
    /// A provider was made or changed.
    Provider(Provider),
    /// A provider was archived.
    ProviderGone(ProviderId),
    /// A key was made, changed, suspended, restored, rotated or revoked.
    Key(Key),
    /// The price books, common and by team, as in [`Snapshot`].
    Prices(Arc<PriceBook>, HashMap<TeamId, Arc<PriceBook>>),
}

/// A tenant.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// The zone of its billing days.
    pub zone: Zone,
    /// Its ledger currency.
    pub currency: Currency,
}

/// Somebody whom a team sends invoices to.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// The team that it belongs to.
    pub team: TeamId,
    /// The name that `x-tallystick-client` uses.
    pub name: String,
    /// The zone of its billing days; the team's when absent.
    pub zone: Option<Zone>,
    /// No request may name it any more.
    pub archived: bool,
}

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The team that it belongs to.
    pub team: TeamId,
    /// The name that `x-tallystick-project` uses.
    pub name: String,
    /// The client that it is done for.
    pub client: Option<ClientId>,
    /// No request may name it any more.
    pub archived: bool,
}

/// Whose API a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// OpenAI itself.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Anything in OpenAI's shape.
    OpenAiCompatible,
}

/// The secret that a provider wants.
#[derive(Clone, Debug)]
pub enum ProviderSecret {
    /// It wants none (a model server of one's own).
    None,
    /// The secret, opened.
    Value(SecretString),
    /// It is sealed with a key that this process does not have, or for another origin.
    Unreadable,
}

/// A configured account at a provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// The team that it belongs to.
    pub team: TeamId,
    /// The name that `/v1/{provider}/...` uses and that events carry.
    pub name: String,
    /// Whose API it speaks.
    pub kind: ProviderKind,
    /// Where its API begins, version included, for example `https://api.openai.com/v1`.
    pub base_url: String,
    /// Its secret.
    pub secret: ProviderSecret,
    /// Under which provider name its models stand in the price book.
    pub price_name: String,
    /// Whether its address may be private, loopback or link-local; only the operator allows that.
    pub private_address: bool,
    /// The models that are routed to it without being asked for by path, as globs; empty: those that the price book
    /// knows.
    pub models: Vec<String>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// One person's.
    Member,
    /// A project's.
    Project,
    /// A machine's.
    Automation,
    /// Ends by itself.
    Temporary,
}

impl KeyKind {
    /// The name used in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Project => "project",
            Self::Automation => "automation",
            Self::Temporary => "temporary",
        }
    }
}

/// Whether a key works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It works.
    Active,
    /// Somebody stopped it for now.
    Suspended {
        /// What they said.
        reason: Option<String>,
    },
    /// It never works again.
    Revoked,
}

/// A virtual key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id: what events and lanes go by.
    pub id: KeyId,
    /// The team that it belongs to.
    pub team: TeamId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// The public part, by which it is found.
    pub public: String,
    /// HMAC-SHA256 of the whole text under the pepper.
    pub digest: [u8; 32],
    /// Whose it is.
    pub member: Option<MemberId>,
    /// The project that it is charged to.
    pub project: Option<ProjectId>,
    /// The client that it is charged to; that of the project when absent.
    pub client: Option<ClientId>,
    /// For example `production`.
    pub environment: Option<String>,
    /// For example `cursor-dev`.
    pub tool: Option<String>,
    /// Models that it may ask for, as globs; empty: all.
    pub models: Vec<String>,
    /// Providers that it may use, by name; empty: all.
    pub providers: Vec<String>,
    /// Endpoints that it may call (`chat`, `embeddings`, ...); empty: all.
    pub endpoints: Vec<String>,
    /// Whether a request may name another client.
    pub may_name_client: bool,
    /// Whether a request may name another project.
    pub may_name_project: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When the grace after its rotation ends; from then on it is revoked.
    pub rotated_out_at: Option<Timestamp>,
    /// Whether it works.
    pub state: KeyState,
}
