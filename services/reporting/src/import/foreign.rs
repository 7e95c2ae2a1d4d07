//! A foreign usage event as it is sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use tallystick_domain::usage::Api;

/// One call that somebody else made and metered. `usage` is the provider's own usage object, with `api` (beside it or in
/// it) saying whose; or, without `api`, disjoint buckets.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignEvent {
    /// The system that it comes from.
    pub source: String,
    /// Its id there; sending it again changes nothing.
    pub id: String,
    /// RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    pub provider: String,
    pub model: String,
    #[schema(value_type = Object)]
    pub usage: Box<RawValue>,
    #[schema(value_type = Option<String>, example = "chat")]
    pub api: Option<Api>,
    pub service_tier: Option<String>,
    /// Id, name or prefix of a key of the team; it gives member, project, client, environment and tool where these are
    /// absent.
    pub key: Option<String>,
    pub member: Option<String>,
    pub project: Option<String>,
    pub client: Option<String>,
    pub environment: Option<String>,
    pub tool: Option<String>,
    pub task: Option<String>,
    /// `completed` or `failed`; where absent, the HTTP status tells.
    pub outcome: Option<String>,
    pub http_status: Option<u16>,
    pub latency_ms: Option<u64>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// What the source says that it cost; kept beside ours.
    #[schema(value_type = Option<String>)]
    pub cost: Option<Value>,
}

/// Reads one event, plain or as a CloudEvent.
///
/// # Errors
/// What is wrong, for the sender.
pub(crate) fn read(text: &str) -> Result<ForeignEvent, String> {
    let fits = |error: serde_json::Error| error.to_string();
    let plain = |text: &str| -> Result<ForeignEvent, String> {
        serde_json::from_str::<ForeignEvent>(text).map_err(fits)?.with_api_beside_usage()
    };
    if !text.contains("\"specversion\"") {
        return plain(text);
    }
    let mut outer: HashMap<String, Box<RawValue>> = serde_json::from_str(text).map_err(fits)?;
    if !outer.contains_key("specversion") {
        return plain(text);
    }
    let data = outer.remove("data").ok_or("the CloudEvent has no data")?;
    let mut event: BTreeMap<String, Box<RawValue>> = serde_json::from_str(data.get()).map_err(fits)?;
    for (attribute, field) in [("source", "source"), ("id", "id"), ("time", "occurred_at")] {
        if let Some(value) = outer.remove(attribute) {
            event.entry(field.to_owned()).or_insert(value);
        }
    }
    plain(&serde_json::to_string(&event).map_err(fits)?)
}

impl ForeignEvent {
    /// Takes `api` out of the usage object, so that both ways of writing it are one content.
    fn with_api_beside_usage(mut self) -> Result<Self, String> {
        if !self.usage.get().contains("\"api\"") {
            return Ok(self);
        }
        let Ok(mut members) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(self.usage.get())
        else {
            return Ok(self);
        };
        let Some(named) = members.remove("api") else { return Ok(self) };
        let api: Api = serde_json::from_str(named.get()).map_err(|error| format!("usage.api: {error}"))?;
        if self.api.is_some_and(|beside| beside != api) {
            return Err("api and usage.api differ; state it once".to_owned());
        }
        self.api = Some(api);
        self.usage = serde_json::value::to_raw_value(&members).map_err(|error| error.to_string())?;
        Ok(self)
    }

    /// The content in one fixed form, whatever order and white space it was sent with.
    pub(crate) fn canonical(&self) -> Result<String, serde_json::Error> {
        let mut text = String::new();
        write_sorted(&serde_json::to_value(self)?, &mut text);
        Ok(text)
    }
}

fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> =
                members.iter().filter(|(_, value)| !value.is_null()).collect();
            out.push('{');
            for (name, value) in sorted {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_sorted(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_sorted(item, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}
