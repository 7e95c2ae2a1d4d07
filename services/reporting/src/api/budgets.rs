//! Budgets as keys and teams carry them.

use super::error::{ApiError, ApiResult};
use super::references::amount;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tallystick_domain::Currency;
use tallystick_store::control::{BudgetPeriod, BudgetSpec};

/// A budget that is asked for, in the team's currency.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BudgetBody {
    /// `daily`, `weekly`, `monthly` or `total`.
    #[schema(value_type = String)]
    period: BudgetPeriod,
    /// Most that may be spent per period.
    #[schema(value_type = String)]
    limit: Decimal,
    /// Whether a request beyond it is refused (the default); otherwise it only warns.
    #[serde(default = "yes")]
    hard: bool,
    /// Percentages of the limit at which a warning goes out.
    #[serde(default)]
    warn: Vec<u8>,
}

fn yes() -> bool {
    true
}

/// A budget as it is shown.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BudgetView {
    /// `daily`, `weekly`, `monthly` or `total`.
    #[schema(value_type = String)]
    period: BudgetPeriod,
    #[schema(value_type = String)]
    limit: Decimal,
    currency: String,
    /// Whether a request beyond it is refused.
    hard: bool,
    warn: Vec<u8>,
}

/// Checked budgets: amounts above zero, at most one per period.
pub(super) fn specs(bodies: &[BudgetBody]) -> ApiResult<Vec<BudgetSpec>> {
    let mut specs: Vec<BudgetSpec> = Vec::with_capacity(bodies.len());
    for body in bodies {
        if specs.iter().any(|known| known.period == body.period) {
            return Err(ApiError::invalid(format!("budgets names {} twice; keep one of them", body.period)));
        }
        if body.warn.iter().any(|percent| *percent == 0 || *percent > 100) {
            return Err(ApiError::invalid("warn holds a percentage that is not between 1 and 100"));
        }
        let limit = amount("limit", body.limit)?;
        specs.push(BudgetSpec { period: body.period, limit, hard: body.hard, warn: body.warn.clone() });
    }
    Ok(specs)
}

/// Budgets with the currency that they are in.
pub(super) fn views(specs: &[BudgetSpec], currency: Currency) -> Vec<BudgetView> {
    specs
        .iter()
        .map(|spec| BudgetView {
            period: spec.period,
            limit: spec.limit,
            currency: currency.code().to_owned(),
            hard: spec.hard,
            warn: spec.warn.clone(),
        })
        .collect()
}
