//! Which provider a call goes to.

use crate::control::Caller;
use crate::endpoint::Call;
use crate::glob;
use crate::refusal::Refusal;
use crate::upstream::{Auth, Target};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The provider that the path names.
///
/// # Errors
/// `404` when the team has none of that name or it does not offer the call, `403` when the key may not use it.
pub(crate) fn named(caller: &Caller, call: Call, name: &str) -> Result<Arc<Target>, Refusal> {
    let target = caller.team.target(name).ok_or_else(|| {
        let message =
            format!("your team has no provider called '{}'", tallystick_domain::attribution::clip_text(name));
        Refusal::not_found("model_not_found", message)
    })?;
    if !glob::allows(&caller.key.providers, &target.name) {
        return Err(not_allowed(&target.name));
    }
    usable(target, call)
}

/// The provider that serves a model. One that was told to by a list of models goes first, then the one whose own prices
/// know it, then one that borrows another's prices; among equals the first by name. So a second account that is added
/// takes over nothing unless somebody says so.
///
/// # Errors
/// `404 model_not_found` when none does, `403` when only such as the key may not use.
pub(crate) fn by_model(
    caller: &Caller,
    call: Call,
    model: &str,
    at: Timestamp,
) -> Result<Arc<Target>, Refusal> {
    let team = &caller.team;
    let serving = || team.targets.iter().filter(|target| target.serves(call, model, &team.prices, at));
    let allowed = |target: &&Arc<Target>| glob::allows(&caller.key.providers, &target.name);
    if let Some(target) = serving().filter(allowed).min_by_key(|target| target.claim()) {
        return usable(target, call);
    }
    let refused = serving().map(|target| &target.name).next();
    Err(refused.map_or_else(
        || {
            let message = format!(
                "no provider of your team serves the model '{model}'; check its name, or name the provider in the path \
                 (/v1/PROVIDER{})",
                call.path()
            );
            Refusal::not_found("model_not_found", message)
        },
        |name| not_allowed(name),
    ))
}

fn usable(target: &Arc<Target>, call: Call) -> Result<Arc<Target>, Refusal> {
    if target.uri(call).is_none() {
        let message = format!(
            "the provider '{}' does not offer {}, or its address is not allowed",
            target.name,
            call.name()
        );
        return Err(Refusal::not_found("model_not_found", message));
    }
    if matches!(target.auth(call), Auth::Unreadable) {
        let message = format!(
            "the secret of the provider '{}' can not be used; an admin has to set it again",
            target.name
        );
        return Err(Refusal::not_ready(message, Duration::from_secs(60)));
    }
    Ok(Arc::clone(target))
}

fn not_allowed(name: &str) -> Refusal {
    Refusal::forbidden(
        "provider_not_allowed",
        format!("this key may not use the provider '{name}'; ask your team's admin"),
    )
}
