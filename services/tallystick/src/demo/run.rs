//! One run, step by step.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::time::Duration;

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use tallystick_runtime::config::{Loaded, Settings};
use tallystick_runtime::telemetry::{self, Telemetry, TelemetryConfig};
use tallystick_runtime::{SharedClock, Shutdown, Tasks};
use tallystick_tests::provider::{DEFAULT_KEY, Provider, Settings as ProviderSettings};

use super::agency::{self, TRACE_KEY};
use super::documents::{self, Issued};
use super::place::Place;
use super::progress::Progress;
use super::settle::{Awaited, folded};
use super::summary::{Figures, Reconciled, gather};
use super::{DemoArgs, history, live, stay, trace};
use crate::client::{Api, TOKEN_FILE};
use crate::commands::events::import::import;
use crate::commands::verify::prove;
use crate::context::Context;
use crate::error::{CliError, Doing as _, Exit, Outcome};
use crate::output::{self, count, money};
use crate::server::{Instance, Role};

/// How often a producer says how far it is: often, so that nobody has to wait for the next time.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// How long a batch of the projector waits for more.
const LINGER: Duration = Duration::from_millis(20);
/// The spool of a demo is small.
const SEGMENT_BYTES: u64 = 8 << 20;

/// Runs the demo and says what came of it.
pub(crate) async fn run(context: Context, args: DemoArgs) -> Outcome {
    let requests = args.trace.as_deref().map(trace::read).transpose()?.unwrap_or_default();
    let shutdown = Shutdown::new();
    shutdown.on_signals().doing(|| "listening for signals".to_owned())?;
    let telemetry = start_telemetry(&context)?;
    let tasks = Tasks::new(shutdown.clone());
    let place = Place::prepare(&args.out)?;
    let settings = settings(&context.loaded, &place);
    let mut progress = Progress::new(context.clock.clone(), if requests.is_empty() { 8 } else { 9 });
    output::note(
        "\n  Tallystick demo: an agency, its clients, a month of AI spend, and the invoices for it\n",
    );
    progress.begin("starting a fake provider, PostgreSQL and Tallystick");
    let provider_settings = ProviderSettings { seed: args.seed, ..ProviderSettings::default() };
    let provider =
        Provider::start(provider_settings).await.doing(|| "starting the fake provider".to_owned())?;
    let instance = Instance::start(&settings, Role::Up, &tasks, None).await?;
    let shown = {
        let show = async {
            let stage = Stage::new(&context, &args, &place, &provider, &instance)?;
            progress.end(stage.api.url());
            let told = Box::pin(show(&stage, &requests, &mut progress)).await?;
            if context.json {
                output::json(&told.document)?;
            } else {
                output::data(told.text.as_bytes())?;
            }
            if args.stay && !context.json {
                stay::print(&stage.api, &place, told.secret.as_deref())?;
            }
            Ok(())
        };
        tokio::select! {
            shown = Box::pin(show) => shown,
            () = shutdown.draining() => Err(interrupted(&shutdown)),
        }
    };
    if args.stay && shown.is_ok() {
        shutdown.draining().await;
    }
    drop(progress);
    let unfinished = instance.stop(&tasks, settings.drain_timeout).await;
    drop(provider.stop().await);
    telemetry.shutdown().await;
    shown.and_then(|()| unfinished.doing(|| "ending the demo".to_owned()))
}

fn interrupted(shutdown: &Shutdown) -> CliError {
    match shutdown.failure() {
        Some(reason) => CliError::new(format!("the demo broke off: {reason}")),
        None => CliError::with_exit(Exit::Interrupted, "interrupted"),
    }
}

/// Logs would tear the progress apart: only errors are shown, unless the settings say otherwise.
fn start_telemetry(context: &Context) -> Outcome<Telemetry> {
    let mut settings = context.loaded.settings.telemetry.clone();
    if context.loaded.origin("telemetry.log_filter") == "default" {
        settings.log_filter = "error".to_owned();
    }
    let instance = context.ids.uuid().to_string();
    let config = TelemetryConfig {
        service: "tallystick-demo",
        version: env!("CARGO_PKG_VERSION"),
        instance,
        settings,
    };
    telemetry::init(&config).doing(|| "setting up telemetry".to_owned())
}

fn settings(loaded: &Loaded, place: &Place) -> Settings {
    let mut settings = loaded.settings.clone();
    settings.data_dir = place.data_dir();
    settings.database_url = None;
    settings.spool.dir = None;
    if loaded.origin("listen") == "default" {
        settings.listen.set_port(0);
    }
    settings.proxy.allow_private_upstreams = true;
    settings.spool.heartbeat_interval = HEARTBEAT;
    settings.spool.segment_bytes = SEGMENT_BYTES;
    settings.projector.linger = LINGER;
    settings
}

