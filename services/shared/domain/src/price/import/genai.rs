//! genai-prices' v2 list: providers with models, decimals in USD per million, whole-request context tiers, prices
//! that start on a date, and rules that match model names.
//!
//! A price without a date beside dated ones was in force since ever, until the first date. Prices by time of day
//! can not be stated by a version: such a model is skipped.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::number::{quote_non_numbers, rate};
use super::report::{Import, ImportError, ImportOptions, provider_name};
use crate::price::{ContextTier, PriceVersion, Rate, Rates};
use crate::usage::Bucket;

#[derive(Deserialize)]
struct Provider<'a> {
    id: String,
    #[serde(default)]
    pricing_urls: Vec<String>,
    #[serde(borrow)]
    models: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Model<'a> {
    id: String,
    #[serde(rename = "match")]
    matching: Option<Rule>,
    #[serde(borrow)]
    prices: &'a RawValue,
}

/// A rule as the file nests them; each object has one of the fields.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Rule {
    equals: Option<String>,
    starts_with: Option<String>,
    or: Option<Vec<Rule>>,
    and: Option<Vec<Rule>>,
    ends_with: Option<String>,
    contains: Option<String>,
    regex: Option<String>,
}

#[derive(Deserialize)]
struct Conditional<'a> {
    #[serde(borrow)]
    constraint: Option<Constraint<'a>>,
    #[serde(borrow)]
    prices: Prices<'a>,
}

#[derive(Deserialize)]
struct Constraint<'a> {
    start_date: Option<Date>,
    #[serde(borrow)]
    start_time: Option<&'a RawValue>,
}

type Prices<'a> = BTreeMap<String, &'a RawValue>;

#[derive(Deserialize)]
struct Tiered<'a> {
    #[serde(borrow)]
    base: &'a RawValue,
    #[serde(borrow)]
    tiers: Vec<Step<'a>>,
}

#[derive(Deserialize)]
struct Step<'a> {
    start: u64,
    #[serde(borrow)]
    price: &'a RawValue,
}

/// Reads the whole list.
///
/// # Errors
/// When the text is not a JSON array of providers.
pub fn genai(json: &str, options: &ImportOptions) -> Result<Import, ImportError> {
    let unreadable = |source| ImportError::Unreadable { format: "genai-prices' list", source };
    let json = quote_non_numbers(json);
    let providers: Vec<Provider<'_>> = serde_json::from_str(&json).map_err(unreadable)?;
    let mut import = Import::default();
    for listed in &providers {
        let provider = provider_name(&listed.id);
        if !options.wants(provider) {
            continue;
        }
        for raw in &listed.models {
            let Ok(model) = serde_json::from_str::<Model<'_>>(raw.get()) else {
                import.skip(&format!("{}/?", listed.id), "is not a model of the expected shape");
                continue;
            };
            let name = format!("{}/{}", listed.id, model.id);
            let draft = options.draft(provider, &model.id, listed.pricing_urls.first().map(String::as_str));
            if let Err(reason) = import_model(&mut import, &name, &model, draft) {
                import.skip(&name, reason);
            }
        }
    }
    Ok(import.sorted())
}

fn import_model(
    import: &mut Import,
    name: &str,
    model: &Model<'_>,
    mut draft: PriceVersion,
) -> Result<(), String> {
    if let Some(rule) = &model.matching {
        read_rule(import, name, rule, &mut draft);
    }
    let dated = |date: Date| date.to_zoned(TimeZone::UTC).map(|start| start.timestamp());
    let mut versions = Vec::new();
    if let Ok(prices) = serde_json::from_str::<Prices<'_>>(model.prices.get()) {
        versions.push((draft.effective_from, prices));
    } else {
        let list: Vec<Conditional<'_>> =
            serde_json::from_str(model.prices.get()).map_err(|_| "prices have an unknown shape")?;
        for entry in list {
            let from = match entry.constraint {
                None => Timestamp::UNIX_EPOCH,
                Some(constraint) if constraint.start_time.is_some() => {
                    return Err("prices by time of day are not supported".to_owned());
                }
                Some(constraint) => {
                    let date = constraint.start_date.ok_or("a price has an unknown constraint")?;
                    dated(date).map_err(|_| "a price starts at an impossible date")?
                }
            };
            versions.push((from, entry.prices));
        }
    }
    let mut candidates = Vec::new();
    for (from, prices) in versions {
        let mut candidate = draft.clone();
        candidate.effective_from = from;
        read_prices(import, name, &prices, &mut candidate)?;
        candidates.push(candidate);
    }
    for candidate in candidates {
        import.accept(name, candidate);
    }
    Ok(())
}

