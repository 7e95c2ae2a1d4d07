//! The load client against the fake provider.

use std::time::Duration;

use super::{End, Histogram, Kind, Mix, Plan, SseReader, Target, run};
use crate::provider::{CallEnd, DEFAULT_KEY, Pico, Provider, Settings};

fn direct(provider: &Provider) -> Target {
    Target::new(provider.base_url(), DEFAULT_KEY)
}

#[test]
fn the_same_seed_and_index_give_the_same_call_and_another_seed_does_not() {
    let plan = Plan::default();
    let other = Plan { seed: 2, ..Plan::default() };
    assert_eq!(plan.call(7), plan.call(7));
    assert!((0..20).any(|index| plan.call(index).body != other.call(index).body));
}

#[test]
fn a_plan_draws_every_kind_in_about_its_weight() {
    let plan = Plan::default();
    let count = |kind| (0..4000).filter(|index| plan.call(*index).kind == kind).count();
    assert!((1400..1800).contains(&count(Kind::Chat)), "chat: {}", count(Kind::Chat));
    assert!((700..900).contains(&count(Kind::StreamUsage)), "usage: {}", count(Kind::StreamUsage));
    assert!((140..260).contains(&count(Kind::UpstreamError)), "errors: {}", count(Kind::UpstreamError));
    assert!(count(Kind::Stalled) > 5 && count(Kind::Broken) > 40 && count(Kind::Disconnect) > 50);
}

#[test]
fn an_event_is_whole_however_its_bytes_arrive() {
    let stream = b"event: x\r\ndata: {\"a\":1}\r\n\r\n: a comment\n\ndata: two\ndata: lines\n\ndata: [DONE]\n\ndata: hal";
    for size in 1..stream.len() {
        let mut reader = SseReader::default();
        let events: Vec<String> = stream.chunks(size).flat_map(|piece| reader.push(piece)).collect();
        assert_eq!(events, ["{\"a\":1}", "two\nlines", "[DONE]"], "in pieces of {size}");
        assert!(reader.is_mid_event());
    }
}

#[test]
fn quantiles_are_at_most_a_thirtieth_too_high_and_never_too_low() {
    let mut histogram = Histogram::default();
    (1..=10_000).for_each(|micros| histogram.record(Duration::from_micros(micros)));
    for (per_mille, exact) in [(500, 5_000_u64), (990, 9_900), (999, 9_990), (1, 10)] {
        let found = u64::try_from(histogram.quantile(per_mille).as_micros()).unwrap();
        assert!(found >= exact && found <= exact + exact / 30 + 1, "{per_mille}: {found} for {exact}");
    }
    let mut twice = histogram.clone();
    twice.merge(&histogram);
    assert_eq!((twice.count(), twice.quantile(500)), (20_000, histogram.quantile(500)));
    assert_eq!(histogram.longest(), Duration::from_micros(10_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planned_call_has_one_result_and_is_on_the_bill_once() {
    let provider = Provider::start(Settings::default()).await.unwrap();
    let plan = Plan { stalled_timeout: Some(Duration::from_millis(100)), ..Plan::default() };
    let report = run(&direct(&provider), &plan, 0..600, 32).await;
    provider.settled().await;
    let bill = provider.bill();
    assert_eq!(report.results.len(), 600);
    for result in &report.results {
        let lines = bill.by_nonce(&result.nonce);
        assert_eq!(lines.len(), 1, "{} {:?}", result.nonce, result.kind);
        let line = lines[0];
        match result.kind {
            Kind::Chat | Kind::Embeddings | Kind::Stream | Kind::StreamUsage => {
                assert_eq!((result.end, line.end), (End::Complete, CallEnd::Answered), "{}", result.nonce);
                assert_eq!(result.request_id.as_deref(), Some(line.provider_request_id.as_str()));
            }
            Kind::UpstreamError => {
                assert_eq!((result.end, line.amount), (End::Complete, Pico(0)), "{}", result.nonce);
            }
            Kind::Broken => assert!(matches!(line.end, CallEnd::Broken | CallEnd::Refused), "{line:?}"),
            Kind::Stalled => assert_eq!((result.end, line.end), (End::TimedOut, CallEnd::ClientGone)),
            Kind::Disconnect => assert_eq!(result.end, End::HungUp),
        }
        let asked = usize::from(result.kind == Kind::StreamUsage);
        if matches!(result.kind, Kind::Stream | Kind::StreamUsage) {
            assert_eq!(result.usage_events, asked, "{}", result.nonce);
        }
    }
}

#[tokio::test]
async fn a_stalled_call_ends_when_the_clients_patience_does() {
    let provider = Provider::start(Settings::default()).await.unwrap();
    let mix = Mix { stalled: 1, ..Mix::none() };
    let plan = Plan { mix, timeout: Duration::from_millis(50), ..Plan::default() };
    let report = run(&direct(&provider), &plan, 0..6, 6).await;
    assert!(report.results.iter().all(|result| result.end == End::TimedOut));
    provider.settled().await;
    assert_eq!(provider.bill().lines.len(), 6);
    assert_eq!(provider.counters().peak_in_flight, 6);
}
