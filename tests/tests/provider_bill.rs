//! N3: the fake provider's own bill equals the ledger, event by event, to the last decimal.

use std::time::Duration;

use tallystick_tests::harness::{Gateway, GatewayOptions, is_full_soak, reconcile};
use tallystick_tests::load::{Kind, Mix, Plan, Target, run};
use tallystick_tests::provider::{Provider, Settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_mixed_calls_equal_the_providers_bill_event_by_event() -> anyhow::Result<()> {
    let calls = if is_full_soak() { 100_000 } else { 10_000 };
    let provider = Provider::start(Settings::default()).await?;
    let gateway = Gateway::start(GatewayOptions::for_tests()).await?;
    let key = gateway.connect(&provider, "n3").await?;
    let plan = Plan { prefix: "n3".into(), timeout: Duration::from_secs(20), ..Plan::default() };

    let report = run(&Target::new(gateway.openai_url(), key), &plan, 0..calls, 48).await;
    provider.settled().await;
    gateway.until_folded().await?;
    let events = gateway.all_events().await?;
    let result = reconcile(&events, &provider.bill());

    let kinds = report.kinds();
    eprintln!(
        "{calls} calls ({kinds:?}) in {:?}: {} events, {} equal, {} estimated; ledger {}, bill {}",
        report.elapsed, result.events, result.equal, result.estimated, result.ledger, result.bill
    );
    for kind in [Kind::Disconnect, Kind::UpstreamError, Kind::Broken, Kind::Stalled] {
        assert!(kinds.get(&kind).is_some_and(|count| *count > 10), "the mix holds too few of {kind:?}");
    }
    assert!(result.findings.is_empty(), "{:#?}", &result.findings[..result.findings.len().min(10)]);
    assert_eq!(result.ledger_final, result.bill_final);
    assert!(result.equal > 0 && result.equal + result.estimated >= result.calls);
    let unanswered = kinds[&Kind::Stalled] + kinds[&Kind::Broken];
    assert!(
        result.estimated <= unanswered,
        "{} estimates, {unanswered} calls without an answer",
        result.estimated
    );
    let usage = gateway.cli(&["usage"]).await?;
    assert_eq!(usage["total"]["cost"].as_str().map(str::parse), Some(Ok(result.ledger)));
    let verify = gateway.cli(&["verify"]).await?;
    assert_eq!(verify["ok"], true, "{verify:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_crash_and_with_every_call_answered_nothing_is_estimated() -> anyhow::Result<()> {
    let provider = Provider::start(Settings::default()).await?;
    let gateway = Gateway::start(GatewayOptions::for_tests()).await?;
    let key = gateway.connect(&provider, "answered").await?;
    let mix = Mix { broken: 0, stalled: 0, ..Mix::default() };
    let plan = Plan { seed: 2, prefix: "answered".into(), mix, ..Plan::default() };

    run(&Target::new(gateway.openai_url(), key), &plan, 0..1_000, 32).await;
    provider.settled().await;
    gateway.until_folded().await?;
    let result = reconcile(&gateway.all_events().await?, &provider.bill());

    assert!(result.findings.is_empty(), "{:#?}", result.findings);
    assert_eq!(result.estimated, 0);
    assert_eq!((result.equal, result.ledger), (result.calls, result.bill));
    Ok(())
}