fn read_rule(import: &mut Import, name: &str, rule: &Rule, draft: &mut PriceVersion) {
    match rule {
        Rule { equals: Some(alias), .. } if *alias != draft.model => draft.aliases.push(alias.clone()),
        Rule { equals: Some(_), .. } => {}
        Rule { starts_with: Some(prefix), .. } => draft.prefixes.push(prefix.clone()),
        Rule { or: Some(rules), .. } => {
            for rule in rules {
                read_rule(import, name, rule, draft);
            }
        }
        Rule { and, ends_with, contains, regex, .. } => {
            let kinds = [
                ("and", and.is_some()),
                ("ends_with", ends_with.is_some()),
                ("contains", contains.is_some()),
            ];
            let kind = kinds.into_iter().find(|(_, there)| *there).map_or("regex", |(kind, _)| kind);
            if kind != "regex" || regex.is_some() {
                import.note(name, "match", format!("a rule of kind {kind} is not imported"));
            }
        }
    }
}

/// The bucket of a field, and the power of ten from its unit to ours (thousands of calls become one).
fn bucket_of(field: &str) -> Option<(Bucket, i32)> {
    Some(match field {
        "input_mtok" => (Bucket::InputUncached, 0),
        "output_mtok" => (Bucket::OutputText, 0),
        "cache_read_mtok" => (Bucket::CacheRead, 0),
        "cache_audio_read_mtok" => (Bucket::CacheReadAudio, 0),
        "cache_write_mtok" | "cache_write_5m_mtok" => (Bucket::CacheWrite5m, 0),
        "cache_write_1h_mtok" => (Bucket::CacheWrite1h, 0),
        "input_audio_mtok" => (Bucket::InputAudio, 0),
        "input_image_mtok" => (Bucket::InputImage, 0),
        "output_reasoning_mtok" => (Bucket::OutputReasoning, 0),
        "output_audio_mtok" => (Bucket::OutputAudio, 0),
        "output_image_mtok" => (Bucket::OutputImage, 0),
        "web_searches_kcount" => (Bucket::WebSearches, -3),
        "requests_kcount" => (Bucket::Requests, -3),
        _ => return None,
    })
}

fn read_prices(
    import: &mut Import,
    name: &str,
    prices: &Prices<'_>,
    candidate: &mut PriceVersion,
) -> Result<(), String> {
    let mut read: Vec<(Bucket, Rate, BTreeMap<u64, Rate>)> = Vec::new();
    for (field, value) in prices {
        let Some((bucket, exponent)) = bucket_of(field) else {
            import.note(name, field, "not imported: no bucket of this kind");
            continue;
        };
        let mut number = |text: &str| -> Result<Rate, String> {
            let (number, lost) = rate(text, exponent).map_err(|error| format!("{field} {}", error.text()))?;
            if lost {
                import.round(name, field, text, number);
            }
            Ok(number)
        };
        let (base, steps) = if let Ok(tiered) = serde_json::from_str::<Tiered<'_>>(value.get()) {
            let step = |step: Step<'_>| Ok((step.start, number(step.price.get())?));
            let steps = tiered.tiers.into_iter().map(step).collect::<Result<_, String>>()?;
            (number(tiered.base.get())?, steps)
        } else {
            (number(value.get())?, BTreeMap::new())
        };
        if base.is_zero() && !candidate.free {
            import.note(name, field, "zero and not marked free: left without a price");
            continue;
        }
        read.push((bucket, base, steps));
    }
    if read.is_empty() {
        return Err("states no price that is understood, or only zeros".to_owned());
    }
    let at = |above: u64| {
        let rate = |(bucket, base, steps): &(Bucket, Rate, BTreeMap<u64, Rate>)| {
            (*bucket, steps.range(..=above).next_back().map_or(*base, |(_, rate)| *rate))
        };
        filled(read.iter().map(rate).collect())
    };
    let starts: BTreeSet<u64> = read.iter().flat_map(|(_, _, steps)| steps.keys().copied()).collect();
    candidate.rates = at(0);
    candidate.context = starts
        .into_iter()
        .filter(|start| *start > 0)
        .map(|start| ContextTier { above_input_tokens: start, rates: at(start) })
        .collect();
    Ok(())
}

/// A kind of token that the list does not price apart costs what its parent costs: reasoning as output, images
/// and audio as input, cached audio as the cache.
fn filled(mut rates: Rates) -> Rates {
    let audio_apart = rates.get(Bucket::InputAudio).is_some();
    for (bucket, parent) in [
        (Bucket::OutputReasoning, Bucket::OutputText),
        (Bucket::InputImage, Bucket::InputUncached),
        (Bucket::InputAudio, Bucket::InputUncached),
    ] {
        rates.set_default(bucket, rates.get(parent));
    }
    if !audio_apart {
        rates.set_default(Bucket::CacheReadAudio, rates.get(Bucket::CacheRead));
    }
    rates
}
