//! Who calls: one extractor for every way that an SDK sends its key, one comparison.
//!
//! The key is found by its public part and proved by a keyed hash of the whole text, compared in constant time. An
//! unknown key costs the same hash, so that time tells nothing.

use crate::control::{Caller, Directory, KeyState};
use crate::refusal::Refusal;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use tallystick_domain::key;
use tallystick_store::secrets::{Pepper, Secrets};

/// The other headers that SDKs put a key in.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "x-goog-api-key"];
/// Bytes of a print or an origin that are kept.
const PRINT_BYTES: usize = 12;

/// A keyed hash of the first messages, fed piece by piece: tells a loop from new work, never what it says.
pub(crate) fn prompt_print(
    secrets: &Secrets,
    feed: impl FnOnce(&mut dyn FnMut(&[u8])) -> bool,
) -> Option<String> {
    let mut text = Vec::new();
    let any = feed(&mut |part| {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    });
    any.then(|| hex(&secrets.print("prompt_print", &text)))
}

/// A keyed hash of the caller's network (/24 or /48): tells origins apart, names none.
pub(crate) fn origin(secrets: &Secrets, address: IpAddr) -> String {
    let network: Vec<u8> = match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets()[..3].to_vec(),
        IpAddr::V6(v6) => v6.octets()[..6].to_vec(),
    };
    hex(&secrets.print("origin", &network))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().take(PRINT_BYTES).fold(String::with_capacity(PRINT_BYTES * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

/// Finds the caller and proves that it holds the key. Whether the key still works is [`is_alive`]'s.
///
/// # Errors
/// `401 invalid_api_key`, whatever is wrong.
pub(crate) fn identify(
    headers: &HeaderMap,
    directory: &Directory,
    pepper: &Pepper,
) -> Result<Arc<Caller>, Refusal> {
    let text = sent_key(headers).ok_or_else(Refusal::invalid_key)?;
    let public = key::public_part(text).ok_or_else(Refusal::invalid_key)?;
    let caller = directory.caller(public);
    let same = pepper.matches(text, caller.map_or(&[0; 32], |caller| &caller.key.digest));
    match caller {
        Some(caller) if same => Ok(Arc::clone(caller)),
        _ => Err(Refusal::invalid_key()),
    }
}

/// Whether the key works now.
///
/// # Errors
/// `401 key_revoked`, `401 key_expired` or `403 key_suspended`.
pub(crate) fn is_alive(caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
    match &caller.key.state {
        KeyState::Revoked => Err(Refusal::key_revoked()),
        _ if caller.key.rotated_out_at.is_some_and(|end| end <= now) => Err(Refusal::key_revoked()),
        _ if caller.key.expires_at.is_some_and(|end| end <= now) => Err(Refusal::key_expired()),
        KeyState::Suspended { reason } => Err(Refusal::key_suspended(reason.as_deref())),
        KeyState::Active => Ok(()),
    }
}

/// The key as sent. Two headers that differ are no key: nobody may be let in by one and charged by the other.
fn sent_key(headers: &HeaderMap) -> Option<&str> {
    let bearer = match headers.get(AUTHORIZATION) {
        Some(value) => {
            let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
            Some(scheme.eq_ignore_ascii_case("bearer").then_some(rest.trim())?)
        }
        None => None,
    };
    let named = KEY_HEADERS.iter().filter_map(|name| headers.get(*name)).map(|value| value.to_str().ok());
    let mut found = bearer;
    for text in named {
        let text = text?.trim();
        match found {
            Some(known) if known != text => return None,
            _ => found = Some(text),
        }
    }
    found.filter(|text| !text.is_empty())
}
