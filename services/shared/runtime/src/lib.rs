//! What every Tallystick process needs before it does anything of its own.
//!
//! Owns: the clock and the id source ([`Clock`], [`Ids`]); starting, tracking and ending tasks ([`Shutdown`],
//! [`Tasks`]); settings ([`config`]); the accept loop with its limits ([`http`]); problem documents ([`problem`]);
//! readiness ([`health`]); traces, metrics and logs ([`telemetry`]).
//!
//! Does not own: anything about usage, money, keys or tables. It depends on no other crate of this workspace.
//!
//! Invariants: the system clock, the environment and `tokio::spawn` are touched here and nowhere else; nothing here
//! writes a header value, a body or a secret to a log; every queue and connection has a limit from [`config`].
//!
//! Read next: [`lifecycle`] for how a process ends, [`http`] for how a request begins.

pub mod clock;
pub mod config;
pub mod health;
pub mod http;
pub mod ids;
pub mod lifecycle;
pub mod problem;
pub mod telemetry;

mod error;

pub use clock::{Clock, SharedClock, SystemClock, TestClock};
pub use error::error_chain;
pub use ids::Ids;
pub use lifecycle::{Shutdown, Task, TaskEnded, Tasks, Unfinished};
pub use problem::Problem;
