//! `kill -9` of the whole process at random moments, under load: nothing lost, nothing doubled, and every difference to
//! the provider's bill is a flagged estimate.

use std::time::Duration;

use tallystick_tests::harness::{Gateway, GatewayOptions, is_full_soak, reconcile};
use tallystick_tests::load::{Mix, Plan, Target, run};
use tallystick_tests::provider::{Provider, Settings};

/// Calls per cycle; the kill comes somewhere among them.
const CALLS: u64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_process_under_load_loses_nothing_and_doubles_nothing() -> anyhow::Result<()> {
    let cycles = if is_full_soak() { 100 } else { 10 };
    let provider = Provider::start(Settings::default()).await?;
    let mut gateway = Gateway::start(GatewayOptions::for_tests()).await?;
    let key = gateway.connect(&provider, "kill").await?;
    let mix = Mix { stalled: 0, ..Mix::default() };
    let mut in_flight_at_kill = 0;
    for cycle in 0..cycles {
        let plan = Plan {
            seed: 100 + cycle,
            prefix: format!("kill{cycle}"),
            mix,
            chunk_ms: 2,
            first_ms: 5,
            timeout: Duration::from_secs(5),
            ..Plan::default()
        };
        let target = Target::new(gateway.openai_url(), key.clone());
        let (before, wait) = (provider.counters().calls, 20 + (cycle * 7_919) % CALLS / 2);
        let kill = async {
            // The moment is a number of calls that the provider has seen, different in every cycle.
            while provider.counters().calls < before + wait {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let in_flight = provider.counters().in_flight;
            gateway.kill().await.map(|()| in_flight)
        };
        let (_, in_flight) = tokio::join!(run(&target, &plan, 0..CALLS, 24), kill);
        in_flight_at_kill += usize::from(in_flight? > 0);
        provider.settled().await;
        gateway.restart().await?;
    }
    gateway.until_folded().await?;
    let events = gateway.all_events().await?;
    let result = reconcile(&events, &provider.bill());
    eprintln!(
        "{cycles} kills, {in_flight_at_kill} with a request in flight: {} calls, {} events, {} equal, {} estimated; ledger {}, bill {}",
        result.calls, result.events, result.equal, result.estimated, result.ledger, result.bill
    );
    let crashed = events.iter().filter(|event| event.outcome == "gateway_crashed").count();
    assert!(
        in_flight_at_kill >= usize::try_from(cycles)? / 2,
        "only {in_flight_at_kill} kills hit a request in flight"
    );
    assert!(crashed > 0, "no kill left an intent without its settlement, so recovery was not tested");
    // A call whose intent was cut off before it was sent never reached the provider, so events may outnumber calls, but
    // only by flagged estimates; reconcile counts those, and nothing else may be unexplained.
    let unexplained: Vec<&String> =
        result.findings.iter().filter(|finding| !finding.contains("calls reached the provider")).collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(
        result.equal + result.estimated >= result.calls,
        "{} calls, {} + {}",
        result.calls,
        result.equal,
        result.estimated
    );
    assert_eq!(result.ledger_final, result.bill_final);
    let verify = gateway.cli(&["verify"]).await?;
    assert_eq!(verify["ok"], true, "{verify:#}");
    assert_eq!(gateway.terminate().await?, 0);
    Ok(())
}
