//! The headers that the real services send with every answer.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::errors::Dialect;

/// Adds the dialect's headers. `prompt` is what the call takes from the token allowance, `millis` how
/// long the provider worked.
pub(crate) fn decorate(headers: &mut HeaderMap, dialect: Dialect, id: &str, prompt: u64, millis: u64) {
    let tokens_left = 2_000_000_u64.saturating_sub(prompt).to_string();
    let millis = millis.to_string();
    let fixed = [
        ("server", "cloudflare"),
        ("cf-cache-status", "DYNAMIC"),
        ("cf-ray", "8f0c2a5d7e41b9c3-FRA"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("x-content-type-options", "nosniff"),
        ("alt-svc", "h3=\":443\"; ma=86400"),
    ];
    let own: &[(&'static str, &str)] = match dialect {
        Dialect::OpenAi => &[
            ("x-request-id", id),
            ("openai-organization", "org-fakeprovider"),
            ("openai-processing-ms", &millis),
            ("openai-version", "2020-10-01"),
            ("x-ratelimit-limit-requests", "10000"),
            ("x-ratelimit-limit-tokens", "2000000"),
            ("x-ratelimit-remaining-requests", "9999"),
            ("x-ratelimit-remaining-tokens", &tokens_left),
            ("x-ratelimit-reset-requests", "6ms"),
            ("x-ratelimit-reset-tokens", "36ms"),
        ],
        Dialect::Anthropic => &[
            ("request-id", id),
            ("anthropic-organization-id", "00000000-fa4e-4000-8000-000000000000"),
            ("anthropic-ratelimit-requests-limit", "4000"),
            ("anthropic-ratelimit-requests-remaining", "3999"),
            ("anthropic-ratelimit-requests-reset", "2026-11-01T00:00:00Z"),
            ("anthropic-ratelimit-tokens-limit", "2000000"),
            ("anthropic-ratelimit-tokens-remaining", &tokens_left),
            ("anthropic-ratelimit-tokens-reset", "2026-11-01T00:00:00Z"),
        ],
    };
    for (name, value) in fixed.iter().chain(own) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
