//! One golden object per provider and trap.

use super::super::{CacheConvention, OtherModel, ReasoningConvention};
use super::*;
use Bucket::*;

#[test]
fn openai_chat_details_are_subsets_of_the_totals() {
    let json = r#"{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,
        "prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":0},
        "completion_tokens_details":{"reasoning_tokens":120,"audio_tokens":0,"accepted_prediction_tokens":10,
        "rejected_prediction_tokens":20}}"#;
    let expected = [(InputUncached, 86), (CacheRead, 1920), (OutputText, 180), (OutputReasoning, 120)];
    assert_eq!(buckets(Api::Chat, json), usage(&expected));
}

#[test]
fn openai_chat_audio_and_cache_writes_have_their_own_buckets() {
    let json = r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
        "prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":20,"audio_tokens":30},
        "completion_tokens_details":{"audio_tokens":40}}"#;
    let expected = [
        (InputUncached, 40),
        (CacheRead, 10),
        (CacheWrite5m, 20),
        (InputAudio, 30),
        (OutputText, 10),
        (OutputAudio, 40),
    ];
    assert_eq!(buckets(Api::Chat, json), usage(&expected));
}

#[test]
fn deepseek_and_kimi_state_the_cache_in_their_own_fields_and_it_is_counted_once() {
    let deepseek = r#"{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,
        "prompt_cache_hit_tokens":896,"prompt_cache_miss_tokens":104,"prompt_tokens_details":{"cached_tokens":896}}"#;
    assert_eq!(
        buckets(Api::Chat, deepseek),
        usage(&[(InputUncached, 104), (CacheRead, 896), (OutputText, 10)])
    );
    let kimi = r#"{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"cached_tokens":600,
        "prompt_tokens_details":{"cached_tokens":600,"cache_write_tokens":100}}"#;
    let expected = [(InputUncached, 300), (CacheRead, 600), (CacheWrite5m, 100), (OutputText, 10)];
    assert_eq!(buckets(Api::Chat, kimi), usage(&expected));
}

#[test]
fn xai_counts_reasoning_beside_the_completion_and_the_total_tells() {
    let json = r#"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":142,
        "completion_tokens_details":{"reasoning_tokens":101}}"#;
    assert_eq!(
        buckets(Api::Chat, json),
        usage(&[(InputUncached, 32), (OutputText, 9), (OutputReasoning, 101)])
    );
    let strict = Dialect { reasoning: ReasoningConvention::Inside, ..Dialect::of(Api::Chat) };
    assert!(matches!(
        normalise(strict, json.as_bytes()),
        Err(UsageError::Inconsistent { what: "total_tokens", .. })
    ));
}

#[test]
fn the_same_numbers_under_the_exclusive_convention_are_more_tokens() {
    let json = br#"{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":40}}"#;
    let inclusive = normalise(Dialect::of(Api::Chat), json).unwrap().usage;
    let exclusive = Dialect { cache: CacheConvention::Exclusive, ..Dialect::of(Api::Chat) };
    let exclusive = normalise(exclusive, json).unwrap().usage;
    assert_eq!((inclusive.input_tokens(), exclusive.input_tokens()), (100, 140));
    assert_eq!((inclusive.get(CacheRead), exclusive.get(CacheRead)), (40, 40));
}

#[test]
fn responses_have_the_same_totals_under_other_names() {
    let json = r#"{"input_tokens":75,"input_tokens_details":{"cached_tokens":25,"cache_write_tokens":10},
        "output_tokens":1186,"output_tokens_details":{"reasoning_tokens":1024},"total_tokens":1261}"#;
    let expected = [
        (InputUncached, 40),
        (CacheRead, 25),
        (CacheWrite5m, 10),
        (OutputText, 162),
        (OutputReasoning, 1024),
    ];
    assert_eq!(buckets(Api::Responses, json), usage(&expected));
}

