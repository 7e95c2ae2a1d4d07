//! Which calls are made, drawn from a seed.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

/// What kind of call it is, and how it is meant to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A chat call with one JSON answer.
    Chat,
    /// A streamed chat call that does not ask for usage.
    Stream,
    /// A streamed chat call with `include_usage`.
    StreamUsage,
    /// An embeddings call.
    Embeddings,
    /// The provider refuses: 400, 429, 500 or 503.
    UpstreamError,
    /// The provider breaks the answer off: a reset or a truncated stream.
    Broken,
    /// The provider never answers.
    Stalled,
    /// The client hangs up in the middle of a stream.
    Disconnect,
}

/// How many of each kind, in relation to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Weight of [`Kind::Chat`].
    pub chat: u64,
    /// Weight of [`Kind::Stream`].
    pub stream: u64,
    /// Weight of [`Kind::StreamUsage`].
    pub stream_usage: u64,
    /// Weight of [`Kind::Embeddings`].
    pub embeddings: u64,
    /// Weight of [`Kind::UpstreamError`].
    pub upstream_error: u64,
    /// Weight of [`Kind::Broken`].
    pub broken: u64,
    /// Weight of [`Kind::Stalled`].
    pub stalled: u64,
    /// Weight of [`Kind::Disconnect`].
    pub disconnect: u64,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            chat: 400,
            stream: 150,
            stream_usage: 200,
            embeddings: 150,
            upstream_error: 50,
            broken: 20,
            stalled: 5,
            disconnect: 25,
        }
    }
}

impl Mix {
    /// Unstreamed chat calls alone, for latency measurements.
    pub fn chat_only() -> Self {
        Self { chat: 1, ..Self::none() }
    }

    /// No kind at all, to build a mix from.
    pub fn none() -> Self {
        Self {
            chat: 0,
            stream: 0,
            stream_usage: 0,
            embeddings: 0,
            upstream_error: 0,
            broken: 0,
            stalled: 0,
            disconnect: 0,
        }
    }

    fn weights(&self) -> [(Kind, u64); 8] {
        [
            (Kind::Chat, self.chat),
            (Kind::Stream, self.stream),
            (Kind::StreamUsage, self.stream_usage),
            (Kind::Embeddings, self.embeddings),
            (Kind::UpstreamError, self.upstream_error),
            (Kind::Broken, self.broken),
            (Kind::Stalled, self.stalled),
            (Kind::Disconnect, self.disconnect),
        ]
    }
}

/// A seeded, endless list of calls.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of every draw.
    pub seed: u64,
    /// Which kinds.
    pub mix: Mix,
    /// Chat models to draw from.
    pub models: Vec<String>,
    /// Embedding model.
    pub embedding_model: String,
    /// Put before every nonce, so that several runs against one provider stay apart.
    pub prefix: String,
    /// Milliseconds before the provider's status line.
    pub first_ms: u64,
    /// Milliseconds between the provider's chunks.
    pub chunk_ms: u64,
    /// Makes every prompt at least as long in bytes as it claims to be in tokens, which an honest
    /// prompt always is: budgets that hold by bytes depend on it.
    pub honest_length: bool,
    /// The client's patience for one call.
    pub timeout: Duration,
    /// Its patience for a call that the provider will stall, where that is to be shorter.
    pub stalled_timeout: Option<Duration>,
}

impl Default for Plan {
    fn default() -> Self {
        let models = ["gpt-4o", "gpt-4o-mini", "gpt-4.1-mini", "gpt-5-mini", "o4-mini"];
        Self {
            seed: 1,
            mix: Mix::default(),
            models: models.map(str::to_owned).to_vec(),
            embedding_model: "text-embedding-3-small".to_owned(),
            prefix: "load".to_owned(),
            first_ms: 0,
            chunk_ms: 0,
            honest_length: true,
            timeout: Duration::from_secs(30),
            stalled_timeout: None,
        }
    }
}

/// One planned call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSpec {
    /// By which the provider's bill knows it.
    pub nonce: String,
    /// What is to happen.
    pub kind: Kind,
    /// Path below the base URL, for example `/chat/completions`.
    pub path: &'static str,
    /// The JSON body.
    pub body: Bytes,
    /// The client hangs up after so many stream events.
    pub hang_up_after: Option<usize>,
    /// The client's patience.
    pub timeout: Duration,
}

