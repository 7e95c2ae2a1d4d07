//! A foreign event becomes one of ours: checked, named, rated.

use super::foreign::ForeignEvent;
use crate::directory::Directory;
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;
use tallystick_domain::attribution::{MAX_TAGS, TaskSource, check_text};
use tallystick_domain::event::{Outcome, RawJson, UsageRecorded};
use tallystick_domain::price::{PriceBook, Unrated};
use tallystick_domain::usage::{Api, Dialect, Usage, normalise};
use tallystick_domain::{ClientId, EventId, KeyId, Lane, MemberId, ProducerId, ProjectId};

/// Longest usage object that is kept, in bytes.
const USAGE_BYTES: usize = 16 * 1024;
/// How far a sender's clock may be ahead.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
/// Nobody metered tokens before.
const OLDEST: &str = "2015-01-01T00:00:00Z";

/// What all events of a request share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) directory: Directory,
    pub(crate) book: std::sync::Arc<PriceBook>,
    pub(crate) producer: ProducerId,
    pub(crate) now: Timestamp,
}

/// Why an event is not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

fn refuse(code: &'static str, reason: impl Into<String>) -> Refusal {
    Refusal { code, reason: reason.into() }
}

/// Who pays.
struct Payers {
    key: Option<KeyId>,
    member: Option<MemberId>,
    project: Option<ProjectId>,
    client: Option<ClientId>,
    environment: Option<String>,
    tool: Option<String>,
}

/// The event that the ledger will fold.
pub(crate) fn admit(context: &Context, event: &ForeignEvent) -> Result<UsageRecorded, Refusal> {
    check_words(event)?;
    check_time(context, event.occurred_at)?;
    let payers = payers(&context.directory, event)?;
    let outcome = outcome(event)?;
    let metered = meter(event)?;
    let tier = event.service_tier.clone().or(metered.tier);
    let priced = rate(context, event, outcome, &metered.usage, tier.as_deref(), metered.unrated);
    let (price_version, lines, cost, unrated) = priced;
    let team = &context.directory.team;
    Ok(UsageRecorded {
        event_id: event_id(context, event),
        producer: context.producer,
        epoch: 1,
        lane: payers.key.map_or_else(|| Lane::of_team(team.id), Lane::of_key),
        seq: 0,
        occurred_at: event.occurred_at,
        recorded_at: context.now,
        team_day: context.directory.zone.day_of(event.occurred_at),
        client_day: context.directory.zone_of(payers.client).day_of(event.occurred_at),
        team: team.id,
        key: payers.key,
        member: payers.member,
        project: payers.project,
        client: payers.client,
        environment: payers.environment,
        tool: payers.tool,
        task: event.task.clone(),
        task_source: event.task.as_ref().map(|_| TaskSource::Import),
        end_user: None,
        tags: event.tags.clone(),
        request_id: event.id.clone(),
        attempt: 1,
        client_retry: false,
        user_agent: None,
        origin: None,
        prompt_print: None,
        provider: event.provider.clone(),
        endpoint: event.api.map_or("import", api_name).to_owned(),
        model_requested: event.model.clone(),
        model_served: None,
        service_tier: tier,
        upstream_request_id: None,
        status: outcome.status(),
        outcome,
        http_status: event.http_status,
        error_code: None,
        usage: metered.usage,
        usage_raw: event.api.and_then(|_| RawJson::parse(event.usage.get().to_owned()).ok()),
        price_version,
        lines,
        cost,
        currency: team.currency,
        unrated,
        reported_cost: reported_cost(event)?,
        latency_ms: event.latency_ms,
        ttft_ms: None,
        streamed: false,
        holds: Vec::new(),
        source: Some(event.source.clone()),
        source_id: Some(event.id.clone()),
    })
}

/// A fixed prefix and a hash of (team, source, foreign id).
fn event_id(context: &Context, event: &ForeignEvent) -> EventId {
    let team = context.directory.team.id.as_uuid();
    EventId::derived(
        "tallystick.usage.foreign",
        &[team.as_bytes(), event.source.as_bytes(), event.id.as_bytes()],
    )
}

fn check_words(event: &ForeignEvent) -> Result<(), Refusal> {
    let needed = [
        ("source", &event.source),
        ("id", &event.id),
        ("provider", &event.provider),
        ("model", &event.model),
    ];
    let optional = [
        ("environment", &event.environment),
        ("tool", &event.tool),
        ("task", &event.task),
        ("service_tier", &event.service_tier),
    ];
    if event.tags.len() > MAX_TAGS {
        return Err(refuse(
            "invalid",
            format!("tags has {} entries; at most {MAX_TAGS} are kept", event.tags.len()),
        ));
    }
    let given = optional.into_iter().filter_map(|(field, text)| text.as_ref().map(|text| (field, text)));
    let tags = event.tags.iter().flat_map(|(name, value)| [("tags", name), ("tags", value)]);
    for (field, text) in needed.into_iter().chain(given).chain(tags) {
        if text.trim().is_empty() {
            return Err(refuse("invalid", format!("{field} is empty")));
        }
        check_text(field, text).map_err(|error| refuse("invalid", error.to_string()))?;
    }
    if event.usage.get().len() > USAGE_BYTES {
        return Err(refuse("invalid", format!("usage is longer than {USAGE_BYTES} bytes")));
    }
    if event.usage.get().contains("\\u0000") {
        return Err(refuse("invalid", "usage holds a NUL character; remove it"));
    }
    if event.http_status.is_some_and(|status| !(100..1000).contains(&status)) {
        return Err(refuse("invalid", "http_status is no HTTP status"));
    }
    Ok(())
}

