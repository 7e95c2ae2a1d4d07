//! The event as it stands at admission: everything that does not depend on the answer.

use super::rating::Pricing;
use crate::attribution::Attributed;
use crate::control::Caller;
use crate::core::Core;
use crate::endpoint::Call;
use jiff::Timestamp;
use std::collections::BTreeMap;
use tallystick_domain::event::{Outcome, Status, UsageRecorded};
use tallystick_domain::usage::Usage;
use tallystick_domain::{EventId, Lane};
use uuid::Uuid;

/// What an event is made of before the call.
pub(crate) struct Draft<'a> {
    pub(crate) core: &'a Core,
    pub(crate) caller: &'a Caller,
    pub(crate) request_id: Uuid,
    pub(crate) call: Call,
    pub(crate) model: String,
    pub(crate) attributed: Attributed,
    pub(crate) origin: Option<String>,
    pub(crate) prompt_print: Option<String>,
}

impl Draft<'_> {
    /// The event of the first attempt; its id is the request's.
    pub(crate) fn event(self, at: Timestamp, pricing: &Pricing) -> Box<UsageRecorded> {
        let Self { core, caller, request_id, call, model, attributed, origin, prompt_print } = self;
        let identity = core.spool.identity();
        let team = &caller.team;
        let mut event = Box::new(UsageRecorded {
            event_id: EventId::from_uuid(request_id),
            producer: identity.producer,
            epoch: identity.epoch,
            lane: Lane::of_key(caller.key.id),
            seq: 0,
            occurred_at: at,
            recorded_at: at,
            team_day: team.team.zone.day_of(at),
            client_day: team.client_zone(attributed.pays.client).day_of(at),
            team: caller.key.team,
            key: Some(caller.key.id),
            member: None,
            project: None,
            client: None,
            environment: None,
            tool: None,
            task: None,
            task_source: None,
            end_user: None,
            tags: BTreeMap::new(),
            request_id: request_id.to_string(),
            attempt: 1,
            client_retry: false,
            user_agent: None,
            origin,
            prompt_print,
            provider: pricing.target.name.clone(),
            endpoint: call.name().to_owned(),
            model_requested: model,
            model_served: None,
            service_tier: None,
            upstream_request_id: None,
            status: Status::Estimated,
            outcome: Outcome::GatewayCrashed,
            http_status: None,
            error_code: None,
            usage: Usage::new(),
            usage_raw: None,
            price_version: None,
            lines: Vec::new(),
            cost: None,
            currency: pricing.currency,
            unrated: None,
            reported_cost: None,
            latency_ms: None,
            ttft_ms: None,
            streamed: false,
            holds: Vec::new(),
            source: None,
            source_id: None,
        });
        attributed.fill(&mut event);
        event
    }
}
