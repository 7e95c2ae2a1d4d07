//! Settings of the spool. All sizes are bytes, all durations microseconds.

use super::SpoolError;
use super::format::{RECORD_HEAD, SEGMENT_HEAD};
use serde::{Deserialize, Serialize};

/// Settings of one spool; the defaults suit a proxy with a disk of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpoolConfig {
    /// Size of a segment, written with zeros beforehand. Default 64 MiB.
    pub segment_bytes: u32,
    /// Set aside for the `INTENT` of each admission until it is written. Default 8 KiB.
    pub intent_reserve_bytes: u32,
    /// Set aside for the `SETTLE` of each admission. A larger payload is taken too, but has no guarantee on a full
    /// disk. Default 8 KiB.
    pub settle_reserve_bytes: u32,
    /// Largest payload of any kind. Default 1 MiB.
    pub max_payload_bytes: u32,
    /// Below this much free disk space nothing new is admitted. Default 512 MiB.
    pub low_water_bytes: u64,
    /// With this much waiting to be shipped nothing new is admitted. Default 16 GiB.
    pub max_backlog_bytes: u64,
    /// With this much waiting for the disk nothing new is admitted; settlements always are. Default 32 MiB.
    pub queue_bytes: u64,
    /// Shipped segments are kept this long for a resend. Default 7 days.
    pub retain_us: u64,
    /// Shipped segments are kept up to this size in all. Default 8 GiB.
    pub retain_bytes: u64,
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            intent_reserve_bytes: 8 << 10,
            settle_reserve_bytes: 8 << 10,
            max_payload_bytes: 1 << 20,
            low_water_bytes: 512 << 20,
            max_backlog_bytes: 16 << 30,
            queue_bytes: 32 << 20,
            retain_us: 7 * 24 * 3_600 * 1_000_000,
            retain_bytes: 8 << 30,
        }
    }
}

impl SpoolConfig {
    /// Room for the settlement of one admission, its head included.
    pub(crate) fn settle_place(&self) -> u64 {
        u64::from(self.settle_reserve_bytes) + RECORD_HEAD as u64
    }

    /// Room for the intent of one admission, its head included.
    pub(crate) fn intent_place(&self) -> u64 {
        u64::from(self.intent_reserve_bytes) + RECORD_HEAD as u64
    }

    /// What the end of a segment may leave unused, because the next entry does not fit.
    pub(crate) fn waste(&self) -> u64 {
        u64::from(self.max_payload_bytes) + RECORD_HEAD as u64
    }

    /// Refuses settings under which the guarantees do not hold.
    pub fn validate(&self) -> Result<(), SpoolError> {
        let data = u64::from(self.segment_bytes).saturating_sub(SEGMENT_HEAD as u64);
        if u64::from(self.max_payload_bytes) + RECORD_HEAD as u64 > data {
            return Err(SpoolError::Config("max_payload_bytes does not fit into segment_bytes"));
        }
        if self.intent_reserve_bytes.max(self.settle_reserve_bytes) > self.max_payload_bytes {
            return Err(SpoolError::Config("a reserve is larger than max_payload_bytes"));
        }
        if self.intent_place() + self.settle_place() + self.waste() > data {
            return Err(SpoolError::Config("segment_bytes does not hold one intent and its settlement"));
        }
        Ok(())
    }
}
