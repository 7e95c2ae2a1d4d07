//! The format of a block: records framed one after the other, compressed as one.
//!
//! Frames, version 1, integers little-endian:
//! `1u8 | count u32 | record*`, where a record is
//! `lane u8 | key | header count u16 | (name | value)* | payload`, and every text and body is `length u32 | bytes`.
//! An absent key has the length `u32::MAX`. The frames are then one zstd frame, level 1, with its content checksum, so
//! that a block that decodes is the block that was appended. A reader refuses versions it does not know.

use crate::record::Record;
use bytes::{Buf as _, BufMut as _, Bytes};
use std::io;
use tallystick_domain::Lane;
use zstd::zstd_safe::CParameter;

/// Codec number of the format above, as stored beside each block.
pub(crate) const CODEC: i16 = 1;

const VERSION: u8 = 1;
const LEVEL: i32 = 1;
const NO_KEY: u32 = u32::MAX;

/// Frames that are not compressed yet.
#[derive(Debug)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    count: u32,
}

impl Frames {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::with_capacity(64 << 10);
        bytes.put_u8(VERSION);
        bytes.put_u32_le(0);
        Self { bytes, count: 0 }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a record; its parts are under the log's record limit, far below what a length field holds.
    pub(crate) fn push(&mut self, record: &Record) {
        let out = &mut self.bytes;
        out.put_u8(record.lane.get());
        match &record.key {
            Some(key) => put(out, key.as_bytes()),
            None => out.put_u32_le(NO_KEY),
        }
        out.put_u16_le(u16::try_from(record.headers.len()).expect("headers are limited before framing"));
        for (name, value) in &record.headers {
            put(out, name.as_bytes());
            put(out, value.as_bytes());
        }
        put(out, &record.payload);
        self.count += 1;
    }

    /// The compressed block.
    pub(crate) fn compress(mut self) -> io::Result<Vec<u8>> {
        self.bytes[1..5].copy_from_slice(&self.count.to_le_bytes());
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        compressor.compress(&self.bytes)
    }
}

fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.put_u32_le(u32::try_from(part.len()).expect("a record is limited before framing"));
    out.put_slice(part);
}

/// The records of a block, or what is wrong with it.
pub(crate) fn decode(codec: i16, raw_bytes: usize, count: u32, body: &[u8]) -> Result<Vec<Record>, String> {
    if codec != CODEC {
        return Err(format!("codec {codec} is not known to this program"));
    }
    let raw =
        zstd::bulk::decompress(body, raw_bytes).map_err(|error| format!("decompression failed: {error}"))?;
    if raw.len() != raw_bytes {
        return Err(format!("{} bytes instead of {raw_bytes}", raw.len()));
    }
    let mut frames = Bytes::from(raw);
    let version = frames.try_get_u8().map_err(|_| short())?;
    if version != VERSION {
        return Err(format!("frame version {version} is not known to this program"));
    }
    let stated = frames.try_get_u32_le().map_err(|_| short())?;
    if stated != count {
        return Err(format!("{stated} records instead of {count}"));
    }
    let records = (0..count).map(|_| take_record(&mut frames)).collect::<Result<Vec<_>, _>>()?;
    if frames.is_empty() { Ok(records) } else { Err(format!("{} bytes after the last record", frames.len())) }
}

fn take_record(frames: &mut Bytes) -> Result<Record, String> {
    let lane = frames.try_get_u8().map_err(|_| short())?;
    let lane = Lane::new(lane).ok_or_else(|| format!("lane {lane}"))?;
    let key = match frames.try_get_u32_le().map_err(|_| short())? {
        NO_KEY => None,
        length => Some(text(take(frames, length)?)?),
    };
    let headers = frames.try_get_u16_le().map_err(|_| short())?;
    let headers = (0..headers)
        .map(|_| Ok((text(take_part(frames)?)?, text(take_part(frames)?)?)))
        .collect::<Result<Vec<_>, String>>()?;
    let payload = take_part(frames)?;
    Ok(Record { lane, key, headers, payload })
}

fn take_part(frames: &mut Bytes) -> Result<Bytes, String> {
    let length = frames.try_get_u32_le().map_err(|_| short())?;
    take(frames, length)
}

fn take(frames: &mut Bytes, length: u32) -> Result<Bytes, String> {
    let length = usize::try_from(length).map_err(|_| short())?;
    if length > frames.len() { Err(short()) } else { Ok(frames.split_to(length)) }
}

fn text(part: Bytes) -> Result<String, String> {
    String::from_utf8(part.into()).map_err(|_| "a text is not UTF-8".to_owned())
}

fn short() -> String {
    "the block ends within a record".to_owned()
}

#[cfg(test)]
mod tests;
