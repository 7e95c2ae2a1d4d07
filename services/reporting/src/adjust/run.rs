//! One correction from question to inbox.

use super::change::Change;
use crate::api::ApiState;
use crate::api::error::ApiResult;
use crate::directory::Directory;
use crate::standing::Standing;
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use tallystick_domain::attribution::UNASSIGNED;
use tallystick_domain::event::{Event, Position, UsageAdjusted};
use tallystick_domain::period::DayRange;
use tallystick_domain::{Currency, ProducerId};
use tallystick_runtime::Problem;
use tallystick_schemas::spooled;
use tallystick_store::control::Actor;
use tallystick_store::inbox::{InboxEntry, InboxOutcome};
use tallystick_store::usage::{Dimension, EventFilter, EventKeyset, Wanted};

/// Events read, and adjustments posted, at a time.
const PAGE: i64 = 2_000;

/// What is to be corrected, how, and whether for good.
#[derive(Debug)]
pub(crate) struct Correction {
    pub(crate) directory: Directory,
    pub(crate) filter: BTreeMap<Dimension, Wanted>,
    /// Billing days in the team's zone.
    pub(crate) days: DayRange,
    pub(crate) change: Change,
    pub(crate) apply: bool,
    pub(crate) actor: Actor,
}

/// What a correction does, or would do.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CorrectionAnswer {
    /// Whether it was posted; `false`: only shown.
    pub(crate) applied: bool,
    #[schema(value_type = String)]
    pub(crate) from: jiff::civil::Date,
    #[schema(value_type = String)]
    pub(crate) to: jiff::civil::Date,
    #[schema(value_type = String)]
    pub(crate) currency: Currency,
    /// Events that the filter found.
    pub(crate) matched: u64,
    /// Events that change.
    pub(crate) changed: u64,
    /// Adjustments newly posted; fewer than `changed` when the same correction is still on its way.
    pub(crate) posted: u64,
    /// Cost of the changed events as it is.
    #[schema(value_type = String)]
    pub(crate) cost_before: Decimal,
    /// Cost of the changed events as it becomes.
    #[schema(value_type = String)]
    pub(crate) cost_after: Decimal,
    /// Where the changed events are now, dearest first.
    pub(crate) groups: Vec<CorrectionGroup>,
}

/// Changed events of one client, project and member.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct CorrectionGroup {
    pub(crate) client: String,
    pub(crate) project: String,
    pub(crate) member: String,
    pub(crate) requests: u64,
    #[schema(value_type = String)]
    pub(crate) cost: Decimal,
}

/// Carries a correction out, or shows it.
///
/// # Errors
/// When database or stored events can not be read. What was posted until then stays; sending it again goes on.
pub(crate) async fn correct(api: &ApiState, correction: &Correction) -> ApiResult<CorrectionAnswer> {
    let team = &correction.directory.team;
    let producer = api.store.inbox_producer().await?;
    let filter = EventFilter {
        dimensions: correction.filter.clone(),
        from_day: Some(correction.days.from),
        to_day: Some(correction.days.to),
        ..EventFilter::default()
    };
    let mut answer = CorrectionAnswer::of(correction);
    let mut groups: BTreeMap<[String; 3], CorrectionGroup> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = api.store.usage_events(team.id, &filter, after, PAGE).await?;
        let mut entries = Vec::new();
        for event in &page {
            let standing = Standing::of(event).map_err(|error| Problem::internal(&error))?;
            answer.matched += u64::from(!event.voided);
            let Some(position) = correction.change.apply(&correction.directory, &standing) else { continue };
            let names = [&event.client, &event.project, &event.member];
            let names = names.map(|name| name.clone().unwrap_or_else(|| UNASSIGNED.to_owned()));
            answer.count(&standing, &position, groups.entry(names).or_default());
            if correction.apply {
                entries.push(entry(correction, producer, standing, position)?);
            }
        }
        let outcomes = api.store.inbox_put(&entries).await?;
        answer.posted += outcomes.iter().filter(|outcome| **outcome == InboxOutcome::Accepted).count() as u64;
        let full = page.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
        after =
            page.last().map(|event| EventKeyset { occurred_at: event.occurred_at, event_id: event.event_id });
        if !full {
            break;
        }
    }
    if answer.posted > 0 {
        api.inbox.wake.notify_one();
    }
    answer.groups = groups
        .into_iter()
        .map(|([client, project, member], group)| CorrectionGroup { client, project, member, ..group })
        .collect();
    answer.groups.sort_by_key(|group| std::cmp::Reverse(group.cost));
    Ok(answer)
}

impl CorrectionAnswer {
    fn of(correction: &Correction) -> Self {
        Self {
            applied: correction.apply,
            from: correction.days.from,
            to: correction.days.to,
            currency: correction.directory.team.currency,
            matched: 0,
            changed: 0,
            posted: 0,
            cost_before: Decimal::ZERO,
            cost_after: Decimal::ZERO,
            groups: Vec::new(),
        }
    }

    fn count(&mut self, standing: &Standing, after: &Position, group: &mut CorrectionGroup) {
        let before = standing.position.as_ref().and_then(|position| position.cost).unwrap_or_default();
        self.changed += 1;
        self.cost_before = self.cost_before.saturating_add(before);
        self.cost_after = self.cost_after.saturating_add(after.cost.unwrap_or_default());
        group.requests += 1;
        group.cost = group.cost.saturating_add(before);
    }
}

fn entry(
    correction: &Correction,
    producer: ProducerId,
    standing: Standing,
    after: Position,
) -> ApiResult<InboxEntry> {
    let Standing { recorded, head, position } = standing;
    let reason = correction.change.reason();
    let event_id = UsageAdjusted::derive_id(recorded.event_id, head, reason, Some(&after));
    let event_id = event_id.map_err(|error| Problem::internal(&error))?;
    let before = position.expect("a change starts from a position");
    let adjustment = UsageAdjusted {
        event_id,
        producer,
        epoch: 1,
        lane: recorded.lane,
        seq: 0,
        recorded_at: correction.actor.at,
        team: recorded.team,
        target: recorded.event_id,
        supersedes: head,
        reason,
        actor: correction.actor.name.clone(),
        note: None,
        before,
        after: Some(after),
    };
    let frame = spooled::pack(&Event::Adjusted(Box::new(adjustment)), None)
        .map_err(|error| Problem::internal(&error))?;
    Ok(InboxEntry {
        event_id,
        team: Some(recorded.team),
        lane: recorded.lane,
        // The id is made of the content: another content has another id.
        content_hash: Sha256::digest(event_id.as_uuid().as_bytes()).into(),
        recorded_at: correction.actor.at,
        frame: frame.to_vec(),
    })
}
