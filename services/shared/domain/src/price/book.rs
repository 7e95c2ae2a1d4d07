//! The price book: an append-only set of versions, indexed for one lookup per request.
//!
//! Cost of a lookup: one hash of the provider, at most four of model names, a binary search over the versions of
//! one model; only a model that matches none of these walks the provider's prefixes.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::matching::{MatchedBy, bare, without_snapshot};
use super::{PriceError, PriceVersion, Rated, TierName, Unrated, rate};
use crate::currency::Currency;
use crate::ids::PriceVersionId;
use crate::usage::Usage;

/// All versions that are known. Versions are only ever added.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    by_id: HashMap<PriceVersionId, Arc<PriceVersion>>,
    providers: HashMap<String, Provider>,
}

#[derive(Debug, Clone, Default)]
struct Provider {
    models: Vec<Model>,
    by_name: HashMap<String, usize>,
    by_alias: HashMap<String, Claim>,
    /// Longest first, then by text.
    prefixes: Vec<(String, Claim)>,
}

#[derive(Debug, Clone)]
struct Model {
    /// By (instant, revision).
    versions: Vec<Arc<PriceVersion>>,
}

/// Which model an alias or prefix belongs to. Where two claim the same, the newer version has it, and of equally
/// new ones the model that sorts first: no order of insertion matters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    model: usize,
    since: (Timestamp, u32),
    name: String,
}

impl Claim {
    fn beats(&self, other: &Self) -> bool {
        (self.since, &other.name) > (other.since, &self.name)
    }
}

/// A version that was found, and how sure the match is.
#[derive(Debug, Clone)]
pub struct Found {
    /// The version in force.
    pub version: Arc<PriceVersion>,
    /// How the model was recognised.
    pub matched_by: MatchedBy,
}

/// Why a version was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// The version is not valid.
    #[error("the price of {provider} {model} is not valid")]
    Invalid {
        /// Its provider.
        provider: String,
        /// Its model.
        model: String,
        /// The rule it breaks.
        source: PriceError,
    },
    /// A different version has the same id, or the same model, instant and revision.
    #[error("another price of {provider} {model} is already in force from {from}, revision {revision}")]
    Conflict {
        /// Its provider.
        provider: String,
        /// Its model.
        model: String,
        /// When both take effect.
        from: Timestamp,
        /// The revision of both.
        revision: u32,
    },
}

impl PriceBook {
    /// A book of these versions.
    ///
    /// # Errors
    /// As [`Self::insert`]; the first version that can not be added ends it.
    pub fn of(versions: impl IntoIterator<Item = PriceVersion>) -> Result<Self, BookError> {
        let mut book = Self::default();
        for version in versions {
            book.insert(version)?;
        }
        Ok(book)
    }

    /// Adds a version; adding the same one again changes nothing.
    ///
    /// # Errors
    /// When it is not valid, or contradicts a version that is there. The book is then unchanged.
    pub fn insert(&mut self, version: PriceVersion) -> Result<(), BookError> {
        version.validate().map_err(|source| BookError::Invalid {
            provider: version.provider.clone(),
            model: version.model.clone(),
            source,
        })?;
        let same_slot = self.model_versions(&version.provider, &version.model).and_then(|versions| {
            versions
                .iter()
                .find(|old| (old.effective_from, old.revision) == (version.effective_from, version.revision))
        });
        if let Some(old) = self.by_id.get(&version.id).or(same_slot) {
            if **old == version {
                return Ok(());
            }
            return Err(BookError::Conflict {
                provider: version.provider,
                model: version.model,
                from: version.effective_from,
                revision: version.revision,
            });
        }
        let version = Arc::new(version);
        self.by_id.insert(version.id, Arc::clone(&version));
        self.providers.entry(version.provider.clone()).or_default().insert(version);
        Ok(())
    }

    /// The version in force for a model at an instant.
    ///
    /// # Errors
    /// [`Unrated::UnknownModel`] when no name fits, [`Unrated::NotInForce`] when the model's first version takes
    /// effect later.
    pub fn lookup(&self, provider: &str, model: &str, at: Timestamp) -> Result<Found, Unrated> {
        let (began, matched_by) = self.began(provider, model, at)?;
        let found = began.last().ok_or(Unrated::NotInForce)?;
        Ok(Found { version: Arc::clone(found), matched_by })
    }

    /// The version in force that states its rates in the currency of a ledger.
    ///
    /// # Errors
    /// As [`Self::lookup`], and [`Unrated::OtherCurrency`] when every version that took effect is in another one.
    pub fn lookup_in(
        &self,
        currency: Currency,
        provider: &str,
        model: &str,
        at: Timestamp,
    ) -> Result<Found, Unrated> {
        let (began, matched_by) = self.began(provider, model, at)?;
        let newest = began.last().ok_or(Unrated::NotInForce)?;
        let other = Unrated::OtherCurrency { currency: newest.currency };
        let found = began.iter().rev().find(|version| version.currency == currency).ok_or(other)?;
        Ok(Found { version: Arc::clone(found), matched_by })
    }

