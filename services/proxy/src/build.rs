//! Putting a proxy together, and taking it down without forgetting anything.
//!
//! **Up**: check the settings, take a snapshot of the control plane, lock the spool and move its epoch, settle what a
//! crash left open, then start the tasks. Nothing is served before that.
//!
//! **Down**, when the process drains: wait for what is in flight, admit nothing more, write the counted refusals and a
//! closing heartbeat, wait for the log within `ship.close`, close the spool. What the log has not taken is shipped at the
//! next start.

use crate::accept;
use crate::call::Drains;
use crate::config::{ConfigError, ProxyConfig};
use crate::control::{ControlError, ControlSource, Feed, follow, load_first};
use crate::core::{Core, Parts};
use crate::metrics;
use crate::refused;
use crate::ship::{heartbeat, recover, shipper};
use crate::slate::{Left, Slate};
use crate::spool::{EpochRegister, LockedSpool, Opened, ShipReader, Spool, SpoolError};
use crate::upstream::Upstream;
use axum::Router;
use axum::routing::any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tallystick_domain::ProducerId;
use tallystick_eventlog::EventLog;
use tallystick_runtime::health::Readiness;
use tallystick_runtime::{Ids, SharedClock, TaskEnded, Tasks};
use tallystick_store::secrets::Secrets;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The file of intents on their way to the disk, in the spool's folder.
const SLATE: &str = "slate";
/// How often the end of a drain is looked for.
const LOOK: Duration = Duration::from_millis(10);
/// How often counted refusals are looked through.
const FLUSH: Duration = Duration::from_secs(1);
/// How often old segments are looked for.
const SWEEP: Duration = Duration::from_secs(60);

/// What a proxy stands on.
pub struct Deps {
    /// The control plane.
    pub control: Arc<dyn ControlSource>,
    /// The event log.
    pub log: Arc<dyn EventLog>,
    /// The register of spool epochs.
    pub epochs: Arc<dyn EpochRegister>,
    /// The clock.
    pub clock: SharedClock,
    /// The source of ids.
    pub ids: Arc<Ids>,
    /// The process's tasks.
    pub tasks: Tasks,
    /// The instance's keys: they prove callers and make prints.
    pub secrets: Secrets,
    /// Where the proxy says how it is.
    pub readiness: Readiness,
}

