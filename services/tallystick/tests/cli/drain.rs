//! SIGTERM while a provider is still thinking: the client gets its answer, the usage is in the ledger.

use crate::instance::Instance;
use serde_json::json;
use std::time::Duration;
use tallystick_tests::load::{CallSpec, End, Kind, Target};
use tallystick_tests::provider::{DEFAULT_KEY, Provider, Settings};
use tokio::task::JoinSet;

/// How long the provider thinks.
const THINKING_MS: u64 = 700;

fn call() -> CallSpec {
    let text = format!("Take your time. [[n=slow p=1000 c=100 first={THINKING_MS}]]");
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]});
    CallSpec {
        nonce: "slow".into(),
        kind: Kind::Chat,
        path: "/chat/completions",
        body: body.to_string().into(),
        hang_up_after: None,
        timeout: Duration::from_secs(30),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_is_answered_and_metered_before_the_process_ends() {
    let dir = tempfile::tempdir().unwrap();
    let provider = Provider::start(Settings::default()).await.unwrap();
    let instance = Instance::start(dir.path());
    let base = provider.base_url();
    // A secret comes from a variable, never from the command line.
    let added = crate::instance::tallystick(dir.path())
        .args([
            "providers",
            "add",
            "openai",
            "--base-url",
            &base,
            "--private-address",
            "--secret-env",
            "FAKE_KEY",
        ])
        .env("FAKE_KEY", DEFAULT_KEY)
        .output()
        .unwrap();
    assert!(added.status.success(), "{added:?}");
    let key = instance.json(&["keys", "add", "--name", "backend", "--kind", "project"]);
    let target = Target::new(key["base_urls"]["openai"].as_str().unwrap(), key["secret"].as_str().unwrap());
    let send = || {
        let target = target.clone();
        async move { target.call(&call()).await }
    };
    let mut calling = JoinSet::from_iter([send()]);
    while provider.counters().in_flight == 0 {
        // The proxy hears of a new key in a moment; until then it knows nobody of that name.
        if let Some(early) = calling.try_join_next() {
            assert_eq!(early.unwrap().status, Some(401));
            calling.spawn(send());
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(instance.terminate(), 0);
    let [answered] = &calling.join_all().await[..] else { panic!("one call was made") };
    assert_eq!((answered.status, answered.end), (Some(200), End::Complete), "{answered:?}");

    let again = Instance::start(dir.path());
    let usage = again.json(&["usage", "--by", "key"]);
    assert_eq!(usage["total"]["requests"], 1, "{usage}");
    let ledger: rust_decimal::Decimal = usage["total"]["cost"].as_str().unwrap().parse().unwrap();
    let bill: rust_decimal::Decimal = provider.bill().total().to_string().parse().unwrap();
    assert_eq!(ledger, bill);
    assert_eq!(again.terminate(), 0);
}
