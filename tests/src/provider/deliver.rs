//! Plays an answer: delays, pieces, and the fault that the call asked for.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header};
use tokio::time::sleep;

use super::bill::CallEnd;
use super::call::{Call, Tab};
use super::errors::ApiError;
use super::fault::Fault;
use super::server::Wire;

/// A finished answer, before any fault.
pub(crate) enum Answer {
    /// One JSON body.
    Whole(Bytes),
    /// A stream of frames. `content` counts the frames that carry text, which follow `head` opening
    /// ones; `error` is the frame by which this dialect reports an error in mid-stream.
    Frames { frames: Vec<Bytes>, head: usize, content: usize, error: Bytes },
}

/// What follows the last piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Close,
    Break,
    Reset,
    Stall,
}

/// Sends the answer, or whatever the fault makes of it.
pub(crate) async fn deliver(mut call: Box<Call>, answer: Answer) -> Response {
    let wait = call.marks.first_ms.unwrap_or(call.script.first_ms);
    if wait > 0 {
        sleep(Duration::from_millis(wait)).await;
    }
    match call.marks.fault {
        Some(Fault::Status(status)) => {
            let error =
                ApiError::of_status(call.dialect, status, &call.tab.line.model, call.marks.retry_after);
            return call.refuse(&error);
        }
        Some(Fault::ErrorFrame) if matches!(answer, Answer::Whole(_)) => {
            let error = ApiError::of_status(call.dialect, 500, &call.tab.line.model, call.marks.retry_after);
            return call.refuse(&error);
        }
        Some(Fault::ResetBeforeHeaders) => {
            call.tab.line.end = CallEnd::Broken;
            call.wire.reset();
            return std::future::pending().await;
        }
        Some(Fault::Stall) => return std::future::pending().await,
        _ => {}
    }
    call.tab.line.status = StatusCode::OK.as_u16();
    play(call, answer)
}

fn play(call: Box<Call>, answer: Answer) -> Response {
    let mut response = Response::new(Body::empty());
    call.decorate(&mut response);
    let streamed = matches!(answer, Answer::Frames { .. });
    let kind = if streamed { "text/event-stream; charset=utf-8" } else { "application/json" };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let (pieces, ending) = match answer {
        Answer::Whole(body) => {
            let body = if call.marks.fault == Some(Fault::Garbage) {
                Bytes::from_static(b"<html>upstream is not itself today</html>")
            } else {
                body
            };
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            let half = body.len() / 2;
            cut(vec![body.slice(..half), body.slice(half..)], 1, call.marks.fault, false)
        }
        Answer::Frames { mut frames, head, content, error } => {
            let at = head + call.marks.at.unwrap_or(content / 2).min(content);
            match call.marks.fault {
                Some(Fault::ErrorFrame) => {
                    frames.truncate(at);
                    frames.push(error);
                }
                Some(Fault::Garbage) => {
                    frames.insert(at, Bytes::from_static(b"data: {\"id\": \"half a th\n\n"))
                }
                _ => {}
            }
            cut(frames, at, call.marks.fault, true)
        }
    };
    let pieces = call.marks.split.map_or(pieces.clone(), |size| resplit(&pieces, size));
    let delay = if streamed { call.marks.chunk_ms.unwrap_or(call.script.chunk_ms) } else { 0 };
    let mut tab = call.tab;
    tab.sent = (0, pieces.len());
    let player = Player {
        pieces: pieces.into(),
        ending,
        delay: Duration::from_millis(delay),
        wire: call.wire,
        end: end_of(call.marks.fault),
        tab: Some(tab),
    };
    *response.body_mut() = Body::from_stream(futures_util::stream::unfold(player, Player::next));
    response
}

/// Drops what the fault never sends.
fn cut(mut pieces: Vec<Bytes>, at: usize, fault: Option<Fault>, streamed: bool) -> (Vec<Bytes>, Ending) {
    let (keep, ending) = match fault {
        Some(Fault::ResetAfterHeaders) => (0, Ending::Reset),
        Some(Fault::ResetMidBody) => (at, Ending::Reset),
        Some(Fault::StallMidBody) => (at, Ending::Stall),
        Some(Fault::Truncate) if streamed => (at, Ending::Close),
        Some(Fault::Truncate) => (at, Ending::Break),
        _ => (pieces.len(), Ending::Close),
    };
    pieces.truncate(keep);
    (pieces, ending)
}

/// The end of a call whose pieces were all handed over.
fn end_of(fault: Option<Fault>) -> CallEnd {
    match fault {
        Some(
            Fault::ResetAfterHeaders
            | Fault::ResetMidBody
            | Fault::Truncate
            | Fault::ErrorFrame
            | Fault::StallMidBody,
        ) => CallEnd::Broken,
        _ => CallEnd::Answered,
    }
}

fn resplit(pieces: &[Bytes], size: usize) -> Vec<Bytes> {
    let mut all = BytesMut::new();
    pieces.iter().for_each(|piece| all.extend_from_slice(piece));
    let all = all.freeze();
    (0..all.len()).step_by(size).map(|start| all.slice(start..all.len().min(start + size))).collect()
}

struct Player {
    pieces: VecDeque<Bytes>,
    ending: Ending,
    delay: Duration,
    wire: Wire,
    end: CallEnd,
    tab: Option<Tab>,
}

impl Player {
    /// One piece of the body. The line is booked before the last piece leaves, so that whoever saw the
    /// end of an answer finds it on the bill.
    async fn next(mut self) -> Option<(Result<Bytes, std::io::Error>, Self)> {
        let Some(piece) = self.pieces.pop_front() else {
            return self.finish().await;
        };
        if !self.delay.is_zero() && self.tab.as_ref().is_some_and(|tab| tab.sent.0 > 0) {
            sleep(self.delay).await;
        }
        if let Some(tab) = &mut self.tab {
            tab.sent.0 += 1;
        }
        if self.pieces.is_empty() && self.ending == Ending::Close {
            self.book();
        }
        Some((Ok(piece), self))
    }

    async fn finish(mut self) -> Option<(Result<Bytes, std::io::Error>, Self)> {
        match self.ending {
            Ending::Close => {
                self.book();
                None
            }
            Ending::Break => {
                self.book();
                self.ending = Ending::Close;
                let broken =
                    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut off by the script");
                Some((Err(broken), self))
            }
            Ending::Reset => {
                self.book();
                self.wire.reset();
                std::future::pending().await
            }
            Ending::Stall => std::future::pending().await,
        }
    }

    fn book(&mut self) {
        if let Some(mut tab) = self.tab.take() {
            tab.line.end = self.end;
        }
    }
}
