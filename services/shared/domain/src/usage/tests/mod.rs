//! Tests of usage reading: golden objects per dialect, streams, and the properties that hold for any object.

mod dialects;
mod properties;
mod streams;

use super::{Api, Bucket, Dialect, Reading, Usage, UsageError, normalise};

fn usage(counts: &[(Bucket, u64)]) -> Usage {
    counts.iter().copied().collect()
}

fn read(api: Api, json: &str) -> Result<Reading, UsageError> {
    normalise(Dialect::of(api), json.as_bytes())
}

fn buckets(api: Api, json: &str) -> Usage {
    read(api, json).unwrap().usage
}

#[test]
fn usage_is_a_map_of_its_non_zero_buckets() {
    let used = usage(&[(Bucket::InputUncached, 5), (Bucket::CacheWrite5m, 7), (Bucket::OutputText, 1)]);
    let json = serde_json::to_string(&used).unwrap();
    assert_eq!(json, r#"{"input_uncached":5,"cache_write_5m":7,"output_text":1}"#);
    assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), used);
    assert!(serde_json::from_str::<Usage>(r#"{"images":1,"images":1}"#).is_err());
    assert!(serde_json::from_str::<Usage>(r#"{"tokens":1}"#).is_err());
    assert!(serde_json::from_str::<Usage>(r#"{"images":-1}"#).is_err());
    assert_eq!((used.input_tokens(), used.output_tokens()), (12, 1));
}

#[test]
fn every_bucket_has_its_own_place_and_the_same_name_everywhere() {
    for (index, bucket) in Bucket::ALL.into_iter().enumerate() {
        assert_eq!(bucket.index(), index);
        assert_eq!(serde_json::to_string(&bucket).unwrap(), format!("\"{bucket}\""));
        assert_eq!(Bucket::from_name(bucket.name()), Some(bucket));
        assert_eq!(bucket.unit().per() == 1_000_000, bucket.is_token());
        assert!(!(bucket.is_input_token() && bucket.is_output_token()));
    }
}
