//! The agency of the demo: who works there, for whom, on what, with which keys. Set up through the HTTP API, as an
//! agency would do it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Api;
use crate::error::{CliError, Outcome};

/// The agency's zone: its billing days.
pub(super) const ZONE: &str = "Europe/Berlin";
/// The agency's clients with their mark-up, the internal one last.
pub(super) const CLIENTS: [&str; 3] = ["Acme Corp", "Startup X", "Northlight internal"];
/// The key whose script loops in the live part.
pub(super) const LOOPING_KEY: &str = "ci-evals";
/// The key that a trace is replayed with.
pub(super) const TRACE_KEY: &str = "trace-replay";

const LOGO: &str = concat!(
    r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><path fill="#12324a" d="M24 2 46 46H2z"/>"##,
    r##"<path fill="#f2b544" d="m24 14 5 12h-10z"/></svg>"##
);

/// One virtual key: name, kind, who it belongs to, where it is used.
struct KeySpec {
    name: &'static str,
    kind: &'static str,
    member: Option<&'static str>,
    project: Option<&'static str>,
    environment: &'static str,
    tool: &'static str,
    daily: Option<&'static str>,
    expires: Option<&'static str>,
}

const fn key(
    name: &'static str,
    kind: &'static str,
    member: Option<&'static str>,
    project: Option<&'static str>,
    environment: &'static str,
    tool: &'static str,
) -> KeySpec {
    KeySpec { name, kind, member, project, environment, tool, daily: None, expires: None }
}

const KEYS: [KeySpec; 13] = [
    key("cursor-priya", "member", Some(PRIYA), Some("Storefront Assistant"), "dev", "cursor-dev"),
    key("cursor-tomasz", "member", Some(TOMASZ), Some("Support Copilot"), "dev", "cursor-dev"),
    key("cursor-jonas", "member", Some(JONAS), Some("Catalog Search"), "dev", "cursor-dev"),
    key("open-webui-team", "project", None, None, "production", "open-webui-team"),
    key(
        "storefront-staging",
        "project",
        Some(PRIYA),
        Some("Storefront Assistant"),
        "staging",
        "backend-staging",
    ),
    key(
        "storefront-production",
        "project",
        Some(PRIYA),
        Some("Storefront Assistant"),
        "production",
        "backend-production",
    ),
    key("support-staging", "project", Some(TOMASZ), Some("Support Copilot"), "staging", "backend-staging"),
    key(
        "support-production",
        "project",
        Some(TOMASZ),
        Some("Support Copilot"),
        "production",
        "backend-production",
    ),
    key("studio-assistant", "project", Some(MARA), Some("Studio Tools"), "production", "slack-assistant"),
    KeySpec {
        daily: Some("25"),
        ..key(
            "catalog-nightly",
            "automation",
            Some(JONAS),
            Some("Catalog Search"),
            "production",
            "catalog-indexer",
        )
    },
    KeySpec {
        daily: Some("15"),
        ..key(LOOPING_KEY, "automation", Some(JONAS), Some("Studio Tools"), "dev", "ci-evals")
    },
    KeySpec {
        expires: Some("30d"),
        ..key("contractor-leo", "temporary", Some(LEO), Some("Pitch Analytics"), "dev", "claude-code")
    },
    key(TRACE_KEY, "project", None, Some("Studio Tools"), "dev", "trace-replay"),
];

const MARA: &str = "mara@northlight.example";
const JONAS: &str = "jonas@northlight.example";
const PRIYA: &str = "priya@northlight.example";
const TOMASZ: &str = "tomasz@northlight.example";
const AIKO: &str = "aiko@northlight.example";
const LEO: &str = "leo@fischer.example";

const MEMBERS: [(&str, &str, &str); 6] = [
    (MARA, "Mara Lindqvist", "owner"),
    (JONAS, "Jonas Weber", "admin"),
    (PRIYA, "Priya Raman", "developer"),
    (TOMASZ, "Tomasz Nowak", "developer"),
    (AIKO, "Aiko Tanaka", "finance"),
    (LEO, "Leo Fischer", "developer"),
];

