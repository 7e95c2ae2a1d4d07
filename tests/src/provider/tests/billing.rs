//! The bill: its arithmetic by hand, and exactly one line on every path out.

use super::super::{Buckets, CallEnd, DisconnectBilling, Pico, Script, Tariff};
use super::*;
use crate::load::{Kind, Mix, Plan, Target};
use std::time::Duration;

#[test]
fn pico_dollars_print_and_read_back_exactly() {
    for (pico, text) in [
        (0, "0.000000000000"),
        (1, "0.000000000001"),
        (3_075_000_000, "0.003075000000"),
        (-12_000_000_000_345, "-12.000000000345"),
        (170_000_000_000_000_000_000_000, "170000000000.000000000000"),
    ] {
        assert_eq!(Pico(pico).to_string(), text);
        assert_eq!(text.parse::<Pico>(), Ok(Pico(pico)));
    }
    assert_eq!("2.5".parse::<Pico>(), Ok(Pico(2_500_000_000_000)));
    for bad in ["", ".5", "1e-6", "0.0000000000001", "--1", "1.-2"] {
        assert!(bad.parse::<Pico>().is_err(), "{bad}");
    }
}

#[test]
fn a_charge_is_each_bucket_at_its_own_price() {
    let buckets = Buckets { input: 200, cached: 1000, output: 250, reasoning: 50, ..Buckets::default() };
    let charge = |model: &str, tier: &str| Tariff::of(model).unwrap().charge(tier, &buckets);
    // 200 x 2.50 + 1000 x 1.25 + 300 x 10, per million
    assert_eq!(charge("gpt-4o", "default"), "0.00475".parse().unwrap());
    assert_eq!(charge("gpt-4o-2024-08-06", "default"), "0.00475".parse().unwrap());
    assert_eq!(charge("gpt-5", "flex"), "0.0016875".parse().unwrap());
    assert_eq!(charge("gpt-5", "unheard-of"), charge("gpt-5", "default"));
    let cache =
        Buckets { input: 10, cached: 20, cache_write: 30, cache_write_hour: 40, output: 50, reasoning: 0 };
    // 10 x 3 + 20 x 0.30 + 30 x 3.75 + 40 x 6 + 50 x 15, per million
    assert_eq!(
        Tariff::of("claude-sonnet-4-5").unwrap().charge("standard", &cache),
        "0.0011385".parse().unwrap()
    );
}

#[test]
fn a_prompt_above_the_long_context_threshold_re_prices_the_whole_request() {
    let tariff = Tariff::of("gpt-5.4").unwrap();
    let at =
        |input| tariff.charge("default", &Buckets { input, cached: 1000, output: 10, ..Buckets::default() });
    assert_eq!(at(271_000), Pico(271_000 * 2_500_000 + 1000 * 250_000 + 10 * 15_000_000));
    assert_eq!(at(271_001), Pico(271_001 * 5_000_000 + 1000 * 500_000 + 10 * 22_500_000));
}

#[tokio::test]
async fn parts_of_a_total_are_charged_once_in_every_dialect_streamed_or_not() {
    let provider = started().await;
    let words = "p=1200 cached=1000 c=300 r=50";
    ask(&provider, &chat("gpt-4o", &format!("n=whole {words}"))).await;
    ask(&provider, &stream("gpt-4o", &format!("n=stream {words}"), Some(true))).await;
    let text = "[[n=claude p=1200 cached=1000 w=100 w1h=50 c=300 r=50]]";
    let messages = json!([{"role": "user", "content": text}]);
    let claude = json!({"model": "claude-haiku-4-5", "max_tokens": 900, "messages": messages});
    post(&provider, "/v1/messages", &claude).await.unwrap();
    let bill = provider.bill();
    let amount = |nonce: &str| bill.by_nonce(nonce)[0].amount.to_string();
    assert_eq!((amount("whole"), amount("stream")), ("0.004750000000".into(), "0.004750000000".into()));
    // 50 x 1 + 1000 x 0.10 + 100 x 1.25 + 50 x 2 + 300 x 5, per million
    assert_eq!(amount("claude"), "0.001875000000");
}

#[tokio::test]
async fn the_output_cap_limits_what_is_charged() {
    let provider = started().await;
    let mut body = chat("gpt-4o", "n=cap p=100 c=500");
    body["max_completion_tokens"] = json!(40);
    let answer = ask(&provider, &body).await.json();
    assert_eq!(
        (&answer["usage"]["completion_tokens"], &answer["choices"][0]["finish_reason"]),
        (&json!(40), &json!("length"))
    );
    assert_eq!(provider.bill().by_nonce("cap")[0].amount, Pico(100 * 2_500_000 + 40 * 10_000_000));
}

