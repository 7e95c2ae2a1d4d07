//! What strangers send, damaged at random: nothing panics, and what is true of good input stays true of bad.
//!
//! Seeds are committed in `tests/fuzz/`; a finding becomes a unit test beside the parser. Short in `make test`, a million
//! inputs for each target in `make soak`.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "a campaign tells its figures, and its finding by panicking"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use tallystick_domain::ledger::Fold;
use tallystick_domain::price::import::{ImportOptions, litellm};
use tallystick_domain::sse::{SseLimits, SseParser};
use tallystick_domain::usage::{Api, Dialect, StreamUsage, normalise};
use tallystick_schemas::decode;
use tallystick_tests::harness::is_full_soak;

const STREAM: &[u8] = include_bytes!("../fuzz/stream.txt");
const USAGE: &[u8] = include_bytes!("../fuzz/usage.txt");
const EVENT: &[u8] = include_bytes!("../fuzz/event.json");
const PRICES: &[u8] = include_bytes!("../fuzz/prices.json");

/// SplitMix64: every input follows from the number of its round.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap_or(1)).unwrap_or(0)
    }
}

/// Up to eight damages: a byte changed, a piece cut out, doubled, moved, or replaced by something nasty.
fn damaged(seed: &[u8], random: &mut Random) -> Vec<u8> {
    const NASTY: [&[u8]; 12] = [
        b"\0",
        b"-1",
        b"1e999",
        b"18446744073709551616",
        b"null",
        b"\r\n\r\n",
        b"data:",
        b"\xff\xfe",
        b"[[[[[[[[",
        b"\"\\u0000\"",
        b"0.0000000000000000000000000001",
        b"{}",
    ];
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(5) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.next().to_le_bytes()[0];
                }
            }
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                drop(bytes.splice(to..to, piece));
            }
            3 => bytes.truncate(end),
            _ => {
                let nasty = NASTY[random.below(NASTY.len())];
                drop(bytes.splice(at..at, nasty.iter().copied()));
            }
        }
    }
    bytes
}

/// Runs a target over many inputs. The first input that breaks it is printed as it can be pasted into a unit test.
fn campaign(name: &str, seed: &[u8], target: impl Fn(&[u8], &mut Random) -> bool) {
    let rounds = if is_full_soak() { 1_000_000 } else { 20_000 };
    let mut interesting = 0_u64;
    for round in 0..rounds {
        let mut random = Random(round);
        let input = damaged(seed, &mut random);
        match catch_unwind(AssertUnwindSafe(|| target(&input, &mut random))) {
            Ok(good) => interesting += u64::from(good),
            Err(_) => panic!("{name} broke in round {round} on {:?}", String::from_utf8_lossy(&input)),
        }
    }
    assert!(interesting > rounds / 200, "{name}: only {interesting} of {rounds} inputs got anywhere");
    assert!(interesting < rounds, "{name}: no input was damaged");
    eprintln!("{name}: {rounds} inputs, {interesting} still readable");
}

/// Frames must cover the input exactly, however it is cut, and be the same for every cut.
#[test]
fn the_sse_parser_survives_anything_and_covers_its_input() {
    campaign("sse", STREAM, |input, random| {
        let frames = |cuts: &mut dyn FnMut() -> usize| {
            let mut parser = SseParser::new(SseLimits::default());
            let (mut seen, mut covered, mut fed) = (Vec::new(), 0_u64, 0);
            while fed < input.len() {
                let step = cuts().clamp(1, input.len() - fed);
                parser.push(&input[fed..fed + step]);
                fed += step;
                while let Ok(Some(frame)) = parser.next_frame() {
                    assert_eq!(frame.range.start, covered, "frames follow each other");
                    covered = frame.range.end;
                    seen.push(frame.raw.to_vec());
                }
            }
            if let Some(frame) = parser.finish() {
                covered = frame.range.end;
                seen.push(frame.raw.to_vec());
            }
            (seen.concat(), covered)
        };
        let (whole, covered) = frames(&mut || usize::MAX);
        let (cut, _) = frames(&mut || random.below(7) + 1);
        assert_eq!(whole, cut, "the cut changes nothing");
        assert!(covered <= u64::try_from(input.len()).unwrap_or(0));
        let mut usage = StreamUsage::new(Dialect::of(Api::Chat));
        let mut parser = SseParser::new(SseLimits::default());
        parser.push(input);
        while let Ok(Some(frame)) = parser.next_frame() {
            if let Some(data) = frame.data() {
                usage.push(&data);
            }
        }
        usage.observed().usage().is_some()
    });
}

/// Whatever is read as usage adds up to no more than a bucket can hold.
#[test]
fn reading_usage_survives_anything_and_never_invents_tokens() {
    campaign("usage", USAGE, |input, random| {
        let apis = [Api::Chat, Api::Responses, Api::Messages, Api::Gemini, Api::Embeddings];
        let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
        let line = lines[random.below(lines.len())];
        let dialect = Dialect::of(apis[random.below(apis.len())]);
        match normalise(dialect, line) {
            Ok(reading) => {
                let largest = reading.usage.iter().map(|(_, count)| count).max().unwrap_or(0);
                assert!(largest <= tallystick_domain::usage::Usage::MAX_COUNT);
                true
            }
            Err(_) => false,
        }
    });
}

/// Whatever decodes either folds to a zero-sum change or is refused and changes nothing.
#[test]
fn decoding_and_folding_events_survives_anything_and_stays_zero_sum() {
    let headers = [("ce_type".to_owned(), "tallystick.usage.recorded.v1".to_owned())];
    campaign("event", EVENT, |input, _| {
        let Ok(event) = decode(&headers, input) else { return false };
        let mut fold = Fold::default();
        let applied = fold.apply(&event).is_ok();
        let sum: rust_decimal::Decimal = fold.postings.values().sum();
        assert!(sum.is_zero());
        assert!(applied || fold.is_empty());
        true
    });
}

/// Whatever is imported as a price is a price: positive, or refused by name.
#[test]
fn importing_prices_survives_anything_and_takes_no_zero_in_silence() {
    let options = ImportOptions {
        effective_from: jiff::Timestamp::UNIX_EPOCH,
        checked_on: jiff::civil::date(2026, 11, 1),
        source: "fuzz".to_owned(),
        providers: std::collections::BTreeSet::new(),
        free: std::collections::BTreeSet::new(),
    };
    campaign("prices", PRICES, |input, _| {
        let Ok(text) = std::str::from_utf8(input) else { return false };
        let Ok(import) = litellm(text, &options) else { return false };
        for version in &import.candidates {
            assert!(version.validate().is_ok(), "{version:?}");
        }
        !import.candidates.is_empty()
    });
}