const PROJECTS: [(&str, &str); 5] = [
    ("Storefront Assistant", "Acme Corp"),
    ("Catalog Search", "Acme Corp"),
    ("Support Copilot", "Startup X"),
    ("Pitch Analytics", "Startup X"),
    ("Studio Tools", "Northlight internal"),
];

/// Sets everything up; gives the secret of every key by its name.
pub(super) async fn set_up(
    api: &Api,
    provider_root: &str,
    provider_key: &str,
) -> Outcome<BTreeMap<String, String>> {
    api.patch("/team", json!({"name": "Northlight Studio", "zone": ZONE, "currency": "USD"})).await?;
    api.patch("/issuer", issuer()).await?;
    for name in ["openai", "anthropic"] {
        let account = json!({
            "name": name, "base_url": format!("{provider_root}/v1"), "secret": provider_key, "private_address": true,
        });
        api.post("/providers", account).await?;
    }
    for (email, name, role) in MEMBERS {
        api.post("/members", json!({"email": email, "name": name, "role": role})).await?;
    }
    for client in clients() {
        api.post("/clients", client).await?;
    }
    for (name, client) in PROJECTS {
        api.post("/projects", json!({"name": name, "client": client})).await?;
    }
    let mut secrets = BTreeMap::new();
    for spec in &KEYS {
        let made = api.post("/keys", body(spec)).await?;
        let secret =
            made["secret"].as_str().ok_or_else(|| CliError::new("a new key came without its secret"))?;
        secrets.insert(spec.name.to_owned(), secret.to_owned());
    }
    Ok(secrets)
}

fn body(spec: &KeySpec) -> Value {
    let mut body = json!({
        "name": spec.name, "kind": spec.kind, "environment": spec.environment, "tool": spec.tool,
    });
    for (field, value) in [("member", spec.member), ("project", spec.project), ("expires", spec.expires)] {
        if let Some(value) = value {
            body[field] = value.into();
        }
    }
    if let Some(limit) = spec.daily {
        body["budgets"] = json!([{"period": "daily", "limit": limit}]);
    }
    body
}

fn issuer() -> Value {
    json!({
        "legal_name": "Northlight Studio GmbH",
        "address": ["Kastanienallee 42", "10435 Berlin"],
        "country": "DE",
        "vat_id": "DE318204567",
        "registration": "HRB 204518 B, Amtsgericht Charlottenburg",
        "email": "billing@northlight.example",
        "iban": "DE89 3704 0044 0532 0130 00",
        "bic": "COBADEFFXXX",
        "bank": "Commerzbank",
        "logo": STANDARD.encode(LOGO),
        "number_format": "INV-{year}-{seq:04}",
    })
}

fn clients() -> [Value; 3] {
    let [acme, startup, internal] = CLIENTS;
    [
        json!({
            "name": acme, "legal_name": "Acme Corporation", "address": ["548 Market Street", "San Francisco, CA 94104"],
            "country": "US", "email": "ap@acme.example", "currency": "USD", "zone": "America/New_York",
            "markup": "20%", "terms": "30d", "purchase_order": "PO-48213",
        }),
        json!({
            "name": startup, "legal_name": "Startup X, Inc.", "address": ["20 Jay Street, Suite 740", "Brooklyn, NY 11201"],
            "country": "US", "email": "finance@startupx.example", "currency": "USD", "zone": "America/New_York",
            "markup": "15%", "terms": "14d",
        }),
        json!({"name": internal, "internal": true}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_belongs_to_people_and_projects_that_exist() {
        for spec in &KEYS {
            assert!(
                spec.member.is_none_or(|email| MEMBERS.iter().any(|(known, ..)| *known == email)),
                "{}",
                spec.name
            );
            assert!(
                spec.project.is_none_or(|name| PROJECTS.iter().any(|(known, _)| *known == name)),
                "{}",
                spec.name
            );
            assert_eq!(spec.kind == "automation", spec.daily.is_some(), "{}", spec.name);
            assert_eq!(spec.kind == "temporary", spec.expires.is_some(), "{}", spec.name);
        }
    }

    #[test]
    fn every_project_is_done_for_a_client_of_the_list() {
        assert!(PROJECTS.iter().all(|(_, client)| CLIENTS.contains(client)));
    }
}
