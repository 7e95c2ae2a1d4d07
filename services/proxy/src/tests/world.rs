//! One proxy with everything that it stands on.

use super::provider::Provider;
use crate::build::{Deps, Proxy};
use crate::config::ProxyConfig;
use crate::control::{
    Change, Client, Key, KeyKind, KeyState, MemoryControl, Project, Provider as ProviderRow, ProviderKind,
    ProviderSecret, Snapshot, Team,
};
use crate::spool::{Advance, EpochRegister};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use http_body_util::BodyExt as _;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tallystick_domain::event::{Event, UsageRecorded};
use tallystick_domain::key;
use tallystick_domain::period::Zone;
use tallystick_domain::price::{PriceBook, PriceVersion};
use tallystick_domain::{ClientId, Currency, KeyId, MemberId, ProducerId, ProjectId, ProviderId, TeamId};
use tallystick_eventlog::{EventLog as _, FaultyLog, MemoryLog, ReadLimit};
use tallystick_runtime::health::Readiness;
use tallystick_runtime::http::Peer;
use tallystick_runtime::{Clock, Ids, SharedClock, Shutdown, TaskEnded, Tasks, TestClock};
use tallystick_store::secrets::{MasterKey, Secrets};
use tower::ServiceExt as _;
use uuid::Uuid;

pub(super) const SECRET: &str = "sk-provider-secret-0123456789";
pub(super) const START: &str = "2026-11-23T23:30:00Z";

pub(super) struct World {
    pub(super) clock: TestClock,
    pub(super) control: Arc<MemoryControl>,
    pub(super) provider: Provider,
    pub(super) log: MemoryLog,
    /// The same log, as the proxy sees it.
    pub(super) faulty: Arc<FaultyLog<MemoryLog>>,
    pub(super) proxy: Proxy,
    pub(super) readiness: Readiness,
    pub(super) key: String,
    pub(super) fragile: Arc<Fragile>,
    tasks: Tasks,
    router: Router,
    epochs: Arc<Epochs>,
    dir: tempfile::TempDir,
}

pub(super) fn secrets() -> Secrets {
    MasterKey::from_bytes([7; 32]).secrets()
}

/// A clock that can be made to panic once, to see what a panic leaves behind.
#[derive(Debug)]
pub(super) struct Fragile {
    inner: TestClock,
    broken: AtomicBool,
}

impl Fragile {
    /// The next one who asks how much time has passed panics.
    pub(super) fn break_once(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }
}

impl Clock for Fragile {
    fn now(&self) -> jiff::Timestamp {
        self.inner.now()
    }

    fn monotonic(&self) -> Duration {
        assert!(!self.broken.swap(false, Ordering::SeqCst), "the clock is broken on purpose");
        self.inner.monotonic()
    }
}

/// The register of epochs.
#[derive(Default)]
pub(super) struct Epochs(Mutex<HashMap<ProducerId, (u32, Uuid)>>);

#[async_trait::async_trait]
impl EpochRegister for Epochs {
    async fn advance(
        &self,
        producer: ProducerId,
        expected: u32,
        boot: Uuid,
    ) -> Result<Advance, Box<dyn Error + Send + Sync>> {
        let mut known = self.0.lock().unwrap();
        let now = known.entry(producer).or_insert((0, Uuid::nil()));
        if *now == (expected + 1, boot) {
            return Ok(Advance::Advanced);
        }
        if now.0 != expected {
            return Ok(Advance::Mismatch);
        }
        *now = (expected + 1, boot);
        Ok(Advance::Advanced)
    }
}

pub(super) fn team() -> TeamId {
    TeamId::derived("test", &[b"acme"])
}

pub(super) fn client(name: &str) -> ClientId {
    ClientId::derived("test", &[name.as_bytes()])
}

pub(super) fn project(name: &str) -> ProjectId {
    ProjectId::derived("test", &[name.as_bytes()])
}

