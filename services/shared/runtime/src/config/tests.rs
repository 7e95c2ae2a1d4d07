//! What each source can say, and what it is told when it is wrong.

use std::{collections::BTreeSet, io::Write as _, time::Duration};

use super::*;

fn from_environment(variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    load(&Sources { environment: variables.iter().copied().collect(), ..Sources::default() })
}

fn from_file(text: &str) -> Result<Loaded, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    load(&Sources { file: Some(file.path().to_owned()), ..Sources::default() })
}

fn problems(result: Result<Loaded, ConfigError>) -> Vec<Problem> {
    match result {
        Err(ConfigError::Invalid(problems)) => problems,
        other => panic!("expected problems, got {other:?}"),
    }
}

#[test]
fn the_defaults_are_valid_and_are_what_the_design_says() {
    let settings = from_environment(&[]).unwrap().settings;
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.metrics_listen.to_string(), "127.0.0.1:9464");
    assert_eq!(settings.limits.body_bytes, 10 << 20);
    assert_eq!(settings.limits.header_bytes, 32 << 10);
    assert_eq!(settings.limits.header_read_timeout, Duration::from_secs(10));
    assert_eq!(settings.limits.body_read_timeout, Duration::from_secs(60));
    assert_eq!(settings.proxy.feed_staleness, Duration::from_secs(30));
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"listen = '127.0.0.1:1'\ndrain_timeout = '1s'\n[proxy]\ndrain_time = '1m'\n").unwrap();
    let loaded = load(&Sources {
        file: Some(file.path().to_owned()),
        environment: [("TALLYSTICK_LISTEN", "127.0.0.1:2"), ("TALLYSTICK_PROXY_DRAIN_TIME", "2m")]
            .into_iter()
            .collect(),
        overrides: vec![Override { path: "listen".into(), value: "127.0.0.1:3".into(), flag: "--listen" }],
    })
    .unwrap();
    assert_eq!(loaded.settings.listen.port(), 3);
    assert_eq!(loaded.settings.proxy.drain_time, Duration::from_secs(120));
    assert_eq!(loaded.settings.drain_timeout, Duration::from_secs(1));
    assert_eq!(loaded.origin("listen"), "--listen");
    assert_eq!(loaded.origin("proxy.drain_time"), "TALLYSTICK_PROXY_DRAIN_TIME");
    assert_eq!(loaded.origin("drain_timeout"), file.path().display().to_string());
    assert_eq!(loaded.origin("log"), "default");
}

#[test]
fn every_setting_has_one_variable_and_a_documentation() {
    let reference = reference();
    let names: BTreeSet<&str> = reference.iter().map(|entry| entry.environment.as_str()).collect();
    assert_eq!(names.len(), reference.len(), "two settings share a variable");
    assert!(reference.iter().all(|entry| !entry.about.is_empty()));

    let documented: BTreeSet<String> = reference.into_iter().map(|entry| entry.path).collect();
    let known: BTreeSet<String> = tree::Tree::of(&Settings::default()).paths().into_iter().collect();
    assert_eq!(documented, known);
}

#[test]
fn every_default_can_be_given_by_its_variable() {
    let given: Vec<(String, String)> = reference()
        .into_iter()
        .filter(|entry| !entry.default.is_empty())
        .map(|entry| (entry.environment, entry.default.trim_matches('"').to_owned()))
        .collect();
    let loaded = load(&Sources { environment: given.into_iter().collect(), ..Sources::default() }).unwrap();
    assert_eq!(loaded.settings, Settings::default());
}

#[test]
fn variables_take_the_kind_of_their_setting() {
    let settings = from_environment(&[
        ("TALLYSTICK_PROXY_ALLOW_PRIVATE_UPSTREAMS", "true"),
        ("TALLYSTICK_TELEMETRY_TRACE_RATIO", "0.25"),
        ("TALLYSTICK_LIMITS_HEADER_COUNT", "64"),
        ("TALLYSTICK_LIMITS_BODY_BYTES", "20MiB"),
        ("TALLYSTICK_PROXY_LISTEN", "0.0.0.0:9000"),
        ("TALLYSTICK_TLS_CERT", "a.pem"),
        ("TALLYSTICK_TLS_KEY", "b.pem"),
    ])
    .unwrap()
    .settings;
    assert!(settings.proxy.allow_private_upstreams);
    assert!((settings.telemetry.trace_ratio - 0.25).abs() < f64::EPSILON);
    assert_eq!(settings.limits.header_count, 64);
    assert_eq!(settings.limits.body_bytes, 20 << 20);
    assert_eq!(settings.proxy_listen().to_string(), "0.0.0.0:9000");
    assert_eq!(settings.tls.key, Some("b.pem".into()));
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_one() {
    let found = problems(from_file("[proxy]\ndrian_time = '1s'\n"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "proxy.drian_time");
    assert_eq!(found[0].reason, "no such setting; did you mean `proxy.drain_time`?");

    let found = problems(from_environment(&[("TALLYSTICK_LIMIT_BODY_BYTES", "1MiB")]));
    assert_eq!(found[0].reason, "no such setting; did you mean `TALLYSTICK_LIMITS_BODY_BYTES`?");

    let found = problems(from_environment(&[("TALLYSTICK_COFFEE", "black")]));
    assert_eq!(found[0].reason, "no such setting; remove it");
}

#[test]
fn every_wrong_value_is_named_with_its_place_at_once() {
    let found = problems(from_environment(&[
        ("TALLYSTICK_LISTEN", "localhost"),
        ("TALLYSTICK_LIMITS_BODY_BYTES", "10"),
        ("TALLYSTICK_LIMITS_HEADER_COUNT", "many"),
        ("TALLYSTICK_PROXY_ALLOW_PRIVATE_UPSTREAMS", "perhaps"),
        ("TALLYSTICK_TLS_CERT", "cert.pem"),
    ]));
    let named: BTreeSet<(&str, &str)> =
        found.iter().map(|problem| (problem.path.as_str(), problem.origin.as_str())).collect();
    let expected = [
        ("listen", "TALLYSTICK_LISTEN"),
        ("limits.body_bytes", "TALLYSTICK_LIMITS_BODY_BYTES"),
        ("limits.header_count", "TALLYSTICK_LIMITS_HEADER_COUNT"),
        ("proxy.allow_private_upstreams", "TALLYSTICK_PROXY_ALLOW_PRIVATE_UPSTREAMS"),
        ("tls", ""),
    ];
    assert_eq!(named, expected.into_iter().collect());
}

#[test]
fn a_file_with_a_wrong_type_or_bad_syntax_is_refused() {
    let found = problems(from_file("[limits]\nbody_bytes = 5\n"));
    assert_eq!(found[0].path, "limits.body_bytes");
    let error = from_file("listen = \n").unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { .. }), "{error}");
    let error = load(&Sources { file: Some("no-such.toml".into()), ..Sources::default() }).unwrap_err();
    assert!(error.to_string().contains("no-such.toml"), "{error}");
}

