//! Determinism without a clock: one hash for texts, one mixer for numbers.

/// FNV-1a over bytes, the identity of a prompt. The same text gives the same number on every machine.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |state, byte| {
        (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// SplitMix64's finaliser: spreads a counter or a combination of numbers over all 64 bits.
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Folds several numbers into one roll.
pub(crate) fn roll(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |state, part| mix(state ^ mix(*part)))
}

const WORDS: [&str; 24] = [
    "the", "ledger", "counts", "every", "token", "once", "and", "keeps", "a", "split", "stick", "for",
    "both", "sides", "so", "nobody", "can", "cut", "new", "notches", "later", "without", "being", "seen",
];

/// `count` words of harmless text, the same for the same seed. It never contains a mark.
pub(crate) fn words(seed: u64, count: u64) -> Vec<&'static str> {
    let length = WORDS.len() as u64;
    (0..count).map(|index| WORDS[usize::try_from(roll(&[seed, index]) % length).unwrap_or(0)]).collect()
}
