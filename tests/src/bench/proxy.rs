//! Section c: what the proxy costs, beside a bare pass-through of the same HTTP stack.
//!
//! Phases for each upstream delay: (1) start upstream, pass-through and `tallystick up`, each a process; (2) warm up; (3)
//! in rounds, one line after the other: all connections as fast as they go, then a fixed rate. "Added" is the quantile
//! through a line minus the same quantile without anything between, from the same round. All processes share the cores,
//! PostgreSQL, projector and reporting of the gateway included.

use super::alone;
use super::child::{Role, used_by};
use super::pressure::{Line, flood, pace};
use super::rounds::{ROUNDS, Rounds};
use super::table::{Row, Target};
use super::upstream::{BODY_BYTES, request_body};
use crate::harness::{Gateway, GatewayOptions};
use anyhow::{Context, anyhow};
use std::time::Duration;

const SECTION: [&str; 2] = ["proxy, upstream answers at once", "proxy, upstream answers after 50 ms"];
const FLOOD: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);
const PACE: Duration = Duration::from_secs(5);
/// Calls per second for the latencies.
const RATE: u32 = 200;

/// One line's figures, round by round.
#[derive(Default)]
struct Figures {
    rate: Rounds,
    cpu_us: Rounds,
    p50: Rounds,
    p99: Rounds,
    added_p50: Rounds,
    added_p99: Rounds,
}

/// A line to measure: its name, where it goes, and the process whose CPU it is.
struct Measured {
    name: &'static str,
    line: Line,
    pid: Option<u32>,
    figures: Figures,
}

/// Measures at both delays; gives the sizes, the rows, and why there is no gateway when there is none.
pub(crate) async fn measure() -> anyhow::Result<(Vec<String>, Vec<Row>, Option<anyhow::Error>)> {
    let mut sizes = vec![format!(
        "proxy: bodies of {BODY_BYTES} bytes both ways, {} s as fast as it goes and {} s at {RATE}/s per line and round",
        FLOOD.as_secs(),
        PACE.as_secs()
    )];
    let (mut rows, mut failed) = (Vec::new(), None);
    for (section, delay_ms, connections) in [(SECTION[0], 0_u32, 32), (SECTION[1], 50, 256)] {
        sizes.push(format!("proxy, {delay_ms} ms: {connections} connections"));
        let upstream = Role::start(&["upstream", &delay_ms.to_string()]).await?;
        let passthrough = Role::start(&["passthrough", &upstream.address.to_string()]).await?;
        let body = request_body();
        let line = |address, key: String| Line { address, key, body: body.clone() };
        let measured = |name, line, pid| Measured { name, line, pid, figures: Figures::default() };
        let mut lines = vec![
            measured("direct", line(upstream.address, "none".to_owned()), None),
            measured("pass-through", line(passthrough.address, "none".to_owned()), Some(passthrough.pid()?)),
        ];
        let gateway = match gateway(&upstream).await {
            Ok((gateway, key)) => {
                lines.push(measured("gateway", line(gateway.address(), key), Some(gateway.pid())));
                Some(gateway)
            }
            Err(why) => {
                failed = Some(why);
                None
            }
        };
        let mut resident = Rounds::default();
        for round in 0..=ROUNDS {
            one_round(&mut lines, connections, round == 0).await.with_context(|| section.to_owned())?;
            if let Some(gateway) = gateway.as_ref().filter(|_| round > 0) {
                resident.push(used_by(gateway.pid())?.resident_mb);
            }
        }
        rows.extend(rows_of(section, delay_ms, &lines));
        if let Some(mut gateway) = gateway {
            rows.push(Row::new(
                section,
                "gateway, resident (proxy, projector and reporting)",
                "MB",
                &resident,
            ));
            let code = gateway.terminate().await?;
            failed = (code != 0).then(|| anyhow!("its drain ended with {code}")).or(failed);
        }
        if delay_ms == 0 {
            match alone::measure(upstream.address).await {
                Ok(measured) => rows.extend(measured),
                Err(why) => failed = failed.or(Some(why.context("tallystick proxy alone"))),
            }
        }
    }
    Ok((sizes, rows, failed))
}

async fn gateway(upstream: &Role) -> anyhow::Result<(Gateway, String)> {
    let gateway = Gateway::start(GatewayOptions::for_tests()).await?;
    let key = alone::set_up(&gateway, upstream.address).await?;
    Ok((gateway, key))
}

async fn one_round(lines: &mut [Measured], connections: usize, warm_up: bool) -> anyhow::Result<()> {
    let lasting = if warm_up { WARM_UP } else { FLOOD };
    for measured in lines.iter_mut() {
        let before = measured.pid.map(used_by).transpose()?;
        let (latencies, elapsed) =
            flood(&measured.line, connections, lasting).await.context(measured.name)?;
        let after = measured.pid.map(used_by).transpose()?;
        if warm_up {
            continue;
        }
        measured.figures.rate.push_rate(latencies.count(), elapsed);
        if let (Some(before), Some(after)) = (before, after) {
            let cpu_s = after.cpu_s - before.cpu_s;
            measured.figures.cpu_us.push(cpu_s * 1e6 / latencies.count() as f64);
        }
    }
    let lasting = if warm_up { WARM_UP } else { PACE };
    let mut direct = None;
    for measured in lines.iter_mut() {
        let mut latencies = pace(&measured.line, RATE, lasting).await.context(measured.name)?;
        let (p50, p99) = (latencies.quantile_ms(500), latencies.quantile_ms(990));
        let (direct_p50, direct_p99) = *direct.get_or_insert((p50, p99));
        if warm_up {
            continue;
        }
        let figures = &mut measured.figures;
        figures.p50.push(p50);
        figures.p99.push(p99);
        figures.added_p50.push(p50 - direct_p50);
        figures.added_p99.push(p99 - direct_p99);
    }
    Ok(())
}

fn rows_of(section: &'static str, delay_ms: u32, lines: &[Measured]) -> Vec<Row> {
    let mut rows = Vec::new();
    let bare = lines.iter().find(|measured| measured.name == "pass-through");
    for Measured { name, figures, pid, .. } in lines {
        rows.push(Row::new(section, *name, "requests/s", &figures.rate));
        if *name == "gateway"
            && let Some(bare) = bare
        {
            let ratio = Row::new(
                section,
                "gateway / pass-through",
                "ratio",
                &figures.rate.ratio_to(&bare.figures.rate),
            );
            rows.push(if delay_ms == 0 { ratio.target(Target::AtLeast(0.4)) } else { ratio });
        }
        if pid.is_none() {
            rows.push(Row::new(section, format!("{name}, p50 at {RATE}/s"), "ms", &figures.p50));
            rows.push(Row::new(section, format!("{name}, p99 at {RATE}/s"), "ms", &figures.p99));
            continue;
        }
        rows.push(Row::new(section, format!("{name}, CPU per request"), "us", &figures.cpu_us));
        rows.push(Row::new(section, format!("{name}, added p50 at {RATE}/s"), "ms", &figures.added_p50));
        let added = Row::new(section, format!("{name}, added p99 at {RATE}/s"), "ms", &figures.added_p99);
        let judged = *name == "gateway" && delay_ms == 50;
        rows.push(if judged { added.target(Target::AtMost(1.5)) } else { added });
    }
    rows
}
