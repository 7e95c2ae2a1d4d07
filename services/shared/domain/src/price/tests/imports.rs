//! The importers on small tables of the public shapes.

use super::super::import::{Import, ImportOptions, diff, genai, litellm};
use super::super::{PriceBook, TierName};
use super::*;
use Bucket::*;
use std::collections::BTreeSet;

fn options() -> ImportOptions {
    ImportOptions {
        effective_from: at("2026-11-01T00:00:00Z"),
        checked_on: "2026-11-23".parse().unwrap(),
        source: "a test table".to_owned(),
        providers: BTreeSet::new(),
        free: BTreeSet::from(["openai/gratis".to_owned()]),
    }
}

fn model<'a>(import: &'a Import, model: &str) -> &'a PriceVersion {
    import.candidates.iter().find(|candidate| candidate.model == model).unwrap()
}

fn reason<'a>(import: &'a Import, model: &str) -> &'a str {
    &import.skipped.iter().find(|skipped| skipped.model == model).unwrap().reason
}

const LITELLM: &str = r#"{
  "sample_spec": {"input_cost_per_token": 0.0, "mode": "one of: chat"},
  "gpt-x": {"litellm_provider": "openai", "mode": "chat", "source": "https://example.test/prices",
    "input_cost_per_token": 4e-06, "output_cost_per_token": 0.00002, "cache_read_input_token_cost": 4e-07,
    "input_cost_per_token_above_272k_tokens": 8e-06, "output_cost_per_token_above_272k_tokens": 3e-05,
    "cache_read_input_token_cost_above_272k_tokens": 8e-07,
    "input_cost_per_token_priority": 8e-06, "output_cost_per_token_priority": 4e-05,
    "input_cost_per_token_above_272k_tokens_priority": 1.6e-05,
    "input_cost_per_token_flex": 2e-06, "output_cost_per_token_flex": 1e-05,
    "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.01},
    "file_search_cost_per_1k_calls": 0.0025, "max_input_tokens": 922000},
  "anthropic/claude-x": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06,
    "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost": 3.75e-06,
    "cache_creation_input_token_cost_above_1hr": 6e-06, "provider_specific_entry": {"us": 1.1, "supported": true}},
  "embed": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 2e-08,
    "output_cost_per_token": 0.0},
  "noisy": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.2345678901234567e-07,
    "output_cost_per_token": 2.4999999999999998e-06, "cache_creation_input_token_cost": 0.0},
  "zero": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0.0},
  "gratis": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0.0},
  "negative": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": -1e-06},
  "nan": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": NaN},
  "wordy": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": "cheap"},
  "ranges": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06, "tiered_pricing": []},
  "video": {"litellm_provider": "openai", "mode": "video_generation", "output_cost_per_second": 0.1},
  "whisper-x": {"litellm_provider": "openai", "mode": "audio_transcription", "input_cost_per_second": 0.0001},
  "unpriced": {"litellm_provider": "openai", "mode": "chat", "max_tokens": 1},
  "shapeless": ["a list", "with NaN in a string"]
}"#;

#[test]
fn litellm_becomes_versions_per_million_with_tiers() {
    let import = litellm(LITELLM, &options()).unwrap();
    let gpt = model(&import, "gpt-x");
    let base = [
        (InputUncached, "4"),
        (CacheRead, "0.4"),
        (InputImage, "4"),
        (OutputText, "20"),
        (OutputReasoning, "20"),
        (WebSearches, "0.01"),
    ];
    assert_eq!(gpt.rates, rates(&base));
    let long = [
        (InputUncached, "8"),
        (CacheRead, "0.8"),
        (InputImage, "8"),
        (OutputText, "30"),
        (OutputReasoning, "30"),
    ];
    assert_eq!(gpt.context, [above(272_000, &long)]);
    let priority = TierPrice::Table {
        rates: Box::new(rates(&[
            (InputUncached, "8"),
            (InputImage, "8"),
            (OutputText, "40"),
            (OutputReasoning, "40"),
        ])),
        context: vec![above(272_000, &[(InputUncached, "16"), (InputImage, "16")])],
    };
    assert_eq!(gpt.tiers[&ServiceTier::Priority], priority);
    let TierPrice::Table { context, .. } = &gpt.tiers[&ServiceTier::Flex] else { unreachable!() };
    assert_eq!(
        context[..],
        [above(272_000, &[])],
        "flex has no long price, so a long flex request is unrated"
    );
    assert_eq!(gpt.source, "a test table; https://example.test/prices");

    let claude = model(&import, "claude-x");
    assert_eq!(claude.provider, "anthropic");
    assert_eq!(claude.rates.get(CacheWrite5m).unwrap().to_string(), "3.75");
    assert_eq!(claude.rates.get(CacheWrite1h).unwrap().to_string(), "6");
    assert_eq!(claude.modifiers.keys().collect::<Vec<_>>(), ["us"]);
    assert_eq!(model(&import, "embed").rates, rates(&[(InputUncached, "0.02")]));
    assert_eq!(model(&import, "whisper-x").rates, rates(&[(Seconds, "0.0001")]));
    assert!(model(&import, "gratis").free);
}