#[test]
fn anthropic_cache_stands_beside_the_input_and_is_split_by_lifetime() {
    let json = r#"{"input_tokens":50,"cache_creation_input_tokens":456,"cache_read_input_tokens":1800,
        "cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":356},"output_tokens":503,
        "output_tokens_details":{"thinking_tokens":100},"server_tool_use":{"web_search_requests":2,
        "web_fetch_requests":1},"service_tier":"standard"}"#;
    let reading = read(Api::Messages, json).unwrap();
    let expected = [
        (InputUncached, 50),
        (CacheRead, 1800),
        (CacheWrite5m, 100),
        (CacheWrite1h, 356),
        (OutputText, 403),
        (OutputReasoning, 100),
        (WebSearches, 2),
        (WebFetches, 1),
    ];
    assert_eq!(reading.usage, usage(&expected));
    assert_eq!(reading.service_tier.as_deref(), Some("standard"));
}

#[test]
fn anthropic_cache_writes_without_a_split_have_the_default_lifetime() {
    let total = r#"{"input_tokens":1,"cache_creation_input_tokens":9,"output_tokens":1}"#;
    assert_eq!(buckets(Api::Messages, total).get(CacheWrite5m), 9);
    let null =
        r#"{"input_tokens":1,"cache_creation_input_tokens":9,"cache_creation":null,"output_tokens":1}"#;
    assert_eq!(buckets(Api::Messages, null).get(CacheWrite5m), 9);
    let only_split =
        r#"{"input_tokens":1,"cache_creation":{"ephemeral_1h_input_tokens":9},"output_tokens":1}"#;
    assert_eq!(buckets(Api::Messages, only_split).get(CacheWrite1h), 9);
    let short_split = r#"{"input_tokens":1,"cache_creation_input_tokens":12,
        "cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":9},"output_tokens":1}"#;
    assert_eq!(buckets(Api::Messages, short_split).get(CacheWrite1h), 12);
    let contradiction = r#"{"input_tokens":1,"cache_creation_input_tokens":12,
        "cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":9},"output_tokens":1}"#;
    assert!(matches!(read(Api::Messages, contradiction), Err(UsageError::Inconsistent { .. })));
}

