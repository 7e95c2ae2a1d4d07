//! The closed lists and small values of the control plane.

use super::row::{FromDb, unreadable};
use crate::error::StoreError;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident as $what:literal { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that is stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads what [`Self::as_str`] gives.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromDb<String> for $name {
            fn from_db(raw: String) -> Result<Self, StoreError> {
                Self::parse(&raw).ok_or_else(|| unreadable($what, &raw))
            }
        }
    };
}

words! {
    /// What a member or a token may do; the table of permissions stands in reporting.
    Role as "role" {
        Owner = "owner",
        Admin = "admin",
        Finance = "finance",
        Developer = "developer",
        Oncall = "oncall",
    }
}

words! {
    /// What a key is for.
    KeyKind as "key kind" {
        /// One person.
        Member = "member",
        /// A project, shared by those who work on it.
        Project = "project",
        /// A machine; has a daily budget.
        Automation = "automation",
        /// Ends by itself.
        Temporary = "temporary",
    }
}

words! {
    /// The dialect that a provider speaks.
    ProviderKind as "provider kind" {
        OpenAi = "openai",
        Anthropic = "anthropic",
        Gemini = "gemini",
        OpenAiCompatible = "openai-compatible",
    }
}

words! {
    /// What a change was made to.
    ObjectKind as "object kind" {
        Team = "team",
        Member = "member",
        Client = "client",
        Contract = "contract",
        Project = "project",
        Key = "key",
        Provider = "provider",
        /// Several price versions at once; `object_id` names the import, so load the prices anew.
        PriceBook = "price_book",
        Issuer = "issuer",
        Token = "token",
    }
}

words! {
    /// How often a budget begins anew.
    BudgetPeriod as "budget period" {
        Daily = "daily",
        Weekly = "weekly",
        Monthly = "monthly",
        /// Never.
        Total = "total",
    }
}

/// A budget that a key is made with, in the team's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetSpec {
    /// When it begins anew, in the team's zone.
    pub period: BudgetPeriod,
    /// Most that may be spent per period.
    pub limit: Decimal,
    /// Whether a request beyond it is refused; otherwise it only warns.
    #[serde(default = "yes")]
    pub hard: bool,
    /// Percentages of the limit at which a warning goes out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warn: Vec<u8>,
}

fn yes() -> bool {
    true
}

impl FromDb<serde_json::Value> for Vec<BudgetSpec> {
    fn from_db(raw: serde_json::Value) -> Result<Self, StoreError> {
        serde_json::from_value(raw).map_err(|error| StoreError::Other(sqlx::Error::Decode(error.into())))
    }
}

/// Who makes a change, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// For people: `token admin`, `bootstrap`.
    pub name: String,
    /// The moment that rows and the control event carry.
    pub at: Timestamp,
}

/// Which objects of a team a list shows, oldest first.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Only names (for members also addresses) that contain this, in any case.
    pub name: Option<String>,
    /// With archived, removed or revoked objects.
    pub archived: bool,
    /// Only objects behind this one.
    pub after: Option<Uuid>,
    /// Most rows.
    pub limit: i64,
}