fn check_time(context: &Context, at: Timestamp) -> Result<(), Refusal> {
    let latest = context.now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    if at > latest {
        return Err(refuse("invalid", format!("occurred_at {at} is in the future")));
    }
    let oldest: Timestamp = OLDEST.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    if at < oldest - 1.hour() {
        return Err(refuse("invalid", format!("occurred_at {at} is before {OLDEST}; check its year")));
    }
    Ok(())
}

fn payers(directory: &Directory, event: &ForeignEvent) -> Result<Payers, Refusal> {
    fn named<'d, T>(
        what: &str,
        reference: Option<&String>,
        find: impl Fn(&str) -> Option<&'d T>,
    ) -> Result<Option<&'d T>, Refusal> {
        let Some(reference) = reference else { return Ok(None) };
        let unknown =
            || refuse("unknown_attribution", format!("the team has no {what} '{}'", clip(reference)));
        find(reference).map(Some).ok_or_else(unknown)
    }
    let key = named("key", event.key.as_ref(), |name| directory.key(name))?;
    let member = named("member", event.member.as_ref(), |name| directory.member(name))?;
    let project = named("project", event.project.as_ref(), |name| directory.project(name))?;
    let client = named("client", event.client.as_ref(), |name| directory.client(name))?;
    let client = client.map(|row| row.id).or_else(|| match project {
        Some(project) => project.client_id,
        None => key.and_then(|key| key.client_id),
    });
    Ok(Payers {
        key: key.map(|key| key.id),
        member: member.map(|row| row.id).or_else(|| key.and_then(|key| key.member_id)),
        project: project.map(|row| row.id).or_else(|| key.and_then(|key| key.project_id)),
        client,
        environment: event.environment.clone().or_else(|| key.and_then(|key| key.environment.clone())),
        tool: event.tool.clone().or_else(|| key.and_then(|key| key.tool.clone())),
    })
}

fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn outcome(event: &ForeignEvent) -> Result<Outcome, Refusal> {
    let failed = match event.outcome.as_deref() {
        None => event.http_status.is_some_and(|status| status >= 400),
        Some("completed" | "success" | "succeeded" | "ok" | "imported") => false,
        Some("failed" | "failure" | "error" | "imported_failure") => true,
        Some(word) => match Outcome::ALL.into_iter().find(|outcome| outcome.name() == word) {
            Some(outcome) => outcome.is_failure(),
            None => {
                return Err(refuse(
                    "invalid",
                    format!("outcome '{}' is unknown: completed or failed", clip(word)),
                ));
            }
        },
    };
    Ok(if failed { Outcome::ImportedFailure } else { Outcome::Imported })
}

struct Metered {
    usage: Usage,
    tier: Option<String>,
    unrated: Option<Unrated>,
}

fn meter(event: &ForeignEvent) -> Result<Metered, Refusal> {
    let text = event.usage.get();
    let Some(api) = event.api else {
        let usage: Usage = serde_json::from_str(text).map_err(|error| {
            refuse(
                "invalid_usage",
                format!("usage is no map of buckets ({error}); name its api if it is a provider's own"),
            )
        })?;
        if let Some((bucket, _)) = usage.iter().find(|(_, count)| *count > Usage::MAX_COUNT) {
            return Err(refuse("invalid_usage", format!("{bucket} is larger than any call can be")));
        }
        return Ok(Metered { usage, tier: None, unrated: None });
    };
    let reading = normalise(Dialect::of(api), text.as_bytes()).map_err(|error| {
        refuse("invalid_usage", format!("usage does not read as {}: {error}", api_name(api)))
    })?;
    let unrated = reading.others.first().map(|other| Unrated::SeveralModels { model: other.model.clone() });
    Ok(Metered { usage: reading.usage, tier: reading.service_tier, unrated })
}

type Priced = (
    Option<tallystick_domain::PriceVersionId>,
    Vec<tallystick_domain::usage::PricedLine>,
    Option<Decimal>,
    Option<Unrated>,
);

/// By the version in force when it happened. A failure that used nothing costs nothing, whatever the prices.
fn rate(
    context: &Context,
    event: &ForeignEvent,
    outcome: Outcome,
    usage: &Usage,
    tier: Option<&str>,
    unrated: Option<Unrated>,
) -> Priced {
    if let Some(reason) = unrated {
        return (None, Vec::new(), None, Some(reason));
    }
    if outcome.is_failure() && usage.is_empty() {
        return (None, Vec::new(), Some(Decimal::ZERO), None);
    }
    let currency = context.directory.team.currency;
    let provider = context.directory.price_name(&event.provider);
    match context.book.rate(currency, provider, &event.model, event.occurred_at, tier, usage) {
        Ok(rated) => (Some(rated.version), rated.lines, Some(rated.cost), None),
        Err(reason) => (None, Vec::new(), None, Some(reason)),
    }
}

fn reported_cost(event: &ForeignEvent) -> Result<Option<Decimal>, Refusal> {
    let text = match &event.cost {
        None | Some(serde_json::Value::Null) => return Ok(None),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Number(number)) => number.to_string(),
        Some(_) => return Err(refuse("invalid", "cost is no amount; write it as \"0.0042\"")),
    };
    let exact = Decimal::from_str_exact(text.trim()).or_else(|_| Decimal::from_scientific(text.trim()));
    exact.map(Some).map_err(|_| {
        refuse("invalid", format!("cost '{}' is no amount; write it as \"0.0042\"", clip(&text)))
    })
}

const fn api_name(api: Api) -> &'static str {
    match api {
        Api::Chat => "chat",
        Api::Responses => "responses",
        Api::Messages => "messages",
        Api::Gemini => "gemini",
        Api::Embeddings => "embeddings",
        Api::Images => "images",
        Api::Transcription => "transcription",
    }
}
