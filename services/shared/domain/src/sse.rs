//! Server-sent events, read incrementally and without touching the bytes.
//!
//! Owns the cutting of a byte stream into frames and the reading of a frame's fields. Does not own what the
//! payload means (see [`crate::usage::StreamUsage`]).
//!
//! Invariants: the frames' ranges are consecutive and cover the input exactly, so that forwarding every
//! [`Frame::raw`] reproduces the stream and leaving one out removes exactly that event; how the input was cut
//! into chunks changes nothing; no more than the configured number of bytes is ever held.
//!
//! Cost: every byte is copied once into the buffer and looked at twice (cutting, then reading fields).

use std::borrow::Cow;
use std::ops::Range;

/// How much one frame may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SseLimits {
    /// Longest line, in bytes without its ending.
    pub line_bytes: usize,
    /// Largest frame, in bytes with all line endings.
    pub frame_bytes: usize,
}

impl Default for SseLimits {
    /// 8 MiB per line (an image in base64 fits), 16 MiB per frame.
    fn default() -> Self {
        Self { line_bytes: 8 << 20, frame_bytes: 16 << 20 }
    }
}

/// The stream does not keep to the limits; the parser gives no further frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// A line is longer than allowed.
    #[error("a line of the event stream is longer than {limit} bytes")]
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A frame is larger than allowed.
    #[error("an event of the stream is larger than {limit} bytes")]
    FrameTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

/// Everything up to and including one blank line (or up to the end of the stream).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The bytes exactly as they came, line endings included.
    pub raw: &'a [u8],
    /// Where `raw` lies in the stream, counted from its first byte.
    pub range: Range<u64>,
    /// False only for what was left at the end of the stream without its blank line.
    pub complete: bool,
}

impl<'a> Frame<'a> {
    /// The payload: the values of all `data` fields joined by a line feed; `None` without any `data` field
    /// (comments, keep-alives). Borrowed when there is one such field.
    #[must_use]
    pub fn data(&self) -> Option<Cow<'a, [u8]>> {
        let mut found: Option<Cow<'a, [u8]>> = None;
        for (name, value) in self.fields() {
            if name != b"data" {
                continue;
            }
            found = Some(match found {
                None => Cow::Borrowed(value),
                Some(before) => {
                    let mut joined = before.into_owned();
                    joined.push(b'\n');
                    joined.extend_from_slice(value);
                    Cow::Owned(joined)
                }
            });
        }
        found
    }

    /// The value of the last `event` field.
    #[must_use]
    pub fn event(&self) -> Option<&'a [u8]> {
        self.fields().filter(|(name, _)| name == b"event").map(|(_, value)| value).last()
    }

    /// Whether the payload is OpenAI's end marker `[DONE]`.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.data().is_some_and(|data| data.trim_ascii() == b"[DONE]")
    }

    fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let start =
            if self.range.start == 0 { self.raw.strip_prefix(BOM).unwrap_or(self.raw) } else { self.raw };
        Lines(start).filter(|line| !line.is_empty() && !line.starts_with(b":")).map(|line| {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { return (line, &line[..0]) };
            let (name, rest) = line.split_at(colon);
            let value = rest.strip_prefix(b":").unwrap_or(rest);
            (name, value.strip_prefix(b" ").unwrap_or(value))
        })
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Lines of a complete text; `\r\n`, `\n` and `\r` all end a line.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let Some(end) = self.0.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            return Some(std::mem::take(&mut self.0));
        };
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix(b"\r\n").unwrap_or_else(|| rest.get(1..).unwrap_or_default());
        Some(line)
    }
}

