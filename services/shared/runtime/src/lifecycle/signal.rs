//! SIGTERM and SIGINT.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Shutdown;

/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// Installs both handlers before it returns, so that no signal falls between start and listening.
#[expect(
    clippy::disallowed_methods,
    reason = "the listener outlives every tracked task: it must still hear the second signal while they end"
)]
pub(super) fn install(shutdown: Shutdown) -> io::Result<()> {
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(listen(shutdown, terminate, interrupt));
    Ok(())
}

async fn listen(shutdown: Shutdown, mut terminate: Signal, mut interrupt: Signal) {
    loop {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        if shutdown.is_stopped() {
            tracing::error!(signal.name = name, "signal received while stopping, leaving at once");
            std::process::exit(INTERRUPTED);
        } else if shutdown.is_draining() {
            tracing::warn!(signal.name = name, "signal received while draining, stopping now");
            shutdown.stop();
        } else {
            tracing::info!(signal.name = name, "signal received, draining");
            shutdown.drain();
        }
    }
}
