//! The bytes on disk: segment head and entries, little-endian.
//!
//! ```text
//! segment  magic 8 | version u16 | lanes u16 | epoch u32 | index u64 | producer 16
//!          | end of the previous segment u64 | newest time in it u64 | last seq per lane 64 x u64 | crc32c u32 | zeros to 1024
//! entry    len u32 | crc32c u32 | kind u8 | lane u8 | synced u32 | seq u64 | time_us u64 | id 16 | payload
//! ```
//!
//! `len` counts the whole entry; zero is the end of what was written, since segments are zeroed beforehand. The CRC covers
//! everything but itself, and also the segment's index and the entry's offset, so that an entry is valid only in its
//! place: bytes inside a payload, or a block that a disk put elsewhere, never pass for an entry.
//!
//! `synced` is the offset up to which the segment was on disk when the entry was written. It tells a torn write from
//! corruption: damage at `x` is no torn write if a valid entry further on has `synced > x`.

use super::identity::Identity;
use tallystick_domain::{EventId, Lane, ProducerId};
use uuid::Uuid;

/// Size of an entry without its payload.
pub(crate) const RECORD_HEAD: usize = 46;
/// Size of a segment's head.
pub(crate) const SEGMENT_HEAD: usize = 1024;
const MAGIC: &[u8; 8] = b"TALLYSPL";
const VERSION: u16 = 1;
const LANES: usize = Lane::COUNT as usize;
const SEQ_TABLE: usize = 56;
const HEAD_CRC: usize = SEQ_TABLE + LANES * 8;

/// Last `seq` per lane; 0 means that none was given yet.
pub(crate) type Seqs = [u64; LANES];

/// A place in the spool: everything before it in the order (segment, offset).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Index of the segment; grows by one, never used twice.
    pub segment: u64,
    /// Offset in bytes in the segment's file.
    pub offset: u64,
}

impl Position {
    pub(crate) const fn start_of(segment: u64) -> Self {
        Self { segment, offset: SEGMENT_HEAD as u64 }
    }
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request is about to be sent upstream. Not shipped.
    Intent = 1,
    /// What is known so far about an open intent. Not shipped.
    Progress = 2,
    /// The outcome of an intent. Shipped.
    Settle = 3,
    /// Anything else that goes to the log: heartbeats, refused counts. Shipped.
    Note = 4,
}

impl Kind {
    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Intent,
            2 => Self::Progress,
            3 => Self::Settle,
            4 => Self::Note,
            _ => return None,
        })
    }

    /// Whether the entry goes to the log and so has a `seq`.
    #[must_use]
    pub const fn ships(self) -> bool {
        matches!(self, Self::Settle | Self::Note)
    }
}

/// The fixed part of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    pub(crate) lane: Lane,
    pub(crate) synced: u32,
    pub(crate) seq: u64,
    pub(crate) time_us: u64,
    pub(crate) id: EventId,
}

