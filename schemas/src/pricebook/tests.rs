use super::*;
use tallystick_domain::Currency;
use tallystick_domain::price::{MatchedBy, PriceBook, TierName, Unrated, rate};
use tallystick_domain::usage::{Bucket, Usage};

const NOW: &str = "2026-11-23T00:00:00Z";

fn cost(book: &PriceBook, provider: &str, model: &str, at: &str, tier: &str, usage: &Usage) -> String {
    let rated = book.rate(Currency::USD, provider, model, at.parse().unwrap(), Some(tier), usage);
    rated.map_or_else(|unrated| unrated.code().to_owned(), |rated| rated.cost.to_string())
}

#[test]
fn every_built_in_price_is_valid_and_names_source_and_day() {
    let prices = builtin();
    assert!(prices.len() > 300, "{}", prices.len());
    let book = PriceBook::of(prices.clone()).unwrap();
    assert_eq!(book.len(), prices.len(), "no two entries share an id");
    for price in &prices {
        let name = format!("{} {}", price.provider, price.model);
        assert!(
            price.source.starts_with("LiteLLM 1.109.1") || price.source.starts_with("genai-prices"),
            "{name}"
        );
        assert!(price.checked_on.year() == 2026, "{name}");
        assert!(!price.free && price.rates.iter().all(|(_, rate)| !rate.is_zero()), "{name}");
        let output = price.rates.get(Bucket::OutputText);
        assert_eq!(price.rates.get(Bucket::OutputReasoning).is_some(), output.is_some(), "{name}");
    }
    let mut sorted = prices.clone();
    sorted.sort_by(|a, b| {
        (&a.provider, &a.model, a.effective_from).cmp(&(&b.provider, &b.model, b.effective_from))
    });
    assert_eq!(sorted, prices, "entries are kept in order");
}

#[test]
fn built_in_ids_never_change() {
    let id = |model: &str| {
        let prices = builtin();
        prices.iter().find(|price| price.model == model).unwrap().id.to_string()
    };
    assert_eq!(id("gpt-4o"), "f0e118db-0bbf-8042-8dac-aa0336ac95eb");
    assert_eq!(id("claude-sonnet-4-5"), "f0e8c840-c612-8d86-8442-d74dc3a99c12");
}