#[tokio::test]
async fn refused_calls_are_on_the_bill_for_nothing_and_answered_ones_are_found_by_request_id() {
    let provider = started().await;
    let answer = ask(&provider, &chat("gpt-4o-mini", "n=ok p=1000 c=100")).await;
    ask(&provider, &chat("gpt-4o-mini", "n=no p=1000 c=100 fault=429")).await;
    let body = chat("gpt-4o-mini", "n=key").to_string();
    send(&provider, Method::POST, "/v1/chat/completions", "sk-wrong", body.as_bytes()).await.unwrap();
    let bill = provider.bill();
    let line = bill.by_request_id(answer.header("x-request-id").unwrap()).unwrap();
    assert_eq!((line.nonce.as_deref(), line.billed, line.end), (Some("ok"), true, CallEnd::Answered));
    assert_eq!(bill.total(), Pico(1000 * 150_000 + 100 * 600_000));
    let refused: Vec<(u16, CallEnd, bool)> =
        ["no", "key"].iter().map(|n| bill.by_nonce(n)[0]).map(|l| (l.status, l.end, l.billed)).collect();
    assert_eq!(refused, [(429, CallEnd::Refused, false), (401, CallEnd::Refused, false)]);
    let printed = send(&provider, Method::GET, "/_bill", "", b"").await.unwrap().json();
    assert_eq!(printed["total"], "0.000210000000");
    assert_eq!(
        serde_json::from_value::<Vec<super::super::BillLine>>(printed["lines"].clone()).unwrap(),
        bill.lines
    );
}

#[tokio::test]
async fn a_call_that_nobody_knows_the_end_of_is_charged_as_the_script_or_its_mark_says() {
    for per_mille in [0, 1000] {
        let script = Script { unknown_billed_per_mille: per_mille, ..Script::default() };
        let provider = Provider::start(Settings { script, ..Settings::default() }).await.unwrap();
        for words in [
            "n=r p=10 c=10 fault=reset",
            "n=yes p=10 c=10 fault=reset bill=yes",
            "n=no p=10 c=10 fault=reset bill=no",
        ] {
            assert!(post(&provider, "/v1/chat/completions", &chat("gpt-4o", words)).await.is_none());
        }
        provider.settled().await;
        let bill = provider.bill();
        let full = Pico(10 * 2_500_000 + 10 * 10_000_000);
        let expected = if per_mille == 1000 { full } else { Pico(0) };
        assert_eq!(bill.by_nonce("r")[0].amount, expected);
        assert_eq!((bill.by_nonce("yes")[0].amount, bill.by_nonce("no")[0].amount), (full, Pico(0)));
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_is_charged_in_full_or_for_what_was_sent() {
    let mix = Mix { disconnect: 1, ..Mix::none() };
    let plan = Plan { mix, chunk_ms: 150, ..Plan::default() };
    let mut totals = Vec::new();
    for disconnect in [DisconnectBilling::Full, DisconnectBilling::Sent] {
        let script = Script { disconnect, ..Script::default() };
        let provider = Provider::start(Settings { script, ..Settings::default() }).await.unwrap();
        let target = Target::new(provider.base_url(), DEFAULT_KEY);
        let spec = plan.call(3);
        assert_eq!(target.call(&spec).await.kind, Kind::Disconnect);
        provider.settled().await;
        let bill = provider.bill();
        assert_eq!((bill.lines.len(), bill.lines[0].end), (1, CallEnd::ClientGone));
        totals.push(bill.total());
    }
    assert!(Pico(0) < totals[1] && totals[1] < totals[0], "{totals:?}");
}

#[tokio::test]
async fn stopping_the_provider_books_what_was_in_flight() {
    let provider = started().await;
    let target = Target::new(provider.base_url(), DEFAULT_KEY);
    let plan =
        Plan { mix: Mix { stalled: 1, ..Mix::none() }, timeout: Duration::from_secs(20), ..Plan::default() };
    let spec = plan.call(0);
    let (result, bill) = tokio::join!(target.call(&spec), async {
        while provider.counters().in_flight == 0 {
            tokio::task::yield_now().await;
        }
        provider.stop().await
    });
    assert_eq!(result.kind, Kind::Stalled);
    assert_eq!((bill.lines.len(), bill.lines[0].nonce.as_deref()), (1, Some(spec.nonce.as_str())));
}

#[tokio::test]
async fn the_published_price_list_is_the_one_that_the_bill_is_made_from() {
    let provider = started().await;
    let list = send(&provider, Method::GET, "/_prices", "", b"").await.unwrap();
    let list = list.json();
    let price = |model: &str, field: &str| list[model][field].to_string();
    assert_eq!(
        price("gpt-4o", "input_cost_per_token").parse::<f64>().unwrap().to_bits(),
        2.5e-6_f64.to_bits()
    );
    assert_eq!(
        price("gpt-5", "output_cost_per_token_flex").parse::<f64>().unwrap().to_bits(),
        5e-6_f64.to_bits()
    );
    assert_eq!(
        price("gpt-5.4", "cache_read_input_token_cost_above_272k_tokens").parse::<f64>().unwrap().to_bits(),
        5e-7_f64.to_bits()
    );
    assert_eq!(list.as_object().unwrap().len(), Tariff::all().len());
}

#[tokio::test]
async fn the_header_names_that_reached_the_provider_are_remembered() {
    let provider = started().await;
    let mut headers = HeaderMap::new();
    headers.insert("x-leaked", "1".parse().unwrap());
    let target = Target::new(provider.base_url(), DEFAULT_KEY).with_headers(headers);
    target.call(&Plan { mix: Mix::chat_only(), ..Plan::default() }.call(0)).await;
    let seen = provider.counters().header_names;
    assert!(seen.contains("x-leaked") && seen.contains("authorization") && !seen.contains("cookie"));
}