/// What stands at an offset.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded<'a> {
    Entry { head: Head, payload: &'a [u8], len: usize },
    End,
    Bad(&'static str),
}

/// Appends one entry that will stand at `at`.
pub(crate) fn encode(out: &mut Vec<u8>, at: Position, head: &Head, payload: &[u8]) {
    let start = out.len();
    let len = u32::try_from(RECORD_HEAD + payload.len()).expect("payloads are bounded by max_payload_bytes");
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.push(head.kind as u8);
    out.push(head.lane.get());
    out.extend_from_slice(&head.synced.to_le_bytes());
    out.extend_from_slice(&head.seq.to_le_bytes());
    out.extend_from_slice(&head.time_us.to_le_bytes());
    out.extend_from_slice(head.id.as_uuid().as_bytes());
    out.extend_from_slice(payload);
    let crc = checksum(at, &out[start..]);
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

/// The length that an entry claims, when at least four bytes of it are at hand.
pub(crate) fn claimed_len(bytes: &[u8]) -> usize {
    u32_at(bytes, 0) as usize
}

/// Reads the entry at `at`. `bytes` begins there and reaches to the end of the entry, or to where data may end.
pub(crate) fn decode(bytes: &[u8], at: Position) -> Decoded<'_> {
    if bytes.len() < 4 {
        return if bytes.iter().all(|b| *b == 0) { Decoded::End } else { Decoded::Bad("entry is cut off") };
    }
    let len = claimed_len(bytes);
    if len == 0 {
        return Decoded::End;
    }
    if len < RECORD_HEAD || len > bytes.len() {
        return Decoded::Bad("length does not fit");
    }
    let bytes = &bytes[..len];
    if u32_at(bytes, 4) != checksum(at, bytes) {
        return Decoded::Bad("checksum does not match");
    }
    let (Some(kind), Some(lane)) = (Kind::from_byte(bytes[8]), Lane::new(bytes[9])) else {
        return Decoded::Bad("kind or lane is unknown");
    };
    let head = Head {
        kind,
        lane,
        synced: u32_at(bytes, 10),
        seq: u64_at(bytes, 14),
        time_us: u64_at(bytes, 22),
        id: EventId::from_uuid(uuid_at(bytes, 30)),
    };
    Decoded::Entry { head, payload: &bytes[RECORD_HEAD..], len }
}

/// The head of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    pub(crate) index: u64,
    pub(crate) identity: Identity,
    /// Where the data of the previous segment ends; 0 in the first segment of a spool.
    pub(crate) previous_end: u64,
    /// The newest time in the previous segment.
    pub(crate) previous_time_us: u64,
    /// Last `seq` of each lane before this segment.
    pub(crate) seqs: Seqs,
}

impl SegmentHead {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SEGMENT_HEAD);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&u16::from(Lane::COUNT).to_le_bytes());
        out.extend_from_slice(&self.identity.epoch.to_le_bytes());
        out.extend_from_slice(&self.index.to_le_bytes());
        out.extend_from_slice(self.identity.producer.as_uuid().as_bytes());
        out.extend_from_slice(&self.previous_end.to_le_bytes());
        out.extend_from_slice(&self.previous_time_us.to_le_bytes());
        for seq in &self.seqs {
            out.extend_from_slice(&seq.to_le_bytes());
        }
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out.resize(SEGMENT_HEAD, 0);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() < SEGMENT_HEAD || &bytes[..8] != MAGIC {
            return Err("not a spool segment");
        }
        if bytes[8..10] != VERSION.to_le_bytes() {
            return Err("segment has another version");
        }
        if u32_at(bytes, HEAD_CRC) != crc32c::crc32c(&bytes[..HEAD_CRC]) {
            return Err("checksum of the segment head does not match");
        }
        Ok(Self {
            identity: Identity {
                epoch: u32_at(bytes, 12),
                producer: ProducerId::from_uuid(uuid_at(bytes, 24)),
            },
            index: u64_at(bytes, 16),
            previous_end: u64_at(bytes, 40),
            previous_time_us: u64_at(bytes, 48),
            seqs: std::array::from_fn(|lane| u64_at(bytes, SEQ_TABLE + lane * 8)),
        })
    }
}

fn checksum(at: Position, entry: &[u8]) -> u32 {
    let mut place = [0; 20];
    place[..8].copy_from_slice(&at.segment.to_le_bytes());
    place[8..16].copy_from_slice(&at.offset.to_le_bytes());
    place[16..].copy_from_slice(&entry[..4]);
    crc32c::crc32c_append(crc32c::crc32c(&place), &entry[8..])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("the slice has four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("the slice has eight bytes"))
}

fn uuid_at(bytes: &[u8], at: usize) -> Uuid {
    Uuid::from_bytes(bytes[at..at + 16].try_into().expect("the slice has sixteen bytes"))
}