    /// The version for a call: by the model that served. Where only the beginning of its name is known but the model that
    /// was asked for has a price of its own, that one counts.
    ///
    /// # Errors
    /// As [`Self::lookup_in`].
    pub fn lookup_served(
        &self,
        currency: Currency,
        provider: &str,
        requested: &str,
        served: Option<&str>,
        at: Timestamp,
    ) -> Result<Found, Unrated> {
        let look = |model: &str| self.lookup_in(currency, provider, model, at);
        let asked = look(requested);
        match served.filter(|served| *served != requested).map(look) {
            Some(Ok(served)) if !matches!(served.matched_by, MatchedBy::Prefix) => Ok(served),
            Some(served) => asked.or(served),
            None => asked,
        }
    }

    /// The versions of a model that took effect by an instant, oldest first.
    fn began(
        &self,
        provider: &str,
        model: &str,
        at: Timestamp,
    ) -> Result<(&[Arc<PriceVersion>], MatchedBy), Unrated> {
        let prices = self.providers.get(provider).ok_or(Unrated::UnknownModel)?;
        let (index, matched_by) = prices.find(bare(model)).ok_or(Unrated::UnknownModel)?;
        let versions = prices.models.get(index).map_or(&[][..], |model| &model.versions);
        let after = versions.partition_point(|version| version.effective_from <= at);
        Ok((versions.get(..after).unwrap_or_default(), matched_by))
    }

    /// Looks the version in a currency up and rates with it.
    ///
    /// # Errors
    /// As [`Self::lookup_in`] and [`rate`], and when the tier is unknown.
    pub fn rate(
        &self,
        currency: Currency,
        provider: &str,
        model: &str,
        at: Timestamp,
        tier: Option<&str>,
        usage: &Usage,
    ) -> Result<Rated, Unrated> {
        let found = self.lookup_in(currency, provider, model, at)?;
        rate(usage, &TierName::parse(tier)?, &found.version)
    }

    /// The version that an event names.
    #[must_use]
    pub fn version(&self, id: PriceVersionId) -> Option<&Arc<PriceVersion>> {
        self.by_id.get(&id)
    }

    /// All versions of a model under its own id, oldest first.
    #[must_use]
    pub fn model_versions(&self, provider: &str, model: &str) -> Option<&[Arc<PriceVersion>]> {
        let prices = self.providers.get(provider)?;
        prices
            .by_name
            .get(model)
            .and_then(|index| prices.models.get(*index))
            .map(|model| model.versions.as_slice())
    }

    /// All versions, by provider, model, instant and revision.
    #[must_use]
    pub fn versions(&self) -> Vec<&Arc<PriceVersion>> {
        let mut all: Vec<_> = self.by_id.values().collect();
        all.sort_by_key(|v| (&v.provider, &v.model, v.effective_from, v.revision));
        all
    }

    /// How many versions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl Provider {
    fn insert(&mut self, version: Arc<PriceVersion>) {
        let index = *self.by_name.entry(version.model.clone()).or_insert_with(|| {
            self.models.push(Model { versions: Vec::new() });
            self.models.len().saturating_sub(1)
        });
        let since = (version.effective_from, version.revision);
        let claim = Claim { model: index, since, name: version.model.clone() };
        for alias in &version.aliases {
            let held = self.by_alias.entry(alias.clone()).or_insert_with(|| claim.clone());
            if claim.beats(held) {
                *held = claim.clone();
            }
        }
        for prefix in &version.prefixes {
            match self.prefixes.iter_mut().find(|(held, _)| held == prefix) {
                Some((_, held)) if claim.beats(held) => *held = claim.clone(),
                Some(_) => {}
                None => self.prefixes.push((prefix.clone(), claim.clone())),
            }
        }
        self.prefixes.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        if let Some(model) = self.models.get_mut(index) {
            let place = model.versions.partition_point(|old| (old.effective_from, old.revision) < since);
            model.versions.insert(place, version);
        }
    }

    fn find(&self, model: &str) -> Option<(usize, MatchedBy)> {
        if let Some(index) = self.by_name.get(model) {
            return Some((*index, MatchedBy::Id));
        }
        if let Some(claim) = self.by_alias.get(model) {
            return Some((claim.model, MatchedBy::Alias));
        }
        if let Some(family) = without_snapshot(model) {
            let index = self.by_name.get(family).copied();
            if let Some(index) = index.or_else(|| self.by_alias.get(family).map(|claim| claim.model)) {
                return Some((index, MatchedBy::Snapshot));
            }
        }
        let by_prefix = self.prefixes.iter().find(|(prefix, _)| model.starts_with(prefix.as_str()));
        by_prefix.map(|(_, claim)| (claim.model, MatchedBy::Prefix))
    }
}