/// A key with nothing forbidden, and its text.
pub(super) fn key(name: &str) -> (Key, String) {
    let mut random = [3; key::RANDOM_BYTES];
    for (at, byte) in name.bytes().enumerate() {
        random[at * 4] = byte;
    }
    let new = key::assemble(name, &random);
    let key = Key {
        id: KeyId::derived("test", &[name.as_bytes()]),
        team: team(),
        name: name.to_owned(),
        kind: KeyKind::Member,
        public: new.public,
        digest: secrets().pepper.hmac(&new.text),
        member: Some(MemberId::derived("test", &[b"ada"])),
        project: Some(project("site")),
        client: None,
        environment: Some("production".to_owned()),
        tool: Some("cursor-dev".to_owned()),
        models: Vec::new(),
        providers: Vec::new(),
        endpoints: Vec::new(),
        may_name_client: true,
        may_name_project: true,
        expires_at: None,
        rotated_out_at: None,
        state: KeyState::Active,
    };
    (key, new.text)
}

pub(super) fn provider_row(port: u16) -> ProviderRow {
    ProviderRow {
        id: ProviderId::derived("test", &[b"fake"]),
        team: team(),
        name: "fake".to_owned(),
        kind: ProviderKind::OpenAiCompatible,
        base_url: format!("http://127.0.0.1:{port}/v1"),
        secret: ProviderSecret::Value(SECRET.to_owned().into()),
        price_name: "fake".to_owned(),
        private_address: true,
        models: Vec::new(),
    }
}

fn prices() -> PriceBook {
    let version: PriceVersion = serde_json::from_value(serde_json::json!({
        "provider": "fake", "model": "m-1", "effective_from": "2026-01-01T00:00:00Z", "source": "test",
        "checked_on": "2026-01-01", "currency": "USD",
        "rates": { "input_uncached": "1", "cache_read": "0.5", "output_text": "4" },
    }))
    .unwrap();
    PriceBook::of([version.with_derived_id()]).unwrap()
}

