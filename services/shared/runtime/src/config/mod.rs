//! Settings: built-in defaults, then a TOML file, then the environment, then the command line.
//!
//! Every setting has one path (`proxy.drain_time`), one environment variable (`TALLYSTICK_PROXY_DRAIN_TIME`) and a
//! documented default with its unit ([`reference()`]). Durations are written `250ms`, `10s`, `5m`, `24h`, `7d`; sizes
//! `512B`, `32KiB`, `10MiB`, `2GiB`.
//!
//! A name that is not a setting is an error with the nearest name as a suggestion, wherever it stands. Values are
//! checked one by one as they are laid over each other, so that an error names the place that the value came from;
//! then [`Settings::validate`] checks what must fit together. Nothing is bound or opened before both have passed.
//!
//! Secrets print as `[redacted]`. The environment is read here ([`Environment::of_process`]) and nowhere else.

mod environment;
mod load;
mod secret;
mod sections;
mod settings;
mod suggest;
#[cfg(test)]
mod tests;
mod tree;
mod units;
mod validate;

pub use environment::Environment;
pub use load::{ConfigError, Loaded, Override, Problem, Sources, load};
pub use secret::Secret;
pub use sections::{Database, Limits, Projector, Proxy, Reporting, Spool, Telemetry, TlsFiles};
pub use settings::{Entry, Settings, reference};
