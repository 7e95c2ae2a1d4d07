//! The provider's own price table: whole pico-dollars per token, nothing shared with our price book.

use super::bill::Buckets;
use super::pico::Pico;

/// Prices of one model in pico-dollars per token (250 000 is 0.25 USD per million).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Prompt tokens that are neither read from nor written to the cache.
    pub input: i128,
    /// Prompt tokens read from the cache.
    pub cached: i128,
    /// Prompt tokens written to the five-minute cache.
    pub cache_write: i128,
    /// Prompt tokens written to the one-hour cache.
    pub cache_write_hour: i128,
    /// Output tokens, reasoning included.
    pub output: i128,
}

impl Rates {
    const fn openai(input: i128, cached: i128, output: i128) -> Self {
        Self { input, cached, cache_write: input, cache_write_hour: input, output }
    }

    const fn anthropic(input: i128, output: i128) -> Self {
        let (cached, cache_write, cache_write_hour) = (input / 10, input / 4 * 5, input * 2);
        Self { input, cached, cache_write, cache_write_hour, output }
    }

    fn charge(&self, buckets: &Buckets) -> Pico {
        Pico(
            self.input * i128::from(buckets.input)
                + self.cached * i128::from(buckets.cached)
                + self.cache_write * i128::from(buckets.cache_write)
                + self.cache_write_hour * i128::from(buckets.cache_write_hour)
                + self.output * i128::from(buckets.output)
                + self.output * i128::from(buckets.reasoning),
        )
    }
}

/// One model as the provider sells it.
#[derive(Clone, Copy, Debug)]
pub struct Tariff {
    /// The name a client asks for.
    pub model: &'static str,
    /// The dated name that answers.
    pub served: &'static str,
    /// Standard prices.
    pub rates: Rates,
    /// Whole-request prices above a prompt of so many tokens.
    pub long: Option<(u64, Rates)>,
    /// Prices of other service tiers.
    pub tiers: &'static [(&'static str, Rates)],
}

const fn plain(model: &'static str, served: &'static str, rates: Rates) -> Tariff {
    Tariff { model, served, rates, long: None, tiers: &[] }
}

const TABLE: &[Tariff] = &[
    Tariff {
        tiers: &[("priority", Rates::openai(4_250_000, 2_125_000, 17_000_000))],
        ..plain("gpt-4o", "gpt-4o-2024-08-06", Rates::openai(2_500_000, 1_250_000, 10_000_000))
    },
    plain("gpt-4o-mini", "gpt-4o-mini-2024-07-18", Rates::openai(150_000, 75_000, 600_000)),
    plain("gpt-4.1", "gpt-4.1-2025-04-14", Rates::openai(2_000_000, 500_000, 8_000_000)),
    plain("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", Rates::openai(400_000, 100_000, 1_600_000)),
    plain("gpt-4.1-nano", "gpt-4.1-nano-2025-04-14", Rates::openai(100_000, 25_000, 400_000)),
    plain("o3", "o3-2025-04-16", Rates::openai(2_000_000, 500_000, 8_000_000)),
    plain("o4-mini", "o4-mini-2025-04-16", Rates::openai(1_100_000, 275_000, 4_400_000)),
    Tariff {
        tiers: &[
            ("flex", Rates::openai(625_000, 62_500, 5_000_000)),
            ("priority", Rates::openai(2_500_000, 250_000, 20_000_000)),
        ],
        ..plain("gpt-5", "gpt-5-2025-08-07", Rates::openai(1_250_000, 125_000, 10_000_000))
    },
    Tariff {
        tiers: &[
            ("flex", Rates::openai(125_000, 12_500, 1_000_000)),
            ("priority", Rates::openai(450_000, 45_000, 3_600_000)),
        ],
        ..plain("gpt-5-mini", "gpt-5-mini-2025-08-07", Rates::openai(250_000, 25_000, 2_000_000))
    },
    plain("gpt-5-nano", "gpt-5-nano-2025-08-07", Rates::openai(50_000, 5_000, 400_000)),
    Tariff {
        long: Some((272_000, Rates::openai(5_000_000, 500_000, 22_500_000))),
        ..plain("gpt-5.4", "gpt-5.4-2026-03-05", Rates::openai(2_500_000, 250_000, 15_000_000))
    },
    plain("text-embedding-3-small", "text-embedding-3-small", Rates::openai(20_000, 20_000, 0)),
    plain("text-embedding-3-large", "text-embedding-3-large", Rates::openai(130_000, 130_000, 0)),
    plain("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", Rates::anthropic(3_000_000, 15_000_000)),
    plain("claude-haiku-4-5", "claude-haiku-4-5-20251001", Rates::anthropic(1_000_000, 5_000_000)),
    plain("claude-opus-4-5", "claude-opus-4-5-20251101", Rates::anthropic(5_000_000, 25_000_000)),
];

impl Tariff {
    /// Every model on sale.
    pub fn all() -> &'static [Self] {
        TABLE
    }

    /// Finds a model by the name asked for or by its dated name.
    pub fn of(model: &str) -> Option<&'static Self> {
        TABLE.iter().find(|tariff| tariff.model == model || tariff.served == model)
    }

    /// The models of this dialect.
    pub(crate) fn is_anthropic(&self) -> bool {
        self.model.starts_with("claude-")
    }

    /// What a call costs. Above the long-context threshold the whole request has the higher prices; a
    /// tier without prices of its own costs the standard.
    pub fn charge(&self, tier: &str, buckets: &Buckets) -> Pico {
        let prompt = buckets.input + buckets.cached + buckets.cache_write + buckets.cache_write_hour;
        let rates = match (self.long, self.tiers.iter().find(|(name, _)| *name == tier)) {
            (_, Some((_, rates))) => *rates,
            (Some((threshold, rates)), None) if prompt > threshold => rates,
            _ => self.rates,
        };
        rates.charge(buckets)
    }
}
