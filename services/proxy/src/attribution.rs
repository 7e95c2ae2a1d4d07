//! Who pays: what the key fixes, refined by what the request may say.

use crate::body::{View, kept};
use crate::control::{Caller, Project, TeamView};
use crate::endpoint::Call;
use crate::refusal::Refusal;
use http::HeaderMap;
use std::collections::BTreeMap;
use tallystick_domain::attribution::{Attribution, MAX_TAGS, TaskSource, clip_text};
use tallystick_domain::event::UsageRecorded;
use tallystick_domain::{ClientId, ProjectId};

const TASK: &str = "x-tallystick-task";
const CLIENT: &str = "x-tallystick-client";
const PROJECT: &str = "x-tallystick-project";
const TAGS: &str = "x-tallystick-tags";
/// A trace id as `traceparent` writes it.
const TRACE_ID_LEN: usize = 32;

/// Everything about one request that says who pays and what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attributed {
    pub(crate) pays: Attribution,
    pub(crate) task: Option<(String, TaskSource)>,
    pub(crate) end_user: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) client_retry: bool,
}

/// Reads the headers and the body's own names.
///
/// # Errors
/// `400 unknown_attribution` for a name that does not exist or may not be given; `400 invalid_request` for a text that
/// can not be kept.
pub(crate) fn attribute(
    caller: &Caller,
    headers: &HeaderMap,
    view: &View<'_>,
    call: Call,
    tags_bytes: usize,
) -> Result<Attributed, Refusal> {
    let key = &caller.key;
    let project = project(caller, headers)?;
    let client = client(caller, headers, project)?;
    Ok(Attributed {
        pays: Attribution {
            team: key.team,
            key: Some(key.id),
            member: key.member,
            project: project.map_or(key.project, |project| Some(project.id)),
            client,
            environment: key.environment.clone(),
            tool: key.tool.clone(),
        },
        task: task(headers, view, call)?,
        end_user: view.end_user(call),
        tags: tags(headers, tags_bytes)?,
        user_agent: headers
            .get(http::header::USER_AGENT)
            .map(|agent| clip_text(&String::from_utf8_lossy(agent.as_bytes()))),
        client_retry: headers.get("x-stainless-retry-count").is_some_and(|count| count.as_bytes() != b"0"),
    })
}

impl Attributed {
    /// Moves everything into an event.
    pub(crate) fn fill(self, event: &mut UsageRecorded) {
        event.team = self.pays.team;
        event.key = self.pays.key;
        event.member = self.pays.member;
        event.project = self.pays.project;
        event.client = self.pays.client;
        event.environment = self.pays.environment;
        event.tool = self.pays.tool;
        if let Some((task, source)) = self.task {
            (event.task, event.task_source) = (Some(task), Some(source));
        }
        event.end_user = self.end_user;
        event.tags = self.tags;
        event.user_agent = self.user_agent;
        event.client_retry = self.client_retry;
    }
}

/// A header of ours as text that can be kept.
fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| Refusal::invalid(format!("{name} is not UTF-8")).about(name))?
        .trim();
    kept(name, text)?;
    Ok((!text.is_empty()).then_some(text))
}

/// The project: the key's, or the one that the request names.
fn project<'c>(caller: &'c Caller, headers: &HeaderMap) -> Result<Option<&'c Project>, Refusal> {
    let team: &TeamView = &caller.team;
    let fixed = caller.key.project.and_then(|id: ProjectId| team.project(id)).map(AsRef::as_ref);
    let Some(name) = text(headers, PROJECT)? else { return Ok(fixed) };
    let named =
        team.project_named(name).map(AsRef::as_ref).ok_or_else(|| unknown(PROJECT, name, "project"))?;
    if fixed.is_some_and(|fixed| fixed.id == named.id) || caller.key.may_name_project {
        return Ok(Some(named));
    }
    Err(not_allowed(PROJECT, "project"))
}

/// The client: the one that the request names, the key's, or the project's.
fn client(
    caller: &Caller,
    headers: &HeaderMap,
    project: Option<&Project>,
) -> Result<Option<ClientId>, Refusal> {
    let named_project = headers.contains_key(PROJECT);
    let of_project = project.and_then(|project| project.client);
    let fixed =
        if named_project { of_project.or(caller.key.client) } else { caller.key.client.or(of_project) };
    let Some(name) = text(headers, CLIENT)? else { return Ok(fixed) };
    let named = caller.team.client_named(name).ok_or_else(|| unknown(CLIENT, name, "client"))?.id;
    if fixed == Some(named) {
        return Ok(fixed);
    }
    if !caller.key.may_name_client {
        return Err(not_allowed(CLIENT, "client"));
    }
    if of_project.is_some_and(|own| own != named) {
        let message = format!(
            "{CLIENT} names another client than the one that the project belongs to; send one of the two"
        );
        return Err(Refusal::unknown_attribution(message).about(CLIENT));
    }
    Ok(Some(named))
}

fn unknown(header: &'static str, name: &str, what: &str) -> Refusal {
    Refusal::unknown_attribution(format!(
        "{header}: your team has no {what} called '{name}'; nothing was sent"
    ))
    .about(header)
}

fn not_allowed(header: &'static str, what: &str) -> Refusal {
    let message = format!(
        "{header}: this key may not choose its {what}; leave the header out, or ask for a key that may"
    );
    Refusal::unknown_attribution(message).about(header)
}

/// What the request is part of: its header, else its trace, else its session; and which of them it was.
fn task(headers: &HeaderMap, view: &View<'_>, call: Call) -> Result<Option<(String, TaskSource)>, Refusal> {
    if let Some(task) = text(headers, TASK)? {
        return Ok(Some((task.to_owned(), TaskSource::Header)));
    }
    if let Some(trace) = headers.get("traceparent").and_then(|value| trace_id(value.to_str().ok()?)) {
        return Ok(Some((trace.to_owned(), TaskSource::Trace)));
    }
    Ok(view.session(call).map(|session| (session, TaskSource::Session)))
}

/// The trace id of a well-formed `traceparent` (version 00 to fe, not all zeros).
pub(crate) fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let zero = |text: &str| text.bytes().all(|b| b == b'0');
    let shape = hex(version, 2) && hex(trace, TRACE_ID_LEN) && hex(parent, 16) && hex(flags, 2);
    (shape && version != "ff" && !zero(trace) && !zero(parent)).then_some(trace)
}

/// `k=v,k=v`.
fn tags(headers: &HeaderMap, limit: usize) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = BTreeMap::new();
    let Some(value) = headers.get(TAGS) else { return Ok(tags) };
    let invalid = |message: String| Refusal::invalid(message).about(TAGS);
    if value.len() > limit {
        return Err(invalid(format!(
            "{TAGS} is {} bytes long; at most {limit} are kept, so shorten it",
            value.len()
        )));
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| invalid(format!("{TAGS} is not UTF-8")))?;
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| invalid(format!("{TAGS} must be written name=value,name=value")))?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return Err(invalid(format!("{TAGS} has a value without a name")));
        }
        kept(TAGS, name)?;
        kept(TAGS, value)?;
        tags.insert(name.to_owned(), value.to_owned());
    }
    if tags.len() > MAX_TAGS {
        return Err(invalid(format!("{TAGS} has {} tags; at most {MAX_TAGS} are kept", tags.len())));
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_gives_its_trace_id_only_when_it_is_well_formed() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(good), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }
}
