//! `tallystick doctor`: what a person would look at first, in one table.

use serde_json::{Value, json};

use crate::client::{Running, TOKEN_FILE};
use crate::context::Context;
use crate::error::{CliError, Outcome};
use crate::output::{self, Table, is_terminal};

/// One thing that was looked at.
struct Finding {
    name: &'static str,
    ok: bool,
    detail: String,
}

pub(crate) async fn run(context: &Context) -> Outcome {
    let mut findings = vec![settings(context), data_dir(context), token(context), database(context)];
    findings.extend(server(context).await);
    let healthy = findings.iter().all(|finding| finding.ok);
    if context.json {
        let checks: Vec<Value> =
            findings.iter().map(|f| json!({"name": f.name, "ok": f.ok, "detail": f.detail})).collect();
        output::json(&json!({"ok": healthy, "checks": checks}))?;
    } else {
        let mut table = Table::new(&["OK", "CHECK", "DETAIL"]);
        for finding in findings {
            table.row([
                if finding.ok { "yes" } else { "NO" }.to_owned(),
                finding.name.to_owned(),
                finding.detail,
            ]);
        }
        output::data(if is_terminal() { table.drawn() } else { table.plain() }.as_bytes())?;
    }
    if healthy {
        Ok(())
    } else {
        Err(CliError::new("something is not as it should be").advise("start with the first line marked NO"))
    }
}

fn settings(context: &Context) -> Finding {
    let changed = context.loaded.print().lines().filter(|line| !line.ends_with("# default")).count();
    Finding { name: "settings", ok: true, detail: format!("valid, {changed} not at their default") }
}

fn data_dir(context: &Context) -> Finding {
    let path = &context.loaded.settings.data_dir;
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Finding { name: "data directory", ok: true, detail: path.display().to_string() }
        }
        Ok(_) => {
            Finding { name: "data directory", ok: false, detail: format!("{} is no folder", path.display()) }
        }
        Err(error) => Finding {
            name: "data directory",
            ok: false,
            detail: format!("{}: {error}; `tallystick up` makes it", path.display()),
        },
    }
}

fn token(context: &Context) -> Finding {
    let path = context.loaded.settings.data_dir.join(TOKEN_FILE);
    if context.environment.get("TALLYSTICK_TOKEN").is_some() {
        return Finding { name: "token", ok: true, detail: "from TALLYSTICK_TOKEN".to_owned() };
    }
    match std::fs::metadata(&path) {
        Ok(_) => Finding { name: "token", ok: true, detail: format!("in {}", path.display()) },
        Err(error) => Finding { name: "token", ok: false, detail: format!("{}: {error}", path.display()) },
    }
}

fn database(context: &Context) -> Finding {
    let detail =
        match (&context.loaded.settings.database_url, Running::read(&context.loaded.settings.data_dir)) {
            (Some(_), _) => format!("given by {}", context.loaded.origin("database_url")),
            (None, Some(running)) => format!("own PostgreSQL of process {}", running.pid),
            (None, None) => "own PostgreSQL, not running".to_owned(),
        };
    Finding { name: "database", ok: true, detail }
}

async fn server(context: &Context) -> Vec<Finding> {
    let api = match context.api() {
        Ok(api) => api,
        Err(error) => return vec![Finding { name: "server", ok: false, detail: one_line(&error) }],
    };
    let mut findings = Vec::new();
    match api.get("/team").await {
        Ok(team) => {
            let name = team["name"].as_str().unwrap_or("-");
            findings.push(Finding {
                name: "server",
                ok: true,
                detail: format!("{} answers for the team {name}", api.url()),
            });
        }
        Err(error) => return vec![Finding { name: "server", ok: false, detail: one_line(&error) }],
    }
    let ready = super::status::readiness(&api).await;
    for check in ready["checks"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let reason = check["reason"].as_str().unwrap_or("ready");
        let detail = format!("{}: {reason}", check["name"].as_str().unwrap_or("-"));
        findings.push(Finding { name: "ready", ok: check["ready"] == true, detail });
    }
    findings
}

fn one_line(error: &CliError) -> String {
    error.to_string().trim_start_matches("error: ").replace('\n', ";")
}
