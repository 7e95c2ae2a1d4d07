//! LiteLLM's `model_prices_and_context_window.json`: one flat object per model, floats in USD per token, tiers as
//! suffixes of the field name.
//!
//! A field is `<quantity>[_above_<N>k_tokens][_flex|_priority|_batches]`. Every field that prices something and is
//! not understood is named in the notes; a model priced only by such fields is skipped.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::number::{quote_non_numbers, rate};
use super::report::{Import, ImportError, ImportOptions, provider_name};
use crate::price::{ContextTier, PriceVersion, Rate, Rates, ServiceTier, TierPrice};
use crate::usage::Bucket;

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Reads the whole table. `per_million` rates are exact; what twelve decimals can not hold is rounded and told.
///
/// # Errors
/// When the text is not a JSON object of objects.
pub fn litellm(json: &str, options: &ImportOptions) -> Result<Import, ImportError> {
    let unreadable = |source| ImportError::Unreadable { format: "LiteLLM's price table", source };
    let json = quote_non_numbers(json);
    let models: BTreeMap<String, &RawValue> = serde_json::from_str(&json).map_err(unreadable)?;
    let mut import = Import::default();
    for (name, model) in &models {
        if name == "sample_spec" {
            continue;
        }
        match serde_json::from_str::<Fields<'_>>(model.get()) {
            Ok(fields) => import_model(&mut import, name, &fields, options),
            Err(_) => import.skip(name, "is not an object"),
        }
    }
    Ok(import.sorted())
}

const MODES: [&str; 7] = [
    "chat",
    "completion",
    "responses",
    "embedding",
    "image_generation",
    "audio_transcription",
    "audio_speech",
];

/// Shapes that change the price in ways that a version can not state: the model is skipped.
const UNSUPPORTED: [&str; 2] = ["tiered_pricing", "off_peak_pricing"];

fn text(fields: &Fields<'_>, field: &str) -> Option<String> {
    fields.get(field).and_then(|value| serde_json::from_str(value.get()).ok())
}

fn import_model(import: &mut Import, name: &str, fields: &Fields<'_>, options: &ImportOptions) {
    let Some(listed) = text(fields, "litellm_provider") else {
        return import.skip(name, "names no provider");
    };
    let provider = provider_name(&listed);
    if !options.wants(provider) {
        return;
    }
    let mode = text(fields, "mode").unwrap_or_default();
    if !MODES.contains(&mode.as_str()) {
        return import.skip(name, format!("mode '{mode}' is not supported"));
    }
    if let Some(shape) = UNSUPPORTED.into_iter().find(|shape| fields.contains_key(*shape)) {
        return import.skip(name, format!("{shape} is not supported"));
    }
    let prefix = format!("{listed}/");
    let model =
        name.strip_prefix(&prefix).or_else(|| name.strip_prefix(&format!("{provider}/"))).unwrap_or(name);
    let source = text(fields, "source");
    let mut draft = options.draft(provider, model, source.as_deref());
    let mut tables = BTreeMap::new();
    for (field, value) in fields {
        match read_field(import, name, &mode, (field, value), draft.free) {
            Ok(Some((place, bucket, rate))) => {
                tables.entry(place).or_insert_with(Rates::default).set(bucket, rate);
            }
            Ok(None) => {}
            Err(reason) => return import.skip(name, reason),
        }
    }
    if let Some(rate) = search_fee(import, name, fields) {
        tables.entry(Place::default()).or_insert_with(Rates::default).set(Bucket::WebSearches, rate);
    }
    draft.modifiers = modifiers(fields);
    assemble(&mut draft, tables, &mode);
    if draft.rates.is_empty() {
        return import.skip(name, "states no price that is understood, or only zeros");
    }
    import.accept(name, draft);
}

/// Where a rate belongs: service tier and context threshold (zero is the base).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Place {
    tier: Option<ServiceTier>,
    above: u64,
}

/// Reads one field. `None` when it prices nothing or is noted; an error skips the model.
fn read_field(
    import: &mut Import,
    name: &str,
    mode: &str,
    (field, value): (&String, &RawValue),
    free: bool,
) -> Result<Option<(Place, Bucket, Rate)>, String> {
    if !field.contains("cost") || field == "search_context_cost_per_query" || value.get() == "null" {
        return Ok(None);
    }
    let (quantity, place) = split_name(field);
    let Some((bucket, exponent)) = bucket_of(quantity, mode) else {
        import.note(name, field, "not imported: no bucket of this kind");
        return Ok(None);
    };
    let (rate, lost) = rate(value.get(), exponent).map_err(|error| format!("{field} {}", error.text()))?;
    if rate.is_zero() && !free {
        if !is_usual_zero(field, mode) {
            import.note(name, field, "zero and not marked free: left without a price");
        }
        return Ok(None);
    }
    if lost {
        import.round(name, field, value.get(), rate);
    }
    Ok(Some((place, bucket, rate)))
}

/// Embeddings put nothing out, and the table writes that as a zero price.
fn is_usual_zero(field: &str, mode: &str) -> bool {
    mode == "embedding" && field.starts_with("output_cost_per_token")
}

