//! Faults: each strikes where it says, and leaves one line on the bill.

use std::time::Duration;

use super::super::{CallEnd, Fault, Marks, Pico, Rule, Script};
use super::*;

#[test]
fn marks_are_read_from_any_text_and_anything_else_in_brackets_is_ordinary() {
    let text =
        r#"{"input": [[1,2],[3,4]], "t": "[[p=5 n=x]] [[not a mark]] [[p=7 colour=red]] [[c=9]] [[p=6"}"#;
    let marks = Marks::read(text);
    let expected =
        Marks { nonce: Some("x".to_owned()), prompt: Some(5), completion: Some(9), ..Marks::default() };
    assert_eq!(marks, expected);
    assert_eq!(Marks::read("[[p=1]] then [[p=2]]").prompt, Some(2), "the newest message decides");
    assert_eq!(Marks::read(&"[[".repeat(100_000)), Marks::default());
}

#[test]
fn every_fault_is_read_back_from_its_own_name() {
    let names =
        ["reset", "reset_headers", "reset_mid", "stall", "stall_mid", "truncate", "no_usage", "zero_usage"];
    for name in names.into_iter().chain(["error_frame", "garbage", "429", "503"]) {
        assert_eq!(name.parse::<Fault>().unwrap().to_string(), name);
    }
    assert!("302".parse::<Fault>().is_err() && "rest".parse::<Fault>().is_err());
}

#[tokio::test]
async fn a_reset_before_the_headers_gives_no_answer_and_one_after_them_no_body() {
    let provider = started().await;
    assert!(post(&provider, "/v1/chat/completions", &chat("gpt-4o", "n=a fault=reset")).await.is_none());
    for (nonce, request) in [
        ("b", chat("gpt-4o", "n=b fault=reset_headers")),
        ("c", stream("gpt-4o", "n=c c=90 chunks=6 fault=reset_mid at=2", None)),
        ("d", chat("gpt-4o", "n=d fault=truncate")),
    ] {
        let answer = post(&provider, "/v1/chat/completions", &request).await;
        assert!(answer.is_none_or(|answer| !answer.whole), "{nonce}");
    }
    provider.settled().await;
    let bill = provider.bill();
    for (nonce, status) in [("a", 0), ("b", 200), ("c", 200), ("d", 200)] {
        let lines = bill.by_nonce(nonce);
        assert_eq!((lines.len(), lines[0].status, lines[0].end), (1, status, CallEnd::Broken), "{nonce}");
    }
    assert_eq!(provider.counters().resets, 3);
}

#[tokio::test]
async fn a_truncated_stream_ends_cleanly_without_usage_or_done() {
    let provider = started().await;
    let answer = ask(&provider, &stream("gpt-4o", "c=90 chunks=6 fault=truncate at=2", Some(true))).await;
    assert!(answer.whole);
    assert_eq!(answer.events().len(), 3);
    assert!(!answer.text.contains("[DONE]") && !answer.text.contains("total_tokens"));
}

#[tokio::test]
async fn usage_can_be_missing_or_an_explicit_zero() {
    let provider = started().await;
    let missing = ask(&provider, &chat("gpt-4o", "n=m p=8 c=8 fault=no_usage")).await.json();
    let zero = ask(&provider, &chat("gpt-4o", "n=z p=8 c=8 fault=zero_usage")).await.json();
    let streamed = ask(&provider, &stream("gpt-4o", "n=s p=8 c=8 fault=no_usage", Some(true))).await;
    assert_eq!(missing.get("usage"), None);
    assert_eq!(zero["usage"]["total_tokens"], 0);
    assert!(streamed.text.ends_with("data: [DONE]\n\n") && !streamed.text.contains("total_tokens"));
    let bill = provider.bill();
    assert_eq!(bill.by_nonce("m")[0].amount, Pico(8 * 2_500_000 + 8 * 10_000_000), "uncounted is not free");
    assert_eq!((bill.by_nonce("z")[0].amount, bill.by_nonce("z")[0].billed), (Pico(0), true));
}

#[tokio::test]
async fn an_error_frame_and_garbage_arrive_inside_a_stream_of_status_200() {
    let provider = started().await;
    let error = ask(&provider, &stream("gpt-4o", "c=40 chunks=4 fault=error_frame at=1", None)).await;
    let last: Value = serde_json::from_str(error.events().last().unwrap()).unwrap();
    assert_eq!((error.status, &last["error"]["type"]), (StatusCode::OK, &json!("server_error")));
    let garbage = ask(&provider, &stream("gpt-4o", "c=40 chunks=4 fault=garbage", None)).await;
    assert!(
        garbage
            .events()
            .iter()
            .any(|event| serde_json::from_str::<Value>(event).is_err() && *event != "[DONE]")
    );
    assert!(garbage.text.ends_with("data: [DONE]\n\n"));
    let body = ask(&provider, &chat("gpt-4o", "fault=garbage")).await;
    assert!(body.text.starts_with("<html>"));
}

#[tokio::test]
async fn a_fault_with_times_strikes_only_the_first_attempts_of_a_nonce() {
    let provider = started().await;
    let request = chat("gpt-4o", "n=again c=1 fault=503 times=2");
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(ask(&provider, &request).await.status.as_u16());
    }
    assert_eq!(statuses, [503, 503, 200]);
    let attempts: Vec<u32> = provider.bill().by_nonce("again").iter().map(|line| line.attempt).collect();
    assert_eq!(attempts, [0, 1, 2]);
}

#[tokio::test]
async fn a_script_rule_strikes_its_share_of_its_model_and_the_same_calls_every_time() {
    let rule = Rule {
        model: Some("gpt-4o*".to_owned()),
        per_mille: Some(300),
        marks: "fault=500".to_owned(),
        ..Rule::default()
    };
    let script = Script { rules: vec![rule], ..Script::default() };
    let mut runs = Vec::new();
    for _ in 0..2 {
        let provider = started().await;
        provider.set_script(script.clone()).unwrap();
        let mut struck = Vec::new();
        for index in 0..60 {
            let answer = ask(&provider, &chat("gpt-4o-mini", &format!("n=k{index} c=1"))).await;
            struck.push(answer.status == StatusCode::INTERNAL_SERVER_ERROR);
        }
        let spared = ask(&provider, &chat("o3", "n=other c=1")).await;
        assert_eq!(spared.status, StatusCode::OK);
        runs.push(struck);
    }
    assert_eq!(runs[0], runs[1]);
    let count = runs[0].iter().filter(|struck| **struck).count();
    assert!((8..30).contains(&count), "{count} of 60");
}

#[tokio::test]
async fn a_script_that_is_no_mark_is_refused_in_process_and_over_http() {
    let provider = started().await;
    let rule = Rule { marks: "fautl=500".to_owned(), ..Rule::default() };
    assert!(provider.set_script(Script { rules: vec![rule], ..Script::default() }).is_err());
    let bad = post(&provider, "/_script", &json!({"rules": [{"marks": "fautl=500"}]})).await.unwrap();
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    let good = post(&provider, "/_script", &json!({"rules": [{"marks": "fault=503"}]})).await.unwrap();
    assert_eq!(good.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&provider, &chat("o3", "c=1")).await.status.as_u16(), 503);
}

#[tokio::test]
async fn delays_hold_back_the_first_byte_and_every_chunk() {
    let provider = started().await;
    let before = tokio::time::Instant::now();
    ask(&provider, &stream("gpt-4o", "c=40 chunks=4 first=30 delay=10", None)).await;
    assert!(before.elapsed() >= Duration::from_millis(30 + 6 * 10));
}
