//! Whole streams and whole answers.

use super::super::{StreamUsage, read_body};
use super::*;
use crate::sse::SseParser;
use Bucket::*;

fn follow(api: Api, payloads: &[&str]) -> super::super::Observed {
    let mut stream = StreamUsage::new(Dialect::of(api));
    for payload in payloads {
        stream.push(payload.as_bytes());
    }
    stream.observed()
}

#[test]
fn the_last_chat_chunk_wins_and_is_known_as_the_extra_one() {
    let mut stream = StreamUsage::new(Dialect::of(Api::Chat));
    let first = stream.push(
        br#"{"model":"gpt-4o-2024-08-06","service_tier":"default","choices":[{"delta":{"content":"hello"},
        "finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#,
    );
    assert!(first.has_usage && !first.usage_only);
    stream.push(
        br#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{}"}}]},"finish_reason":"stop"}]}"#,
    );
    let usage_raw = r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}"#;
    let last = stream.push(format!(r#"{{"choices":[],"usage":{usage_raw}}}"#).as_bytes());
    assert!(last.usage_only);
    assert!(!stream.push(b"[DONE]").has_usage);
    let seen = stream.observed();
    assert_eq!(seen.usage(), Some(&usage(&[(InputUncached, 9), (OutputText, 3)])));
    assert_eq!(seen.usage_raw.as_deref(), Some(usage_raw));
    assert_eq!(seen.model.as_deref(), Some("gpt-4o-2024-08-06"));
    assert_eq!(seen.service_tier.as_deref(), Some("default"));
    assert_eq!((seen.finished, seen.output_bytes, seen.unreadable), (true, 7, 0));
}

#[test]
fn a_broken_stream_has_no_usage_but_tells_how_much_text_came() {
    let seen = follow(Api::Chat, &[r#"{"choices":[{"delta":{"content":"häh"}}],"usage":null}"#, "{broken"]);
    assert_eq!((seen.reading, seen.finished, seen.output_bytes, seen.unreadable), (None, false, 4, 1));
}

const START: &str = r#"{"type":"message_start","message":{"model":"claude-sonnet-4-5-20250929","usage":{
    "input_tokens":472,"cache_creation_input_tokens":0,"cache_read_input_tokens":100,"output_tokens":1,
    "service_tier":"standard","cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}}}}"#;

#[test]
fn anthropic_deltas_are_cumulative_and_the_last_one_counts() {
    let seen = follow(
        Api::Messages,
        &[
            START,
            r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"four"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":40}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":null,
            "cache_read_input_tokens":100,"output_tokens":89,"server_tool_use":{"web_search_requests":1}}}"#,
            r#"{"type":"message_stop"}"#,
        ],
    );
    let expected = [(InputUncached, 472), (CacheRead, 100), (OutputText, 89), (WebSearches, 1)];
    assert_eq!(seen.usage(), Some(&usage(&expected)));
    assert_eq!(seen.service_tier.as_deref(), Some("standard"));
    assert_eq!((seen.finished, seen.output_bytes), (true, 4));
    let raw: serde_json::Value = serde_json::from_str(&seen.usage_raw.unwrap()).unwrap();
    assert_eq!((&raw["input_tokens"], &raw["output_tokens"]), (&472.into(), &89.into()));
}

/// What the last test guards against: adding up what each delta states.
fn summed_output(payloads: &[&str]) -> u64 {
    let stated = |payload: &&str| -> u64 {
        let event: serde_json::Value = serde_json::from_str(payload).unwrap();
        event["usage"]["output_tokens"]
            .as_u64()
            .or(event["message"]["usage"]["output_tokens"].as_u64())
            .unwrap_or(0)
    };
    payloads.iter().map(stated).sum()
}

#[test]
fn sum_a_cumulative_stream_usage_is_caught() {
    let delta = |tokens: u64| {
        format!(r#"{{"type":"message_delta","delta":{{}},"usage":{{"output_tokens":{tokens}}}}}"#)
    };
    let (early, late) = (delta(40), delta(89));
    let billed_by_the_provider = 89;
    let payloads = [START, early.as_str(), late.as_str()];
    let seen = follow(Api::Messages, &payloads);
    assert_eq!(seen.usage().unwrap().output_tokens(), billed_by_the_provider);
    assert_ne!(summed_output(&payloads), billed_by_the_provider, "the planted bug must show");
}

#[test]
fn responses_events_carry_usage_in_the_last_one_and_searches_in_the_items() {
    let seen = follow(
        Api::Responses,
        &[
            r#"{"type":"response.created","response":{"model":"gpt-5-2025-08-07","usage":null,"output":[]}}"#,
            r#"{"type":"response.output_text.delta","delta":"abc"}"#,
            r#"{"type":"response.completed","response":{"model":"gpt-5-2025-08-07","service_tier":"priority",
            "status":"completed","output":[{"type":"web_search_call","action":{"type":"search"}},
            {"type":"web_search_call","action":{"type":"open_page"}},{"type":"message","content":[{"text":"abc"}]}],
            "usage":{"input_tokens":5,"output_tokens":2,"total_tokens":7}}}"#,
        ],
    );
    assert_eq!(seen.usage(), Some(&usage(&[(InputUncached, 5), (OutputText, 2), (WebSearches, 1)])));
    assert_eq!(seen.service_tier.as_deref(), Some("priority"));
    assert_eq!((seen.finished, seen.output_bytes), (true, 3));
}

