//! Exact charges, and the one place where they are rounded.

use rust_decimal::{Decimal, RoundingStrategy};

use super::InvoiceError;

/// What the client pays for `cost`: the cost with `markup_percent` on top, exact.
///
/// Both are exact decimals; the product is exact as long as it fits 28 digits, which a cost with 18 decimals does up
/// to a hundred million with a mark-up of two decimals.
///
/// # Errors
/// When the result leaves the range of [`Decimal`].
pub fn charge(cost: Decimal, markup_percent: Decimal) -> Result<Decimal, InvoiceError> {
    let factor = markup_percent
        .checked_div(Decimal::ONE_HUNDRED)
        .and_then(|part| Decimal::ONE.checked_add(part))
        .ok_or(InvoiceError::Overflow("mark-up"))?;
    cost.checked_mul(factor).ok_or(InvoiceError::Overflow("charge"))
}

/// `amount` to `digits` decimals, halves to the even neighbour.
#[must_use]
pub fn round_half_even(amount: Decimal, digits: u32) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
    rounded.rescale(digits);
    // A negative zero would print its sign.
    if rounded.is_zero() { Decimal::new(0, digits) } else { rounded }
}

/// Rounds exact charges to the minor unit so that they add up to the rounded sum.
///
/// Phases: round every charge down; round the exact sum half-even; hand the units in between, one each, to the charges
/// with the largest remainder (ties: the earlier line). There are never more units to hand out than charges with a
/// remainder, so no charge moves by a whole unit and no rounding line is needed. Cost: one sort.
///
/// # Errors
/// When the sum leaves the range of [`Decimal`].
pub fn round_lines(exact: &[Decimal], digits: u32) -> Result<Vec<Decimal>, InvoiceError> {
    let overflow = InvoiceError::Overflow("sum of charges");
    let unit = Decimal::new(1, digits);
    let target = round_half_even(sum(exact.iter().copied())?, digits);
    let mut lines: Vec<Decimal> = exact
        .iter()
        .map(|charge| {
            let mut floor = charge.round_dp_with_strategy(digits, RoundingStrategy::ToNegativeInfinity);
            floor.rescale(digits);
            floor
        })
        .collect();
    let mut missing = target.checked_sub(sum(lines.iter().copied())?).ok_or(overflow.clone())?;
    let mut by_remainder: Vec<(Decimal, usize)> = Vec::with_capacity(exact.len());
    for (index, (charge, floor)) in exact.iter().zip(&lines).enumerate() {
        by_remainder.push((charge.checked_sub(*floor).ok_or(overflow.clone())?, index));
    }
    by_remainder.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, index) in by_remainder {
        if missing < unit {
            break;
        }
        let line = lines.get_mut(index).ok_or(overflow.clone())?;
        *line = line.checked_add(unit).ok_or(overflow.clone())?;
        missing = missing.checked_sub(unit).ok_or(overflow.clone())?;
    }
    Ok(lines)
}

/// Tax of `percent` on a subtotal, rounded half-even to the minor unit.
///
/// # Errors
/// When the percentage is outside 0 to 100 or the amount leaves the range of [`Decimal`].
pub fn tax_on(subtotal: Decimal, percent: Decimal, digits: u32) -> Result<Decimal, InvoiceError> {
    part_of(subtotal, percent, digits, "tax")
}

/// `percent` of `amount`, rounded half-even; the percentage must lie between 0 and 100.
pub(super) fn part_of(
    amount: Decimal,
    percent: Decimal,
    digits: u32,
    what: &'static str,
) -> Result<Decimal, InvoiceError> {
    if percent.is_sign_negative() || percent > Decimal::ONE_HUNDRED {
        return Err(InvoiceError::Percent { what, percent });
    }
    let part = amount
        .checked_mul(percent)
        .and_then(|product| product.checked_div(Decimal::ONE_HUNDRED))
        .ok_or(InvoiceError::Overflow(what))?;
    Ok(round_half_even(part, digits))
}

/// The exact sum.
pub(super) fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Result<Decimal, InvoiceError> {
    amounts
        .into_iter()
        .try_fold(Decimal::ZERO, |total, amount| total.checked_add(amount))
        .ok_or(InvoiceError::Overflow("sum"))
}
