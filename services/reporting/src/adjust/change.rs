//! What an event's position becomes.

use crate::directory::Directory;
use crate::standing::Standing;
use std::sync::Arc;
use tallystick_domain::event::{AdjustReason, Position};
use tallystick_domain::price::{PriceBook, TierName, Unrated, rate};
use tallystick_domain::{ClientId, MemberId, ProjectId};

/// Whom usage is moved to; the inner `None` is `unassigned`.
#[derive(Clone, Debug)]
pub(crate) enum MoveTo {
    Member(Option<MemberId>),
    /// A project takes its client along, where it belongs to one.
    Project {
        project: Option<ProjectId>,
        client: Option<ClientId>,
    },
    Client(Option<ClientId>),
}

/// A kind of correction.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Move(MoveTo),
    Rerate(Arc<PriceBook>),
}

impl Change {
    /// Why, as the adjustment says.
    pub(crate) const fn reason(&self) -> AdjustReason {
        match self {
            Self::Move(_) => AdjustReason::Reattributed,
            Self::Rerate(_) => AdjustReason::Rerated,
        }
    }

    /// The position that an event gets; `None` when nothing changes.
    pub(crate) fn apply(&self, directory: &Directory, standing: &Standing) -> Option<Position> {
        let before = standing.position.as_ref()?;
        let mut after = before.clone();
        match self {
            Self::Move(MoveTo::Member(member)) => after.member = *member,
            Self::Move(MoveTo::Client(client)) => after.client = *client,
            Self::Move(MoveTo::Project { project, client }) => {
                after.project = *project;
                after.client = client.or(after.client);
            }
            Self::Rerate(book) => rerate(book, directory, standing, &mut after),
        }
        if after.client != before.client {
            after.client_day = directory.zone_of(after.client).day_of(after.occurred_at);
        }
        (after != *before).then_some(after)
    }
}

/// Rates by the version that is in force for the moment of use, as the book stands now. What has no usage, or whose usage
/// was never readable, stays.
fn rerate(book: &PriceBook, directory: &Directory, standing: &Standing, after: &mut Position) {
    let unreadable = [Unrated::UnreadableUsage, Unrated::MissingUsage];
    let several = matches!(after.unrated, Some(Unrated::SeveralModels { .. }));
    if several
        || after.usage.is_empty()
        || after.unrated.as_ref().is_some_and(|reason| unreadable.contains(reason))
    {
        return;
    }
    let recorded = &standing.recorded;
    let found = book.lookup_served(
        after.currency,
        directory.price_name(&after.provider),
        &recorded.model_requested,
        recorded.model_served.as_deref(),
        after.occurred_at,
    );
    let tier = TierName::parse(recorded.service_tier.as_deref());
    let rated = found.and_then(|found| rate(&after.usage, &tier?, &found.version));
    // What no price is known for any more keeps the price it had.
    if let Ok(rated) = rated {
        after.price_version = Some(rated.version);
        after.lines = rated.lines;
        after.cost = Some(rated.cost);
        after.unrated = None;
    }
}
