use super::*;

fn edited(text: &str) -> String {
    let body = Bytes::from(text.to_owned());
    let view = read(&body).unwrap();
    String::from_utf8(ask_for_usage(&body, &view).unwrap().to_vec()).unwrap()
}

#[test]
fn asking_for_usage_changes_nothing_else_in_the_body() {
    for (before, after) in [
        (
            r#" { "model":"m", "x": 1.0e3,"stream":true}"#,
            r#" {"stream_options":{"include_usage":true}, "model":"m", "x": 1.0e3,"stream":true}"#,
        ),
        (r#"{"model":"m","stream_options":{}}"#, r#"{"model":"m","stream_options":{"include_usage":true}}"#),
        (
            r#"{"model":"m","stream_options":{ "include_obfuscation": false }}"#,
            r#"{"model":"m","stream_options":{"include_usage":true, "include_obfuscation": false }}"#,
        ),
        (
            r#"{"model":"m","stream_options":{"include_usage" : false, "a":1}}"#,
            r#"{"model":"m","stream_options":{"include_usage" : true, "a":1}}"#,
        ),
        (
            r#"{"model":"m","stream_options":{"include_usage":true}}"#,
            r#"{"model":"m","stream_options":{"include_usage":true}}"#,
        ),
    ] {
        assert_eq!(edited(before), after);
    }
}

#[test]
fn null_options_are_replaced_and_not_doubled() {
    let after = edited(r#"{"model":"m","stream_options":null}"#);
    let value: serde_json::Value = serde_json::from_str(&after).unwrap();
    assert_eq!(value["stream_options"]["include_usage"], true);
    assert_eq!(after.matches("stream_options").count(), 1, "{after}");
}

#[test]
fn options_that_are_no_object_are_refused_with_their_name() {
    let body = Bytes::from_static(br#"{"model":"m","stream_options":[1]}"#);
    let view = read(&body).unwrap();
    assert_eq!(ask_for_usage(&body, &view).unwrap_err().param, Some("stream_options"));
}

#[test]
fn malformed_json_is_refused_with_its_position_and_without_its_content() {
    let refusal = read(b"{\"model\":\"m\",\n \"secret prompt\" }").unwrap_err();
    assert_eq!(refusal.code, "invalid_request");
    assert!(refusal.message.contains("line 2, column 18"), "{}", refusal.message);
    let refusal = read(br#"{"model":"m","stream":"secret prompt"}"#).unwrap_err();
    assert!(!refusal.message.contains("secret"), "{}", refusal.message);
    assert!(read(br#"{"messages":[]}"#).unwrap_err().message.contains("missing field `model`"));
}

#[test]
fn a_nul_in_a_kept_field_is_refused_by_name() {
    let refusal = read(br#"{"model":"m\u0000x"}"#).unwrap_err();
    assert_eq!((refusal.code, refusal.param), ("invalid_request", Some("model")));
    let refusal = read(br#"{"model":"m","user":"a\u0000"}"#).unwrap_err();
    assert!(refusal.message.contains("user holds the control character U+0000"), "{}", refusal.message);
}

#[test]
fn the_print_is_made_of_the_first_messages_only() {
    let printed = |text: &'static str| {
        let mut seen: Vec<u8> = Vec::new();
        let any = read(text.as_bytes()).unwrap().print(|part| seen.extend_from_slice(part));
        (any, String::from_utf8(seen).unwrap())
    };
    assert_eq!(printed(r#"{"model":"m","messages":["a","b","c"]}"#), (true, r#""a""b""#.to_owned()));
    assert_eq!(printed(r#"{"model":"m","input":"hello"}"#), (true, r#""hello""#.to_owned()));
    assert_eq!(printed(r#"{"model":"m"}"#), (false, String::new()));
}

#[test]
fn a_session_in_the_body_is_found() {
    let session = |text: &'static str, call| read(text.as_bytes()).unwrap().session(call);
    assert_eq!(session(r#"{"model":"m","session_id":"s1"}"#, Call::Chat).as_deref(), Some("s1"));
    assert_eq!(session(r#"{"model":"m","metadata":{"session_id":"s2"}}"#, Call::Chat).as_deref(), Some("s2"));
    let claude = r#"{"model":"m","metadata":{"user_id":"user_ab_account__session_12-34"}}"#;
    assert_eq!(session(claude, Call::Messages).as_deref(), Some("12-34"));
    assert_eq!(session(r#"{"model":"m","session_id":7}"#, Call::Chat), None);
}

#[test]
fn the_output_cap_counts_every_choice() {
    let cap = |text: &'static str| read(text.as_bytes()).unwrap().output_cap();
    assert_eq!(cap(r#"{"model":"m","max_tokens":10,"n":3}"#), Some(30));
    assert_eq!(cap(r#"{"model":"m","max_tokens":10,"max_completion_tokens":20}"#), Some(20));
    assert_eq!(cap(r#"{"model":"m"}"#), None);
}