/// The draws of one call. Its own generator: the provider must not know what the client will do.
struct Draws(u64);

impl Draws {
    fn advance(&mut self) {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.advance();
        (self.0 >> 11) % bound.max(1)
    }

    fn one_of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        let index = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        items[index]
    }
}

impl Plan {
    /// The call at this position. A plan whose mix has no weight at all makes chat calls.
    pub fn call(&self, index: u64) -> CallSpec {
        let start =
            (self.seed ^ 0x5851_f42d_4c95_7f2d).wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut draws = Draws(start | 1);
        // The first outputs of this generator follow its seed too closely.
        (0..8).for_each(|_| draws.advance());
        let kind = self.kind(&mut draws);
        let nonce = format!("{}-{index}", self.prefix);
        let prompt = 20 + draws.below(1500);
        let cached = if draws.below(4) == 0 { prompt / 2 } else { 0 };
        let completion = 1 + draws.below(400);
        let mut marks = format!("n={nonce} p={prompt}");
        if kind != Kind::Embeddings {
            marks += &format!(" cached={cached} c={completion}");
        }
        if self.first_ms > 0 {
            marks += &format!(" first={}", self.first_ms);
        }
        if self.chunk_ms > 0 {
            marks += &format!(" delay={}", self.chunk_ms);
        }
        if draws.below(8) == 0 {
            marks += " split=13";
        }
        let streamed = match kind {
            Kind::Stream | Kind::StreamUsage | Kind::Disconnect => true,
            Kind::Broken | Kind::Stalled | Kind::UpstreamError => draws.below(2) == 0,
            Kind::Chat | Kind::Embeddings => false,
        };
        if let Some(fault) = fault(kind, &mut draws) {
            marks += &format!(" fault={fault}");
        }
        let chunks = 4 + draws.below(8);
        if streamed {
            marks += &format!(" chunks={chunks}");
        }
        let hang_up = usize::try_from(1 + draws.below(chunks)).unwrap_or(1);
        let usage = kind == Kind::StreamUsage || (kind != Kind::Stream && draws.below(2) == 0);
        let text = self.text(&marks, prompt);
        let model = draws.one_of(&self.models.iter().map(String::as_str).collect::<Vec<_>>());
        let (path, body) = if kind == Kind::Embeddings {
            ("/embeddings", json!({"model": self.embedding_model, "input": text, "dimensions": 8}))
        } else {
            ("/chat/completions", chat(model, &text, completion, streamed, usage))
        };
        CallSpec {
            nonce,
            kind,
            path,
            body: body.to_string().into(),
            hang_up_after: (kind == Kind::Disconnect).then_some(hang_up),
            timeout: self.stalled_timeout.filter(|_| kind == Kind::Stalled).unwrap_or(self.timeout),
        }
    }

    fn kind(&self, draws: &mut Draws) -> Kind {
        let weights = self.mix.weights();
        let mut left = draws.below(weights.iter().map(|(_, weight)| weight).sum());
        for (kind, weight) in weights {
            if left < weight {
                return kind;
            }
            left -= weight;
        }
        Kind::Chat
    }

    fn text(&self, marks: &str, prompt: u64) -> String {
        let mut text = format!("[[{marks}]] How many notches has this stick?");
        if self.honest_length {
            while (text.len() as u64) < prompt {
                text.push_str(" And this one?");
            }
        }
        text
    }
}

fn chat(model: &str, text: &str, completion: u64, streamed: bool, usage: bool) -> Value {
    let mut body = json!({
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_completion_tokens": completion,
    });
    if streamed {
        body["stream"] = Value::Bool(true);
        if usage {
            body["stream_options"] = json!({"include_usage": true});
        }
    }
    body
}

fn fault(kind: Kind, draws: &mut Draws) -> Option<&'static str> {
    match kind {
        Kind::UpstreamError => Some(draws.one_of(&["400", "429", "500", "503"])),
        Kind::Broken => {
            Some(draws.one_of(&["reset", "reset_headers", "reset_mid", "truncate", "error_frame"]))
        }
        Kind::Stalled => Some(draws.one_of(&["stall", "stall_mid"])),
        _ => None,
    }
}