#[test]
fn litellm_floats_are_read_as_text_and_roundings_are_reported() {
    let import = litellm(LITELLM, &options()).unwrap();
    let noisy = model(&import, "noisy");
    assert_eq!(noisy.rates.get(InputUncached).unwrap().to_string(), "0.123456789012");
    assert_eq!(noisy.rates.get(OutputText).unwrap().to_string(), "2.5");
    let mut rounded: Vec<_> =
        import.rounded.iter().map(|note| (note.field.as_str(), note.note.as_str())).collect();
    rounded.sort_unstable();
    let expected = [
        ("input_cost_per_token", "1.2345678901234567e-07 became 0.123456789012"),
        ("output_cost_per_token", "2.4999999999999998e-06 became 2.5"),
    ];
    assert_eq!(rounded, expected);
}

#[test]
fn litellm_refuses_by_name_and_goes_on() {
    let import = litellm(LITELLM, &options()).unwrap();
    assert_eq!(reason(&import, "zero"), "states no price that is understood, or only zeros");
    assert_eq!(reason(&import, "negative"), "input_cost_per_token is negative");
    assert_eq!(reason(&import, "nan"), "input_cost_per_token is not a number");
    assert_eq!(reason(&import, "wordy"), "input_cost_per_token is not a number");
    assert_eq!(reason(&import, "ranges"), "tiered_pricing is not supported");
    assert_eq!(reason(&import, "video"), "mode 'video_generation' is not supported");
    assert_eq!(reason(&import, "shapeless"), "is not an object");
    assert_eq!((import.candidates.len(), import.skipped.len()), (6, 8));
    let notes: Vec<_> = import.notes.iter().map(|note| (note.model.as_str(), note.field.as_str())).collect();
    assert!(notes.contains(&("gpt-x", "file_search_cost_per_1k_calls")));
    assert!(notes.contains(&("noisy", "cache_creation_input_token_cost")));
    assert!(litellm("[]", &options()).is_err());
}

const GENAI: &str = r#"[{"id": "google", "name": "Google", "api_pattern": "x", "pricing_urls": ["https://example.test"],
  "models": [
   {"id": "gemini-x", "match": {"or": [{"equals": "gemini-x"}, {"equals": "gemini-x-001"},
      {"starts_with": "gemini-x-preview"}, {"regex": "^x"}]},
    "prices": {"input_mtok": {"base": 1.25, "tiers": [{"start": 200000, "price": 2.5}]},
      "output_mtok": {"base": 10, "tiers": [{"start": 200000, "price": 15}]}, "cache_read_mtok": 0.31,
      "input_audio_mtok": 1.5, "web_searches_kcount": 35, "output_video_mtok": 9}},
   {"id": "gemini-y", "match": {"equals": "gemini-y"}, "prices": [
      {"prices": {"input_mtok": 5, "output_mtok": 30}},
      {"constraint": {"start_date": "2026-07-30"}, "prices": {"input_mtok": 1, "output_mtok": 6}}]},
   {"id": "night", "prices": [{"prices": {"input_mtok": 1}},
      {"constraint": {"start_time": "00:30:00Z", "end_time": "16:30:00Z"}, "prices": {"input_mtok": 2}}]},
   {"id": "empty", "prices": {}},
   {"id": "zero", "prices": {"input_mtok": 0, "output_mtok": 0}},
   {"id": "minus", "prices": {"input_mtok": -1}},
   {"id": "odd", "prices": "ask us"},
   {"prices": {}}
  ]}]"#;

