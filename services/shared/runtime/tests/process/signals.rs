//! The two stages, announced by real signals.

use std::{process::Command, time::Duration};

use tallystick_runtime::Shutdown;

const PATIENCE: Duration = Duration::from_secs(20);

fn signal_self(name: &str) {
    let own = std::process::id().to_string();
    assert!(Command::new("kill").args([name, &own]).status().expect("kill runs").success());
}

#[tokio::test]
async fn the_first_signal_drains_and_the_second_stops() {
    let shutdown = Shutdown::new();
    shutdown.on_signals().unwrap();
    assert!(!shutdown.is_draining());

    signal_self("-TERM");
    tokio::time::timeout(PATIENCE, shutdown.draining()).await.expect("SIGTERM drains");
    assert!(!shutdown.is_stopped());
    assert_eq!(shutdown.failure(), None, "being asked to end is no failure");

    signal_self("-INT");
    tokio::time::timeout(PATIENCE, shutdown.stopped()).await.expect("a second signal stops");
}