fn snapshot(port: u16, key: Key) -> Snapshot {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let new_york = Zone::parse("America/New_York").unwrap();
    let client_row = |name: &str| Client {
        id: client(name),
        team: team(),
        name: name.to_owned(),
        zone: Some(new_york.clone()),
        archived: false,
    };
    let project_row = |name: &str, client: Option<ClientId>| Project {
        id: project(name),
        team: team(),
        name: name.to_owned(),
        client,
        archived: false,
    };
    Snapshot {
        seq: 7,
        teams: vec![Team { id: team(), name: "Agency".to_owned(), zone: berlin, currency: Currency::USD }],
        clients: vec![client_row("Acme Corp"), client_row("Startup X")],
        projects: vec![project_row("site", Some(client("Acme Corp"))), project_row("tools", None)],
        providers: vec![provider_row(port)],
        keys: vec![key],
        prices: Arc::new(prices()),
        team_prices: HashMap::new(),
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(adjust: impl FnOnce(&mut ProxyConfig)) -> Self {
        let tasks = Tasks::new(Shutdown::new());
        let provider = Provider::start(&tasks).await;
        let (row, text) = key("ci");
        let control = Arc::new(MemoryControl::new(snapshot(provider.port, row)));
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::at(START).unwrap();
        let (log, epochs) = (MemoryLog::new(), Arc::new(Epochs::default()));
        let mut config = config(dir.path());
        adjust(&mut config);
        let fragile = Arc::new(Fragile { inner: clock.clone(), broken: AtomicBool::new(false) });
        let faulty = Arc::new(FaultyLog::new(log.clone()));
        let (proxy, readiness) = build(config, &fragile, &control, &faulty, &epochs, &tasks).await;
        let router = proxy.router();
        Self {
            clock,
            control,
            provider,
            log,
            faulty,
            proxy,
            readiness,
            key: text,
            fragile,
            tasks,
            router,
            epochs,
            dir,
        }
    }

    /// Another proxy on the same spool, as after a restart. The first must have ended.
    pub(super) async fn restarted(self) -> Self {
        let tasks = Tasks::new(Shutdown::new());
        let (proxy, readiness) =
            build(config(self.dir.path()), &self.fragile, &self.control, &self.faulty, &self.epochs, &tasks)
                .await;
        let router = proxy.router();
        Self { proxy, readiness, tasks, router, ..self }
    }

    /// Drops everything that runs, as a crash would, and frees the spool.
    pub(super) async fn crash(&self) {
        self.proxy.spool().close();
        self.tasks.shutdown_signal().stop();
        self.tasks.shutdown(Duration::from_millis(1)).await.ok();
    }

    /// The proxy's own folder.
    pub(super) fn spool_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("spool")
    }

    /// Drains and closes; afterwards everything is in the log.
    pub(super) async fn drain(&self) {
        self.tasks.shutdown_signal().drain();
        tokio::time::timeout(Duration::from_secs(20), self.proxy.closed()).await.unwrap();
    }

    pub(super) fn request(&self, path: &str, body: &str) -> Request<Body> {
        let mut request = Request::post(path).body(Body::from(body.to_owned())).unwrap();
        let bearer = format!("Bearer {}", self.key);
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        request.extensions_mut().insert(Peer { address: "198.51.100.7:4711".parse().unwrap(), tls: false });
        request
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(super) async fn chat(&self, body: &str) -> Response {
        self.send(self.request("/v1/chat/completions", body)).await
    }

    /// A request as a future that a test can drop.
    pub(super) fn detached(&self, body: &str) -> impl Future<Output = Response> + Send + use<> {
        let (router, request) = (self.router.clone(), self.request("/v1/chat/completions", body));
        async move { router.oneshot(request).await.unwrap() }
    }

    /// Runs something that may panic.
    pub(super) async fn caught<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TaskEnded> {
        self.tasks.spawn("test.caught", work).await
    }

    pub(super) fn change(&self, change: Change) -> u64 {
        self.control.apply(change)
    }

    /// Returns when the proxy goes by this position of the feed.
    pub(super) async fn applied(&self, seq: u64) {
        while self.proxy.feed_seq() < seq {
            tokio::task::yield_now().await;
        }
    }

    /// Every event in the log.
    pub(super) async fn events(&self) -> Vec<Event> {
        let records = self.log.read(0, 0, ReadLimit::default()).await.unwrap();
        let decode = |record: &tallystick_eventlog::Record| {
            tallystick_schemas::decode(&record.headers, &record.payload).unwrap()
        };
        records.iter().map(|found| decode(&found.record)).collect()
    }

    /// Waits for so many usage events and gives them; fails when there are more.
    pub(super) async fn usage(&self, count: usize) -> Vec<UsageRecorded> {
        for _ in 0..2_000 {
            let events = self.events().await;
            let found: Vec<UsageRecorded> = events.iter().filter_map(recorded).collect();
            if found.len() >= count {
                assert_eq!(found.len(), count, "{found:?}");
                return found;
            }
            let end = u64::try_from(events.len()).unwrap();
            self.log.wait(0, end, Duration::from_millis(10)).await.unwrap();
        }
        panic!("there are no {count} usage events: {:?}", self.events().await);
    }

    /// The one usage event that there is.
    pub(super) async fn only_usage(&self) -> UsageRecorded {
        self.usage(1).await.remove(0)
    }
}

fn recorded(event: &Event) -> Option<UsageRecorded> {
    match event {
        Event::Recorded(event) => Some((**event).clone()),
        _ => None,
    }
}

fn config(dir: &Path) -> ProxyConfig {
    let mut config = ProxyConfig::in_dir(dir.join("spool"));
    config.spool.segment_bytes = 1 << 20;
    config.spool.max_payload_bytes = 64 << 10;
    config.spool.low_water_bytes = 0;
    config.ship.linger = Duration::ZERO;
    config.feed.poll = Duration::from_millis(10);
    config
}

async fn build(
    config: ProxyConfig,
    clock: &Arc<Fragile>,
    control: &Arc<MemoryControl>,
    log: &Arc<FaultyLog<MemoryLog>>,
    epochs: &Arc<Epochs>,
    tasks: &Tasks,
) -> (Proxy, Readiness) {
    let readiness = Readiness::new();
    let deps = Deps {
        control: Arc::clone(control) as Arc<_>,
        log: Arc::clone(log) as Arc<_>,
        epochs: Arc::clone(epochs) as Arc<_>,
        clock: Arc::clone(clock) as SharedClock,
        ids: Arc::new(Ids::new(Arc::clone(clock) as SharedClock)),
        tasks: tasks.clone(),
        secrets: secrets(),
        readiness: readiness.clone(),
    };
    (Proxy::build(config, deps).await.unwrap(), readiness)
}

pub(super) async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

pub(super) async fn document(response: Response) -> serde_json::Value {
    serde_json::from_str(&text(response).await).unwrap()
}
