//! The text form of a virtual key: `ts_live_<name>_<12 public><_><32 secret><6 checksum>`.
//!
//! The name makes a key readable in somebody's configuration; it may hold underscores, so the form is read from the
//! right. The checksum (CRC-32 in base 62 over all before it) lets anyone reject a mistyped or foreign string without
//! looking it up; it protects nothing. Only a keyed hash of the whole text is ever stored.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX: &str = "ts_live_";
/// Length of the public part, by which a key is found.
pub const PUBLIC_LEN: usize = 12;
/// Length of the secret part: 190 bits.
pub const SECRET_LEN: usize = 32;
const CHECKSUM_LEN: usize = 6;
/// Random bytes that [`assemble`] consumes: four for each letter.
pub const RANDOM_BYTES: usize = (PUBLIC_LEN + SECRET_LEN) * 4;
const MAX_LEN: usize = 160;

/// A freshly made key. The text is shown once and then forgotten.
#[derive(Clone)]
pub struct NewKey {
    /// The whole secret text.
    pub text: String,
    /// The public part.
    pub public: String,
}

/// Builds a key from a name and random bytes. Each letter is 32 random bits modulo 62, so no letter is favoured by
/// more than one part in 60 million.
#[must_use]
pub fn assemble(name: &str, random: &[u8; RANDOM_BYTES]) -> NewKey {
    let (words, _) = random.as_chunks::<4>();
    let letters: String = words.iter().map(|word| char::from(letter(u32::from_le_bytes(*word)))).collect();
    let (public, secret) = letters.split_at(PUBLIC_LEN);
    let body = format!("{PREFIX}{}_{public}_{secret}", slug(name));
    NewKey { text: format!("{body}{}", checksum(&body)), public: public.to_owned() }
}

/// The public part of a well-formed key; `None` for anything else, whatever is wrong with it.
#[must_use]
pub fn public_part(text: &str) -> Option<&str> {
    if text.len() > MAX_LEN || !text.is_ascii() || !text.starts_with(PREFIX) {
        return None;
    }
    let (body, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_LEN)?)?;
    let (head, secret) = body.rsplit_once('_')?;
    let (_, public) = head.rsplit_once('_')?;
    let base62 = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric());
    let well_formed =
        secret.len() == SECRET_LEN && public.len() == PUBLIC_LEN && base62(secret) && base62(public);
    (well_formed && checksum(body) == sum).then_some(public)
}

/// The readable part that a name leaves in a key: lower-case letters, digits and single underscores.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().take(40) {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    let trimmed = out.trim_end_matches('_');
    if trimmed.is_empty() { "key".to_owned() } else { trimmed.to_owned() }
}

fn checksum(body: &str) -> String {
    let mut value = crc32(body.as_bytes());
    let mut letters = [b'0'; CHECKSUM_LEN];
    for slot in letters.iter_mut().rev() {
        *slot = letter(value);
        value = value.checked_div(62).unwrap_or(0);
    }
    letters.iter().map(|b| char::from(*b)).collect()
}

fn letter(value: u32) -> u8 {
    let index = usize::try_from(value.checked_rem(62).unwrap_or(0)).unwrap_or(0);
    ALPHABET.get(index).copied().unwrap_or(b'0')
}

/// CRC-32 (IEEE), bit by bit: keys are short.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let mask = 0_u32.wrapping_sub(crc & 1);
            (crc >> 1) ^ (0xEDB8_8320 & mask)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str) -> NewKey {
        let mut random = [0_u8; RANDOM_BYTES];
        for (n, byte) in random.iter_mut().enumerate() {
            *byte = u8::try_from(n * 37 % 251).unwrap();
        }
        assemble(name, &random)
    }

    #[test]
    fn crc32_agrees_with_the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_key_is_read_from_the_right_whatever_its_name() {
        for name in ["CI bot", "a_b_c", "", "ünïcode", "x__y"] {
            let key = sample(name);
            assert_eq!(public_part(&key.text), Some(key.public.as_str()), "{}", key.text);
        }
        assert!(sample("CI bot").text.starts_with("ts_live_ci_bot_"));
    }

    #[test]
    fn a_changed_letter_is_noticed_without_a_lookup() {
        let key = sample("ci");
        for at in 0..key.text.len() {
            let mut bytes = key.text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(public_part(&changed), None, "{changed}");
        }
        assert_eq!(public_part("sk-proj-1234"), None);
        assert_eq!(public_part(&"ts_live_".repeat(50)), None);
    }
}
