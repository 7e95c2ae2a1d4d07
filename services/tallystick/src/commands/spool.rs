//! `tallystick spool`: filling a restored database or broker again from what the proxy still keeps on disk.
//!
//! The proxy of this spool must be stopped: a spool belongs to one process. What the ledger has already is recognised by
//! its event id, so sending too much does no harm.

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use tallystick_domain::ProducerId;
use tallystick_domain::event::StreamPosition;
use tallystick_eventlog::{EventLog as _, PostgresLog, Record};
use tallystick_proxy::spool::{LockedSpool, Shippable, SpoolConfig, SpoolError};
use tallystick_proxy::{ProxyConfig, StoreEpochs};
use tallystick_schemas::spooled;

use crate::context::Context;
use crate::error::{CliError, Doing as _, Exit, Outcome};
use crate::output;
use crate::server::{Database, Origin};

/// Records of one append.
const BATCH: usize = 1_000;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send everything that is still kept to the log again.
    Resend {
        /// Only what was written from this instant on.
        #[arg(long, value_name = "INSTANT")]
        from: Option<Timestamp>,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let Command::Resend { from } = command;
    let from_us = from.map_or(0, |instant| u64::try_from(instant.as_microsecond()).unwrap_or(0));
    let settings = &context.loaded.settings;
    let config = ProxyConfig::from_settings(settings).map_err(|error| CliError::usage(error.to_string()))?;
    let database = Database::open(settings, Origin::GivenOrShared).await?;
    let sent = resend(context, &database, &config, from_us).await;
    database.close().await;
    let sent = sent?;
    if context.json {
        return output::json(&json!({"sent": sent}));
    }
    output::line(&format!("{} records sent; the ledger takes each event once", output::count(sent)))
}

async fn resend(context: &Context, database: &Database, config: &ProxyConfig, from_us: u64) -> Outcome<u64> {
    database.store.check_version().await.doing(|| "checking the database's schema".to_owned())?;
    let epochs = StoreEpochs::new(database.store.clone(), context.clock.clone());
    let dir = &config.spool_dir;
    let now_us = u64::try_from(context.clock.now().as_microsecond()).unwrap_or(0);
    let fresh = || context.ids.typed(ProducerId::from_uuid);
    let mut locked = LockedSpool::lock(dir, fresh(), now_us).map_err(|error| not_opened(dir, &error))?;
    let identity =
        locked.claim(&epochs, fresh(), context.ids.uuid()).await.map_err(|error| not_opened(dir, &error))?;
    let limits: SpoolConfig = config.spool.clone();
    let opened = locked.open(identity, limits).map_err(|error| not_opened(dir, &error))?;
    let log = PostgresLog::new(database.store.pool().clone());
    let mut sent = 0_u64;
    let mut batch: Vec<Record> = Vec::with_capacity(BATCH);
    for entry in opened.spool.resend(from_us) {
        let entry = entry.doing(|| "reading the spool".to_owned())?;
        batch.push(record(&entry)?);
        if batch.len() == BATCH {
            log.append(&batch).await.doing(|| "appending to the log".to_owned())?;
            sent += batch.len() as u64;
            batch.clear();
        }
    }
    log.append(&batch).await.doing(|| "appending to the log".to_owned())?;
    opened.spool.close();
    Ok(sent + batch.len() as u64)
}

fn not_opened(dir: &std::path::Path, error: &SpoolError) -> CliError {
    let failed = CliError::because(&format!("opening the spool in {}", dir.display()), error);
    match error {
        SpoolError::Locked(_) => {
            CliError::with_exit(Exit::Conflict, format!("the spool in {} is in use", dir.display()))
                .advise("stop the proxy of this spool first; it ships by itself what it has")
        }
        _ => failed,
    }
}

fn record(entry: &Shippable) -> Outcome<Record> {
    let at = StreamPosition {
        producer: entry.identity.producer,
        epoch: entry.identity.epoch,
        lane: entry.lane,
        seq: entry.seq,
    };
    let written = i64::try_from(entry.time_us).ok().and_then(|us| Timestamp::from_microsecond(us).ok());
    let envelope = spooled::unpack(&entry.payload, entry.id, at, written.unwrap_or(Timestamp::UNIX_EPOCH))
        .doing(|| format!("reading the spooled event {}", entry.id))?;
    Ok(Record {
        lane: envelope.lane,
        key: Some(envelope.key),
        headers: envelope.headers,
        payload: envelope.payload,
    })
}
