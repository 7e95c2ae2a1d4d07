//! `tallystick report`: the monthly report and the weekly review.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use http::Method;
use jiff::Span;
use serde_json::Value;

use crate::client::{Api, Body, Query, segment};
use crate::context::Context;
use crate::error::{CliError, Doing as _, Outcome};
use crate::output::{self, Table, count, money, to_file};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Cost by member, project, client, model, key and tool, compared with the month before.
    Month {
        /// Such as 2026-10 [default: the last whole month].
        month: Option<String>,
        #[command(flatten)]
        output: ReportArgs,
    },
    /// The weekly review.
    Week {
        /// Such as 2026-W45 [default: the last whole week].
        week: Option<String>,
        #[command(flatten)]
        output: ReportArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[arg(long, value_parser = ["table", "pdf", "csv", "json"], default_value = "table")]
    format: String,
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let (kind, period, args) = match command {
        Command::Month { month, output } => ("month", month, output),
        Command::Week { week, output } => ("week", week, output),
    };
    let api = context.api()?;
    let period = match period {
        Some(period) => period,
        None => last_whole(context, &api, kind).await?,
    };
    let table = args.format == "table" && !context.json;
    let format = if args.format == "table" { "json" } else { args.format.as_str() };
    let path = path(kind, &period);
    let reply =
        api.send(Method::GET, &Query::new().with("format", Some(format)).on(&path), Body::None).await?;
    if table {
        return to_file(args.output.as_deref(), drawn(&reply.json()?)?.as_bytes());
    }
    if format == "pdf" && args.output.is_none() && output::is_terminal() {
        return Err(CliError::usage("a PDF does not belong on a terminal").advise("add -o FILE"));
    }
    to_file(args.output.as_deref(), &reply.body)
}

/// The path of a report.
pub(crate) fn path(kind: &str, period: &str) -> String {
    format!("/reports/{kind}/{}", segment(period))
}

/// The last month or ISO week that is over, in the team's zone.
async fn last_whole(context: &Context, api: &Api, kind: &str) -> Outcome<String> {
    let team = api.get("/team").await?;
    let zone = team["zone"].as_str().unwrap_or("UTC");
    let today = context.clock.now().in_tz(zone).doing(|| format!("reading the zone {zone}"))?.date();
    let before = |span: Span| today.checked_sub(span).doing(|| "going back in time".to_owned());
    if kind == "month" {
        let last = before(Span::new().months(1))?;
        return Ok(format!("{:04}-{:02}", last.year(), last.month()));
    }
    let week = before(Span::new().weeks(1))?.iso_week_date();
    Ok(format!("{:04}-W{:02}", week.year(), week.week()))
}

/// The report as text: sums, then one table per dimension.
fn drawn(report: &Value) -> Outcome<String> {
    let currency = report["currency"].as_str().unwrap_or_default();
    let amount = |value: &Value| match value.as_str().and_then(|text| text.parse().ok()) {
        Some(sum) => money(sum, currency),
        None => "-".to_owned(),
    };
    let number = |value: &Value| value.as_u64().map_or("-".to_owned(), count);
    let totals = &report["totals"];
    let change = report["change_percent"]
        .as_str()
        .map_or(String::new(), |change| format!(" ({change} % on the period before)"));
    let mut text = format!(
        "{} · {}\n{} from {} requests{change}\nfailed {} costing {} · repeated {} costing {} · without a price {}\n",
        report["title"].as_str().unwrap_or("Report"),
        report["team"].as_str().unwrap_or_default(),
        amount(&totals["cost"]),
        number(&totals["requests"]),
        number(&totals["failed"]),
        amount(&totals["failed_cost"]),
        number(&totals["retries"]),
        amount(&totals["retry_cost"]),
        number(&totals["unrated_requests"]),
    );
    for ranking in report["tables"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let dimension = ranking["dimension"].as_str().unwrap_or("name").to_uppercase();
        let mut table =
            Table::new(&[dimension.as_str(), ">COST", ">SHARE", ">CHANGE", ">REQUESTS", ">FAILED"]);
        for row in ranking["rows"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let percent =
                |name: &str| row[name].as_str().map_or("-".to_owned(), |share| format!("{share} %"));
            table.row([
                row["name"].as_str().unwrap_or("-").to_owned(),
                amount(&row["cost"]),
                percent("share_percent"),
                percent("change_percent"),
                number(&row["requests"]),
                number(&row["failed"]),
            ]);
        }
        text.push('\n');
        text.push_str(&table.drawn());
    }
    Ok(text)
}
