//! The fake provider as a process of its own.
//!
//! `fake_provider [--port N] [--seed N]` prints one line of JSON on stdout (`address`, `base_url`,
//! `key`) once it listens, and serves until it is interrupted. `GET /_bill`, `/_counters`, `/_settled`,
//! `/_prices` and `POST /_script` are its controls.

use std::io::Write;

use anyhow::{Context, bail};
use tallystick_tests::provider::{DEFAULT_KEY, Provider, Settings};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let provider = Provider::start(settings(std::env::args().skip(1))?).await?;
    let line = serde_json::json!({
        "address": provider.address(),
        "base_url": provider.base_url(),
        "key": DEFAULT_KEY,
    });
    writeln!(std::io::stdout(), "{line}").context("printing the address")?;
    tokio::signal::ctrl_c().await.context("waiting for an interrupt")?;
    let _bill = provider.stop().await;
    Ok(())
}

fn settings(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Settings> {
    let mut settings = Settings::default();
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag} needs a value"))?;
        let parsing = || format!("reading {flag} {value}");
        match flag.as_str() {
            "--port" => settings.port = value.parse().with_context(parsing)?,
            "--seed" => settings.seed = value.parse().with_context(parsing)?,
            _ => bail!("unknown flag {flag}"),
        }
    }
    Ok(settings)
}
