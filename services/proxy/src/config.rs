//! Settings of the proxy: what `runtime::config` reads, in the form that the request path uses.
//!
//! Sizes are bytes, times are durations. Every queue, body, batch, stream and cache has its limit here.

use crate::spool::SpoolConfig;
use std::path::PathBuf;
use std::time::Duration;
use tallystick_domain::sse::SseLimits;
use tallystick_runtime::config::Settings;

/// Settings of one proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyConfig {
    /// Folder of the spool. One process per folder.
    pub spool_dir: PathBuf,
    /// The spool itself.
    pub spool: SpoolConfig,
    /// When the intent has to be on disk.
    pub intent: IntentMode,
    /// What a request may be.
    pub request: RequestLimits,
    /// How the provider is called.
    pub upstream: UpstreamLimits,
    /// What happens when a client goes away.
    pub drain: DrainLimits,
    /// How events reach the log.
    pub ship: ShipConfig,
    /// How the control plane is followed.
    pub feed: FeedConfig,
}

/// When the record of a call has to be on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IntentMode {
    /// Before the first byte of the answer leaves: the disk works while the provider does.
    #[default]
    BeforeResponse,
    /// Before anything is sent upstream: no call can be hidden by a power loss, at the price of one disk sync.
    BeforeSend,
}

/// Limits of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Largest body in bytes. Beyond: `413`.
    pub body_bytes: u64,
    /// Time for the whole body. Beyond: `408`.
    pub body_timeout: Duration,
    /// Largest value of `x-tallystick-tags` in bytes. Beyond: `400`.
    pub tags_bytes: usize,
    /// Most requests in flight, drains included. Beyond: `503`.
    pub in_flight: usize,
}

/// Limits of one upstream call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamLimits {
    /// Time for a connection, TLS included.
    pub connect_timeout: Duration,
    /// Time from sending to the status line.
    pub first_byte_timeout: Duration,
    /// Longest silence within an answer.
    pub idle_timeout: Duration,
    /// Largest answer that is read whole (not an event stream), in bytes. Beyond: `502`.
    pub answer_bytes: u64,
    /// Largest event of a stream, in bytes. Beyond: the rest passes unread and the usage is estimated.
    pub event_bytes: usize,
    /// Idle connections kept per provider.
    pub pool_idle_per_host: usize,
    /// How long an idle connection is kept.
    pub pool_idle_timeout: Duration,
    /// A stream notes its progress in the spool at most this often.
    pub progress_every: Duration,
    /// Whether every provider may be at a private, loopback or link-local address. Otherwise only those that the
    /// operator allowed it.
    pub allow_private: bool,
}

/// How far an answer is read that nobody waits for any more. Beyond a limit it is settled as an estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainLimits {
    /// Most drains at a time.
    pub concurrent: usize,
    /// Most bytes of one drain.
    pub bytes: u64,
    /// Longest drain.
    pub time: Duration,
}

/// How events reach the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipConfig {
    /// Most records of one append.
    pub batch_records: usize,
    /// Most payload bytes of one append.
    pub batch_bytes: usize,
    /// Time to wait for more records before a batch that is not full is shipped.
    pub linger: Duration,
    /// Longest pause between two tries while the log is away; the first is 100 ms, then it doubles.
    pub retry_max: Duration,
    /// How often the producer states what it still owes.
    pub heartbeat: Duration,
    /// Refusals are counted in windows of this length (whole seconds).
    pub refused_window: Duration,
    /// Most different refusals (key, reason, model) counted in one window; more are counted without the model.
    pub refused_distinct: usize,
    /// How long a drain waits for the log to take the last events. What remains is shipped at the next start.
    pub close: Duration,
}

/// How the control plane is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedConfig {
    /// A proxy that has not heard from the control plane for this long admits nothing. A longer time trades revocation
    /// for availability.
    pub stale: Duration,
    /// How often the feed is asked when nobody calls.
    pub poll: Duration,
}

