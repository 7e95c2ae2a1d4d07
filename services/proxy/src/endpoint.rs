//! The list of endpoints: a method and a path each. What is not on it does not exist.

use crate::refusal::Envelope;
use http::Method;
use tallystick_domain::usage::{Api, Dialect};

/// A call that goes to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Chat,
    Embeddings,
    Messages,
}

impl Call {
    pub(crate) const COUNT: usize = 3;
    pub(crate) const ALL: [Self; Self::COUNT] = [Self::Chat, Self::Embeddings, Self::Messages];

    /// The name in events and in keys' allowlists.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
            Self::Messages => "messages",
        }
    }

    /// Below the provider's base address.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Embeddings => "/embeddings",
            Self::Messages => "/messages",
        }
    }

    pub(crate) const fn dialect(self) -> Dialect {
        Dialect::of(match self {
            Self::Chat => Api::Chat,
            Self::Embeddings => Api::Embeddings,
            Self::Messages => Api::Messages,
        })
    }

    /// Whether a stream tells its usage only when `stream_options` asks for it.
    pub(crate) const fn asks_for_usage(self) -> bool {
        matches!(self, Self::Chat)
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Goes to a provider.
    Call(Call),
    /// The models that the key may use.
    Models,
    /// What the key itself is.
    Key,
}

/// An endpoint, and the provider where the path names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Matched<'p> {
    pub(crate) endpoint: Endpoint,
    pub(crate) provider: Option<&'p str>,
}

/// Below `/v1` and `/v1/{provider}`.
const UNDER_V1: [(Method, &str, Endpoint); 4] = [
    (Method::POST, "chat/completions", Endpoint::Call(Call::Chat)),
    (Method::POST, "embeddings", Endpoint::Call(Call::Embeddings)),
    (Method::POST, "messages", Endpoint::Call(Call::Messages)),
    (Method::GET, "models", Endpoint::Models),
];

/// Below `/v1` only.
const BARE: [(Method, &str, Endpoint); 1] = [(Method::GET, "key", Endpoint::Key)];

/// Below `/{provider}`, in the provider's own dialect.
const NATIVE: [(Method, &str, Endpoint); 1] = [(Method::POST, "v1/messages", Endpoint::Call(Call::Messages))];

/// The first segments of our own paths: no provider is called so.
const OURS: [&str; 5] = ["v1", "api", "healthz", "readyz", "metrics"];

/// Looks a request up in the list.
pub(crate) fn find<'p>(method: &Method, path: &'p str) -> Option<Matched<'p>> {
    let path = path.strip_prefix('/')?;
    if let Some(rest) = path.strip_prefix("v1/") {
        if let Some(endpoint) = look_up(&UNDER_V1, method, rest).or_else(|| look_up(&BARE, method, rest)) {
            return Some(Matched { endpoint, provider: None });
        }
        let (provider, rest) = rest.split_once('/')?;
        let endpoint = look_up(&UNDER_V1, method, rest)?;
        return Some(Matched { endpoint, provider: Some(provider) });
    }
    let (provider, rest) = path.split_once('/')?;
    let endpoint = look_up(&NATIVE, method, rest).filter(|_| !OURS.contains(&provider))?;
    Some(Matched { endpoint, provider: Some(provider) })
}

/// The envelope for a path that may not exist.
pub(crate) fn envelope_of(path: &str) -> Envelope {
    if path.ends_with("/messages") { Envelope::Anthropic } else { Envelope::OpenAi }
}

fn look_up(list: &[(Method, &str, Endpoint)], method: &Method, path: &str) -> Option<Endpoint> {
    let (_, _, endpoint) = list.iter().find(|(known, at, _)| *at == path && known == method)?;
    Some(*endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &'static str) -> Option<(Endpoint, Option<&'static str>)> {
        find(method, path).map(|m| (m.endpoint, m.provider))
    }

    #[test]
    fn only_what_is_on_the_list_exists() {
        let chat = Endpoint::Call(Call::Chat);
        assert_eq!(found(&Method::POST, "/v1/chat/completions"), Some((chat, None)));
        assert_eq!(found(&Method::POST, "/v1/openai/chat/completions"), Some((chat, Some("openai"))));
        assert_eq!(found(&Method::GET, "/v1/openai/models"), Some((Endpoint::Models, Some("openai"))));
        assert_eq!(found(&Method::GET, "/v1/key"), Some((Endpoint::Key, None)));
        let messages = Endpoint::Call(Call::Messages);
        assert_eq!(found(&Method::POST, "/anthropic/v1/messages"), Some((messages, Some("anthropic"))));
        for path in [
            "/v1/chat/completions/",
            "/v1/chat",
            "/v1//chat/completions/x",
            "/api/v1/messages",
            "/v1/a/b/models",
        ] {
            assert_eq!(found(&Method::POST, path), None, "{path}");
        }
        assert_eq!(found(&Method::GET, "/v1/chat/completions"), None);
        assert_eq!(found(&Method::GET, "/v1/openai/key"), None);
    }
}
