use super::*;
use secrecy::ExposeSecret as _;
use std::os::unix::fs::PermissionsExt as _;
use uuid::Uuid;

fn secrets() -> Secrets {
    MasterKey::from_bytes([7; MASTER_BYTES]).secrets()
}

#[test]
fn a_sealed_secret_opens_only_for_the_destination_that_it_was_sealed_for() {
    let team = TeamId::from_uuid(Uuid::from_u128(1));
    let here = provider_binding(team, "openai", "https://api.openai.com");
    let sealed = secrets().secret_box.seal(&here, [3; NONCE_BYTES], b"sk-upstream");
    assert_eq!(secrets().secret_box.open_text(&here, &sealed).unwrap().expose_secret(), "sk-upstream");

    let other_team = TeamId::from_uuid(Uuid::from_u128(2));
    for elsewhere in [
        provider_binding(team, "openai", "https://evil.example"),
        provider_binding(team, "openai2", "https://api.openai.com"),
        provider_binding(other_team, "openai", "https://api.openai.com"),
    ] {
        assert_eq!(secrets().secret_box.open(&elsewhere, &sealed), Err(SealError::Refused));
    }
    let other_key = MasterKey::from_bytes([8; MASTER_BYTES]).secrets();
    assert_eq!(other_key.secret_box.open(&here, &sealed), Err(SealError::Refused));
}

#[test]
fn a_damaged_or_short_secret_is_refused() {
    let mut sealed = secrets().secret_box.seal(b"x", [0; NONCE_BYTES], b"secret");
    *sealed.last_mut().unwrap() ^= 1;
    assert_eq!(secrets().secret_box.open(b"x", &sealed), Err(SealError::Refused));
    assert_eq!(secrets().secret_box.open(b"x", &sealed[..5]), Err(SealError::Refused));
}

#[test]
fn a_pepper_matches_the_whole_text_and_nothing_else() {
    let pepper = secrets().pepper;
    let hmac = pepper.hmac("ts_live_a");
    assert!(pepper.matches("ts_live_a", &hmac));
    assert!(!pepper.matches("ts_live_b", &hmac));
    assert!(!pepper.matches("ts_live_a", &hmac[..31]));
    assert_ne!(secrets().print("origin", b"x"), secrets().print("prompt", b"x"));
}

#[test]
fn nothing_that_holds_a_secret_prints_it() {
    let shown = format!("{:?} {:?}", MasterKey::from_bytes([7; MASTER_BYTES]), secrets());
    assert_eq!(shown, "MasterKey([redacted]) Secrets([redacted])");
}

#[test]
fn the_key_file_is_made_once_for_the_owner_alone_and_read_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret.key");
    let made = MasterKey::load_or_create(&path, [1; MASTER_BYTES]).unwrap();
    let read = MasterKey::load_or_create(&path, [2; MASTER_BYTES]).unwrap();
    assert_eq!(made.0, read.0);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);

    std::fs::write(&path, "not a key").unwrap();
    let error = MasterKey::load_or_create(&path, [3; MASTER_BYTES]).unwrap_err();
    assert!(error.to_string().contains("64 hexadecimal digits"), "{error}");
}