/// Settings that can not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("proxy settings: {0}")]
pub struct ConfigError(&'static str);

impl ProxyConfig {
    /// The part of the process's settings that concerns the proxy.
    ///
    /// # Errors
    /// Names the setting that can not work.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let (proxy, spool, limits) = (&settings.proxy, &settings.spool, &settings.limits);
        let intent = match proxy.intent.as_str() {
            "before_response" => IntentMode::BeforeResponse,
            "before_send" => IntentMode::BeforeSend,
            _ => return Err(ConfigError("proxy.intent must be before_response or before_send")),
        };
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let config = Self {
            spool_dir: settings.spool_dir(),
            spool: SpoolConfig {
                segment_bytes: u32::try_from(spool.segment_bytes)
                    .map_err(|_| ConfigError("spool.segment_bytes must be below 4 GiB"))?,
                low_water_bytes: spool.low_water_bytes,
                max_backlog_bytes: spool.backlog_bytes,
                retain_us: u64::try_from(spool.retained_age.as_micros()).unwrap_or(u64::MAX),
                retain_bytes: spool.retained_bytes,
                ..SpoolConfig::default()
            },
            intent,
            request: RequestLimits {
                body_bytes: limits.body_bytes,
                body_timeout: limits.body_read_timeout,
                in_flight: proxy.requests_in_flight,
                ..RequestLimits::default()
            },
            upstream: UpstreamLimits {
                connect_timeout: proxy.upstream_connect_timeout,
                first_byte_timeout: proxy.upstream_first_byte_timeout,
                idle_timeout: proxy.upstream_idle_timeout,
                answer_bytes: proxy.upstream_body_bytes,
                event_bytes: size(proxy.stream_event_bytes),
                pool_idle_per_host: proxy.upstream_idle_connections,
                pool_idle_timeout: proxy.upstream_keep_alive,
                progress_every: spool.progress_interval,
                allow_private: proxy.allow_private_upstreams,
            },
            drain: DrainLimits {
                concurrent: proxy.drain_concurrency,
                bytes: proxy.drain_bytes,
                time: proxy.drain_time,
            },
            ship: ShipConfig {
                batch_records: spool.ship_batch_records,
                batch_bytes: size(spool.ship_batch_bytes),
                linger: spool.ship_linger,
                retry_max: spool.ship_retry_max,
                heartbeat: spool.heartbeat_interval,
                refused_window: proxy.refused_interval,
                ..ShipConfig::default()
            },
            feed: FeedConfig { stale: proxy.feed_staleness, poll: proxy.feed_poll },
        };
        config.validate()?;
        Ok(config)
    }

    /// The defaults, with the spool in `spool_dir`.
    #[must_use]
    pub fn in_dir(spool_dir: PathBuf) -> Self {
        Self {
            spool_dir,
            spool: SpoolConfig::default(),
            intent: IntentMode::default(),
            request: RequestLimits::default(),
            upstream: UpstreamLimits::default(),
            drain: DrainLimits::default(),
            ship: ShipConfig::default(),
            feed: FeedConfig::default(),
        }
    }

    /// Checks what must hold before anything is started.
    ///
    /// # Errors
    /// Names the setting that can not work.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let zero = Duration::ZERO;
        let broken = [
            (self.request.body_bytes == 0, "limits.body_bytes must be above 0"),
            (self.request.in_flight == 0, "proxy.requests_in_flight must be above 0"),
            (self.upstream.answer_bytes == 0, "proxy.upstream_body_bytes must be above 0"),
            (self.upstream.event_bytes == 0, "proxy.stream_event_bytes must be above 0"),
            (self.upstream.first_byte_timeout == zero, "proxy.upstream_first_byte_timeout must be above 0"),
            (self.upstream.idle_timeout == zero, "proxy.upstream_idle_timeout must be above 0"),
            (self.ship.batch_records == 0, "spool.ship_batch_records must be above 0"),
            (self.ship.batch_bytes == 0, "spool.ship_batch_bytes must be above 0"),
            (self.ship.heartbeat == zero, "spool.heartbeat_interval must be above 0"),
            (self.ship.refused_window.as_secs() == 0, "proxy.refused_interval must be at least 1s"),
            (self.feed.stale <= self.feed.poll, "proxy.feed_staleness must be above proxy.feed_poll"),
        ];
        match broken.iter().find(|(broken, _)| *broken) {
            Some((_, why)) => Err(ConfigError(why)),
            None => Ok(()),
        }
    }
}

impl UpstreamLimits {
    pub(crate) fn sse(&self) -> SseLimits {
        SseLimits { line_bytes: self.event_bytes, frame_bytes: self.event_bytes }
    }
}

impl Default for RequestLimits {
    /// 10 MiB in 60 s, 1 KiB of tags, 4096 at a time.
    fn default() -> Self {
        Self {
            body_bytes: 10 << 20,
            body_timeout: Duration::from_secs(60),
            tags_bytes: 1024,
            in_flight: 4096,
        }
    }
}

impl Default for UpstreamLimits {
    /// 10 s to connect, 600 s to the first byte (as the SDKs wait), 120 s of silence, 64 MiB per answer.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(120),
            answer_bytes: 64 << 20,
            event_bytes: 1 << 20,
            pool_idle_per_host: 256,
            pool_idle_timeout: Duration::from_secs(30),
            progress_every: Duration::from_secs(10),
            allow_private: false,
        }
    }
}

impl Default for DrainLimits {
    /// 256 drains of at most 64 MiB and 600 s.
    fn default() -> Self {
        Self { concurrent: 256, bytes: 64 << 20, time: Duration::from_secs(600) }
    }
}

impl Default for ShipConfig {
    /// 1000 records or 4 MiB per append, a heartbeat every 10 s, refusals in windows of 10 s.
    fn default() -> Self {
        Self {
            batch_records: 1_000,
            batch_bytes: 4 << 20,
            linger: Duration::from_millis(50),
            retry_max: Duration::from_secs(10),
            heartbeat: Duration::from_secs(10),
            refused_window: Duration::from_secs(10),
            refused_distinct: 10_000,
            close: Duration::from_secs(10),
        }
    }
}

impl Default for FeedConfig {
    /// Stale after 30 s, asked every second.
    fn default() -> Self {
        Self { stale: Duration::from_secs(30), poll: Duration::from_secs(1) }
    }
}
