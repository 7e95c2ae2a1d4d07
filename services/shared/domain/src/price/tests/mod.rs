//! Tests of prices: rating, lookup, versions and imports.

mod book;
mod imports;
mod rating;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ContextTier, PriceVersion, Rates, ServiceTier, TierName, TierPrice};
use crate::currency::Currency;
use crate::ids::PriceVersionId;
use crate::usage::Bucket;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rates(stated: &[(Bucket, &str)]) -> Rates {
    stated.iter().map(|(bucket, rate)| (*bucket, rate.parse().unwrap())).collect()
}

/// A version with boring defaults: 3 per million in, 15 out, in force from 2026.
fn version(model: &str) -> PriceVersion {
    PriceVersion {
        id: PriceVersionId::from_uuid(uuid::Uuid::nil()),
        provider: "acme".to_owned(),
        model: model.to_owned(),
        aliases: Vec::new(),
        prefixes: Vec::new(),
        effective_from: at("2026-01-01T00:00:00Z"),
        revision: 0,
        source: "test".to_owned(),
        checked_on: "2026-01-01".parse().unwrap(),
        currency: Currency::USD,
        fx: None,
        free: false,
        rates: rates(&[(Bucket::InputUncached, "3"), (Bucket::OutputText, "15")]),
        context: Vec::new(),
        tiers: BTreeMap::new(),
        modifiers: BTreeMap::new(),
    }
    .with_derived_id()
}

fn above(tokens: u64, stated: &[(Bucket, &str)]) -> ContextTier {
    ContextTier { above_input_tokens: tokens, rates: rates(stated) }
}