#[test]
fn anthropic_place_and_speed_become_part_of_the_tier() {
    let tier = |rest: &str| {
        let json = format!(r#"{{"input_tokens":1,"output_tokens":1{rest}}}"#);
        read(Api::Messages, &json).unwrap().service_tier
    };
    assert_eq!(tier(""), None);
    assert_eq!(
        tier(r#","service_tier":"batch","inference_geo":"global","speed":"standard""#).unwrap(),
        "batch"
    );
    assert_eq!(tier(r#","service_tier":"standard","inference_geo":"us""#).unwrap(), "standard+us");
    assert_eq!(tier(r#","inference_geo":"us","speed":"fast""#).unwrap(), "standard+us+fast");
}

#[test]
fn anthropic_compaction_is_added_and_another_model_is_kept_apart() {
    let json = r#"{"input_tokens":23000,"output_tokens":1000,"iterations":[
        {"type":"compaction","input_tokens":180000,"output_tokens":3500},
        {"type":"message","input_tokens":23000,"output_tokens":1000},
        {"type":"advisor_message","model":"claude-opus-4-6","input_tokens":823,"cache_read_input_tokens":7,
         "output_tokens":1612}]}"#;
    let reading = read(Api::Messages, json).unwrap();
    assert_eq!(reading.usage, usage(&[(InputUncached, 203_000), (OutputText, 4500)]));
    let advisor = usage(&[(InputUncached, 823), (CacheRead, 7), (OutputText, 1612)]);
    assert_eq!(reading.others, [OtherModel { model: "claude-opus-4-6".to_owned(), usage: advisor }]);
}

#[test]
fn gemini_thoughts_are_output_and_tool_use_is_extra_input() {
    let json = r#"{"promptTokenCount":1000,"cachedContentTokenCount":600,"candidatesTokenCount":50,
        "thoughtsTokenCount":200,"toolUsePromptTokenCount":70,"totalTokenCount":1320,
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":700},{"modality":"AUDIO","tokenCount":200},
        {"modality":"VIDEO","tokenCount":100}],
        "cacheTokensDetails":[{"modality":"TEXT","tokenCount":500},{"modality":"AUDIO","tokenCount":100}],
        "candidatesTokensDetails":[{"modality":"TEXT","tokenCount":40},{"modality":"IMAGE","tokenCount":10}],
        "trafficType":"ON_DEMAND_FLEX"}"#;
    let reading = read(Api::Gemini, json).unwrap();
    let expected = [
        (InputUncached, 270),
        (CacheRead, 500),
        (CacheReadAudio, 100),
        (InputAudio, 100),
        (InputImage, 100),
        (OutputText, 40),
        (OutputReasoning, 200),
        (OutputImage, 10),
    ];
    assert_eq!(reading.usage, usage(&expected));
    assert_eq!(reading.service_tier.as_deref(), Some("ON_DEMAND_FLEX"));
    let no_candidates = r#"{"promptTokenCount":8,"totalTokenCount":8}"#;
    assert_eq!(buckets(Api::Gemini, no_candidates), usage(&[(InputUncached, 8)]));
}

#[test]
fn embeddings_images_and_transcription_have_shapes_of_their_own() {
    assert_eq!(
        buckets(Api::Embeddings, r#"{"prompt_tokens":8,"total_tokens":8}"#),
        usage(&[(InputUncached, 8)])
    );
    let image = r#"{"input_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40},
        "output_tokens":4160,"total_tokens":4210}"#;
    let expected = [(InputUncached, 10), (InputImage, 40), (OutputImage, 4160)];
    assert_eq!(buckets(Api::Images, image), usage(&expected));
    let tokens = r#"{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},
        "output_tokens":45,"total_tokens":59}"#;
    assert_eq!(buckets(Api::Transcription, tokens), usage(&[(InputAudio, 14), (OutputText, 45)]));
    for (seconds, billed) in [("8", 8), ("8.0", 8), ("8.01", 9), ("\"8.5\"", 9)] {
        let duration = format!(r#"{{"type":"duration","seconds":{seconds}}}"#);
        assert_eq!(buckets(Api::Transcription, &duration), usage(&[(Seconds, billed)]));
    }
}

#[test]
fn an_explicit_zero_stays_a_zero() {
    let zero = r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#;
    assert!(buckets(Api::Chat, zero).is_empty());
}

#[test]
fn what_contradicts_itself_is_refused_by_name() {
    let refused = |api, json: &str| read(api, json).unwrap_err();
    let negative = r#"{"prompt_tokens":-1,"completion_tokens":0}"#;
    assert_eq!(refused(Api::Chat, negative), UsageError::Negative { field: "prompt_tokens" });
    let fraction = r#"{"prompt_tokens":1.5,"completion_tokens":0}"#;
    assert_eq!(refused(Api::Chat, fraction), UsageError::NotWhole { field: "prompt_tokens" });
    for count in ["1000000000001", "1e300", "18446744073709551616"] {
        let large = format!(r#"{{"prompt_tokens":{count},"completion_tokens":0}}"#);
        assert_eq!(refused(Api::Chat, &large), UsageError::TooLarge { field: "prompt_tokens" });
    }
    assert_eq!(refused(Api::Chat, "{}"), UsageError::Missing { field: "prompt_tokens" });
    assert!(matches!(refused(Api::Chat, r#"{"prompt_tokens":[]}"#), UsageError::Malformed { .. }));
    assert!(matches!(refused(Api::Messages, "not json"), UsageError::Malformed { .. }));
    for (api, json) in [
        (Api::Chat, r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":16}"#),
        (
            Api::Chat,
            r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":11}}"#,
        ),
        (
            Api::Chat,
            r#"{"prompt_tokens":9,"completion_tokens":1,"cached_tokens":2,"prompt_cache_hit_tokens":3}"#,
        ),
        (Api::Chat, r#"{"prompt_tokens":9,"prompt_cache_hit_tokens":3,"prompt_cache_miss_tokens":5}"#),
        (
            Api::Messages,
            r#"{"input_tokens":1,"output_tokens":1,"output_tokens_details":{"thinking_tokens":2}}"#,
        ),
        (Api::Gemini, r#"{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":14}"#),
        (Api::Embeddings, r#"{"prompt_tokens":8,"total_tokens":9}"#),
    ] {
        assert!(matches!(refused(api, json), UsageError::Inconsistent { .. }), "{json}");
    }
}
