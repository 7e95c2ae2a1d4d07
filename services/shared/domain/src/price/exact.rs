//! Decimal arithmetic that is exact or says that it is not. `rust_decimal` multiplies and adds with silent
//! rounding once a result needs more than 28 digits; here everything goes through checked 128-bit integers.

use rust_decimal::Decimal;

/// A number as integer and power of ten: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scaled {
    pub(crate) mantissa: i128,
    pub(crate) scale: u32,
}

impl Scaled {
    pub(crate) fn of(number: Decimal) -> Self {
        Self { mantissa: number.mantissa(), scale: number.scale() }.stripped()
    }

    /// Without trailing zeros, and with a scale of zero or more.
    pub(crate) fn stripped(mut self) -> Self {
        if self.mantissa == 0 {
            return Self { mantissa: 0, scale: 0 };
        }
        while self.scale > 0 && self.mantissa.checked_rem(10) == Some(0) {
            self.mantissa = self.mantissa.checked_div(10).unwrap_or(0);
            self.scale = self.scale.saturating_sub(1);
        }
        self
    }

    pub(crate) fn times(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self { mantissa, scale: self.scale.checked_add(other.scale)? }.stripped())
    }

    /// The same number with more decimals.
    pub(crate) fn at_scale(self, scale: u32) -> Option<i128> {
        let zeros = scale.checked_sub(self.scale)?;
        self.mantissa.checked_mul(10_i128.checked_pow(zeros)?)
    }

    /// At most `scale` decimals, half to even; true when digits were lost.
    pub(crate) fn rounded(self, scale: u32) -> Option<(Self, bool)> {
        let number = self.stripped();
        let Some(cut) = number.scale.checked_sub(scale).filter(|cut| *cut > 0) else {
            return Some((number, false));
        };
        let Some(unit) = 10_i128.checked_pow(cut) else {
            return Some((Self { mantissa: 0, scale: 0 }, true));
        };
        let whole = number.mantissa.checked_div(unit)?;
        let rest = number.mantissa.checked_rem(unit)?.checked_abs()?;
        let up = match rest.cmp(&unit.checked_sub(rest)?) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => whole.checked_rem(2)? != 0,
            std::cmp::Ordering::Greater => true,
        };
        let step = if up { number.mantissa.signum() } else { 0 };
        Some((Self { mantissa: whole.checked_add(step)?, scale }.stripped(), true))
    }

    /// The decimal, when it fits one exactly.
    pub(crate) fn decimal(self) -> Option<Decimal> {
        let number = self.stripped();
        Decimal::try_from_i128_with_scale(number.mantissa, number.scale).ok()
    }
}

/// `quantity * price / per`, exact, without trailing zeros. `per` must be a power of ten.
pub(crate) fn amount(price: Decimal, quantity: u64, per: u64) -> Option<Decimal> {
    let price = Scaled::of(price);
    let mantissa = price.mantissa.checked_mul(i128::from(quantity))?;
    let scale = price.scale.checked_add(per.checked_ilog10()?)?;
    Scaled { mantissa, scale }.decimal()
}

/// The sum, exact, without trailing zeros.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    let mut total = 0_i128;
    for amount in amounts {
        total = total.checked_add(Scaled::of(amount).at_scale(AMOUNT_SCALE)?)?;
    }
    Scaled { mantissa: total, scale: AMOUNT_SCALE }.decimal()
}

/// Decimals that an amount has at most: twelve of the rate and six of "per million".
pub(crate) const AMOUNT_SCALE: u32 = 18;