#[test]
fn gemini_takes_the_last_metadata_of_a_stream_and_of_an_array() {
    let chunks = [
        r#"{"candidates":[{"content":{"parts":[{"text":"ab"}]}}],"modelVersion":"gemini-2.5-flash",
        "usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":1,"totalTokenCount":5}}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"cd"}]},"finishReason":"STOP",
        "groundingMetadata":{"webSearchQueries":["x","y"]}}],
        "usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":3,"thoughtsTokenCount":2,"totalTokenCount":9}}"#,
    ];
    let seen = follow(Api::Gemini, &chunks);
    let expected = usage(&[(InputUncached, 4), (OutputText, 3), (OutputReasoning, 2), (WebSearches, 1)]);
    assert_eq!(seen.usage(), Some(&expected));
    assert_eq!((seen.finished, seen.output_bytes), (true, 4));
    let array = format!("[{}]", chunks.join(",\n"));
    assert_eq!(read_body(Dialect::of(Api::Gemini), array.as_bytes()), seen);
}

#[test]
fn whole_answers_tell_the_same() {
    let chat =
        br#"{"id":"x","model":"gpt-4o","choices":[{"message":{"content":"hello"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#;
    let seen = read_body(Dialect::of(Api::Chat), chat);
    assert_eq!(seen.usage(), Some(&usage(&[(InputUncached, 9), (OutputText, 1)])));
    assert_eq!((seen.finished, seen.output_bytes, seen.model.as_deref()), (true, 5, Some("gpt-4o")));

    let message = br#"{"type":"message","model":"claude-opus-4-6","stop_reason":"end_turn",
        "content":[{"type":"text","text":"hi"}],"usage":{"input_tokens":3,"output_tokens":1,"inference_geo":"us"}}"#;
    let seen = read_body(Dialect::of(Api::Messages), message);
    assert_eq!(seen.usage(), Some(&usage(&[(InputUncached, 3), (OutputText, 1)])));
    assert_eq!(seen.service_tier.as_deref(), Some("standard+us"));

    let images = read_body(Dialect::of(Api::Images), br#"{"created":1,"data":[{"url":"a"},{"url":"b"}]}"#);
    assert_eq!(images.usage(), Some(&usage(&[(Images, 2)])));
    let speech = read_body(Dialect::of(Api::Transcription), br#"{"text":"hi","duration":"8.47"}"#);
    assert_eq!(speech.usage(), Some(&usage(&[(Seconds, 9)])));
    assert_eq!(read_body(Dialect::of(Api::Transcription), b"plain text").unreadable, 1);
}

#[test]
fn an_error_inside_an_answer_is_named() {
    let error = |api, payload: &str| follow(api, &[payload]).error.unwrap();
    assert_eq!(
        error(Api::Chat, r#"{"error":{"message":"m","type":"server_error","code":null}}"#),
        "server_error"
    );
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#;
    assert_eq!(error(Api::Messages, overloaded), "overloaded_error");
    assert_eq!(
        error(Api::Gemini, r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}"#),
        "RESOURCE_EXHAUSTED"
    );
    assert_eq!(
        error(Api::Responses, r#"{"type":"error","code":"rate_limit_exceeded"}"#),
        "rate_limit_exceeded"
    );
}

#[test]
fn a_stream_is_metered_frame_by_frame_as_it_arrives() {
    let stream = "event: message_start\ndata: ".to_owned()
        + &START.replace('\n', " ")
        + "\n\n: ping\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"x\"},\
        \"usage\":{\"output_tokens\":7}}\n\n";
    let (mut parser, mut metered) = (SseParser::default(), StreamUsage::new(Dialect::of(Api::Messages)));
    for chunk in stream.as_bytes().chunks(11) {
        parser.push(chunk);
        while let Some(frame) = parser.next_frame().unwrap() {
            if let Some(data) = frame.data() {
                metered.push(&data);
            }
        }
    }
    assert!(metered.finished());
    assert_eq!(metered.observed().usage().unwrap().output_tokens(), 7);
}
