use super::*;
use proptest::prelude::*;

/// Range, completeness, event name and payload of a frame.
type Seen = (Range<u64>, bool, Option<Vec<u8>>, Option<Vec<u8>>);

fn seen(frame: &Frame<'_>) -> Seen {
    (
        frame.range.clone(),
        frame.complete,
        frame.event().map(<[u8]>::to_vec),
        frame.data().map(std::borrow::Cow::into_owned),
    )
}

fn parse<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Seen>, Vec<u8>) {
    let mut parser = SseParser::default();
    let (mut frames, mut bytes) = (Vec::new(), Vec::new());
    for chunk in chunks {
        parser.push(chunk);
        while let Some(frame) = parser.next_frame().unwrap() {
            bytes.extend_from_slice(frame.raw);
            frames.push(seen(&frame));
        }
    }
    if let Some(frame) = parser.finish() {
        bytes.extend_from_slice(frame.raw);
        frames.push(seen(&frame));
    }
    (frames, bytes)
}

fn payloads(stream: &str) -> Vec<Option<String>> {
    let text = |data: Option<Vec<u8>>| data.map(|data| String::from_utf8(data).unwrap());
    parse([stream.as_bytes()]).0.into_iter().map(|frame| text(frame.3)).collect()
}

#[test]
fn all_three_line_endings_end_a_line() {
    let expected = vec![Some("1".to_owned()), Some("2".to_owned())];
    assert_eq!(payloads("data: 1\n\ndata: 2\n\n"), expected);
    assert_eq!(payloads("data: 1\r\n\r\ndata: 2\r\n\r\n"), expected);
    assert_eq!(payloads("data: 1\r\rdata: 2\r\r"), expected);
    assert_eq!(payloads("data:1\r\n\ndata:2\n\r\n"), expected);
}

#[test]
fn data_lines_are_joined_and_comments_and_other_fields_are_left_out() {
    assert_eq!(payloads(": hi\nid: 7\ndata: a\ndata:  b\nretry: 1\ndata\n\n"), [Some("a\n b\n".to_owned())]);
    assert_eq!(payloads(": keep-alive\n\n"), [None]);
    assert_eq!(payloads("\u{feff}data: x\n\n"), [Some("x".to_owned())]);
}

#[test]
fn the_event_name_and_the_end_marker_are_seen() {
    let mut parser = SseParser::default();
    parser.push(b"event: message_delta\ndata: {}\n\ndata: [DONE]\n");
    let frame = parser.next_frame().unwrap().unwrap();
    assert_eq!((frame.event(), frame.is_done()), (Some(&b"message_delta"[..]), false));
    assert!(parser.next_frame().unwrap().is_none());
    let last = parser.finish().unwrap();
    assert!(last.is_done() && !last.complete);
}

#[test]
fn leaving_one_frame_out_removes_exactly_that_event() {
    let stream = b"data: 1\r\n\r\ndata: usage\r\n\r\ndata: [DONE]\r\n\r\n";
    let kept: Vec<u8> = parse([&stream[..]])
        .0
        .into_iter()
        .filter(|frame| frame.3.as_deref() != Some(b"usage"))
        .flat_map(|frame| {
            let (from, to) = (usize::try_from(frame.0.start).unwrap(), usize::try_from(frame.0.end).unwrap());
            stream[from..to].to_vec()
        })
        .collect();
    assert_eq!(kept, b"data: 1\r\n\r\ndata: [DONE]\r\n\r\n");
}

#[test]
fn a_frame_that_ends_in_a_carriage_return_waits_for_the_line_feed() {
    let mut parser = SseParser::default();
    parser.push(b"data: 1\r\n\r");
    assert!(parser.next_frame().unwrap().is_none());
    parser.push(b"\ndata");
    assert_eq!(parser.next_frame().unwrap().unwrap().raw, b"data: 1\r\n\r\n");
}

#[test]
fn an_endless_line_and_an_endless_frame_are_refused_and_the_bytes_stay_available() {
    let limits = SseLimits { line_bytes: 10, frame_bytes: 30 };
    let mut parser = SseParser::new(limits);
    parser.push(b"data: 1\n\ndata: 12345");
    assert!(parser.next_frame().unwrap().is_some());
    assert_eq!(parser.next_frame(), Err(SseError::LineTooLong { limit: 10 }));
    parser.push(b"\n\n");
    assert!(parser.next_frame().is_err());
    assert_eq!(parser.rest(), b"data: 12345\n\n");

    let mut parser = SseParser::new(limits);
    parser.push(&b"data: 1\n".repeat(4));
    assert_eq!(parser.next_frame(), Err(SseError::FrameTooLarge { limit: 30 }));
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("\n"),
        Just("\r"),
        Just("\r\n"),
        Just("\n\n"),
        Just("data: x"),
        Just("data:"),
        Just(": c"),
        Just("event: e"),
        Just("\u{feff}"),
        Just("{\"a\":\"ü\"}"),
        Just("[DONE]"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames_and_the_ranges_cover_the_input(
        input in stream(),
        cuts in proptest::collection::vec(0_usize..200, 0..12),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(input.len())).collect();
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|pair| &input[pair[0]..pair[1]]);

        let (whole, bytes) = parse([&input[..]]);
        prop_assert_eq!(&bytes, &input);
        prop_assert_eq!(&parse(chunks).0, &whole);
        prop_assert_eq!(&parse(input.chunks(1)).0, &whole);
        let mut at = 0;
        for frame in &whole {
            prop_assert_eq!(frame.0.start, at);
            at = frame.0.end;
        }
        prop_assert_eq!(at, u64::try_from(input.len()).unwrap());
    }
}
