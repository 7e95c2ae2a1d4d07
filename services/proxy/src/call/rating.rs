//! From usage to priced lines, at the prices that were in force when the request was admitted.

use crate::endpoint::Call;
use crate::upstream::Target;
use jiff::Timestamp;
use std::sync::Arc;
use tallystick_domain::Currency;
use tallystick_domain::event::UsageRecorded;
use tallystick_domain::price::{Found, PriceBook, Rated, TierName, Unrated, rate};
use tallystick_domain::usage::{Bucket, Usage};

/// Bytes of text that make a token, at the least: the bound that estimates start from.
const BYTES_PER_TOKEN: u64 = 4;

/// The price book as it was at admission, and where to look in it.
#[derive(Clone)]
pub(crate) struct Pricing {
    pub(crate) book: Arc<PriceBook>,
    pub(crate) target: Arc<Target>,
    pub(crate) at: Timestamp,
    /// The ledger's; a price in another one is no price.
    pub(crate) currency: Currency,
}

impl Pricing {
    /// The price in force for a model that a client asks for.
    pub(crate) fn in_force(&self, model: &str) -> Option<Found> {
        self.book.lookup_in(self.currency, &self.target.price_name, model, self.at).ok()
    }

    /// Prices a usage by the model that served.
    ///
    /// # Errors
    /// Why there is no price; never a zero.
    pub(crate) fn rate(
        &self,
        requested: &str,
        served: Option<&str>,
        tier: Option<&str>,
        usage: &Usage,
    ) -> Result<Rated, Unrated> {
        let provider = &self.target.price_name;
        let found = self.book.lookup_served(self.currency, provider, requested, served, self.at)?;
        rate(usage, &TierName::parse(tier)?, &found.version)
    }
}

/// The usage that a call had at least, as far as bytes tell.
pub(crate) fn estimate(call: Call, input_bytes: u64, output_bytes: u64) -> Usage {
    let tokens = |bytes: u64| bytes.div_ceil(BYTES_PER_TOKEN).min(Usage::MAX_COUNT);
    let usage = Usage::new().with(Bucket::InputUncached, tokens(input_bytes));
    match call {
        Call::Embeddings => usage,
        Call::Chat | Call::Messages => usage.with(Bucket::OutputText, tokens(output_bytes)),
    }
}

/// Puts a usage and its price into an event.
pub(crate) fn book(event: &mut UsageRecorded, pricing: &Pricing, usage: Usage) {
    event.usage = usage;
    let served = event.model_served.as_deref();
    match pricing.rate(&event.model_requested, served, event.service_tier.as_deref(), &usage) {
        Ok(rated) => {
            event.price_version = Some(rated.version);
            event.lines = rated.lines;
            event.cost = Some(rated.cost);
            event.unrated = None;
        }
        Err(why) => leave_unrated(event, why),
    }
}

/// Says why there is no cost.
pub(crate) fn leave_unrated(event: &mut UsageRecorded, why: Unrated) {
    event.price_version = None;
    event.lines = Vec::new();
    event.cost = None;
    event.unrated = Some(why);
}
