//! How a call ended: from what was seen to the one outcome, and from the outcome to the event's numbers.

use super::rating::{Pricing, book, estimate, leave_unrated};
use crate::endpoint::Call;
use rust_decimal::Decimal;
use tallystick_domain::attribution::clip_text;
use tallystick_domain::event::{Billing, Outcome, RawJson, UsageRecorded};
use tallystick_domain::price::Unrated;
use tallystick_domain::usage::{Observed, Usage};

/// The largest usage object that is kept as the provider sent it, in bytes.
const RAW_USAGE_BYTES: usize = 2048;

/// The end of one attempt.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    /// What the answer told, as far as it was read.
    pub(crate) seen: Option<Observed>,
    pub(crate) error_code: Option<&'static str>,
}

impl Ending {
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self { outcome, seen: None, error_code: None }
    }

    pub(crate) fn seeing(outcome: Outcome, seen: Observed) -> Self {
        Self { outcome, seen: Some(seen), error_code: None }
    }

    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self { error_code: Some(code), ..self }
    }

    /// An answer with an error status.
    pub(crate) fn refused(status: u16, seen: Observed) -> Self {
        let outcome =
            if (400..500).contains(&status) { Outcome::UpstreamRejected } else { Outcome::UpstreamFailed };
        Self::seeing(outcome, seen)
    }

    /// A whole answer that arrived to its end.
    pub(crate) fn whole(seen: Observed) -> Self {
        Self::seeing(by_usage(&seen).unwrap_or(Outcome::UsageMissing), seen)
    }

    /// A stream that broke off. Where the provider had told its usage and its end before, nothing is missing.
    pub(crate) fn cut(outcome: Outcome, seen: Observed) -> Self {
        let complete = seen.finished && by_usage(&seen) == Some(Outcome::Completed);
        Self::seeing(if complete { Outcome::Completed } else { outcome }, seen)
    }

    /// A stream that the provider closed in an orderly way. Without usage it may have been cut short.
    pub(crate) fn stream(seen: Observed) -> Self {
        let silent = if seen.finished && seen.error.is_none() {
            Outcome::UsageMissing
        } else {
            Outcome::UpstreamBroken
        };
        Self::seeing(by_usage(&seen).unwrap_or(silent), seen)
    }
}

fn by_usage(seen: &Observed) -> Option<Outcome> {
    match &seen.reading {
        Some(Ok(_)) => Some(Outcome::Completed),
        Some(Err(_)) => Some(Outcome::UsageInvalid),
        None => None,
    }
}

/// Fills in everything that only the end tells.
pub(crate) fn fill(
    event: &mut UsageRecorded,
    pricing: &Pricing,
    call: Call,
    input_bytes: u64,
    ending: Ending,
) {
    let Ending { outcome, seen, error_code } = ending;
    let seen = seen.unwrap_or_default();
    event.outcome = outcome;
    event.status = outcome.status();
    event.error_code = seen.error.as_deref().map(clip_text).or(error_code.map(str::to_owned));
    if let Some(model) = &seen.model {
        event.model_served = Some(clip_text(model));
    }
    if let Some(tier) = &seen.service_tier {
        event.service_tier = Some(clip_text(tier));
    }
    event.usage_raw =
        seen.usage_raw.filter(|raw| raw.len() <= RAW_USAGE_BYTES).and_then(|raw| RawJson::parse(raw).ok());
    match (outcome.billing(), seen.reading) {
        (Billing::No, _) => nothing_billed(event),
        (_, Some(Ok(reading))) => {
            event.usage = reading.usage;
            match reading.others.into_iter().next() {
                Some(other) => {
                    leave_unrated(event, Unrated::SeveralModels { model: clip_text(&other.model) })
                }
                None => book(event, pricing, reading.usage),
            }
        }
        _ => book(event, pricing, estimate(call, input_bytes, seen.output_bytes)),
    }
}

fn nothing_billed(event: &mut UsageRecorded) {
    event.usage = Usage::new();
    event.price_version = None;
    event.lines = Vec::new();
    event.cost = Some(Decimal::ZERO);
    event.unrated = None;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tallystick_domain::usage::{Reading, UsageError};

    fn seen(reading: Option<Result<Reading, UsageError>>, finished: bool, error: Option<&str>) -> Observed {
        Observed { reading, finished, error: error.map(str::to_owned), ..Observed::default() }
    }

    #[test]
    fn a_stream_is_complete_only_with_its_usage() {
        let ok = || Some(Ok(Reading::default()));
        let bad = Some(Err(UsageError::Negative { field: "prompt_tokens" }));
        let outcome = |seen: Observed| Ending::stream(seen).outcome;
        assert_eq!(outcome(seen(ok(), true, None)), Outcome::Completed);
        assert_eq!(outcome(seen(bad, true, None)), Outcome::UsageInvalid);
        assert_eq!(outcome(seen(None, true, None)), Outcome::UsageMissing);
        assert_eq!(outcome(seen(None, false, None)), Outcome::UpstreamBroken);
        assert_eq!(outcome(seen(None, true, Some("server_error"))), Outcome::UpstreamBroken);
    }

    #[test]
    fn an_error_status_says_who_was_at_fault() {
        assert_eq!(Ending::refused(429, Observed::default()).outcome, Outcome::UpstreamRejected);
        assert_eq!(Ending::refused(500, Observed::default()).outcome, Outcome::UpstreamFailed);
        assert_eq!(Ending::refused(302, Observed::default()).outcome, Outcome::UpstreamFailed);
    }
}
