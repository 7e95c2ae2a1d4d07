//! Both header allowlists. What is not named here does not pass: credentials, cookies, forwarded and hop-by-hop headers,
//! headers that pick another account, and our own.

use super::target::Auth;
use crate::endpoint::Call;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

const UP: [&str; 6] = [
    "openai-beta",
    "anthropic-version",
    "anthropic-beta",
    "idempotency-key",
    "x-client-request-id",
    "accept-language",
];
const UP_PREFIX: &str = "x-stainless-";

const DOWN: [&str; 11] = [
    "content-type",
    "content-encoding",
    "cache-control",
    "retry-after",
    "retry-after-ms",
    "x-request-id",
    "request-id",
    "x-should-retry",
    "openai-processing-ms",
    "openai-version",
    "openai-model",
];
const DOWN_PREFIXES: [&str; 2] = ["x-ratelimit-", "anthropic-ratelimit-"];

const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// What the provider is sent.
pub(crate) fn upward(client: &HeaderMap, call: Call, auth: &Auth) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    for name in [ACCEPT, CONTENT_TYPE, USER_AGENT] {
        if let Some(value) = client.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in client {
        if UP.contains(&name.as_str()) || name.as_str().starts_with(UP_PREFIX) {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if call == Call::Messages {
        headers.entry(ANTHROPIC_VERSION).or_insert(HeaderValue::from_static("2023-06-01"));
    }
    if let Auth::Header(name, value) = auth {
        headers.insert(name.clone(), value.clone());
    }
    headers
}

/// What the client is sent.
pub(crate) fn downward(provider: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    for (name, value) in provider {
        let text = name.as_str();
        if DOWN.contains(&text) || DOWN_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn no_credential_cookie_account_or_header_of_ours_goes_up() {
        let client = map(&[
            ("authorization", "Bearer ts_live_x"),
            ("x-api-key", "ts_live_x"),
            ("x-goog-api-key", "ts_live_x"),
            ("cookie", "a=b"),
            ("forwarded", "for=1.2.3.4"),
            ("x-forwarded-for", "1.2.3.4"),
            ("openai-organization", "org-1"),
            ("openai-project", "proj-1"),
            ("x-tallystick-task", "t"),
            ("connection", "keep-alive"),
            ("traceparent", "00-1-2-01"),
            ("user-agent", "OpenAI/Python"),
            ("x-stainless-lang", "python"),
        ]);
        let secret = HeaderValue::from_static("Bearer sk-provider");
        let auth = Auth::Header(http::header::AUTHORIZATION, secret.clone());
        let sent = upward(&client, Call::Chat, &auth);
        let mut names: Vec<&str> = sent.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["accept-encoding", "authorization", "content-type", "user-agent", "x-stainless-lang"]
        );
        assert_eq!(sent["authorization"], secret);
    }

    #[test]
    fn rate_limits_and_the_request_id_come_down_and_cookies_do_not() {
        let provider = map(&[
            ("x-ratelimit-remaining-requests", "9"),
            ("x-request-id", "req_1"),
            ("retry-after", "2"),
            ("set-cookie", "a=b"),
            ("openai-organization", "org-1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "12"),
        ]);
        let sent = downward(&provider);
        let mut names: Vec<&str> = sent.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["retry-after", "x-ratelimit-remaining-requests", "x-request-id"]);
    }
}
