//! The gateway's own PostgreSQL is killed under load: callers notice nothing, and the ledger equals the bill afterwards.

use tallystick_tests::harness::{Gateway, GatewayOptions, reconcile};
use tallystick_tests::load::{End, Mix, Plan, Target, run};
use tallystick_tests::provider::{Provider, Settings};

/// The postmaster's process id: the first line of the file in its data folder.
fn postmaster(gateway: &Gateway) -> anyhow::Result<i32> {
    let folder = gateway.data_dir().join("postgres/cluster/data/postmaster.pid");
    let file = std::fs::read_to_string(folder)?;
    Ok(file.lines().next().unwrap_or_default().trim().parse()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_database_is_started_again_and_no_caller_notices() -> anyhow::Result<()> {
    let provider = Provider::start(Settings::default()).await?;
    let gateway = Gateway::start(GatewayOptions::for_tests()).await?;
    let key = gateway.connect(&provider, "database").await?;
    let (killed, mix) = (postmaster(&gateway)?, Mix { chat: 1, stream: 1, embeddings: 1, ..Mix::none() });
    let plan = Plan { mix, prefix: "database".into(), first_ms: 5, ..Plan::default() };
    let target = Target::new(gateway.openai_url(), key);
    let kill = async {
        while provider.counters().calls < 200 {
            tokio::task::yield_now().await;
        }
        // SAFETY: kill(2) has no memory effects; the pid is of the server that this test's own gateway started.
        unsafe { libc::kill(killed, libc::SIGKILL) }
    };
    let (report, sent) = tokio::join!(run(&target, &plan, 0..1_500, 16), kill);
    assert_eq!(sent, 0, "the server was there to be killed");
    let unwell =
        report.results.iter().filter(|call| call.end != End::Complete || call.status != Some(200)).count();
    assert_eq!(unwell, 0, "callers that noticed");

    provider.settled().await;
    gateway.until_folded().await?;
    assert_ne!(postmaster(&gateway)?, killed, "another server runs");
    let result = reconcile(&gateway.all_events().await?, &provider.bill());
    assert!(result.findings.is_empty(), "{:#?}", result.findings);
    assert_eq!((result.equal, result.estimated, result.ledger), (1_500, 0, result.bill));
    let verify = gateway.cli(&["verify"]).await?;
    assert_eq!(verify["ok"], true, "{verify:#}");
    Ok(())
}
