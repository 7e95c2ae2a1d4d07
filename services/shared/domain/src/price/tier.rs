//! Service tiers under the names that providers give them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Unrated;

/// The tiers that a price can state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTier {
    /// The price as listed.
    Standard,
    /// Cheaper and slower.
    Flex,
    /// Dearer and faster.
    Priority,
    /// Cheaper, answered within a day.
    Batch,
    /// Capacity bought in advance.
    Scale,
}

impl ServiceTier {
    /// The tier of a provider's word for it (OpenAI, Anthropic, Groq; Gemini's traffic types).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            ""
            | "standard"
            | "default"
            | "auto"
            | "standard_only"
            | "on_demand"
            | "ON_DEMAND"
            | "TRAFFIC_TYPE_UNSPECIFIED" => Self::Standard,
            "flex" | "ON_DEMAND_FLEX" => Self::Flex,
            "priority" | "fast" | "ON_DEMAND_PRIORITY" => Self::Priority,
            "batch" | "batches" => Self::Batch,
            "scale" | "PROVISIONED_THROUGHPUT" => Self::Scale,
            _ => return None,
        })
    }
}

/// A tier with what else changes its price, written `tier+modifier+modifier`: `standard+us`, `standard+fast`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierName<'a> {
    /// The tier.
    pub tier: ServiceTier,
    /// Modifiers in the order written; a price states a factor for each that it knows.
    pub modifiers: Vec<&'a str>,
}

impl<'a> TierName<'a> {
    /// No tier was stated.
    pub const STANDARD: Self = Self { tier: ServiceTier::Standard, modifiers: Vec::new() };

    /// Reads what an event or an answer states; `None` is the standard tier.
    ///
    /// # Errors
    /// [`Unrated::UnknownTier`] when the tier is none that we know.
    pub fn parse(name: Option<&'a str>) -> Result<Self, Unrated> {
        let Some(name) = name else { return Ok(Self::STANDARD) };
        let mut parts = name.split('+');
        let tier = ServiceTier::parse(parts.next().unwrap_or_default());
        let tier = tier.ok_or_else(|| Unrated::UnknownTier { tier: name.to_owned() })?;
        Ok(Self { tier, modifiers: parts.collect() })
    }
}

impl std::fmt::Display for TierName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tier = match self.tier {
            ServiceTier::Standard => "standard",
            ServiceTier::Flex => "flex",
            ServiceTier::Priority => "priority",
            ServiceTier::Batch => "batch",
            ServiceTier::Scale => "scale",
        };
        f.write_str(tier)?;
        self.modifiers.iter().try_for_each(|modifier| write!(f, "+{modifier}"))
    }
}
