//! Shapes: bodies, streams, headers and errors as the SDKs parse them.

use super::*;

#[tokio::test]
async fn a_chat_answer_has_openais_shape_and_the_usage_that_its_prompt_asks_for() {
    let provider = started().await;
    let answer = ask(&provider, &chat("gpt-4o", "p=1200 cached=1000 c=300 r=50")).await;
    let body = answer.json();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        body["usage"],
        json!({
            "prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500,
            "prompt_tokens_details": {"cached_tokens": 1000, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 50, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
            },
        })
    );
    assert_eq!(
        (body["object"].as_str(), body["model"].as_str()),
        (Some("chat.completion"), Some("gpt-4o-2024-08-06"))
    );
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["choices"][0]["message"]["role"], "assistant");
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    for name in ["x-request-id", "openai-processing-ms", "openai-version", "x-ratelimit-remaining-tokens"] {
        assert!(answer.header(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_stream_has_a_usage_chunk_only_when_asked_and_ends_in_done() {
    let provider = started().await;
    for usage in [None, Some(false), Some(true)] {
        let answer = ask(&provider, &stream("gpt-4o-mini", "p=10 c=40 chunks=5", usage)).await;
        let events = answer.events();
        let asked = usage == Some(true);
        assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(events.len(), 1 + 5 + 1 + usize::from(asked) + 1, "{usage:?}");
        assert_eq!(events.last(), Some(&"[DONE]"));
        let chunks: Vec<Value> =
            events[..events.len() - 1].iter().map(|e| serde_json::from_str(e).unwrap()).collect();
        assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(chunks[6]["choices"][0]["finish_reason"], "stop");
        assert!(
            chunks[..7].iter().all(|chunk| chunk.get("usage") == asked.then_some(&Value::Null)),
            "{usage:?}"
        );
        if asked {
            assert_eq!(
                (&chunks[7]["choices"], &chunks[7]["usage"]["total_tokens"]),
                (&json!([]), &json!(50))
            );
        }
    }
}

#[tokio::test]
async fn a_stream_says_the_same_as_the_unstreamed_answer_however_it_is_split() {
    let provider = started().await;
    let whole = ask(&provider, &chat("gpt-4o", "c=77")).await.json();
    let words = whole["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    let plain = ask(&provider, &stream("gpt-4o", "c=77", None)).await;
    let text = |answer: &Answer| -> String {
        let chunks =
            answer.events().into_iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
        chunks
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(text(&plain), words);
    let mut split = stream("gpt-4o", "c=77", None);
    split["metadata"] = json!({"how": "[[split=3]]"});
    assert_eq!(text(&ask(&provider, &split).await), words);
}

#[tokio::test]
async fn embeddings_come_as_numbers_or_as_the_same_numbers_in_base64() {
    use base64::Engine;
    let provider = started().await;
    let request = |format: &str| json!({"model": "text-embedding-3-small", "input": ["one [[p=9]]", "two"], "dimensions": 4, "encoding_format": format});
    let plain = post(&provider, "/v1/embeddings", &request("float")).await.unwrap().json();
    let packed = post(&provider, "/v1/embeddings", &request("base64")).await.unwrap().json();
    assert_eq!(plain["usage"], json!({"prompt_tokens": 9, "total_tokens": 9}));
    assert_eq!(plain["data"].as_array().unwrap().len(), 2);
    for index in 0..2 {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(packed["data"][index]["embedding"].as_str().unwrap())
            .unwrap();
        let numbers: Vec<f32> = bytes.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!(json!(numbers), plain["data"][index]["embedding"]);
    }
}

#[tokio::test]
async fn errors_have_openais_envelope_status_and_code() {
    let provider = started().await;
    let path = "/v1/chat/completions";
    let good = chat("gpt-4o", "c=1").to_string();
    let bad_key = send(&provider, Method::POST, path, "sk-someone-else", good.as_bytes()).await.unwrap();
    let bad_json = send(&provider, Method::POST, path, DEFAULT_KEY, b"{\"model\": ").await.unwrap();
    let no_model = ask(&provider, &chat("gpt-9", "c=1")).await;
    let mut odd = chat("gpt-4o", "c=1");
    odd["stream_options"] = json!({"include_usage": true});
    let odd = ask(&provider, &odd).await;
    let limited = ask(&provider, &chat("gpt-4o", "fault=429 retry=7")).await;
    let failed = ask(&provider, &chat("gpt-4o", "fault=500")).await;
    let mut old_cap = chat("gpt-5-mini", "c=1");
    old_cap["max_tokens"] = json!(5);
    let old_cap = ask(&provider, &old_cap).await;
    let cases = [
        (&bad_key, 401, json!("invalid_request_error"), json!("invalid_api_key"), json!(null)),
        (&bad_json, 400, json!("invalid_request_error"), json!(null), json!(null)),
        (&no_model, 404, json!("invalid_request_error"), json!("model_not_found"), json!(null)),
        (&odd, 400, json!("invalid_request_error"), json!(null), json!("stream_options")),
        (&old_cap, 400, json!("invalid_request_error"), json!("unsupported_parameter"), json!("max_tokens")),
        (&limited, 429, json!("tokens"), json!("rate_limit_exceeded"), json!(null)),
        (&failed, 500, json!("server_error"), json!(null), json!(null)),
    ];
    for (answer, status, kind, code, param) in cases {
        let error = &answer.json()["error"];
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!((&error["type"], &error["code"], &error["param"]), (&kind, &code, &param), "{status}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    assert_eq!(limited.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn models_are_listed_and_shown_to_a_known_key_only() {
    let provider = started().await;
    let get = |path: &'static str, key: &'static str| send(&provider, Method::GET, path, key, b"");
    let list = get("/v1/models", DEFAULT_KEY).await.unwrap().json();
    assert!(list["data"].as_array().unwrap().iter().any(|model| model["id"] == "gpt-4o"));
    assert_eq!(get("/v1/models/o3", DEFAULT_KEY).await.unwrap().json()["id"], "o3");
    assert_eq!(get("/v1/models/o9", DEFAULT_KEY).await.unwrap().status, StatusCode::NOT_FOUND);
    assert_eq!(get("/v1/models", "sk-x").await.unwrap().status, StatusCode::UNAUTHORIZED);
    assert_eq!(get("/v1/nothing", DEFAULT_KEY).await.unwrap().status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn anthropics_input_excludes_the_cache_and_its_stream_counts_output_cumulatively() {
    let provider = started().await;
    let words = "[[p=1000 cached=600 w=100 w1h=50 c=80]]";
    let mut body = json!({
        "model": "claude-haiku-4-5", "max_tokens": 64, "messages": [{"role": "user", "content": words}],
    });
    let whole = post(&provider, "/v1/messages", &body).await.unwrap();
    let usage = &whole.json()["usage"];
    assert_eq!(usage["input_tokens"], 250);
    assert_eq!(
        (&usage["cache_read_input_tokens"], &usage["cache_creation_input_tokens"]),
        (&json!(600), &json!(150))
    );
    assert_eq!((&usage["output_tokens"], &whole.json()["stop_reason"]), (&json!(64), &json!("max_tokens")));
    body["stream"] = json!(true);
    let streamed = post(&provider, "/v1/messages", &body).await.unwrap();
    let events: Vec<Value> =
        streamed.events().iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap();
    assert_eq!(of("message_start")["message"]["usage"]["output_tokens"], 1);
    assert_eq!(of("message_delta")["usage"]["output_tokens"], 64);
    assert_eq!(events.last().unwrap()["type"], "message_stop");
    body["model"] = json!("claude-9");
    let error = post(&provider, "/v1/messages", &body).await.unwrap();
    assert_eq!((error.status.as_u16(), &error.json()["error"]["type"]), (404, &json!("not_found_error")));
}
