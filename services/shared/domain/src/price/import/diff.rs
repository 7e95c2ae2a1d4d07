//! What a list of candidates would change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::PriceVersionId;
use crate::price::{PriceBook, PriceVersion, Rate, TierPrice};

/// One rate that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RateChange {
    /// Where: a table and a bucket (`standard input_uncached`, `flex above 272000 cache_read`), or a factor.
    pub rate: String,
    /// What the book has.
    pub old: Option<Rate>,
    /// What the candidate has.
    pub new: Option<Rate>,
}

/// A model whose price would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its provider.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// From when on the candidate is in force.
    pub effective_from: Timestamp,
    /// The version that is in force then.
    pub old: PriceVersionId,
    /// The candidate.
    pub new: PriceVersionId,
    /// Every rate that differs.
    pub rates: Vec<RateChange>,
}

/// Candidates compared with a book.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Diff {
    /// Versions of models that have no price at that time.
    pub added: Vec<PriceVersion>,
    /// Versions that differ from the one in force.
    pub changed: Vec<Change>,
    /// Versions that say what is in force already.
    pub unchanged: Vec<PriceVersionId>,
    /// Models (provider, model) that the book has and the candidates of the same provider have not.
    pub missing: Vec<(String, String)>,
}

/// Compares each candidate with the version of the same model that is in force when the candidate takes effect.
#[must_use]
pub fn diff(book: &PriceBook, candidates: &[PriceVersion]) -> Diff {
    let mut diff = Diff::default();
    let in_force = |candidate: &PriceVersion| {
        let versions = book.model_versions(&candidate.provider, &candidate.model)?;
        versions.iter().rev().find(|old| old.effective_from <= candidate.effective_from)
    };
    for candidate in candidates {
        let Some(old) = in_force(candidate) else {
            diff.added.push(candidate.clone());
            continue;
        };
        let rates = changes(old, candidate);
        if rates.is_empty() {
            diff.unchanged.push(candidate.id);
        } else {
            diff.changed.push(Change {
                provider: candidate.provider.clone(),
                model: candidate.model.clone(),
                effective_from: candidate.effective_from,
                old: old.id,
                new: candidate.id,
                rates,
            });
        }
    }
    let providers: BTreeSet<&str> = candidates.iter().map(|candidate| candidate.provider.as_str()).collect();
    let named: BTreeSet<(&str, &str)> =
        candidates.iter().map(|candidate| (candidate.provider.as_str(), candidate.model.as_str())).collect();
    let known: BTreeSet<(&str, &str)> =
        book.versions().into_iter().map(|known| (known.provider.as_str(), known.model.as_str())).collect();
    let absent = known.difference(&named).filter(|(provider, _)| providers.contains(provider));
    diff.missing = absent.map(|(provider, model)| ((*provider).to_owned(), (*model).to_owned())).collect();
    diff
}

fn changes(old: &PriceVersion, new: &PriceVersion) -> Vec<RateChange> {
    let (old, new) = (flat(old), flat(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| RateChange {
        rate: name.clone(),
        old: old.get(name).copied(),
        new: new.get(name).copied(),
    };
    names.into_iter().map(change).filter(|change| change.old != change.new).collect()
}

fn flat(version: &PriceVersion) -> BTreeMap<String, Rate> {
    let tables = version.tables().into_iter();
    let mut flat: BTreeMap<String, Rate> = tables
        .flat_map(|(place, rates)| {
            rates.iter().map(|(b, rate)| (format!("{place} {b}"), rate)).collect::<Vec<_>>()
        })
        .collect();
    for (tier, price) in &version.tiers {
        if let TierPrice::Factor { factor } = price {
            flat.insert(format!("factor of {tier:?}").to_lowercase(), *factor);
        }
    }
    for (name, factor) in &version.modifiers {
        flat.insert(format!("factor of {name}"), *factor);
    }
    flat
}