/// Cuts the tier and threshold suffixes off.
fn split_name(field: &str) -> (&str, Place) {
    let tiers = [
        ("_flex", ServiceTier::Flex),
        ("_priority", ServiceTier::Priority),
        ("_batches", ServiceTier::Batch),
    ];
    let cut = tiers.into_iter().find_map(|(suffix, tier)| Some((field.strip_suffix(suffix)?, Some(tier))));
    let (rest, tier) = cut.unwrap_or((field, None));
    let long = rest.strip_suffix("k_tokens").and_then(|rest| {
        let (quantity, thousands) = rest.rsplit_once("_above_")?;
        Some((quantity, thousands.parse::<u64>().ok()?.checked_mul(1000)?))
    });
    let (quantity, above) = long.unwrap_or((rest, 0));
    (quantity, Place { tier, above })
}

/// The bucket that a quantity is, and the power of ten from its unit to ours (tokens become millions).
fn bucket_of(quantity: &str, mode: &str) -> Option<(Bucket, i32)> {
    let tokens = |bucket| Some((bucket, 6));
    match (quantity, mode) {
        ("input_cost_per_token", _) => tokens(Bucket::InputUncached),
        ("cache_read_input_token_cost", _) => tokens(Bucket::CacheRead),
        ("cache_read_input_audio_token_cost", _) => tokens(Bucket::CacheReadAudio),
        ("cache_creation_input_token_cost", _) => tokens(Bucket::CacheWrite5m),
        ("cache_creation_input_token_cost_above_1hr", _) => tokens(Bucket::CacheWrite1h),
        ("input_cost_per_audio_token", _) => tokens(Bucket::InputAudio),
        ("input_cost_per_image_token", _) => tokens(Bucket::InputImage),
        ("output_cost_per_token", _) => tokens(Bucket::OutputText),
        ("output_cost_per_reasoning_token", _) => tokens(Bucket::OutputReasoning),
        ("output_cost_per_audio_token", _) => tokens(Bucket::OutputAudio),
        ("output_cost_per_image_token", _) => tokens(Bucket::OutputImage),
        ("output_cost_per_image", "image_generation") => Some((Bucket::Images, 0)),
        ("input_cost_per_second", "audio_transcription") => Some((Bucket::Seconds, 0)),
        ("input_cost_per_character", "audio_speech") => Some((Bucket::Characters, 0)),
        ("input_cost_per_request", _) => Some((Bucket::Requests, 0)),
        _ => None,
    }
}

/// The fee of a search, where it does not depend on how much context the caller asks for.
fn search_fee(import: &mut Import, name: &str, fields: &Fields<'_>) -> Option<Rate> {
    let field = "search_context_cost_per_query";
    let sizes: BTreeMap<String, &RawValue> = serde_json::from_str(fields.get(field)?.get()).ok()?;
    let mut rates: Vec<Rate> =
        sizes.values().filter_map(|value| Some(rate(value.get(), 0).ok()?.0)).collect();
    rates.sort_unstable();
    rates.dedup();
    match rates[..] {
        [rate] if !rate.is_zero() => Some(rate),
        _ => {
            import.note(name, field, "not imported: zero, or depends on the size of the search");
            None
        }
    }
}

/// Factors by place of processing and by speed. Other entries of the object are settings, not prices.
fn modifiers(fields: &Fields<'_>) -> BTreeMap<String, Rate> {
    let listed = fields.get("provider_specific_entry").map_or("{}", |entry| entry.get());
    let listed: BTreeMap<String, &RawValue> = serde_json::from_str(listed).unwrap_or_default();
    let factors = listed.into_iter().filter_map(|(name, value)| Some((name, rate(value.get(), 0).ok()?.0)));
    factors
        .filter(|(name, factor)| matches!(name.as_str(), "us" | "eu" | "fast") && !factor.is_zero())
        .collect()
}

fn assemble(draft: &mut PriceVersion, mut tables: BTreeMap<Place, Rates>, mode: &str) {
    for rates in tables.values_mut() {
        rates.set_default(Bucket::OutputReasoning, rates.get(Bucket::OutputText));
        if matches!(mode, "chat" | "responses") {
            rates.set_default(Bucket::InputImage, rates.get(Bucket::InputUncached));
        }
    }
    let thresholds: Vec<u64> = {
        let mut above: Vec<u64> = tables.keys().map(|place| place.above).filter(|above| *above > 0).collect();
        above.sort_unstable();
        above.dedup();
        above
    };
    // A threshold that a tier says nothing about stays without a price there: unrated, never the short price.
    let context = |tier: Option<ServiceTier>| {
        let long = |above: &u64| {
            let rates = tables.get(&Place { tier, above: *above }).copied().unwrap_or_default();
            ContextTier { above_input_tokens: *above, rates }
        };
        thresholds.iter().map(long).collect::<Vec<_>>()
    };
    draft.rates = tables.get(&Place::default()).copied().unwrap_or_default();
    draft.context = context(None);
    for tier in [ServiceTier::Flex, ServiceTier::Priority, ServiceTier::Batch] {
        if let Some(rates) = tables.get(&Place { tier: Some(tier), above: 0 }) {
            draft
                .tiers
                .insert(tier, TierPrice::Table { rates: Box::new(*rates), context: context(Some(tier)) });
        }
    }
}
