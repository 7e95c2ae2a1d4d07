//! Keys that somebody should look at.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap};
use tallystick_domain::period::Zone;
use tallystick_domain::report::KeyNote;
use tallystick_domain::{KeyId, MemberId};
use tallystick_store::Store;
use tallystick_store::control::{KeyRow, KeyState, ListFilter, MemberRow, TeamRow};

use crate::api::error::ApiResult;

/// What was found, dearest first.
pub(super) struct KeyFindings {
    pub(super) without_limit: Vec<KeyNote>,
    pub(super) unused: Vec<KeyNote>,
}

/// Active keys without a limit, and those that were not used for so many days (new ones aside).
pub(super) async fn key_findings(
    store: &Store,
    team: &TeamRow,
    now: Timestamp,
    unused_days: u32,
    costs: &BTreeMap<String, Decimal>,
) -> ApiResult<KeyFindings> {
    let everything = ListFilter { name: None, archived: true, after: None, limit: i64::MAX };
    let keys: Vec<KeyRow> = store.control_list(team.id, &everything).await?;
    let members: Vec<MemberRow> = store.control_list(team.id, &everything).await?;
    let owners: HashMap<MemberId, String> = members.into_iter().map(|row| (row.id, row.name)).collect();
    let last_used: HashMap<KeyId, Date> =
        store.usage_keys_last_used(team.id).await?.into_iter().map(|used| (used.key, used.day)).collect();
    let zone = Zone::parse(&team.zone)?;
    let today = zone.day_of(now);
    let since = today.checked_sub(i64::from(unused_days).days()).unwrap_or(today);
    let note = |key: &KeyRow| KeyNote {
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        owner: key.member_id.and_then(|id| owners.get(&id).cloned()),
        last_used: last_used.get(&key.id).copied(),
        cost: costs.get(&key.id.to_string()).copied().unwrap_or_default(),
    };
    let active = || keys.iter().filter(|key| key.state(now) == KeyState::Active);
    let mut without_limit: Vec<KeyNote> = active().filter(|key| key.budgets.is_empty()).map(note).collect();
    let idle = |key: &KeyRow| {
        let newest = last_used.get(&key.id).copied().unwrap_or_else(|| zone.day_of(key.created_at));
        newest < since
    };
    let mut unused: Vec<KeyNote> = active().filter(|key| idle(key)).map(note).collect();
    without_limit.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.name.cmp(&b.name)));
    unused.sort_by(|a, b| a.last_used.cmp(&b.last_used).then_with(|| a.name.cmp(&b.name)));
    Ok(KeyFindings { without_limit, unused })
}
