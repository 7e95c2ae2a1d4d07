//! How a process ends: in two stages, and never by forgetting a task.
//!
//! 1. **Drain** (first SIGTERM or SIGINT, or a critical task that failed): stop accepting, let what is in flight end,
//!    flush, commit.
//! 2. **Stop** (second signal, or the drain's deadline): whatever is left is dropped where it stands, so that guards
//!    run; a third signal ends the process at once.
//!
//! [`Shutdown`] is the announcement, [`Tasks`] knows who has to hear it. Every task of the process is started through
//! [`Tasks`]; nothing else calls `tokio::spawn`.

mod shutdown;
mod signal;
mod tasks;
#[cfg(test)]
mod tests;

pub use shutdown::Shutdown;
pub use tasks::{Task, TaskEnded, Tasks, Unfinished};