#[test]
fn genai_prices_become_versions_with_dates_tiers_and_names() {
    let import = genai(GENAI, &options()).unwrap();
    let gemini = model(&import, "gemini-x");
    assert_eq!((gemini.provider.as_str(), &gemini.aliases[..]), ("gemini", &["gemini-x-001".to_owned()][..]));
    assert_eq!(gemini.prefixes, ["gemini-x-preview"]);
    let long = [
        (InputUncached, "2.5"),
        (CacheRead, "0.31"),
        (InputAudio, "1.5"),
        (InputImage, "2.5"),
        (OutputText, "15"),
        (OutputReasoning, "15"),
        (WebSearches, "0.035"),
    ];
    assert_eq!(gemini.context, [above(200_000, &long)]);
    assert_eq!(gemini.rates.get(OutputReasoning).unwrap().to_string(), "10");

    let book = PriceBook::of(import.candidates.clone()).unwrap();
    let input = |instant: &str| {
        let found = book.lookup("gemini", "gemini-y", at(instant)).unwrap();
        found.version.max_rate(&TierName::STANDARD, |bucket| bucket == InputUncached).unwrap().to_string()
    };
    assert_eq!(
        (input("2026-07-29T23:59:59Z"), input("2026-07-30T00:00:00Z")),
        ("5".to_owned(), "1".to_owned())
    );
}

#[test]
fn genai_refuses_by_name_and_goes_on() {
    let import = genai(GENAI, &options()).unwrap();
    assert_eq!(reason(&import, "google/night"), "prices by time of day are not supported");
    assert_eq!(reason(&import, "google/minus"), "input_mtok is negative");
    assert_eq!(reason(&import, "google/odd"), "prices have an unknown shape");
    assert_eq!(reason(&import, "google/zero"), "states no price that is understood, or only zeros");
    assert_eq!(reason(&import, "google/?"), "is not a model of the expected shape");
    assert_eq!((import.candidates.len(), import.skipped.len()), (3, 6));
    let notes: Vec<_> = import.notes.iter().map(|note| note.field.as_str()).collect();
    assert_eq!(notes, ["match", "output_video_mtok", "input_mtok", "output_mtok"]);
    let other = ImportOptions { providers: BTreeSet::from(["openai".to_owned()]), ..options() };
    assert!(genai(GENAI, &other).unwrap().candidates.is_empty());
}

#[test]
fn a_diff_names_what_is_added_changed_unchanged_and_missing() {
    let import = litellm(LITELLM, &options()).unwrap();
    let mut book = PriceBook::default();
    for candidate in &import.candidates {
        let mut known = candidate.clone();
        known.effective_from = at("2026-01-01T00:00:00Z");
        match known.model.as_str() {
            "noisy" => continue,
            "gpt-x" => known.rates.set(InputUncached, "5".parse().unwrap()),
            _ => {}
        }
        book.insert(known.with_derived_id()).unwrap();
    }
    let mut retired = version("gpt-retired");
    retired.provider = "openai".to_owned();
    book.insert(retired.with_derived_id()).unwrap();
    book.insert(version("not-covered")).unwrap();

    let diff = diff(&book, &import.candidates);
    assert_eq!(diff.added.iter().map(|added| added.model.as_str()).collect::<Vec<_>>(), ["noisy"]);
    assert_eq!(diff.unchanged.len(), 4);
    assert_eq!(diff.missing, [("openai".to_owned(), "gpt-retired".to_owned())]);
    let [change] = &diff.changed[..] else { unreachable!() };
    let [rate] = &change.rates[..] else { unreachable!() };
    assert_eq!((change.model.as_str(), rate.rate.as_str()), ("gpt-x", "standard input_uncached"));
    assert_eq!((rate.old, rate.new), ("5".parse().ok(), "4".parse().ok()));
}