/// Why a proxy could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The settings contradict each other.
    #[error("checking the proxy's settings")]
    Config(#[from] ConfigError),
    /// No snapshot.
    #[error("loading the control plane")]
    Control(#[from] ControlError),
    /// The spool can not be opened.
    #[error("opening the spool")]
    Spool(#[from] SpoolError),
    /// The slate can not be opened or wiped.
    #[error("opening the slate {}", path.display())]
    Slate {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The TLS client can not be made.
    #[error("setting up TLS to the providers")]
    Tls(#[from] rustls::Error),
    /// The process ended meanwhile.
    #[error("the process ended while the proxy was put together")]
    Ended(#[from] TaskEnded),
}

/// A running proxy. It ends with the process: see the module.
pub struct Proxy {
    core: Arc<Core>,
    closed: watch::Receiver<bool>,
    recovered: usize,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("spool", &self.core.spool).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Builds a proxy and starts its tasks. Registers the readiness checks `control` and `spool`.
    ///
    /// # Errors
    /// See [`BuildError`]; nothing is left running then.
    pub async fn build(config: ProxyConfig, deps: Deps) -> Result<Self, BuildError> {
        config.validate()?;
        let feed = Arc::new(Feed::new(Arc::clone(&deps.clock), &config.feed));
        let rows = load_first(&feed, deps.control.as_ref(), &config).await?;
        let upstream = Upstream::new(&config.upstream)?;
        let (Opened { spool, reader, unsettled, truncated_bytes }, slate, sent) =
            open_spool(&config, &deps).await?;
        if truncated_bytes > 0 {
            tracing::warn!(
                spool.truncated_bytes = truncated_bytes,
                "the end of the spool was torn and has been cut"
            );
        }
        let recovered = recover::settle_all(&spool, unsettled, sent, deps.clock.now()).await?;
        slate.wipe().map_err(slate_error(&config))?;
        if recovered > 0 {
            tracing::warn!(
                spool.recovered = recovered,
                "calls that a crash left open were settled as estimates"
            );
        }
        let core = Arc::new(Core::new(Parts {
            clock: Arc::clone(&deps.clock),
            ids: Arc::clone(&deps.ids),
            secrets: deps.secrets.clone(),
            feed: Arc::clone(&feed),
            spool,
            slate,
            upstream,
            drains: Arc::new(Drains::new(deps.tasks.clone(), &config.drain)),
            config,
        }));
        metrics::observe(&core);
        probes(&core, &deps.readiness);
        let (ended, closed) = watch::channel(false);
        let source = Arc::clone(&deps.control);
        drop(deps.tasks.spawn(
            "proxy.feed",
            until_drained(&core, &deps.tasks, follow(feed, source, core.config.clone(), rows)),
        ));
        let stop = CancellationToken::new();
        start_shipping(&core, &deps, reader, &stop);
        drop(deps.tasks.spawn("proxy.close", close(Arc::clone(&core), deps.tasks.clone(), stop, ended)));
        Ok(Self { core, closed, recovered })
    }

    /// The request path, to be served by `runtime::http`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/v1/{*rest}", any(accept::handle))
            .route("/{provider}/v1/{*rest}", any(accept::handle))
            .with_state(Arc::clone(&self.core))
    }

    /// The request path for a process that serves nothing else: every other path is answered as unknown too, in the SDK's
    /// envelope.
    pub fn router_alone(&self) -> Router {
        self.router().fallback_service(any(accept::handle).with_state(Arc::clone(&self.core)))
    }

    /// The spool, for status and for `spool resend`.
    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.core.spool
    }

    /// How many calls a crash had left open; they were settled as estimates.
    #[must_use]
    pub fn recovered(&self) -> usize {
        self.recovered
    }

    /// The position of the control feed that is in force here.
    #[must_use]
    pub fn feed_seq(&self) -> u64 {
        self.core.feed.seq()
    }

    /// Returns when the drain is over and the spool is closed.
    pub async fn closed(&self) {
        let mut closed = self.closed.clone();
        // An error means that the task was dropped at the hard stop: nothing more happens then either.
        drop(closed.wait_for(|closed| *closed).await);
    }
}

async fn open_spool(
    config: &ProxyConfig,
    deps: &Deps,
) -> Result<(Opened, Arc<Slate>, Vec<Left>), BuildError> {
    let fresh = || deps.ids.typed(ProducerId::from_uuid);
    let now_us = crate::call::to_us(deps.clock.now());
    let (dir, new) = (config.spool_dir.clone(), fresh());
    let locked = deps.tasks.spawn_blocking("proxy.spool.lock", move || LockedSpool::lock(&dir, new, now_us));
    let mut locked = locked.await??;
    let identity = locked.claim(deps.epochs.as_ref(), fresh(), deps.ids.uuid()).await?;
    let spool = config.spool.clone();
    let opened =
        deps.tasks.spawn_blocking("proxy.spool.open", move || locked.open(identity, spool)).await??;
    let path = config.spool_dir.join(SLATE);
    let (slots, bytes, clock) =
        (config.request.in_flight, config.spool.intent_reserve_bytes, Arc::clone(&deps.clock));
    let slate = deps
        .tasks
        .spawn_blocking("proxy.slate.open", move || Slate::open(&path, slots, bytes, clock))
        .await?;
    let (slate, sent) = slate.map_err(slate_error(config))?;
    Ok((opened, slate, sent))
}

fn slate_error(config: &ProxyConfig) -> impl FnOnce(std::io::Error) -> BuildError {
    let path = config.spool_dir.join(SLATE);
    move |source| BuildError::Slate { path, source }
}

fn probes(core: &Arc<Core>, readiness: &Readiness) {
    let feed = Arc::clone(&core.feed);
    readiness.probe("control", move || match feed.age() {
        Some(_) if feed.is_current() => Ok(()),
        Some(age) => Err(format!("the control plane last answered {} s ago", age.as_secs())),
        None => Err("the control plane has not answered yet".to_owned()),
    });
    let core = Arc::downgrade(core);
    readiness.probe("spool", move || {
        let Some(core) = core.upgrade() else { return Err("the proxy has ended".to_owned()) };
        let (stats, limits) = (core.spool.stats(), &core.config.spool);
        if stats.poisoned {
            return Err("a write to the spool failed".to_owned());
        }
        if stats.free_bytes < limits.low_water_bytes {
            return Err("the spool's disk is nearly full".to_owned());
        }
        if stats.backlog_bytes >= limits.max_backlog_bytes {
            return Err("too much waits to be shipped".to_owned());
        }
        Ok(())
    });
}

fn start_shipping(core: &Arc<Core>, deps: &Deps, reader: ShipReader, stop: &CancellationToken) {
    let shipping = shipper::run(Arc::clone(core), reader, Arc::clone(&deps.log));
    let stopped = stop.clone();
    drop(deps.tasks.spawn_critical("proxy.ship", async move {
        tokio::select! {
            biased;
            shipped = shipping => shipped,
            () = stopped.cancelled() => Ok(()),
        }
    }));
    let watched = core.spool.clone();
    drop(deps.tasks.spawn_critical("proxy.spool", async move {
        match watched.stopped().await {
            SpoolError::Closed => Ok(()),
            error => Err(error),
        }
    }));
    drop(deps.tasks.spawn("proxy.beat", until_drained(core, &deps.tasks, beat(Arc::clone(core)))));
    let sweeping = sweep(Arc::clone(core), deps.tasks.clone());
    drop(deps.tasks.spawn("proxy.sweep", until_drained(core, &deps.tasks, sweeping)));
}

/// Runs `work` until the process drains and nothing is in flight any more.
fn until_drained<W>(core: &Arc<Core>, tasks: &Tasks, work: W) -> impl Future<Output = ()> + Send + use<W>
where
    W: Future<Output = ()> + Send,
{
    let (core, shutdown) = (Arc::clone(core), tasks.shutdown_signal().clone());
    async move {
        let idle = async {
            shutdown.draining().await;
            while core.in_flight() > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! { () = work => {}, () = idle => {} }
    }
}

/// Heartbeats, and refusals as their windows end.
async fn beat(core: Arc<Core>) {
    let mut beats = tokio::time::interval(core.config.ship.heartbeat);
    let mut flushes = tokio::time::interval(FLUSH.min(core.config.ship.refused_window));
    loop {
        tokio::select! {
            _ = beats.tick() => {
                if let Err(error) = heartbeat::beat(&core, false) {
                    tracing::debug!(error.message = %error, "a heartbeat was not written");
                }
            }
            _ = flushes.tick() => refused::flush(&core, false),
        }
    }
}

async fn sweep(core: Arc<Core>, tasks: Tasks) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let (spool, now_us) = (core.spool.clone(), core.now_us());
        let swept = tasks.spawn_blocking("proxy.spool.sweep", move || spool.sweep(now_us)).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(error.message = %error, "old segments were not removed");
        }
    }
}

/// The way down; see the module.
async fn close(core: Arc<Core>, tasks: Tasks, stop: CancellationToken, ended: watch::Sender<bool>) {
    let shutdown = tasks.shutdown_signal().clone();
    shutdown.draining().await;
    let orderly = async {
        while core.in_flight() > 0 {
            tokio::time::sleep(LOOK).await;
        }
        core.close();
        let shipped = tokio::time::timeout(core.config.ship.close, ship_the_rest(&core)).await;
        if shipped.is_err() {
            tracing::warn!("the log did not take everything in time; the rest is shipped at the next start");
        }
    };
    tokio::select! { () = orderly => {}, () = shutdown.stopped() => core.close() }
    let spool = core.spool.clone();
    if tasks.spawn_blocking("proxy.spool.close", move || spool.close()).await.is_err() {
        tracing::error!("closing the spool failed");
    }
    stop.cancel();
    ended.send_replace(true);
}

async fn ship_the_rest(core: &Core) {
    refused::flush(core, true);
    while core.spool.stats().unsettled > 0 {
        tokio::time::sleep(LOOK).await;
    }
    match heartbeat::beat(core, true) {
        Ok(Some(ticket)) => drop(ticket.durable().await),
        Ok(None) => {}
        Err(error) => tracing::warn!(error.message = %error, "the closing heartbeat was not written"),
    }
    loop {
        let stats = core.spool.stats();
        if stats.poisoned || stats.acknowledged >= stats.durable {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}
