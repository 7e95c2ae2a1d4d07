//! For any object: buckets are disjoint and add up to what the provider reported.

use super::super::read_body;
use super::*;
use Bucket::*;
use proptest::prelude::*;

/// A total cut into three parts: the first two are parts of it, the third is the rest.
fn cut() -> impl Strategy<Value = (u64, u64, u64)> {
    (0_u64..2_000_000, 0_u64..2_000_000, 0_u64..2_000_000)
}

/// The bug that the field makes most often: cached tokens left inside the input as well.
fn cached_counted_twice(prompt: u64, cached: u64) -> Usage {
    usage(&[(InputUncached, prompt), (CacheRead, cached)])
}

proptest! {
    #[test]
    fn chat_and_responses_buckets_add_up_to_the_totals(
        (cached, written, plain) in cut(), (audio, reasoning, text) in cut(), outside in any::<bool>(),
    ) {
        let (input, output) = (cached + written + audio + plain, reasoning + text);
        let stated = if outside && reasoning > 0 { text } else { output };
        let chat = format!(
            r#"{{"prompt_tokens":{input},"completion_tokens":{stated},"total_tokens":{total},
            "prompt_tokens_details":{{"cached_tokens":{cached},"cache_write_tokens":{written},"audio_tokens":{audio}}},
            "completion_tokens_details":{{"reasoning_tokens":{reasoning}}}}}"#, total = input + output);
        let got = buckets(Api::Chat, &chat);
        prop_assert_eq!((got.input_tokens(), got.output_tokens()), (input, output));
        prop_assert_eq!((got.get(CacheRead), got.get(CacheWrite5m)), (cached, written));
        prop_assert_eq!((got.get(InputAudio), got.get(OutputReasoning)), (audio, reasoning));
        let responses = format!(
            r#"{{"input_tokens":{input},"output_tokens":{stated},"total_tokens":{total},
            "input_tokens_details":{{"cached_tokens":{cached},"cache_write_tokens":{written},"audio_tokens":{audio}}},
            "output_tokens_details":{{"reasoning_tokens":{reasoning}}}}}"#, total = input + output);
        prop_assert_eq!(buckets(Api::Responses, &responses), got);
    }

    #[test]
    fn overlapping_kinds_still_add_up(
        (text, audio, image) in cut(), cached in 0_u64..7_000_000, written in 0_u64..1_000_000,
    ) {
        let input = text + audio + image;
        let json = format!(
            r#"{{"prompt_tokens":{input},"completion_tokens":0,"prompt_tokens_details":{{"cached_tokens":{cached},
            "cache_write_tokens":{written},"audio_tokens":{audio},"image_tokens":{image}}}}}"#);
        match read(Api::Chat, &json) {
            Ok(reading) => {
                prop_assert_eq!(reading.usage.input_tokens(), input);
                prop_assert_eq!(reading.usage.get(CacheRead) + reading.usage.get(CacheReadAudio), cached);
                prop_assert_eq!(reading.usage.get(CacheWrite5m), written);
                prop_assert!(cached + written <= input);
            }
            Err(_) => prop_assert!(cached + written > input),
        }
    }

    #[test]
    fn anthropic_buckets_add_up_to_input_and_cache(
        (input, read_, short) in cut(), long in 0_u64..9999, (thinking, text, searches) in cut(),
    ) {
        let json = format!(
            r#"{{"input_tokens":{input},"cache_read_input_tokens":{read_},"cache_creation_input_tokens":{written},
            "cache_creation":{{"ephemeral_5m_input_tokens":{short},"ephemeral_1h_input_tokens":{long}}},
            "output_tokens":{output},"output_tokens_details":{{"thinking_tokens":{thinking}}},
            "server_tool_use":{{"web_search_requests":{searches}}}}}"#, written = short + long, output = thinking + text);
        let got = buckets(Api::Messages, &json);
        prop_assert_eq!((got.input_tokens(), got.output_tokens()), (input + read_ + short + long, thinking + text));
        prop_assert_eq!((got.get(CacheWrite5m), got.get(CacheWrite1h)), (short, long));
        prop_assert_eq!(got.get(WebSearches), searches);
    }

    #[test]
    fn gemini_buckets_add_up_to_the_total(
        (text, audio, video) in cut(), cached in 0_u64..6_000_000, (candidates, thoughts, tools) in cut(),
    ) {
        let prompt = text + audio + video;
        let cached = cached.min(prompt);
        let json = format!(
            r#"{{"promptTokenCount":{prompt},"cachedContentTokenCount":{cached},"candidatesTokenCount":{candidates},
            "thoughtsTokenCount":{thoughts},"toolUsePromptTokenCount":{tools},"totalTokenCount":{total},
            "promptTokensDetails":[{{"modality":"AUDIO","tokenCount":{audio}}},
            {{"modality":"VIDEO","tokenCount":{video}}}]}}"#, total = prompt + candidates + thoughts + tools);
        let got = buckets(Api::Gemini, &json);
        prop_assert_eq!(got.input_tokens() + got.output_tokens(), prompt + candidates + thoughts + tools);
        prop_assert_eq!(got.get(CacheRead) + got.get(CacheReadAudio), cached);
        prop_assert_eq!(got.get(OutputReasoning), thoughts);
    }

    #[test]
    fn transcription_and_images_add_up((text, other, output) in cut()) {
        let json = format!(
            r#"{{"type":"tokens","input_tokens":{input},"output_tokens":{output},"total_tokens":{total},
            "input_token_details":{{"audio_tokens":{other},"image_tokens":0}}}}"#,
            input = text + other, total = text + other + output);
        let got = buckets(Api::Transcription, &json);
        prop_assert_eq!((got.input_tokens(), got.output_tokens()), (text + other, output));
        prop_assert_eq!(buckets(Api::Images, &json).get(OutputImage), output);
    }

    #[test]
    fn cached_tokens_counted_twice_is_caught(prompt in 1_u64..2_000_000, share in 1_u64..100) {
        let cached = (prompt * share / 100).max(1);
        let json = format!(
            r#"{{"prompt_tokens":{prompt},"completion_tokens":0,"prompt_tokens_details":{{"cached_tokens":{cached}}}}}"#);
        prop_assert_eq!(buckets(Api::Chat, &json).input_tokens(), prompt);
        prop_assert!(cached_counted_twice(prompt, cached).input_tokens() != prompt, "the planted bug must show");
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_claim_usage_from_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        for api in [Api::Chat, Api::Responses, Api::Messages, Api::Gemini, Api::Embeddings, Api::Images] {
            prop_assert!(read_body(Dialect::of(api), &bytes).usage().is_none());
        }
    }

    #[test]
    fn a_usage_survives_json(counts in proptest::collection::vec((0_usize..Bucket::COUNT, 1_u64..u64::MAX), 0..20)) {
        let used: Usage = counts.into_iter().map(|(index, count)| (Bucket::ALL[index], count)).collect();
        let json = serde_json::to_string(&used).unwrap();
        prop_assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), used);
    }
}
