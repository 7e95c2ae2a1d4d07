//! What an import did, model by model.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::currency::Currency;
use crate::price::{PriceVersion, Rates};

/// What the files do not say.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// From when on prices without a date of their own are in force.
    pub effective_from: Timestamp,
    /// The day of the import, recorded as the day on which the facts were checked.
    pub checked_on: Date,
    /// Where the file is from; stands before the model's own source, when the file names one.
    pub source: String,
    /// Import only these providers, under our names; all when empty.
    pub providers: BTreeSet<String>,
    /// Models (`provider/model`) that are known to be free. Any other price of zero is refused.
    pub free: BTreeSet<String>,
}

/// A model that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its name in the file.
    pub model: String,
    /// Why.
    pub reason: String,
}

/// Something that a person should know about an imported model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Its name in the file.
    pub model: String,
    /// The field it is about.
    pub field: String,
    /// What was done.
    pub note: String,
}

/// Candidates and the report on them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Import {
    /// Valid versions with derived ids, by provider, model and instant.
    pub candidates: Vec<PriceVersion>,
    /// Models that were refused or not understood.
    pub skipped: Vec<Skipped>,
    /// Rates that were rounded to twelve decimals.
    pub rounded: Vec<Note>,
    /// Fields that were left out, and rates that were taken from another field.
    pub notes: Vec<Note>,
}

/// The file as a whole could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not JSON of the expected outline.
    #[error("the price file is not readable as {format}")]
    Unreadable {
        /// The format that was expected.
        format: &'static str,
        /// What the JSON reader objected to.
        source: serde_json::Error,
    },
}

impl Import {
    pub(crate) fn skip(&mut self, model: &str, reason: impl Into<String>) {
        self.skipped.push(Skipped { model: model.to_owned(), reason: reason.into() });
    }

    pub(crate) fn round(&mut self, model: &str, field: &str, written: &str, rate: impl std::fmt::Display) {
        self.rounded.push(Note {
            model: model.into(),
            field: field.into(),
            note: format!("{written} became {rate}"),
        });
    }

    pub(crate) fn note(&mut self, model: &str, field: &str, note: impl Into<String>) {
        self.notes.push(Note { model: model.into(), field: field.into(), note: note.into() });
    }

    /// Accepts a candidate when it is valid and no other one is in its place.
    pub(crate) fn accept(&mut self, name: &str, candidate: PriceVersion) {
        let candidate = candidate.with_derived_id();
        if let Err(error) = candidate.validate() {
            return self.skip(name, error.to_string());
        }
        match self.candidates.iter().find(|other| other.id == candidate.id) {
            Some(other) if same_price(other, &candidate) => {
                self.skip(name, "same as another entry of the same model")
            }
            Some(_) => self.skip(name, "another entry of the same model has other prices"),
            None => self.candidates.push(candidate),
        }
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.candidates.sort_by(|a, b| {
            (&a.provider, &a.model, a.effective_from).cmp(&(&b.provider, &b.model, b.effective_from))
        });
        self
    }
}

fn same_price(a: &PriceVersion, b: &PriceVersion) -> bool {
    (&a.rates, &a.context, &a.tiers, &a.modifiers) == (&b.rates, &b.context, &b.tiers, &b.modifiers)
}

impl ImportOptions {
    pub(crate) fn wants(&self, provider: &str) -> bool {
        self.providers.is_empty() || self.providers.contains(provider)
    }

    pub(crate) fn is_free(&self, provider: &str, model: &str) -> bool {
        self.free.contains(&format!("{provider}/{model}"))
    }

    /// A version with everything but prices.
    pub(crate) fn draft(&self, provider: &str, model: &str, source: Option<&str>) -> PriceVersion {
        let source = source.map_or_else(|| self.source.clone(), |own| format!("{}; {own}", self.source));
        PriceVersion {
            id: crate::ids::PriceVersionId::from_uuid(uuid::Uuid::nil()),
            provider: provider.to_owned(),
            model: model.to_owned(),
            aliases: Vec::new(),
            prefixes: Vec::new(),
            effective_from: self.effective_from,
            revision: 0,
            source: source.chars().take(200).collect(),
            checked_on: self.checked_on,
            currency: Currency::USD,
            fx: None,
            free: self.is_free(provider, model),
            rates: Rates::default(),
            context: Vec::new(),
            tiers: std::collections::BTreeMap::new(),
            modifiers: std::collections::BTreeMap::new(),
        }
    }
}

/// Our name of a provider that a file names differently.
pub(crate) fn provider_name(name: &str) -> &str {
    match name {
        "google" => "gemini",
        "x-ai" => "xai",
        "together_ai" => "together",
        "fireworks_ai" => "fireworks",
        "cohere_chat" => "cohere",
        "moonshot" => "moonshotai",
        "aws" => "bedrock",
        "text-completion-openai" => "openai",
        other => other,
    }
}
