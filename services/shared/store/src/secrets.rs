//! How secrets are kept: keys and tokens as keyed hashes, provider secrets as ciphertext.
//!
//! Owns the arithmetic over key bytes and the file that holds them ([`MasterKey::load_or_create`]). Does not own
//! randomness: whoever seals brings a fresh nonce.
//!
//! One master key of 32 bytes; from it, by HMAC with a purpose, come the pepper for keys and tokens, the key that
//! seals, and the keys of the hashes that events carry (`origin`, `prompt_print`). What is hashed has 190 random bits,
//! so a fast keyed hash is as good as a slow one. Losing the master key makes every key, token and provider secret
//! useless; it is not in the database.
//!
//! Invariants: none of these types prints what it holds; comparing takes the same time whatever differs; a sealed
//! secret opens only with the very associated data that it was sealed with.

mod file;

use aes_gcm_siv::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac as _};
use secrecy::SecretString;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tallystick_domain::TeamId;

pub use file::{SecretFileError, write_private};

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 12;
/// Bytes of the master key.
pub const MASTER_BYTES: usize = 32;
/// The pepper that new hashes are made with.
const PEPPER_VERSION: i16 = 1;

/// The key that all others are derived from.
#[derive(Clone)]
pub struct MasterKey([u8; MASTER_BYTES]);

/// The keys of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    /// Hashes keys and tokens.
    pub pepper: Pepper,
    /// Seals provider secrets and stored answers.
    pub secret_box: SecretBox,
    prints: [u8; 32],
}

/// A secret could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Another key, other associated data, or damaged bytes.
    #[error(
        "the sealed secret does not open here: it was sealed for another destination or with another key"
    )]
    Refused,
    /// What was sealed is no text.
    #[error("the sealed secret is not text")]
    NotText,
}

impl MasterKey {
    /// From bytes that the operating system's random source gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; MASTER_BYTES]) -> Self {
        Self(bytes)
    }

    /// From 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != MASTER_BYTES * 2 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0_u8; MASTER_BYTES];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The keys that are derived from it.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let derive = |purpose: &str| keyed_hash(&self.0, &[purpose.as_bytes()]);
        Secrets {
            pepper: Pepper(derive("tallystick pepper 1")),
            secret_box: SecretBox(derive("tallystick secret box 1")),
            prints: derive("tallystick prints 1"),
        }
    }
}

impl Secrets {
    /// A keyed hash of something that must be comparable and not readable (a network prefix, the first messages of a
    /// prompt). `purpose` keeps hashes of different things apart.
    #[must_use]
    pub fn print(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        keyed_hash(&self.prints, &[purpose.as_bytes(), &[0], bytes])
    }
}

/// Hashes whole keys and tokens under a secret.
#[derive(Clone)]
pub struct Pepper([u8; 32]);

impl Pepper {
    /// The version that [`Pepper::hmac`] uses.
    #[must_use]
    pub const fn version(&self) -> i16 {
        PEPPER_VERSION
    }

    /// HMAC-SHA256 of the whole text.
    #[must_use]
    pub fn hmac(&self, text: &str) -> [u8; 32] {
        keyed_hash(&self.0, &[text.as_bytes()])
    }

    /// Whether the text has this hash, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, text: &str, hmac: &[u8]) -> bool {
        self.hmac(text).as_slice().ct_eq(hmac).into()
    }
}

/// AES-256-GCM-SIV with associated data. A sealed value is the nonce, then the ciphertext with its tag.
#[derive(Clone)]
pub struct SecretBox([u8; 32]);

impl SecretBox {
    /// Seals bytes for one destination. A nonce that repeats does no harm beyond showing that two secrets are equal.
    #[must_use]
    pub fn seal(&self, binding: &[u8], nonce: [u8; NONCE_BYTES], plain: &[u8]) -> Vec<u8> {
        let sealed = self
            .cipher()
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: binding })
            .expect("a secret is shorter than the cipher's limit of 64 GiB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed for this destination.
    ///
    /// # Errors
    /// When the destination or the key is another, or the bytes are damaged.
    pub fn open(&self, binding: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Refused)?;
        self.cipher()
            .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: binding })
            .map_err(|_| SealError::Refused)
    }

    /// Opens a secret that is text.
    ///
    /// # Errors
    /// As [`SecretBox::open`], or when it is no text.
    pub fn open_text(&self, binding: &[u8], sealed: &[u8]) -> Result<SecretString, SealError> {
        let plain = self.open(binding, sealed)?;
        String::from_utf8(plain).map(SecretString::from).map_err(|_| SealError::NotText)
    }

    fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new(&self.0.into())
    }
}

/// What a provider's secret is bound to: team, provider and the exact origin, so that pointing the provider elsewhere
/// makes the secret unreadable.
#[must_use]
pub fn provider_binding(team: TeamId, provider: &str, origin: &str) -> Vec<u8> {
    format!("provider\n{team}\n{provider}\n{origin}").into_bytes()
}

fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

macro_rules! unreadable {
    ($($ty:ident),+) => {$(
        impl std::fmt::Debug for $ty {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($ty), "([redacted])"))
            }
        }
    )+};
}
unreadable!(MasterKey, Secrets, Pepper, SecretBox);

#[cfg(test)]
mod tests;
