//! The server's commands: `up`, `proxy`, `projector`, `reporting`.
//!
//! Owns the order in which a process comes up and goes down, and how the services share it. Does not own what a service
//! does.
//!
//! **Up**: signals, telemetry, database (own or given), schema, secret key, first start, log, services, listeners, then
//! the banner. Nothing is served before the services are built. **Down**, on SIGTERM or when something critical failed:
//! stop accepting, let requests end, ship what is spooled, then close the pool, stop the own PostgreSQL, flush telemetry.
//!
//! Read next: `instance` (the services of one process), `database` (own or given PostgreSQL).

mod banner;
mod database;
mod instance;
mod listeners;
mod render;

use tallystick_runtime::config::Settings;
use tallystick_runtime::telemetry::{self, Telemetry, TelemetryConfig};
use tallystick_runtime::{Shutdown, Tasks};

pub(crate) use database::{Database, Origin};
pub(crate) use instance::Instance;

use crate::context::Context;
use crate::error::{CliError, Doing as _, Exit, Outcome};

/// Which services a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// All of them.
    Up,
    Proxy,
    Projector,
    Reporting,
}

impl Role {
    /// `service.name` in telemetry.
    const fn service(self) -> &'static str {
        match self {
            Self::Up => "tallystick-up",
            Self::Proxy => "tallystick-proxy",
            Self::Projector => "tallystick-projector",
            Self::Reporting => "tallystick-reporting",
        }
    }

    pub(crate) const fn has_proxy(self) -> bool {
        matches!(self, Self::Up | Self::Proxy)
    }

    pub(crate) const fn has_projector(self) -> bool {
        matches!(self, Self::Up | Self::Projector)
    }

    pub(crate) const fn has_reporting(self) -> bool {
        matches!(self, Self::Up | Self::Reporting)
    }

    /// Who has the control plane brings the schema up to date and sets up the first team; the others wait for that.
    pub(crate) const fn sets_up(self) -> bool {
        self.has_reporting()
    }
}

/// Runs a server until it is asked to end.
pub(crate) async fn run(context: Context, role: Role) -> Outcome {
    let settings = context.loaded.settings.clone();
    refuse_what_is_not_built(&settings)?;
    let shutdown = Shutdown::new();
    shutdown.on_signals().doing(|| "listening for signals".to_owned())?;
    let telemetry = start_telemetry(&context, role)?;
    let tasks = Tasks::new(shutdown.clone());
    let started = Instance::start(&settings, role, &tasks, Some(&telemetry)).await;
    let ended = match started {
        Ok(instance) => {
            banner::print(&instance, &settings, role);
            shutdown.draining().await;
            let unfinished = instance.stop(&tasks, settings.drain_timeout).await;
            match (shutdown.failure(), unfinished) {
                (Some(reason), _) => {
                    Err(CliError::new(format!("something the process can not live without failed: {reason}")))
                }
                (None, Err(unfinished)) if !shutdown.is_stopped() => {
                    Err(CliError::new(unfinished.to_string()))
                }
                _ => Ok(()),
            }
        }
        Err(error) => Err(error),
    };
    telemetry.shutdown().await;
    ended
}

fn start_telemetry(context: &Context, role: Role) -> Outcome<Telemetry> {
    let config = TelemetryConfig {
        service: role.service(),
        version: env!("CARGO_PKG_VERSION"),
        instance: context.ids.uuid().to_string(),
        settings: context.loaded.settings.telemetry.clone(),
    };
    telemetry::init(&config).doing(|| "setting up telemetry".to_owned())
}

/// Kafka is a setting that stays; this build can not serve it yet.
fn refuse_what_is_not_built(settings: &Settings) -> Outcome {
    if settings.log == "postgres" {
        return Ok(());
    }
    Err(CliError::with_exit(
        Exit::Usage,
        format!("this build has no Kafka yet: the log can not be {}", settings.log),
    )
    .advise("Kafka comes with the next release; leave --log out, and the log is kept in PostgreSQL"))
}
