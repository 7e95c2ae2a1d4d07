//! The spool: what the proxy owes to the log, on its own disk before anybody is answered.
//!
//! **Owns** the directory, the bytes in it, the order of writes, `seq` per lane, the space that settlements need, and what
//! a crash left open. **Does not own** the meaning of payloads, the log it is shipped to, the clock (times are passed in,
//! microseconds since 1970) or ids.
//!
//! ```text
//! identity.json    producer, epoch                          lock      one process per spool
//! segments/N.seg   entries, see `format`                    shipped   checkpoint: acknowledged up to, needed from
//! segments/spare   the next segment, zeroed beforehand
//! ```
//!
//! # A request
//! [`Spool::admit`] sets aside room for both entries and fixes the time of admission. [`Admission::intent`] queues the
//! `INTENT`; [`Ticket::durable`] resolves when it is on disk. [`OpenIntent::settle`] queues the `SETTLE`; it never
//! fails for lack of room. One thread writes: it takes all that is queued, writes it at once, does one fdatasync, then tells
//! every waiter. Nobody lingers: while one sync runs, the next batch gathers.
//!
//! # Invariants
//! 1. What a ticket called durable survives a power loss.
//! 2. [`ShipReader`] yields nothing that is not durable, so the log never knows what the spool forgot.
//! 3. `seq` is dense per producer and lane, over restarts.
//! 4. An `INTENT` ends in one `SETTLE`, or is handed out as [`RecoveredIntent`] at every start until it has one.
//! 5. A failed write or fsync poisons the spool; an fsync is never tried again on the same data.
//! 6. Damage is a torn write only at the end of the newest segment, where no later sync could have covered it; that end
//!    was promised to nobody and is cut. Any other damage stops the start. Nothing is skipped.
//! 7. Bytes set aside for settlements never exceed the zeroed bytes of the current and the spare segment.
//! 8. Of two processes on one directory, the second is refused; a copy of a directory becomes a new producer.
//!
//! Read next: `format` (bytes), `handle` (API), `writer` (the thread), `state` (room, watermarks), `opening` and
//! `recovery` (start), `reader` (shipping), `keeper` (spare segment, checkpoint).

mod config;
mod error;
mod figures;
mod format;
mod fs;
mod handle;
mod identity;
mod keeper;
mod opening;
mod reader;
mod recovery;
mod state;
#[cfg(test)]
mod tests;
mod writer;

pub use config::SpoolConfig;
pub use error::{NotAdmitted, SpoolError};
pub use figures::{Completeness, SpoolStats};
pub use format::{Kind, Position};
pub use fs::{OsFs, SegmentFile, SpoolFs};
pub use handle::{Admission, Committed, OpenIntent, Spool, Ticket};
pub use identity::{Advance, EpochRegister, Identity, LockedSpool};
pub use opening::{Opened, RecoveredIntent};
pub use reader::{Resend, ShipBatch, ShipReader, Shippable};

/// The folder of the segments, under the spool's directory.
const SEGMENTS: &str = "segments";
/// The next segment, zeroed beforehand.
const SPARE: &str = "spare";
/// The checkpoint file.
const SHIPPED: &str = "shipped";

fn segment_name(index: u64) -> String {
    format!("{index:012}.seg")
}
