//! Usage out of a whole answer.

use serde_json::value::RawValue;

use super::stream::Progress;
use super::{Api, Dialect, Observed, anthropic, chat, gemini, media, responses};

/// Reads a whole answer that is not an event stream. A body that is not JSON of the dialect is counted in
/// [`Observed::unreadable`].
#[must_use]
pub fn read_body(dialect: Dialect, body: &[u8]) -> Observed {
    let mut progress = Progress::default();
    let seen = match dialect.api {
        Api::Chat => chat::observe(&mut progress, body),
        Api::Responses => responses::observe_body(&mut progress, body),
        Api::Messages => anthropic::observe_body(&mut progress, body),
        Api::Gemini if body.trim_ascii_start().starts_with(b"[") => {
            return read_array(dialect, body);
        }
        Api::Gemini => gemini::observe(&mut progress, body),
        Api::Embeddings | Api::Images | Api::Transcription => media::observe(&mut progress, body, true),
    };
    if seen.is_err() {
        progress.unreadable();
    }
    progress.observed(dialect)
}

/// Gemini's streaming method without `alt=sse` answers with an array of chunks.
fn read_array(dialect: Dialect, body: &[u8]) -> Observed {
    let mut progress = Progress::default();
    match serde_json::from_slice::<Vec<&RawValue>>(body) {
        Ok(chunks) => {
            for chunk in chunks {
                if gemini::observe(&mut progress, chunk.get().as_bytes()).is_err() {
                    progress.unreadable();
                }
            }
        }
        Err(_) => progress.unreadable(),
    }
    progress.observed(dialect)
}
