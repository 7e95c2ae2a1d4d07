//! The script: how the provider treats calls that ask for nothing themselves.

use serde::{Deserialize, Serialize};

use super::marks::Marks;
use super::random::{hash, roll};

/// What is charged when a client goes away in the middle of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisconnectBilling {
    /// The whole answer: it had been generated, or goes on being generated.
    #[default]
    Full,
    /// The prompt, and the output in proportion to the chunks sent.
    Sent,
}

/// One line of the script: which calls, how often, and what happens to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Requested model; a trailing `*` stands for anything. Absent: every model.
    pub model: Option<String>,
    /// Path, for example `/v1/embeddings`. Absent: every path.
    pub endpoint: Option<String>,
    /// How many of a thousand such calls, chosen by the seed and the call's text. Absent: all.
    pub per_mille: Option<u64>,
    /// The words of a mark, for example `fault=429 retry=2`.
    pub marks: String,
}

/// The behaviour of a whole provider. `POST /_script` replaces it; what is left out gets its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// Asked in order; the first that fits a call and wins its roll decides.
    pub rules: Vec<Rule>,
    /// Milliseconds before the status line, where nothing else is said.
    pub first_ms: u64,
    /// Milliseconds between chunks, where nothing else is said.
    pub chunk_ms: u64,
    /// Of a thousand calls that the provider never answered, how many it charges all the same.
    pub unknown_billed_per_mille: u64,
    /// See [`DisconnectBilling`].
    pub disconnect: DisconnectBilling,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            first_ms: 0,
            chunk_ms: 0,
            unknown_billed_per_mille: 500,
            disconnect: DisconnectBilling::default(),
        }
    }
}

/// What the rolls of one call depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    pub(crate) seed: u64,
    pub(crate) call: u64,
    pub(crate) attempt: u32,
}

impl Script {
    /// The first rule whose words are no mark, so that a typing error is not a silent no-op.
    pub(crate) fn fault_in_rules(&self) -> Option<&Rule> {
        self.rules.iter().find(|rule| Marks::parse(&rule.marks).is_none())
    }

    /// The marks of the rule that this call falls under.
    pub(crate) fn marks(&self, model: &str, endpoint: &str, dice: Dice) -> Marks {
        let fits = |(index, rule): &(usize, &Rule)| {
            let wins = roll(&[dice.seed, *index as u64, dice.call, u64::from(dice.attempt)]) % 1000;
            rule.model.as_deref().is_none_or(|pattern| matches(pattern, model))
                && rule.endpoint.as_deref().is_none_or(|path| path == endpoint)
                && wins < rule.per_mille.unwrap_or(1000)
        };
        let rule = self.rules.iter().enumerate().find(fits);
        rule.and_then(|(_, rule)| Marks::parse(&rule.marks)).unwrap_or_default()
    }

    /// Whether a call that nobody knows the end of is charged.
    pub(crate) fn charges_unknown(&self, dice: Dice) -> bool {
        let salt = hash(b"nobody knows");
        roll(&[dice.seed, salt, dice.call, u64::from(dice.attempt)]) % 1000 < self.unknown_billed_per_mille
    }
}

fn matches(pattern: &str, model: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == model, |prefix| model.starts_with(prefix))
}