/// Cuts a stream into frames. Push chunks as they arrive and take frames until there is none.
///
/// ```
/// use tallystick_domain::sse::SseParser;
/// let mut parser = SseParser::default();
/// parser.push(b"data: {\"a\":1}\n\nda");
/// let frame = parser.next_frame().unwrap().unwrap();
/// assert_eq!(frame.data().unwrap().as_ref(), b"{\"a\":1}");
/// assert_eq!(frame.range, 0..15);
/// assert!(parser.next_frame().unwrap().is_none());
/// ```
#[derive(Debug, Default)]
pub struct SseParser {
    limits: SseLimits,
    buffer: Vec<u8>,
    /// Where the bytes that were not yet given out start in the buffer.
    start: usize,
    /// How far the search for the end of the frame has come.
    scanned: usize,
    /// Where the current line starts in the buffer.
    line_start: usize,
    /// Where `buffer[start]` lies in the stream.
    offset: u64,
    failed: Option<SseError>,
}

impl SseParser {
    /// A parser with limits of its own.
    #[must_use]
    pub fn new(limits: SseLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds the next chunk. After an error the bytes are kept only until they are taken by [`Self::rest`].
    pub fn push(&mut self, chunk: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned = self.scanned.saturating_sub(self.start);
            self.line_start = self.line_start.saturating_sub(self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete frame, if the bytes so far hold one.
    ///
    /// A frame whose last byte so far is a carriage return is held back until the next byte shows whether a
    /// line feed belongs to it.
    ///
    /// # Errors
    /// When a line or a frame exceeds its limit; from then on every call gives the same error.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, SseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.find_end() {
            Ok(Some(end)) => Ok(Some(self.take(end, true))),
            Ok(None) => Ok(None),
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// At the end of the stream: what is left, as a last frame. Providers often leave out the last blank line.
    pub fn finish(&mut self) -> Option<Frame<'_>> {
        let end = self.buffer.len();
        if end <= self.start {
            return None;
        }
        let complete = Lines(&self.buffer[self.start..]).any(<[u8]>::is_empty);
        Some(self.take(end, complete))
    }

    /// Takes the bytes that were pushed and not given out as a frame: to pass a stream on that can no longer be
    /// parsed.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.buffer);
        rest.drain(..self.start.min(rest.len()));
        self.offset = self.offset.saturating_add(u64::try_from(rest.len()).unwrap_or(u64::MAX));
        (self.start, self.scanned, self.line_start) = (0, 0, 0);
        rest
    }

    fn take(&mut self, end: usize, complete: bool) -> Frame<'_> {
        let raw = &self.buffer[self.start..end];
        let from = self.offset;
        let to = from.saturating_add(u64::try_from(raw.len()).unwrap_or(u64::MAX));
        self.offset = to;
        (self.start, self.scanned, self.line_start) = (end, end, end);
        Frame { raw, range: from..to, complete }
    }

    /// Where the current frame ends, when its blank line is there.
    fn find_end(&mut self) -> Result<Option<usize>, SseError> {
        loop {
            let unread = self.buffer.get(self.scanned..).unwrap_or_default();
            let Some(found) = unread.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.scanned = self.buffer.len();
                self.check(self.scanned)?;
                return Ok(None);
            };
            let line_end = self.scanned.saturating_add(found);
            self.check(line_end)?;
            let after = line_end.saturating_add(1);
            let next = match (self.buffer.get(line_end), self.buffer.get(after)) {
                (Some(b'\r'), None) => {
                    self.scanned = line_end;
                    return Ok(None);
                }
                (Some(b'\r'), Some(b'\n')) => after.saturating_add(1),
                _ => after,
            };
            let blank = line_end == self.line_start;
            (self.scanned, self.line_start) = (next, next);
            if blank {
                return Ok(Some(next));
            }
        }
    }

    fn check(&self, end: usize) -> Result<(), SseError> {
        if end.saturating_sub(self.line_start) > self.limits.line_bytes {
            return Err(SseError::LineTooLong { limit: self.limits.line_bytes });
        }
        if end.saturating_sub(self.start) > self.limits.frame_bytes {
            return Err(SseError::FrameTooLarge { limit: self.limits.frame_bytes });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
