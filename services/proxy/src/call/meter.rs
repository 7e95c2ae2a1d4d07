//! Reading a stream while it passes: usage is gathered, the chunk that the client did not ask for is taken out, every
//! other byte goes through as it came.

use crate::endpoint::Call;
use bytes::{BufMut as _, Bytes, BytesMut};
use tallystick_domain::sse::{Frame, SseLimits, SseParser};
use tallystick_domain::usage::{Observed, StreamUsage};

/// Meters one event stream.
pub(crate) struct Meter {
    parser: SseParser,
    usage: StreamUsage,
    /// Take out the usage-only chunk.
    strip: bool,
    /// The stream broke a limit: it passes unread.
    blind: bool,
    /// The end marker was seen.
    done: bool,
}

impl Meter {
    pub(crate) fn new(call: Call, strip: bool, limits: SseLimits) -> Self {
        Self {
            parser: SseParser::new(limits),
            usage: StreamUsage::new(call.dialect()),
            strip,
            blind: false,
            done: false,
        }
    }

    /// Takes a piece of the stream and gives what the client is to get now. Where nothing has to be taken out that is
    /// the piece itself; otherwise whole events, since a chunk can only be judged when it is complete.
    pub(crate) fn feed(&mut self, piece: Bytes) -> Bytes {
        if self.blind {
            return piece;
        }
        self.parser.push(&piece);
        let mut passed = BytesMut::with_capacity(if self.strip { piece.len() } else { 0 });
        loop {
            match self.parser.next_frame() {
                Ok(Some(frame)) => {
                    let take_out = observe(&mut self.usage, &mut self.done, &frame) && self.strip;
                    if self.strip && !take_out {
                        passed.put_slice(frame.raw);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(error.message = %error, "a stream passes unread from here on");
                    self.blind = true;
                    passed.put_slice(&self.parser.rest());
                    break;
                }
            }
        }
        if self.strip { passed.freeze() } else { piece }
    }

    /// The provider closed the stream: what was held back.
    pub(crate) fn finish(&mut self) -> Bytes {
        let Some(frame) = self.parser.finish().filter(|_| !self.blind) else { return Bytes::new() };
        let take_out = observe(&mut self.usage, &mut self.done, &frame);
        if self.strip && !take_out { Bytes::copy_from_slice(frame.raw) } else { Bytes::new() }
    }

    /// Whether the provider said that the stream ends here.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// What is known so far.
    pub(crate) fn seen(&self) -> Observed {
        self.usage.observed()
    }
}

/// Reads one event; whether it is the extra chunk that tells only the usage.
fn observe(usage: &mut StreamUsage, done: &mut bool, frame: &Frame<'_>) -> bool {
    let Some(data) = frame.data() else { return false };
    let chunk = usage.push(&data);
    *done |= data.trim_ascii() == b"[DONE]" || frame.event() == Some(b"message_stop");
    chunk.usage_only
}

#[cfg(test)]
mod tests {
    use super::*;
    use tallystick_domain::usage::Bucket;

    const STREAM: &str = concat!(
        ": keep-alive\n\n",
        "data: {\"id\":\"c\",\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"hé\"}}],\"usage\":null}\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10}}\n\n",
        "data: [DONE]\n\n",
    );

    fn run(strip: bool, cut: usize) -> (String, Meter) {
        let mut meter = Meter::new(Call::Chat, strip, SseLimits::default());
        let mut out = Vec::new();
        for piece in STREAM.as_bytes().chunks(cut) {
            out.extend_from_slice(&meter.feed(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&meter.finish());
        (String::from_utf8(out).unwrap(), meter)
    }

    #[test]
    fn however_a_stream_is_cut_only_the_usage_chunk_is_taken_out() {
        let without: String =
            STREAM.split_inclusive("\n\n").filter(|event| !event.contains("prompt_tokens")).collect();
        for cut in 1..STREAM.len() {
            let (out, meter) = run(true, cut);
            assert_eq!(out, without, "cut every {cut} bytes");
            assert_eq!(meter.seen().usage().unwrap().get(Bucket::InputUncached), 9);
            assert!(meter.is_done());
        }
    }

    #[test]
    fn a_client_that_asked_gets_every_byte() {
        for cut in [1, 7, 64, STREAM.len()] {
            assert_eq!(run(false, cut).0, STREAM, "cut every {cut} bytes");
        }
    }

    #[test]
    fn a_stream_beyond_its_limits_passes_unread_and_whole() {
        let limits = SseLimits { line_bytes: 64, frame_bytes: 64 };
        let mut meter = Meter::new(Call::Chat, true, limits);
        let mut out = Vec::new();
        for piece in STREAM.as_bytes().chunks(10) {
            out.extend_from_slice(&meter.feed(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&meter.finish());
        assert_eq!(String::from_utf8(out).unwrap(), STREAM);
        assert!(meter.seen().usage().is_none());
    }
}
