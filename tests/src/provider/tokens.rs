//! How many tokens a call used: said by its marks, else drawn from its own text.

use serde::{Deserialize, Serialize};

use super::marks::Marks;
use super::random::roll;

/// Usage in the provider's own terms: parts are contained in their totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Prompt tokens, cached and cache-writing ones included.
    pub prompt: u64,
    /// Of these, read from the cache.
    pub cached: u64,
    /// Of these, written to the five-minute cache.
    pub cache_write: u64,
    /// Of these, written to the one-hour cache.
    pub cache_write_hour: u64,
    /// Completion tokens, reasoning included.
    pub completion: u64,
    /// Of these, reasoning.
    pub reasoning: u64,
    /// The output cap cut the answer short.
    pub capped: bool,
}

impl Tokens {
    /// Draws a call's usage. `text` is the hash of the prompt, `bytes` its length, `cap` the request's
    /// own limit of output tokens.
    pub(crate) fn draw(marks: &Marks, model: &str, text: u64, bytes: usize, cap: Option<u64>) -> Self {
        let prompt = marks.prompt.unwrap_or_else(|| (bytes as u64 / 4).max(1));
        let cached = marks.cached.unwrap_or_else(|| {
            let reuses = prompt >= 1024 && roll(&[text, 1]).is_multiple_of(2);
            if reuses { prompt / 2 / 128 * 128 } else { 0 }
        });
        let cached = cached.min(prompt);
        let cache_write = marks.cache_write.unwrap_or(0).min(prompt - cached);
        let cache_write_hour = marks.cache_write_hour.unwrap_or(0).min(prompt - cached - cache_write);
        let wanted = marks.completion.unwrap_or_else(|| 1 + roll(&[text, 2]) % 240);
        let completion = cap.map_or(wanted, |cap| wanted.min(cap));
        let thinks = model.starts_with('o') || model.starts_with("gpt-5");
        let reasoning = marks.reasoning.unwrap_or(if thinks { completion / 3 } else { 0 }).min(completion);
        let capped = completion < wanted;
        Self { prompt, cached, cache_write, cache_write_hour, completion, reasoning, capped }
    }

    /// A call whose answer stopped after `sent` of `all` chunks, with output in proportion, rounded up.
    pub(crate) fn sent(self, sent: usize, all: usize) -> Self {
        let share = |total: u64| (total * sent as u64).div_ceil((all as u64).max(1)).min(total);
        Self { completion: share(self.completion), reasoning: share(self.reasoning), ..self }
    }

    /// Nothing used, as a provider reports it that forgot to count.
    pub(crate) fn zero(self) -> Self {
        Self { capped: self.capped, ..Self::default() }
    }
}
