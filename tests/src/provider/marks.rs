//! Marks: the words by which a request says how the provider is to behave.
//!
//! `[[key=value key=value]]`, anywhere in the request's text. A bracket pair that holds anything else is
//! ordinary text. Several marks add up; a later word wins over an earlier one, so the newest message of
//! a conversation decides.

use super::fault::Fault;

/// Longest mark that is looked for, in bytes, so that a hostile body costs linear time.
const LONGEST_MARK: usize = 512;

/// Everything a request or a script rule can ask for. `None` leaves it to the next in line: request,
/// header `x-fake-provider`, script rule, seed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// `n`: the nonce by which the bill knows the call; attempts of one call share it.
    pub nonce: Option<String>,
    /// `p`: prompt tokens, cached ones included.
    pub prompt: Option<u64>,
    /// `cached`: tokens of the prompt that were read from the cache.
    pub cached: Option<u64>,
    /// `w`: tokens of the prompt that were written to the five-minute cache (Anthropic).
    pub cache_write: Option<u64>,
    /// `w1h`: tokens of the prompt that were written to the one-hour cache (Anthropic).
    pub cache_write_hour: Option<u64>,
    /// `c`: completion tokens, reasoning included; never more than the request's own output cap.
    pub completion: Option<u64>,
    /// `r`: reasoning tokens among them.
    pub reasoning: Option<u64>,
    /// `tier`: the service tier that served the call, whatever was requested.
    pub tier: Option<String>,
    /// `fault`: see [`Fault`].
    pub fault: Option<Fault>,
    /// `at`: the content chunk after which a mid-body fault strikes.
    pub at: Option<usize>,
    /// `times`: the fault strikes only the first so many attempts of a nonce.
    pub times: Option<u32>,
    /// `retry`: seconds in `retry-after` of an error.
    pub retry_after: Option<u64>,
    /// `chunks`: content chunks of a stream.
    pub chunks: Option<usize>,
    /// `first`: milliseconds before the status line.
    pub first_ms: Option<u64>,
    /// `delay`: milliseconds between chunks.
    pub chunk_ms: Option<u64>,
    /// `split`: cuts a body into writes of so many bytes, across frame boundaries.
    pub split: Option<usize>,
    /// `bill`: `yes` or `no`; overrides the provider's own rule for a fault.
    pub bill: Option<bool>,
}

impl Marks {
    /// Reads every mark in a text.
    pub fn read(text: &str) -> Self {
        let mut marks = Self::default();
        let mut rest = text;
        while let Some(start) = rest.find("[[") {
            rest = &rest[start + 2..];
            let window = rest.len().min(LONGEST_MARK);
            let end = rest.as_bytes()[..window].windows(2).position(|pair| pair == b"]]");
            if let Some(words) = end.and_then(|end| rest.get(..end))
                && let Some(found) = Self::parse(words)
            {
                marks = found.over(marks);
            }
        }
        marks
    }

    /// Reads one list of words; `None` when any word is not a mark's.
    pub fn parse(words: &str) -> Option<Self> {
        let mut marks = Self::default();
        let mut any = false;
        for word in words.split_whitespace() {
            let (key, value) = word.split_once('=')?;
            marks.set(key, value)?;
            any = true;
        }
        any.then_some(marks)
    }

    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "n" => self.nonce = Some(value.to_owned()),
            "p" => self.prompt = Some(value.parse().ok()?),
            "cached" => self.cached = Some(value.parse().ok()?),
            "w" => self.cache_write = Some(value.parse().ok()?),
            "w1h" => self.cache_write_hour = Some(value.parse().ok()?),
            "c" => self.completion = Some(value.parse().ok()?),
            "r" => self.reasoning = Some(value.parse().ok()?),
            "tier" => self.tier = Some(value.to_owned()),
            "fault" => self.fault = Some(value.parse().ok()?),
            "at" => self.at = Some(value.parse().ok()?),
            "times" => self.times = Some(value.parse().ok()?),
            "retry" => self.retry_after = Some(value.parse().ok()?),
            "chunks" => self.chunks = Some(value.parse().ok()?),
            "first" => self.first_ms = Some(value.parse().ok()?),
            "delay" => self.chunk_ms = Some(value.parse().ok()?),
            "split" => self.split = Some(value.parse().ok().filter(|bytes| *bytes > 0)?),
            "bill" => self.bill = Some(matches!(value, "yes" | "true")),
            _ => return None,
        }
        Some(())
    }

    /// These marks, completed by weaker ones.
    #[must_use]
    pub fn over(self, weaker: Self) -> Self {
        Self {
            nonce: self.nonce.or(weaker.nonce),
            prompt: self.prompt.or(weaker.prompt),
            cached: self.cached.or(weaker.cached),
            cache_write: self.cache_write.or(weaker.cache_write),
            cache_write_hour: self.cache_write_hour.or(weaker.cache_write_hour),
            completion: self.completion.or(weaker.completion),
            reasoning: self.reasoning.or(weaker.reasoning),
            tier: self.tier.or(weaker.tier),
            fault: self.fault.or(weaker.fault),
            at: self.at.or(weaker.at),
            times: self.times.or(weaker.times),
            retry_after: self.retry_after.or(weaker.retry_after),
            chunks: self.chunks.or(weaker.chunks),
            first_ms: self.first_ms.or(weaker.first_ms),
            chunk_ms: self.chunk_ms.or(weaker.chunk_ms),
            split: self.split.or(weaker.split),
            bill: self.bill.or(weaker.bill),
        }
    }
}