/// What the steps share.
struct Stage<'d> {
    api: Api,
    proxy_url: String,
    provider: &'d Provider,
    instance: &'d Instance,
    place: &'d Place,
    clock: SharedClock,
    zone: TimeZone,
    /// First day of last month, in the agency's zone.
    first: Date,
    /// The day on which the demo began, in the agency's zone.
    today: Date,
    seed: u64,
}

/// What is printed at the end, and a key for those who stay.
struct Told {
    text: String,
    document: Value,
    secret: Option<String>,
}

impl<'d> Stage<'d> {
    fn new(
        context: &Context,
        args: &DemoArgs,
        place: &'d Place,
        provider: &'d Provider,
        instance: &'d Instance,
    ) -> Outcome<Self> {
        let token = place.data_dir().join(TOKEN_FILE);
        let token = std::fs::read_to_string(&token).doing(|| format!("reading {}", token.display()))?;
        let url =
            |url: &Option<String>| url.clone().ok_or_else(|| CliError::new("the instance has no listener"));
        let zone = TimeZone::get(agency::ZONE).doing(|| format!("finding the zone {}", agency::ZONE))?;
        let today = context.clock.now().to_zoned(zone.clone()).date();
        let last_month =
            today.checked_sub(Span::new().months(1)).doing(|| "finding last month".to_owned())?;
        Ok(Self {
            api: Api::at(&url(&instance.addresses.api)?, token.trim())?,
            proxy_url: url(&instance.addresses.proxy)?,
            provider,
            instance,
            place,
            clock: context.clock.clone(),
            zone,
            first: last_month.first_of_month(),
            today,
            seed: args.seed,
        })
    }

    fn month(&self) -> String {
        self.first.strftime("%Y-%m").to_string()
    }

    /// The last ISO week that lies wholly in the month.
    fn week(&self) -> String {
        let last = self.first.last_of_month();
        let into_week = i64::from(last.weekday().to_monday_one_offset()) % 7;
        let sunday = last.checked_sub(Span::new().days(into_week)).unwrap_or(last);
        let week = sunday.iso_week_date();
        format!("{:04}-W{:02}", week.year(), week.week())
    }
}

async fn show(stage: &Stage<'_>, requests: &[trace::Request], progress: &mut Progress) -> Outcome<Told> {
    progress.begin("setting up Northlight Studio over the HTTP API");
    let secrets = agency::set_up(&stage.api, &stage.provider.root_url(), DEFAULT_KEY).await?;
    let trace_secret = secrets.get(TRACE_KEY).cloned();
    known_to_the_proxy(stage, &secrets).await?;
    progress.end(&format!("{} clients, {} keys", agency::CLIENTS.len(), secrets.len()));

    progress.begin(&format!("importing {} from another gateway's log", stage.first.strftime("%B %Y")));
    let imported = import_history(stage, progress).await?;
    progress.end(&format!("{} events", count(imported)));

    progress.begin("today's traffic through the proxy");
    let seen = live::run(&stage.proxy_url, &secrets, stage.seed, |done| progress.tell(&count(done))).await?;
    progress.end(&format!(
        "{} calls, {} of them streams, {} failed",
        count(seen.calls),
        count(seen.streams),
        seen.failed
    ));

    let replayed = match (requests.is_empty(), &trace_secret) {
        (false, Some(secret)) => Some(replay(stage, secret, requests, progress).await?),
        _ => None,
    };

    progress.begin("waiting until the ledger has everything");
    let reconciled = fold(stage, imported, progress).await?;
    progress.end(&format!("complete, live part {}", money(reconciled.ledger, "USD")));

    progress.begin("drafting and finalising the month's invoices");
    let issued = documents::invoices(&stage.api, stage.place, &stage.month()).await?;
    progress.end(
        &issued.iter().filter_map(|issued| issued.invoice["number"].as_str()).collect::<Vec<_>>().join(", "),
    );

    progress.begin("writing reports");
    documents::reports(&stage.api, stage.place, &stage.month(), &stage.week()).await?;
    documents::usage(&stage.api, stage.place, &stage.month()).await?;
    progress.end("month, week, usage");

    progress.begin("verifying the ledger");
    let verified = Box::pin(prove(stage.instance.store())).await?;
    progress.end(if verified.ok { "clean" } else { "NOT clean" });
    let figures = Figures { issued, reconciled, verified, seen, replayed };
    tell(stage, &figures, &secrets).await
}

