//! The closed list of things a provider charges for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One kind of metered quantity. Buckets are disjoint: a token is counted in exactly one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Input tokens of text that were neither read from nor written to a cache.
    InputUncached,
    /// Input tokens served from a prompt cache.
    CacheRead,
    /// Audio input tokens served from a prompt cache (a rate of their own where audio is dearer).
    CacheReadAudio,
    /// Input tokens written to a cache with the default lifetime (five minutes at Anthropic).
    #[serde(rename = "cache_write_5m")]
    CacheWrite5m,
    /// Input tokens written to a cache that lives one hour.
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    /// Audio input tokens outside a cache.
    InputAudio,
    /// Image and video input tokens outside a cache.
    InputImage,
    /// Output tokens of text that are not reasoning.
    OutputText,
    /// Reasoning ("thinking") tokens.
    OutputReasoning,
    /// Audio output tokens.
    OutputAudio,
    /// Image output tokens.
    OutputImage,
    /// Searches that the provider ran for the model.
    WebSearches,
    /// Pages that the provider fetched for the model.
    WebFetches,
    /// Images billed by the piece.
    Images,
    /// Seconds of audio or video billed by duration.
    Seconds,
    /// Characters billed by length (speech synthesis).
    Characters,
    /// Calls, where the provider charges a fee for the call itself.
    Requests,
}

/// What a quantity in a bucket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A model token; prices are per one million.
    Token,
    /// A web search or fetch; prices are per call.
    Call,
    /// An image; prices are per piece.
    Image,
    /// A second; prices are per second.
    Second,
    /// A character; prices are per character.
    Character,
    /// A request; prices are per request.
    Request,
}

impl Unit {
    /// How many units one price buys: 1 000 000 for tokens, 1 for everything else.
    pub const fn per(self) -> u64 {
        match self {
            Self::Token => 1_000_000,
            _ => 1,
        }
    }
}

impl Bucket {
    /// How many buckets there are.
    pub const COUNT: usize = 17;

    /// Every bucket, in the order in which they are declared, stored and printed.
    pub const ALL: [Self; Self::COUNT] = [
        Self::InputUncached,
        Self::CacheRead,
        Self::CacheReadAudio,
        Self::CacheWrite5m,
        Self::CacheWrite1h,
        Self::InputAudio,
        Self::InputImage,
        Self::OutputText,
        Self::OutputReasoning,
        Self::OutputAudio,
        Self::OutputImage,
        Self::WebSearches,
        Self::WebFetches,
        Self::Images,
        Self::Seconds,
        Self::Characters,
        Self::Requests,
    ];

    /// The name used in events, price files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InputUncached => "input_uncached",
            Self::CacheRead => "cache_read",
            Self::CacheReadAudio => "cache_read_audio",
            Self::CacheWrite5m => "cache_write_5m",
            Self::CacheWrite1h => "cache_write_1h",
            Self::InputAudio => "input_audio",
            Self::InputImage => "input_image",
            Self::OutputText => "output_text",
            Self::OutputReasoning => "output_reasoning",
            Self::OutputAudio => "output_audio",
            Self::OutputImage => "output_image",
            Self::WebSearches => "web_searches",
            Self::WebFetches => "web_fetches",
            Self::Images => "images",
            Self::Seconds => "seconds",
            Self::Characters => "characters",
            Self::Requests => "requests",
        }
    }

    /// The bucket of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.name() == name)
    }

    /// Position in [`Bucket::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether the bucket counts input tokens, cached ones included.
    pub const fn is_input_token(self) -> bool {
        matches!(
            self,
            Self::InputUncached
                | Self::CacheRead
                | Self::CacheReadAudio
                | Self::CacheWrite5m
                | Self::CacheWrite1h
                | Self::InputAudio
                | Self::InputImage
        )
    }

    /// Whether the bucket counts output tokens, reasoning included.
    pub const fn is_output_token(self) -> bool {
        matches!(self, Self::OutputText | Self::OutputReasoning | Self::OutputAudio | Self::OutputImage)
    }

    /// Whether the bucket counts tokens at all.
    pub const fn is_token(self) -> bool {
        self.is_input_token() || self.is_output_token()
    }

    /// Whether a quantity without a stated price costs nothing. True for calls and page fetches only, which providers
    /// count but charge through the tokens; in every other bucket a missing price leaves the usage unrated.
    pub const fn is_free_unless_priced(self) -> bool {
        matches!(self, Self::Requests | Self::WebFetches)
    }

    /// What the bucket counts, which also fixes what its price is for (see [`Unit::per`]).
    pub const fn unit(self) -> Unit {
        match self {
            Self::WebSearches | Self::WebFetches => Unit::Call,
            Self::Images => Unit::Image,
            Self::Seconds => Unit::Second,
            Self::Characters => Unit::Character,
            Self::Requests => Unit::Request,
            _ => Unit::Token,
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
