//! What can go wrong in the spool, and what the caller is to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of the spool. `Poisoned` and `Corrupt` need a person; the process should stop serving.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process holds this spool.
    #[error("spool {} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// A write or an fsync failed earlier. Nothing is accepted any more; restart after looking at the disk.
    #[error("spool is poisoned by a failed write or fsync")]
    Poisoned,
    /// The spool was closed in an orderly way.
    #[error("spool is closed")]
    Closed,
    /// The payload is larger than [`SpoolConfig::max_payload_bytes`](super::SpoolConfig::max_payload_bytes).
    #[error("payload of {bytes} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// Size of the payload.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A note or progress found no room beside what is set aside for open intents. It may be dropped or tried later.
    #[error("no room beside the space set aside for settlements")]
    NoRoom,
    /// The file contradicts itself or its neighbours. Nothing after this offset was read, nothing was skipped.
    #[error("spool file {} is corrupt at offset {offset}: {reason}", .file.display())]
    Corrupt {
        /// The damaged file.
        file: PathBuf,
        /// Offset in bytes of the first thing that does not hold.
        offset: u64,
        /// What does not hold.
        reason: &'static str,
    },
    /// An operating system error.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// The error itself.
        source: io::Error,
    },
    /// The register of epochs could not be asked. Safe to try again.
    #[error("cannot advance the epoch of the spool")]
    Register(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The register does not accept a producer id that was drawn this moment.
    #[error("the register refuses a new producer id")]
    RegisterRefuses,
    /// The settings contradict each other.
    #[error("spool settings: {0}")]
    Config(&'static str),
}

impl SpoolError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, path: path.to_owned(), source }
    }

    pub(crate) fn corrupt(file: &Path, offset: u64, reason: &'static str) -> Self {
        Self::Corrupt { file: file.to_owned(), offset, reason }
    }
}

/// Why a request is not admitted. All mean `503` with `Retry-After`; none of them loses anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// Free space on the disk is below the low-water mark, or no spare segment could be made.
    #[error("disk is below the low-water mark")]
    LowDisk,
    /// Too many bytes wait to be shipped to the log.
    #[error("too much is waiting to be shipped")]
    Backlog,
    /// The disk does not keep up with what is queued for it.
    #[error("spool queue is full")]
    Busy,
    /// As many requests are in flight as have a place set aside for their settlement.
    #[error("no place can be set aside for another settlement")]
    InFlight,
    /// The spool is poisoned.
    #[error("spool is poisoned")]
    Poisoned,
    /// The spool is closed.
    #[error("spool is closed")]
    Closed,
}