/// Waits until the proxy has heard of the last key.
async fn known_to_the_proxy(stage: &Stage<'_>, secrets: &BTreeMap<String, String>) -> Outcome {
    for secret in secrets.values() {
        let key = Api::at(&stage.proxy_url, secret)?;
        let mut asked = 0;
        while !key.call(http::Method::GET, "/v1/key", crate::client::Body::None).await?.status.is_success() {
            asked += 1;
            if asked > 200 {
                return Err(CliError::new("the proxy has not heard of a new key for ten seconds"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

async fn import_history(stage: &Stage<'_>, progress: &Progress) -> Outcome<u64> {
    let path = stage.place.file(&format!("usage/{}-history.jsonl", stage.month()));
    let file = File::create(&path).doing(|| format!("writing {}", path.display()))?;
    let written = history::write(stage.first, &stage.zone, stage.seed, &mut BufWriter::new(file))?;
    let file = File::open(&path).doing(|| format!("reading {}", path.display()))?;
    let tell = |lines: u64| progress.tell(&format!("{} of {}", count(lines), count(written)));
    let report = import(&stage.api, BufReader::new(file), tell).await?;
    if report.accepted != written || report.unrated > 0 {
        let what = format!(
            "of {written} events {} were accepted, {} without a price",
            report.accepted, report.unrated
        );
        let first = report.results.iter().find(|result| result["status"] == "invalid");
        return Err(CliError::new(format!("{what}; first of them: {}", first.unwrap_or(&Value::Null))));
    }
    Ok(written)
}

async fn replay(
    stage: &Stage<'_>,
    secret: &str,
    requests: &[trace::Request],
    progress: &mut Progress,
) -> Outcome<(u64, Duration)> {
    progress.begin("replaying the trace through the proxy");
    let began = stage.clock.monotonic();
    let tell = |done: u64| progress.tell(&format!("{} of {}", count(done), count(requests.len() as u64)));
    let answered = trace::replay(&stage.proxy_url, secret, requests, tell).await?;
    let took = stage.clock.monotonic().saturating_sub(began);
    progress.end(&format!("{} of {} answered", count(answered), count(requests.len() as u64)));
    Ok((answered, took))
}

/// Waits for both parts; compares the live one with the provider's own bill.
async fn fold(stage: &Stage<'_>, imported: u64, progress: &Progress) -> Outcome<Reconciled> {
    stage.provider.settled().await;
    let bill = stage.provider.bill();
    let now = stage.clock.now();
    let next_month = stage.first.last_of_month().tomorrow().doing(|| "finding this month".to_owned())?;
    let last_month = Awaited {
        from: stage.first.to_string(),
        to: next_month.to_string(),
        requests: imported,
        complete_until: now,
    };
    let tomorrow =
        now.to_zoned(stage.zone.clone()).date().tomorrow().doing(|| "finding tomorrow".to_owned())?;
    let live = Awaited {
        from: stage.today.to_string(),
        to: tomorrow.to_string(),
        requests: bill.lines.len() as u64,
        complete_until: now,
    };
    folded(&stage.api, &last_month, |there| {
        progress.tell(&format!("{} of {}", count(there), count(imported)))
    })
    .await?;
    let sums = folded(&stage.api, &live, |_| {}).await?;
    let ledger = sums.pointer("/total/cost").and_then(Value::as_str).and_then(|text| text.parse().ok());
    Ok(Reconciled {
        calls: bill.lines.len() as u64,
        bill: bill.total().to_string().parse().doing(|| "reading the provider's bill".to_owned())?,
        ledger: ledger.ok_or_else(|| CliError::new("the ledger gave no total"))?,
        ledger_calls: sums.pointer("/total/requests").and_then(Value::as_u64).unwrap_or(0),
        from: live.from,
        to: live.to,
    })
}

async fn tell(stage: &Stage<'_>, figures: &Figures, secrets: &BTreeMap<String, String>) -> Outcome<Told> {
    let summary = Box::pin(gather(&stage.api, figures, &stage.month())).await?;
    let text = summary.render(stage.place);
    stage.place.write("summary.txt", text.as_bytes())?;
    if !figures.verified.ok || !figures.reconciled.is_equal() {
        output::data(text.as_bytes())?;
        return Err(CliError::new("the ledger is not what it should be")
            .advise("the summary above names the difference"));
    }
    let document = summary.document(stage.place);
    Ok(Told { text, document, secret: secrets.get("open-webui-team").cloned() })
}

/// The finalised invoices' pages, for the summary.
impl Issued {
    pub(super) fn field(&self, name: &str) -> &str {
        self.invoice[name].as_str().unwrap_or("-")
    }
}
