//! The settings of a process as one value, and the table that documents them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    Database, Limits, Projector, Proxy, Reporting, Secret, Spool, Telemetry, TlsFiles,
    tree::{self, Tree},
};

/// Defines a section: a struct whose every field has a documentation, a type, for durations and sizes the way it is
/// written, and a default.
macro_rules! section {
    ($(#[doc = $about:literal])+ $name:ident {
        $($(#[doc = $doc:literal])+ $field:ident : $type:ty $(as $with:literal)? = $default:expr),+ $(,)?
    }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[doc = $doc])+ $(#[serde(with = $with)])? pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $name {
            /// Each field's name and what it means.
            pub(crate) const FIELDS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($field), concat!($($doc),+)),)+];
        }
    };
}
pub(super) use section;

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

section! {
    /// Everything that can be set.
    Settings {
        /// Folder for everything this process keeps; by default `$XDG_DATA_HOME/tallystick` or
        /// `~/.local/share/tallystick`.
        data_dir: PathBuf = "tallystick-data".into(),
        /// Address of the listener.
        listen: SocketAddr = local(8080),
        /// Address of its own for reporting, API and dashboard, so that a public proxy does not expose them.
        admin_listen: Option<SocketAddr> = None,
        /// Address for `/metrics` and `/healthz`.
        metrics_listen: SocketAddr = local(9464),
        /// PostgreSQL to use, as `postgres://…`; also read from `DATABASE_URL`. Unset: `up` starts its own.
        database_url: Option<Secret> = None,
        /// Where the event log is: `postgres`, or `kafka://HOST:PORT[,HOST:PORT]`.
        log: String = "postgres".into(),
        /// Time for what is in flight to end after SIGTERM; then it is dropped.
        drain_timeout: Duration as "super::units::duration" = Duration::from_secs(25),
        /// The certificate of the listeners; both or neither.
        tls: TlsFiles = TlsFiles::default(),
        /// How the database is used.
        database: Database = Database::default(),
        /// What every HTTP listener allows.
        limits: Limits = Limits::default(),
        /// The local durable spool of a proxy.
        spool: Spool = Spool::default(),
        /// The request path.
        proxy: Proxy = Proxy::default(),
        /// The fold.
        projector: Projector = Projector::default(),
        /// API, invoices, reports and the inbox.
        reporting: Reporting = Reporting::default(),
        /// Logs, traces and metrics.
        telemetry: Telemetry = Telemetry::default(),
    }
}

impl Settings {
    /// Where the proxy listens.
    #[must_use]
    pub fn proxy_listen(&self) -> SocketAddr {
        self.proxy.listen.unwrap_or(self.listen)
    }

    /// Where reporting listens.
    #[must_use]
    pub fn reporting_listen(&self) -> SocketAddr {
        self.reporting.listen.or(self.admin_listen).unwrap_or(self.listen)
    }

    /// The folder of the spool.
    #[must_use]
    pub fn spool_dir(&self) -> PathBuf {
        self.spool.dir.clone().unwrap_or_else(|| self.data_dir.join("spool"))
    }

    /// All settings as a tree of names and values; secrets are redacted.
    #[must_use]
    pub fn redacted(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("settings are plain data with text keys")
    }
}

/// One setting in the reference table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Path in the file.
    pub path: String,
    /// Environment variable.
    pub environment: String,
    /// Default as it is written in the file; empty when unset.
    pub default: String,
    /// What it means.
    pub about: String,
}

/// The table of all settings, in the order of the file.
#[must_use]
pub fn reference() -> Vec<Entry> {
    let defaults = Tree::of(&Settings::default());
    fields()
        .map(|(path, about)| Entry {
            environment: tree::environment_name(&path),
            default: defaults.get(&path).map(tree::display).unwrap_or_default(),
            about: about.split_whitespace().collect::<Vec<_>>().join(" "),
            path,
        })
        .collect()
}

fn fields() -> impl Iterator<Item = (String, &'static str)> {
    let sections: [(&str, &'static [(&'static str, &'static str)]); 8] = [
        ("tls", TlsFiles::FIELDS),
        ("database", Database::FIELDS),
        ("limits", Limits::FIELDS),
        ("spool", Spool::FIELDS),
        ("proxy", Proxy::FIELDS),
        ("projector", Projector::FIELDS),
        ("reporting", Reporting::FIELDS),
        ("telemetry", Telemetry::FIELDS),
    ];
    let top = Settings::FIELDS
        .iter()
        .filter(move |(name, _)| sections.iter().all(|(section, _)| section != name))
        .map(|(name, about)| ((*name).to_owned(), *about));
    let nested = sections.into_iter().flat_map(|(section, fields)| {
        fields.iter().map(move |(name, about)| (format!("{section}.{name}"), *about))
    });
    top.chain(nested)
}
