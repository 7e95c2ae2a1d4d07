//! Where a provider may be.

use crate::api::error::{ApiError, ApiResult};
use std::net::{IpAddr, Ipv4Addr};
use tallystick_store::control::ProviderKind;
use url::{Host, Url};

/// Words that paths use, so that no provider can take them.
const RESERVED: &[&str] = &[
    "api",
    "audio",
    "batches",
    "chat",
    "completions",
    "embeddings",
    "files",
    "health",
    "healthz",
    "images",
    "key",
    "keys",
    "messages",
    "metrics",
    "models",
    "moderations",
    "readyz",
    "responses",
    "v1",
    "v1beta",
];

/// Providers that are known by name: the shape that they speak, and where their API begins.
const KNOWN: &[(&str, ProviderKind, &str)] = &[
    ("openai", ProviderKind::OpenAi, "https://api.openai.com/v1"),
    ("anthropic", ProviderKind::Anthropic, "https://api.anthropic.com/v1"),
    ("gemini", ProviderKind::Gemini, "https://generativelanguage.googleapis.com"),
    ("mistral", ProviderKind::OpenAiCompatible, "https://api.mistral.ai/v1"),
    ("deepseek", ProviderKind::OpenAiCompatible, "https://api.deepseek.com/v1"),
    ("xai", ProviderKind::OpenAiCompatible, "https://api.x.ai/v1"),
    ("groq", ProviderKind::OpenAiCompatible, "https://api.groq.com/openai/v1"),
    ("openrouter", ProviderKind::OpenAiCompatible, "https://openrouter.ai/api/v1"),
    ("together", ProviderKind::OpenAiCompatible, "https://api.together.xyz/v1"),
    ("fireworks", ProviderKind::OpenAiCompatible, "https://api.fireworks.ai/inference/v1"),
    ("cerebras", ProviderKind::OpenAiCompatible, "https://api.cerebras.ai/v1"),
    ("perplexity", ProviderKind::OpenAiCompatible, "https://api.perplexity.ai"),
    ("moonshotai", ProviderKind::OpenAiCompatible, "https://api.moonshot.ai/v1"),
];

/// The shape and address of a provider that is known by name.
pub(super) fn known(name: &str) -> Option<(ProviderKind, &'static str)> {
    KNOWN.iter().find(|(known, ..)| *known == name).map(|(_, kind, url)| (*kind, *url))
}

/// A name that paths and events can carry.
pub(super) fn provider_name(field: &str, text: &str) -> ApiResult<String> {
    let name = text.trim().to_ascii_lowercase();
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let fits = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !starts || !fits || name.len() > 63 {
        return Err(ApiError::invalid(format!(
            "{field} is no provider name; use lower-case letters, digits and hyphens"
        )));
    }
    if RESERVED.contains(&name.as_str()) {
        return Err(ApiError::invalid(format!("{field} '{name}' is a word that paths use; choose another")));
    }
    Ok(name)
}

/// A checked address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// As given, without a slash at the end.
    pub(super) base_url: String,
    /// Scheme, host and port.
    pub(super) origin: String,
    /// Whether it is https.
    pub(super) encrypted: bool,
    /// Whether the host itself says that it is private or local.
    pub(super) private: bool,
}

impl Address {
    /// Reads a base URL: http or https, a host, no credentials, no query.
    pub(super) fn parse(text: &str) -> ApiResult<Self> {
        let bad =
            |why: &str| ApiError::invalid(format!("base_url {why}; write it as https://api.example.com/v1"));
        let url = Url::parse(text.trim()).map_err(|_| bad("is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("is neither https nor http"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("holds credentials, which belong into secret"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("holds a query or a fragment"));
        }
        let private = match url.host().ok_or_else(|| bad("has no host"))? {
            Host::Ipv4(address) => is_private(IpAddr::V4(address)),
            Host::Ipv6(address) => is_private(IpAddr::V6(address)),
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                name == "localhost"
                    || [".localhost", ".local", ".internal"].iter().any(|end| name.ends_with(end))
            }
        };
        Ok(Self {
            base_url: url.as_str().trim_end_matches('/').to_owned(),
            origin: url.origin().ascii_serialization(),
            encrypted: url.scheme() == "https",
            private,
        })
    }
}

/// Whether an address is not one of the public internet.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            let special = v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified();
            special || shared || v4.is_multicast() || v4 == Ipv4Addr::BROADCAST || v4.octets()[0] == 0
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => {
                let special = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast();
                special || v6.is_unique_local() || v6.is_unicast_link_local()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_path_and_loses_its_last_slash() {
        let address = Address::parse("https://API.groq.com/openai/v1/").unwrap();
        assert_eq!(address.base_url, "https://api.groq.com/openai/v1");
        assert_eq!(address.origin, "https://api.groq.com");
        assert!(address.encrypted && !address.private);
    }

    #[test]
    fn private_hosts_are_told_from_public_ones_however_they_are_written() {
        for private in [
            "http://127.0.0.1:9",
            "http://localhost",
            "http://10.1.2.3",
            "http://[::1]:8",
            "http://[::ffff:10.0.0.1]",
            "http://169.254.169.254",
            "http://100.64.0.1",
            "http://0x7f000001",
            "http://ollama.local.",
        ] {
            assert!(Address::parse(private).unwrap().private, "{private}");
        }
        for public in ["https://api.openai.com", "https://8.8.8.8", "https://[2606:4700::1]"] {
            assert!(!Address::parse(public).unwrap().private, "{public}");
        }
    }

    #[test]
    fn an_address_with_credentials_a_query_or_another_scheme_is_refused() {
        for bad in [
            "https://user:pw@api.example.com",
            "https://a.example/v1?key=1",
            "ftp://a.example",
            "a.example",
            "",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_known_name_has_a_public_encrypted_address_and_is_not_reserved() {
        for (name, _, url) in KNOWN {
            let address = Address::parse(url).unwrap();
            assert!(address.encrypted && !address.private, "{name}");
            assert_eq!(provider_name("name", name).unwrap(), *name);
        }
        assert!(provider_name("name", "models").is_err());
        assert!(provider_name("name", "a/b").is_err());
    }
}
