//! Which crate may depend on which, held over `cargo metadata`.
//!
//! Only normal dependencies count: what a crate needs for its own tests may point anywhere. `docs/ARCHITECTURE.md` shows
//! the same edges as a table.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const DOMAIN: &str = "tallystick-domain";
const BINARY: &str = "tallystick";
const ORACLE: &str = "tallystick-tests";

/// What every service stands on.
const BELOW_A_SERVICE: &[&str] =
    &[DOMAIN, "tallystick-schemas", "tallystick-eventlog", "tallystick-store", "tallystick-runtime"];

/// Each crate of the workspace with the crates of ours that it may depend on.
const ALLOWED: [(&str, &[&str]); 11] = [
    (DOMAIN, &[]),
    ("tallystick-runtime", &[DOMAIN]),
    ("tallystick-schemas", &[DOMAIN]),
    ("tallystick-store", &[DOMAIN]),
    ("tallystick-document", &[DOMAIN]),
    ("tallystick-eventlog", &[DOMAIN, "tallystick-schemas"]),
    ("tallystick-proxy", BELOW_A_SERVICE),
    ("tallystick-projector", BELOW_A_SERVICE),
    ("tallystick-reporting", BELOW_A_SERVICE),
    (
        BINARY,
        &[
            DOMAIN,
            "tallystick-schemas",
            "tallystick-eventlog",
            "tallystick-store",
            "tallystick-runtime",
            "tallystick-document",
            "tallystick-proxy",
            "tallystick-projector",
            "tallystick-reporting",
            ORACLE,
        ],
    ),
    (
        ORACLE,
        &[
            DOMAIN,
            "tallystick-schemas",
            "tallystick-eventlog",
            "tallystick-store",
            "tallystick-runtime",
            "tallystick-proxy",
            "tallystick-projector",
            "tallystick-reporting",
        ],
    ),
];

/// What the domain never reaches, however far away: it has no I/O and no async.
const NEVER_IN_DOMAIN: [&str; 6] = ["tokio", "sqlx", "rdkafka", "axum", "hyper", "reqwest"];

/// Every package with the names of its normal dependencies.
#[derive(Clone, Debug, Default)]
struct Graph {
    members: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
    /// Whether the binary takes the test crate whole, harness and all.
    whole_oracle: bool,
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("cargo metadata names its packages")
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map(Vec::as_slice).expect("cargo metadata lists its packages")
}

impl Graph {
    fn of_this_workspace() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
            .output()
            .expect("cargo built this test, so it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::read(&serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON"))
    }

    fn read(metadata: &Value) -> Self {
        let packages = list(metadata, "packages");
        let names: BTreeMap<&str, &str> = packages.iter().map(|p| (text(p, "id"), text(p, "name"))).collect();
        let members = list(metadata, "workspace_members").iter().filter_map(Value::as_str);
        let mut graph = Self { members: members.map(|id| names[id].to_owned()).collect(), ..Self::default() };
        for node in list(&metadata["resolve"], "nodes") {
            let edges = graph.edges.entry(names[text(node, "id")].to_owned()).or_default();
            let normal = list(node, "deps")
                .iter()
                .filter(|to| list(to, "dep_kinds").iter().any(|k| k["kind"].is_null()));
            edges.extend(normal.map(|to| names[text(to, "pkg")].to_owned()));
        }
        graph.whole_oracle = packages
            .iter()
            .filter(|package| text(package, "name") == BINARY)
            .flat_map(|package| list(package, "dependencies"))
            .any(|to| {
                text(to, "name") == ORACLE && to["kind"].is_null() && to["uses_default_features"] == true
            });
        graph
    }

    fn link(&mut self, from: &str, to: &str) {
        self.edges.entry(from.to_owned()).or_default().insert(to.to_owned());
    }

    /// The way from one package to another, if there is one.
    fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([from.to_owned()]);
        let mut open = vec![vec![from.to_owned()]];
        while let Some(path) = open.pop() {
            let here = path.last().expect("a path has its beginning");
            if here == to {
                return Some(path);
            }
            for next in self.edges.get(here).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push([path.as_slice(), std::slice::from_ref(next)].concat());
                }
            }
        }
        None
    }

    /// Every edge that should not be there.
    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
        for member in &self.members {
            let Some(may) = allowed.get(member.as_str()) else {
                findings.push(format!(
                    "{member} is not in the crate map: a twelfth crate needs a decision record"
                ));
                continue;
            };
            for to in self.edges.get(member).into_iter().flatten().filter(|to| self.members.contains(*to)) {
                if !may.contains(&to.as_str()) {
                    findings.push(format!("{member} must not depend on {to}"));
                }
            }
        }
        for never in NEVER_IN_DOMAIN {
            if let Some(path) = self.path(DOMAIN, never) {
                findings.push(format!("{DOMAIN} reaches {never}: {}", path.join(" -> ")));
            }
        }
        if self.whole_oracle {
            findings.push(format!(
                "{BINARY} takes {ORACLE} with its harness; the fake provider alone is allowed"
            ));
        }
        findings
    }
}

#[test]
fn every_dependency_between_crates_points_the_way_that_the_architecture_says() {
    assert_eq!(Graph::of_this_workspace().findings(), Vec::<String>::new());
}

#[test]
fn the_crate_map_names_every_crate_of_the_workspace_and_no_other() {
    let named: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(Graph::of_this_workspace().members, named);
}

#[test]
fn a_planted_wrong_edge_is_found() {
    let graph = Graph::of_this_workspace();
    let planted = [
        (
            "tallystick-proxy",
            "tallystick-reporting",
            "tallystick-proxy must not depend on tallystick-reporting",
        ),
        (
            "tallystick-reporting",
            "tallystick-document",
            "tallystick-reporting must not depend on tallystick-document",
        ),
        ("tallystick-store", "tallystick-runtime", "tallystick-store must not depend on tallystick-runtime"),
        (DOMAIN, "tokio", "tallystick-domain reaches tokio: tallystick-domain -> tokio"),
        ("rust_decimal", "sqlx", "tallystick-domain reaches sqlx: tallystick-domain -> rust_decimal -> sqlx"),
    ];
    for (from, to, finding) in planted {
        let mut wrong = graph.clone();
        wrong.link(from, to);
        assert!(
            wrong.findings().iter().any(|found| found == finding),
            "{from} -> {to}: {:?}",
            wrong.findings()
        );
    }
}

#[test]
fn a_crate_that_nobody_decided_on_is_found() {
    let mut graph = Graph::of_this_workspace();
    graph.members.insert("tallystick-twelfth".to_owned());
    let findings = graph.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with("tallystick-twelfth is not in the crate map"));
}

#[test]
fn what_a_crate_needs_for_its_own_tests_is_no_edge() {
    let graph = Graph::of_this_workspace();
    assert!(!graph.edges["tallystick-eventlog"].contains("tallystick-store"), "a dev-dependency was counted");
    assert!(graph.edges["tallystick-eventlog"].contains(DOMAIN), "a normal dependency was not counted");
}

#[test]
fn taking_the_whole_test_crate_into_the_binary_is_found() {
    let graph = Graph { whole_oracle: true, ..Graph::of_this_workspace() };
    assert_eq!(graph.findings().len(), 1);
}
