//! Section b: the projector end to end from a filled log, beside a plain `COPY` of the rows that it wrote.
//!
//! Phases of a round, on a fresh PostgreSQL as `tallystick up` runs it (fsync and synchronous commits on): (1) fill the
//! log; (2) fold all of it, timed; (3) read the event rows back in binary form, into memory; (4) `COPY` them, timed,
//! in one statement into an unpartitioned table with nothing but its primary key. So the yardstick does less in every
//! respect: no reading, no decoding, no dedupe, one index instead of three, no postings, no rollups, one commit.

use super::child::{cpu_of_family, folder, used_by};
use super::events::{Agency, Traffic};
use super::rounds::{ROUNDS, Rounds};
use super::table::{Row, Target};
use anyhow::{Context, ensure};
use futures_util::TryStreamExt;
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tallystick_eventlog::{EventLog, PostgresLog};
use tallystick_projector::{Projector, ProjectorConfig};
use tallystick_store::Store;
use tallystick_store::managed::{ManagedConfig, ManagedPostgres};
use uuid::Uuid;

const SECTION: &str = "projector, end to end from a filled log";
/// Events per append while the log is filled; proxies ship in such batches under load.
const APPEND: usize = 1_000;
/// Bytes per message of the `COPY`.
const COPY_CHUNK: usize = 64 << 10;

/// One shape of traffic.
#[derive(Clone, Copy)]
struct Variant {
    name: &'static str,
    agency: Agency,
    events: usize,
}

struct Round {
    folded: Duration,
    /// CPU seconds of the projector and of PostgreSQL while folding, and of PostgreSQL while copying.
    cpu_s: [f64; 3],
    copied: Duration,
    bytes: usize,
}

/// Measures both variants; gives the server's description, the sizes and the rows.
pub(crate) async fn measure(events: usize) -> anyhow::Result<(String, Vec<String>, Vec<Row>)> {
    let variants = [
        Variant { name: "2k keys", agency: Agency { keys: 2_000 }, events },
        Variant { name: "100k keys", agency: Agency { keys: 100_000 }, events: events / 2 },
    ];
    let (mut rows, mut sizes, mut server) = (Vec::new(), Vec::new(), String::new());
    for variant in variants {
        let (mut folding, mut copying) = (Rounds::default(), Rounds::default());
        let mut cpu_us: [Rounds; 3] = Default::default();
        let mut bytes = 0;
        for number in 0..=ROUNDS {
            // The first round warms up and is shorter.
            let events = if number == 0 { variant.events / 4 } else { variant.events };
            let round = in_fresh_server(variant, events, &mut server).await?;
            bytes = round.bytes / events;
            if number > 0 {
                folding.push_rate(events, round.folded);
                copying.push_rate(events, round.copied);
                cpu_us
                    .iter_mut()
                    .zip(round.cpu_s)
                    .for_each(|(rounds, s)| rounds.push(s * 1e6 / events as f64));
            }
        }
        let ratio = folding.ratio_to(&copying);
        let name = variant.name;
        sizes.push(format!(
            "projector, {name}: {} events of {bytes} bytes as rows, batches as configured",
            variant.events
        ));
        let (mut fold, mut share) = (
            Row::new(SECTION, format!("projector, {name}"), "events/s", &folding),
            Row::new(SECTION, format!("projector / COPY, {name}"), "ratio", &ratio),
        );
        // The targets are for the ordinary shape; the other one shows what little folding costs.
        if variant.agency.keys == 2_000 {
            fold = fold.target(Target::AtLeast(40_000.0));
            share = share.target(Target::AtLeast(0.3));
        }
        let cpu = |what: &str, rounds| Row::new(SECTION, format!("{what}, {name}"), "us", rounds);
        rows.extend([
            fold,
            Row::new(SECTION, format!("plain COPY, {name}"), "rows/s", &copying),
            share,
            cpu("projector, CPU per event", &cpu_us[0]),
            cpu("projector, PostgreSQL's CPU per event", &cpu_us[1]),
            cpu("plain COPY, PostgreSQL's CPU per row", &cpu_us[2]),
        ]);
    }
    Ok((server, sizes, rows))
}

async fn in_fresh_server(variant: Variant, events: usize, server: &mut String) -> anyhow::Result<Round> {
    let folder = folder()?;
    let postgres = ManagedPostgres::start(ManagedConfig::new(folder.path())).await?;
    let store = Store::connect(postgres.store_config()).await?;
    store.migrate().await?;
    *server = described(store.pool()).await?;
    let server_pid = postgres.pid().context("PostgreSQL runs")?;
    let round = measured(variant, events, &store, server_pid).await;
    store.close().await;
    postgres.stop().await;
    round
}

async fn measured(variant: Variant, events: usize, store: &Store, server: u32) -> anyhow::Result<Round> {
    let log = Arc::new(PostgresLog::new(store.pool().clone()));
    let mut traffic = Traffic::new(variant.agency);
    for from in (0..events).step_by(APPEND) {
        log.append(&traffic.records(APPEND.min(events - from))).await?;
    }
    let projector = Projector::new(store.clone(), log, ProjectorConfig::default(), Uuid::from_u128(1));
    let (own_before, server_before) = (used_by(std::process::id())?.cpu_s, cpu_of_family(server)?);
    let started = Instant::now();
    let records = projector.catch_up(0).await?;
    let folded = started.elapsed();
    let cpu = [used_by(std::process::id())?.cpu_s - own_before, cpu_of_family(server)? - server_before];
    ensure!(records == events as u64, "{records} of {events} records were folded");
    let pool = store.pool();
    let posted: i64 = sqlx::query_scalar("SELECT count(*) FROM usage_event").fetch_one(pool).await?;
    ensure!(posted == i64::try_from(events)?, "{posted} of {events} events have a row");

    let rows =
        pool.copy_out_raw("COPY (SELECT * FROM usage_event ORDER BY log_offset) TO STDOUT (FORMAT binary)");
    let rows = rows.await?.try_fold(Vec::new(), |mut all, part| async move {
        all.extend_from_slice(&part);
        Ok(all)
    });
    let rows = rows.await.context("reading the rows back")?;
    sqlx::raw_sql("CREATE TABLE plain_copy (LIKE usage_event, PRIMARY KEY (event_id))").execute(pool).await?;
    let server_before = cpu_of_family(server)?;
    let started = Instant::now();
    let mut copy = pool.copy_in_raw("COPY plain_copy FROM STDIN (FORMAT binary)").await?;
    for part in rows.chunks(COPY_CHUNK) {
        copy.send(part).await?;
    }
    let copied = copy.finish().await?;
    let copied_in = started.elapsed();
    let cpu_s = [cpu[0], cpu[1], cpu_of_family(server)? - server_before];
    let round = Round { folded, cpu_s, copied: copied_in, bytes: rows.len() };
    ensure!(copied == events as u64, "{copied} of {events} rows were copied");
    Ok(round)
}

async fn described(pool: &PgPool) -> anyhow::Result<String> {
    let described: String = sqlx::query_scalar(
        "SELECT 'PostgreSQL ' || current_setting('server_version') || ' as tallystick up runs it: ' ||
                string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name)
           FROM unnest(ARRAY['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'data_checksums']) AS name",
    )
    .fetch_one(pool)
    .await?;
    Ok(described)
}
