//! Commands that can not work say why and what to do, before anything is started.

use crate::instance::{Ended, tallystick};

fn run(arguments: &[&str]) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    Ended::of(tallystick(dir.path()).args(arguments).output().unwrap())
}

#[test]
fn a_setting_that_can_not_be_is_named_with_its_flag() {
    let ended = run(&["up", "--listen", "nonsense"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("listen (--listen)"), "{ended:?}");
}

#[test]
fn a_mistyped_variable_is_an_error_with_the_nearest_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = tallystick(dir.path());
    let ended = Ended::of(command.env("TALLYSTICK_LISTN", "127.0.0.1:1").arg("up").output().unwrap());
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("did you mean `TALLYSTICK_LISTEN`"), "{ended:?}");
}

#[test]
fn kafka_is_refused_until_this_build_has_it() {
    let ended = run(&["up", "--log", "kafka://127.0.0.1:9092"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("no Kafka yet"), "{ended:?}");
}

#[test]
fn a_service_alone_needs_a_database() {
    for service in ["proxy", "projector", "reporting"] {
        let ended = run(&[service]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains("DATABASE_URL"), "{ended:?}");
    }
}

#[test]
fn a_command_without_a_token_says_where_it_looked() {
    let dir = tempfile::tempdir().unwrap();
    let ended = Ended::of(tallystick(dir.path()).arg("status").output().unwrap());
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains(dir.path().join("admin.token").to_str().unwrap()), "{ended:?}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = tallystick(dir.path());
    command.env("TALLYSTICK_URL", "http://127.0.0.1:9").env("TALLYSTICK_TOKEN", "ts_api_x");
    let ended = Ended::of(command.arg("status").output().unwrap());
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("http://127.0.0.1:9"), "{ended:?}");
}

#[test]
fn help_and_completion_are_data_and_an_unknown_command_is_not() {
    assert_eq!(run(&["--help"]).code, 0);
    assert!(run(&["completion", "bash"]).stdout.contains("tallystick"));
    let unknown = run(&["budgetz"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
}

#[test]
fn a_demo_never_touches_a_folder_that_is_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.txt"), "three years").unwrap();
    let out = dir.path().to_str().unwrap();
    let ended = Ended::of(tallystick(dir.path()).args(["demo", "--out", out]).output().unwrap());
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(dir.path().join("thesis.txt").exists());
}
