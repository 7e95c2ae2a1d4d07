//! One provider of one team, worked out once: addresses, credentials, what it serves.

use super::address::is_public;
use crate::control::{Provider, ProviderKind, ProviderSecret};
use crate::endpoint::Call;
use crate::glob;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderValue, Uri};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use std::net::IpAddr;
use tallystick_domain::price::PriceBook;

/// Where a provider is and what it wants.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) price_name: String,
    models: Vec<String>,
    routes: [Option<Route>; Call::COUNT],
    secret: ProviderSecret,
    /// The connector that may be used.
    pub(crate) private: bool,
}

struct Route {
    uri: Uri,
    auth: Auth,
}

/// What is sent to be let in.
#[derive(Clone)]
pub(crate) enum Auth {
    /// Nothing.
    None,
    /// One header, marked sensitive.
    Header(HeaderName, HeaderValue),
    /// The secret can not be opened.
    Unreadable,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Target {
    pub(crate) fn new(provider: &Provider, allow_private: bool) -> Self {
        let private = allow_private || provider.private_address;
        let route = |call: Call| {
            let uri = address(provider, call).filter(|uri| private || host_may_be_public(uri))?;
            Some(Route { uri, auth: auth(provider, call) })
        };
        Self {
            name: provider.name.clone(),
            price_name: provider.price_name.clone(),
            models: provider.models.clone(),
            routes: Call::ALL.map(route),
            secret: provider.secret.clone(),
            private,
        }
    }

    /// Where a call goes; `None` when this provider does not offer it, or its address is not usable.
    pub(crate) fn uri(&self, call: Call) -> Option<&Uri> {
        self.route(call).map(|route| &route.uri)
    }

    pub(crate) fn auth(&self, call: Call) -> &Auth {
        self.route(call).map_or(&Auth::None, |route| &route.auth)
    }

    /// Whether requests for a model are routed here without the path saying so.
    pub(crate) fn serves(&self, call: Call, model: &str, prices: &PriceBook, at: Timestamp) -> bool {
        let known = || prices.lookup(&self.price_name, model, at).is_ok();
        self.uri(call).is_some()
            && if self.models.is_empty() { known() } else { glob::allows(&self.models, model) }
    }

    /// How good its claim to a model that it serves is; less is better.
    pub(crate) fn claim(&self) -> u8 {
        match (self.models.is_empty(), self.name == self.price_name) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        }
    }

    /// The models that it lists by their whole name.
    pub(crate) fn listed_models(&self) -> impl Iterator<Item = &str> {
        self.models.iter().map(String::as_str).filter(|pattern| !pattern.contains('*'))
    }

    /// Takes the provider's own secret out of a text that it sent.
    pub(crate) fn redact(&self, body: &[u8]) -> Option<Vec<u8>> {
        let ProviderSecret::Value(secret) = &self.secret else { return None };
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < 8 || !contains(body, secret) {
            return None;
        }
        let mut clean = Vec::with_capacity(body.len());
        let mut rest = body;
        while let Some(at) = position(rest, secret) {
            clean.extend_from_slice(&rest[..at]);
            clean.extend_from_slice(b"[redacted]");
            rest = &rest[at + secret.len()..];
        }
        clean.extend_from_slice(rest);
        Some(clean)
    }

    fn route(&self, call: Call) -> Option<&Route> {
        let index = Call::ALL.iter().position(|known| *known == call)?;
        self.routes[index].as_ref()
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    position(text, part).is_some()
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The whole address of a call. A base without a path gets the version that the provider is known by.
fn address(provider: &Provider, call: Call) -> Option<Uri> {
    let base = provider.base_url.trim_end_matches('/');
    let uri: Uri = base.parse().ok()?;
    uri.scheme()?;
    let no_path = uri.path() == "/" || uri.path().is_empty();
    let prefix = match (provider.kind, call) {
        (ProviderKind::Anthropic, Call::Embeddings) => return None,
        (ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::Gemini, Call::Messages) => {
            return None;
        }
        (ProviderKind::OpenAi | ProviderKind::Anthropic, _) if no_path => "/v1",
        (ProviderKind::Gemini, _) if no_path => "/v1beta/openai",
        (ProviderKind::Gemini, _) if !base.ends_with("/openai") => "/openai",
        _ => "",
    };
    format!("{base}{prefix}{}", call.path()).parse().ok()
}

/// Whether the host is a name, or an address of the public internet.
fn host_may_be_public(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().map_or(!host.is_empty(), is_public)
}

fn auth(provider: &Provider, call: Call) -> Auth {
    let secret = match &provider.secret {
        ProviderSecret::None => return Auth::None,
        ProviderSecret::Unreadable => return Auth::Unreadable,
        ProviderSecret::Value(secret) => secret.expose_secret(),
    };
    let (name, text) = match call {
        Call::Messages => (HeaderName::from_static("x-api-key"), secret.to_owned()),
        Call::Chat | Call::Embeddings => (AUTHORIZATION, format!("Bearer {secret}")),
    };
    match HeaderValue::from_str(&text) {
        Ok(mut value) => {
            value.set_sensitive(true);
            Auth::Header(name, value)
        }
        Err(_) => Auth::Unreadable,
    }
}
