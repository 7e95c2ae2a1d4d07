//! How an attempt ended, and who has to pay for it.

use serde::{Deserialize, Serialize};

/// How sure the numbers of an event are.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Usage as the provider reported it, or known to be none.
    Final,
    /// Our best estimate: the provider's answer never arrived, or not whole.
    Estimated,
    /// Nothing was sent to the provider.
    Voided,
}

/// Whether a provider bills an attempt that ended this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// The provider charges what it reported.
    Yes,
    /// The provider charges nothing.
    No,
    /// Nobody can know until the provider's bill arrives.
    Unknown,
}

/// How one attempt ended. Closed: a new way to end is a new variant and a line in [`Outcome::billing`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider answered and the client got all of it.
    Completed,
    /// The client went away; the answer was read to its end all the same.
    ClientGone,
    /// The client went away and the drain was cut short by its cap.
    ClientGoneUndrained,
    /// The provider answered, but told no usage.
    UsageMissing,
    /// The provider answered with usage that can not be true (negative, contradictory).
    UsageInvalid,
    /// The provider refused the request (4xx).
    UpstreamRejected,
    /// The provider failed before it produced anything (5xx).
    UpstreamFailed,
    /// No connection to the provider could be made: nothing was sent.
    UpstreamUnreachable,
    /// The request was sent and no answer came in time.
    UpstreamTimeout,
    /// The connection broke after the request was sent.
    UpstreamBroken,
    /// The gateway gave the request up before it sent anything.
    Abandoned,
    /// The gateway failed while the request was under way.
    GatewayFailed,
    /// The gateway stopped with the request under way; found in the spool at the next start.
    GatewayCrashed,
    /// Usage from elsewhere that succeeded there.
    Imported,
    /// Usage from elsewhere that failed there.
    ImportedFailure,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 15] = [
        Self::Completed,
        Self::ClientGone,
        Self::ClientGoneUndrained,
        Self::UsageMissing,
        Self::UsageInvalid,
        Self::UpstreamRejected,
        Self::UpstreamFailed,
        Self::UpstreamUnreachable,
        Self::UpstreamTimeout,
        Self::UpstreamBroken,
        Self::Abandoned,
        Self::GatewayFailed,
        Self::GatewayCrashed,
        Self::Imported,
        Self::ImportedFailure,
    ];

    /// The one table of who pays.
    #[must_use]
    pub const fn billing(self) -> Billing {
        match self {
            Self::Completed | Self::ClientGone | Self::Imported | Self::ImportedFailure => Billing::Yes,
            Self::UpstreamRejected | Self::UpstreamFailed | Self::UpstreamUnreachable | Self::Abandoned => {
                Billing::No
            }
            Self::ClientGoneUndrained
            | Self::UsageMissing
            | Self::UsageInvalid
            | Self::UpstreamTimeout
            | Self::UpstreamBroken
            | Self::GatewayFailed
            | Self::GatewayCrashed => Billing::Unknown,
        }
    }

    /// The status that an event of this outcome carries when it is recorded.
    #[must_use]
    pub const fn status(self) -> Status {
        match self.billing() {
            Billing::Unknown => Status::Estimated,
            Billing::Yes => Status::Final,
            Billing::No => match self {
                Self::UpstreamUnreachable | Self::Abandoned => Status::Voided,
                _ => Status::Final,
            },
        }
    }

    /// Whether reports count the attempt as failed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        !matches!(
            self,
            Self::Completed
                | Self::ClientGone
                | Self::ClientGoneUndrained
                | Self::UsageMissing
                | Self::Imported
        )
    }

    /// The name used in events, reports and filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientGone => "client_gone",
            Self::ClientGoneUndrained => "client_gone_undrained",
            Self::UsageMissing => "usage_missing",
            Self::UsageInvalid => "usage_invalid",
            Self::UpstreamRejected => "upstream_rejected",
            Self::UpstreamFailed => "upstream_failed",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamBroken => "upstream_broken",
            Self::Abandoned => "abandoned",
            Self::GatewayFailed => "gateway_failed",
            Self::GatewayCrashed => "gateway_crashed",
            Self::Imported => "imported",
            Self::ImportedFailure => "imported_failure",
        }
    }
}

impl Status {
    /// The name used in events, reports and filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Estimated => "estimated",
            Self::Voided => "voided",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_outcome_is_what_it_serialises_to() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
        }
    }

    #[test]
    fn only_an_outcome_that_nobody_knows_the_bill_of_is_estimated() {
        for outcome in Outcome::ALL {
            assert_eq!(
                outcome.status() == Status::Estimated,
                outcome.billing() == Billing::Unknown,
                "{outcome:?}"
            );
        }
    }
}