#[test]
fn settings_that_do_not_fit_together_are_refused() {
    for (text, path) in [
        ("metrics_listen = '127.0.0.1:8080'", "metrics_listen"),
        ("log = 'redis://x'", "log"),
        ("log = 'kafka://'", "log"),
        ("database_url = 'mysql://x'", "database_url"),
        ("[limits]\nheader_bytes = '1KiB'", "limits.header_bytes"),
        ("[limits]\nheader_read_timeout = '0s'", "limits.header_read_timeout"),
        ("[spool]\nlow_water_bytes = '1MiB'", "spool.low_water_bytes"),
        ("[proxy]\nintent = 'never'", "proxy.intent"),
        ("[proxy]\nfeed_poll = '1m'", "proxy.feed_staleness"),
        ("[projector]\nbatch_records = 0", "projector.batch_records"),
        ("[reporting]\npage_rows = 5000", "reporting.page_rows"),
        ("[telemetry]\ntrace_ratio = 1.5", "telemetry.trace_ratio"),
        ("[telemetry]\nendpoint = 'localhost:4318'", "telemetry.endpoint"),
        ("[telemetry]\nlog_format = 'xml'", "telemetry.log_format"),
        ("[telemetry]\nlog_filter = 'a=b=c'", "telemetry.log_filter"),
    ] {
        let found = problems(from_file(text));
        assert_eq!(found.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), [path], "{text}");
    }
}

#[test]
fn plain_variables_of_other_programs_are_honoured_and_ours_win() {
    let plain = [
        ("DATABASE_URL", "postgres://u:secret@db/tally"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
    ];
    let settings = from_environment(&plain).unwrap().settings;
    assert_eq!(settings.database_url, Some(Secret::new("postgres://u:secret@db/tally")));
    assert_eq!(settings.telemetry.endpoint, Some(Secret::new("http://collector:4318")));

    let both = [plain[0], ("TALLYSTICK_DATABASE_URL", "postgres://other/tally")];
    let loaded = from_environment(&both).unwrap();
    assert_eq!(loaded.settings.database_url, Some(Secret::new("postgres://other/tally")));
    assert_eq!(loaded.origin("database_url"), "TALLYSTICK_DATABASE_URL");
}

#[test]
fn secrets_are_never_printed() {
    let loaded = from_environment(&[("DATABASE_URL", "postgres://u:hunter2@db/tally")]).unwrap();
    for shown in [
        loaded.print(),
        format!("{loaded:?}"),
        format!("{:#?}", loaded.settings),
        loaded.settings.redacted().to_string(),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert!(loaded.print().contains("database_url = \"[redacted]\"  # DATABASE_URL\n"));
}

#[test]
fn the_variables_of_the_cli_and_of_kubernetes_are_no_settings() {
    let variables = [
        ("TALLYSTICK_URL", "http://here"),
        ("TALLYSTICK_TOKEN", "t"),
        ("TALLYSTICK_SERVICE_HOST", "10.0.0.1"),
        ("TALLYSTICK_SERVICE_PORT_HTTP", "80"),
        ("TALLYSTICK_PORT", "tcp://10.0.0.1:80"),
        ("TALLYSTICK_PROXY_PORT_80_TCP_ADDR", "10.0.0.1"),
    ];
    assert_eq!(from_environment(&variables).unwrap().settings, Settings::default());
}

#[test]
fn the_data_directory_follows_the_user() {
    let at = |variables| from_environment(variables).unwrap().settings.data_dir;
    assert_eq!(at(&[("HOME", "/home/ada")]).to_str(), Some("/home/ada/.local/share/tallystick"));
    assert_eq!(at(&[("HOME", "/home/ada"), ("XDG_DATA_HOME", "/data")]).to_str(), Some("/data/tallystick"));
    assert_eq!(at(&[("TALLYSTICK_DATA_DIR", "/srv")]).to_str(), Some("/srv"));
}

#[test]
fn addresses_fall_back_from_the_special_to_the_general() {
    let settings = from_file("listen = '127.0.0.1:1'\nadmin_listen = '127.0.0.1:2'").unwrap().settings;
    assert_eq!((settings.proxy_listen().port(), settings.reporting_listen().port()), (1, 2));
    let settings = from_file("listen = '127.0.0.1:1'").unwrap().settings;
    assert_eq!(settings.reporting_listen().port(), 1);
}
