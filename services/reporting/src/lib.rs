//! Ledger in, answers out: the HTTP API and the control plane behind it.
//!
//! Owns what a caller may ask and change ([`api`]): the control plane (team, members, clients, projects, keys, providers,
//! prices, contracts, tokens); sums and single events of usage ([`usage`]), their import ([`import`]) and correction;
//! invoices ([`invoice`]) and reports. Does not own SQL (`tallystick-store`), rules of money (`tallystick-domain`), or how a page
//! looks: PDFs come from a [`DocumentRenderer`] that the binary brings.
//!
//! Invariants: every query is limited to the caller's team, and another team's object is answered like one that does not
//! exist; a handler without a permission does not compile; a secret leaves once, in the answer that made it.
//!
//! Where to read next: `api/router.rs` (the table of contents), `api/auth.rs` (who may do what).

mod adjust;
pub mod api;
mod bootstrap;
mod config;
mod csv_file;
mod directory;
pub mod import;
pub mod invoice;
mod render;
mod render_job;
mod report;
mod service;
mod standing;
pub mod usage;

pub use bootstrap::{FirstStart, bootstrap};
pub use config::ReportingConfig;
pub use invoice::verify_invoices;
pub use render::{DocumentRenderer, RenderError};
pub use service::{Deps, Reporting};
