//! `make bench`: one table of figures at the end. `bench [--sections abc] [--events N] [--json FILE]`.
//!
//! `bench upstream DELAY_MS` and `bench passthrough UPSTREAM` are the processes that it starts beside itself.

use std::io::Write;

use anyhow::{Context, bail};
use mimalloc::MiMalloc;
use tallystick_tests::bench::{Options, run, serve_passthrough, serve_upstream};

// As in the gateway: what is compared runs on the same allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["upstream", delay_ms] => serve_upstream(delay_ms.parse()?).await,
        ["passthrough", upstream] => serve_passthrough(upstream.parse()?).await,
        _ => {
            let table = run(&options(arguments.into_iter())?).await?;
            write!(std::io::stdout(), "{table}").context("printing the table")
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options::default();
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--sections" => options.sections = value,
            "--events" => {
                options.events = value.parse().with_context(|| format!("reading {flag} {value}"))?
            }
            "--json" => options.json = Some(value.into()),
            _ => bail!("unknown flag {flag}"),
        }
    }
    Ok(options)
}