#[test]
fn common_models_are_found_under_the_names_that_providers_answer_with() {
    let book = PriceBook::of(builtin()).unwrap();
    for (provider, model) in [
        ("openai", "gpt-4o"),
        ("openai", "gpt-4o-2024-08-06"),
        ("openai", "gpt-4o-mini-2024-07-18"),
        ("openai", "gpt-4.1-nano-2025-04-14"),
        ("openai", "o3-2025-04-16"),
        ("openai", "o4-mini"),
        ("openai", "gpt-5-2025-08-07"),
        ("openai", "gpt-5.6-sol"),
        ("openai", "text-embedding-3-small"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc"),
        ("openai", "whisper-1"),
        ("anthropic", "claude-3-5-haiku-20241022"),
        ("anthropic", "claude-3-5-sonnet-20241022"),
        ("anthropic", "claude-3-7-sonnet-20250219"),
        ("anthropic", "claude-sonnet-4-20250514"),
        ("anthropic", "claude-opus-4-1-20250805"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("anthropic", "claude-haiku-4-5"),
        ("anthropic", "claude-opus-4-6"),
        ("gemini", "models/gemini-2.5-pro"),
        ("gemini", "gemini-2.5-flash-lite"),
        ("mistral", "mistral-large-latest"),
        ("deepseek", "deepseek-chat"),
        ("xai", "grok-4-0709"),
        ("groq", "llama-3.3-70b-versatile"),
        ("cohere", "command-a-03-2025"),
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("moonshotai", "kimi-k2.5"),
    ] {
        let found = book.lookup(provider, model, NOW.parse().unwrap());
        assert!(found.is_ok_and(|found| found.version.provider == provider), "{provider} {model}");
    }
    let found =
        |model: &str| book.lookup("openai", model, NOW.parse().unwrap()).map(|found| found.matched_by);
    assert_eq!(found("gpt-4o-2024-08-06").unwrap(), MatchedBy::Snapshot);
    assert_eq!(found("gpt-4o-2024-05-13").unwrap(), MatchedBy::Id, "this snapshot has a price of its own");
    assert_eq!(found("gpt-99").err(), Some(Unrated::UnknownModel));
}

#[test]
fn prices_are_those_of_the_tables_they_were_taken_from() {
    let book = PriceBook::of(builtin()).unwrap();
    let now = |provider, model, tier, usage: &Usage| cost(&book, provider, model, NOW, tier, usage);
    let million = 1_000_000;
    let input = Usage::new().with(Bucket::InputUncached, million);
    let output = Usage::new().with(Bucket::OutputText, million);
    assert_eq!(now("openai", "gpt-4o", "default", &input), "2.5");
    assert_eq!(now("openai", "gpt-4o", "default", &output), "10");
    assert_eq!(now("openai", "gpt-4o", "priority", &output), "17");
    assert_eq!(now("openai", "gpt-4o-mini", "batch", &input), "0.075");
    assert_eq!(now("openai", "text-embedding-3-small", "default", &input), "0.02");
    let caches = [(Bucket::CacheRead, "0.3"), (Bucket::CacheWrite5m, "3.75"), (Bucket::CacheWrite1h, "6")];
    for (bucket, price) in caches {
        let used = Usage::new().with(bucket, million);
        assert_eq!(now("anthropic", "claude-sonnet-4-5", "standard", &used), price);
    }
    assert_eq!(now("anthropic", "claude-opus-4-6", "standard+us", &output), "27.5");
    let searched = Usage::new().with(Bucket::WebSearches, 3).with(Bucket::WebFetches, 2);
    assert_eq!(now("anthropic", "claude-sonnet-4-5", "standard", &searched), "0.03");
    let gemini = |tokens| {
        now("gemini", "gemini-2.5-pro", "ON_DEMAND", &Usage::new().with(Bucket::InputUncached, tokens))
    };
    assert_eq!((gemini(200_000), gemini(200_001)), ("0.25".to_owned(), "0.5000025".to_owned()));
    let sol =
        |tokens| now("openai", "gpt-5.6-sol", "default", &Usage::new().with(Bucket::InputUncached, tokens));
    assert_eq!((sol(272_000), sol(272_001)), ("1.088".to_owned(), "2.176008".to_owned()));
}

#[test]
fn a_price_that_changed_is_rated_by_the_day_of_use() {
    let book = PriceBook::of(builtin()).unwrap();
    let input = Usage::new().with(Bucket::InputUncached, 100_000);
    let luna = |at| cost(&book, "openai", "gpt-5.6-luna", at, "default", &input);
    assert_eq!(luna("2026-07-29T23:59:59Z"), "0.1");
    assert_eq!(luna("2026-07-30T00:00:00Z"), "0.02");
    let o3 = |at| cost(&book, "openai", "o3", at, "default", &input);
    assert_eq!((o3("2025-06-09T12:00:00Z"), o3("2025-06-10T00:00:00Z")), ("1".to_owned(), "0.2".to_owned()));
    assert_eq!(luna("2023-12-31T23:59:59Z"), "not_in_force");
}

#[test]
fn the_dearest_rate_of_a_built_in_price_is_never_below_what_is_charged() {
    for price in builtin() {
        for bucket in Bucket::ALL.into_iter().filter(|bucket| price.rates.get(*bucket).is_some()) {
            let used = Usage::new().with(bucket, 300_000);
            let Ok(rated) = rate(&used, &TierName::STANDARD, &price) else { continue };
            let dearest = price.max_rate(&TierName::STANDARD, |wanted| wanted == bucket).unwrap();
            assert!(
                rated.lines.iter().all(|line| line.unit_price <= dearest.decimal()),
                "{} {bucket}",
                price.model
            );
        }
    }
}

#[test]
fn a_price_file_is_refused_with_the_model_and_the_rule() {
    let file = |rates: &str| {
        format!(
            r#"{{"format":"tallystick-prices/1","prices":[{{"provider":"acme","model":"m","source":"s",
            "effective_from":"2026-01-01T00:00:00Z","checked_on":"2026-01-01","currency":"USD","rates":{rates}}}]}}"#
        )
    };
    assert_eq!(parse(&file(r#"{"input_uncached":"1.5"}"#)).unwrap().len(), 1);
    let zero = parse(&file(r#"{"input_uncached":"0"}"#)).unwrap_err();
    assert_eq!(zero.to_string(), "the price of acme m is not valid");
    for unreadable in [r#"{"input_uncached":1.5}"#, r#"{"tokens":"1"}"#, r#"{"input_uncached":"-1"}"#] {
        assert!(matches!(parse(&file(unreadable)), Err(PriceFileError::Unreadable(_))), "{unreadable}");
    }
}
