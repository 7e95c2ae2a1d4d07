//! What usage can be grouped and filtered by.

use std::collections::BTreeMap;
use uuid::Uuid;

/// A dimension of usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    Member,
    Project,
    Client,
    Key,
    Model,
    Provider,
    Tool,
    Environment,
    Task,
    /// Billing day.
    Day,
    /// UTC hour.
    Hour,
}

impl Dimension {
    /// Every dimension, in the order of columns.
    pub const ALL: [Self; 11] = [
        Self::Member,
        Self::Project,
        Self::Client,
        Self::Key,
        Self::Model,
        Self::Provider,
        Self::Tool,
        Self::Environment,
        Self::Task,
        Self::Day,
        Self::Hour,
    ];

    /// The name in queries, answers and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Project => "project",
            Self::Client => "client",
            Self::Key => "key",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Tool => "tool",
            Self::Environment => "environment",
            Self::Task => "task",
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }

    /// Reads what [`Self::as_str`] gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == text)
    }

    /// Whether its values are objects with an id and a name.
    #[must_use]
    pub const fn is_object(self) -> bool {
        matches!(self, Self::Member | Self::Project | Self::Client | Self::Key)
    }

    /// Whether usage can be without it.
    #[must_use]
    pub const fn can_be_absent(self) -> bool {
        self.is_object() || matches!(self, Self::Tool | Self::Environment | Self::Task)
    }
}

/// What a filter asks of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Usage without it.
    Absent,
    /// This object.
    Id(Uuid),
    /// This word.
    Text(String),
}

/// The filter value of an object dimension for SQL: nil stands for absent.
pub(super) fn wanted_id(filter: &BTreeMap<Dimension, Wanted>, dimension: Dimension) -> Option<Uuid> {
    match filter.get(&dimension)? {
        Wanted::Absent => Some(Uuid::nil()),
        Wanted::Id(id) => Some(*id),
        // A word never names an object: nothing matches.
        Wanted::Text(_) => Some(Uuid::max()),
    }
}

/// The filter value of a word dimension for SQL: empty stands for absent.
pub(super) fn wanted_text(filter: &BTreeMap<Dimension, Wanted>, dimension: Dimension) -> Option<String> {
    match filter.get(&dimension)? {
        Wanted::Absent => Some(String::new()),
        Wanted::Id(id) => Some(id.to_string()),
        Wanted::Text(text) => Some(text.clone()),
    }
}
