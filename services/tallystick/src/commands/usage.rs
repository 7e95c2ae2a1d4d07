//! `tallystick usage`: one number, one query; and `usage reassign`, which mends what nobody was named for.

use clap::{ArgGroup, Args, Subcommand};
use http::Method;
use rust_decimal::Decimal;
use serde_json::Value;

use super::values::Fields;
use crate::cli::FileArgs;
use crate::client::{Body as ClientBody, Query};
use crate::context::Context;
use crate::error::{CliError, Exit, Outcome};
use crate::output::{self, Column, Kind, confirm, money, print_object, print_rows, short_time, to_file};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct UsageArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// Dimensions: member, project, client, key, model, provider, tool, environment, task, day, hour.
    #[arg(long, value_delimiter = ',', value_name = "DIMENSION,...")]
    by: Vec<String>,
    #[command(flatten)]
    period: Period,
    /// Only usage of this kind, such as client=acme (repeatable).
    #[arg(long = "where", value_name = "DIMENSION=NAME")]
    filter: Vec<String>,
    /// End with exit code 7 when the total cost is above this amount.
    #[arg(long, value_name = "AMOUNT")]
    fail_over: Option<Decimal>,
    #[command(flatten)]
    to: FileArgs,
}

/// Which days: half-open, in the team's zone.
#[derive(Debug, Args)]
pub(crate) struct Period {
    /// First day or instant.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// First day or instant that is not included.
    #[arg(long, value_name = "DATE", id = "until")]
    to: Option<String>,
    /// A whole month, such as 2026-10.
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "until"])]
    month: Option<String>,
    /// A whole ISO week, such as 2026-W45.
    #[arg(long, value_name = "WEEK", conflicts_with_all = ["from", "until", "month"])]
    week: Option<String>,
}

impl Period {
    fn query(&self) -> Query {
        Query::new()
            .with("from", self.from.as_ref())
            .with("to", self.to.as_ref())
            .with("month", self.month.as_ref())
            .with("week", self.week.as_ref())
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Give usage to another client, project or member; shows what would move unless --apply is given.
    Reassign(Box<ReassignArgs>),
}

#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("whose").required(true).args(["client", "project", "member"]))]
struct ReassignArgs {
    /// Which usage, such as key=cursor-dev (repeatable).
    #[arg(long = "where", value_name = "DIMENSION=NAME", required = true)]
    filter: Vec<String>,
    /// First day, in the team's zone.
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The day after the last.
    #[arg(long, value_name = "DATE")]
    to: String,
    /// The client that it belongs to; `unassigned` takes it off.
    #[arg(long)]
    client: Option<String>,
    /// The project that it belongs to.
    #[arg(long)]
    project: Option<String>,
    /// The member that it belongs to.
    #[arg(long)]
    member: Option<String>,
    /// Do it.
    #[arg(long)]
    apply: bool,
}

pub(crate) async fn run(context: &Context, args: UsageArgs) -> Outcome {
    if let Some(Action::Reassign(args)) = args.action {
        return reassign(context, *args).await;
    }
    let filter: Vec<String> =
        pairs(&args.filter)?.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let joined = |parts: &[String]| (!parts.is_empty()).then(|| parts.join(","));
    let query = args.period.query().with("where", joined(&filter)).with("by", joined(&args.by));
    let api = context.api()?;
    let usage = api.get(&query.on("/usage")).await?;
    if args.to.csv && !context.json {
        let file = query.with("format", Some("csv")).on("/usage");
        let reply = api.send(Method::GET, &file, ClientBody::None).await?;
        to_file(args.to.output.as_deref(), &reply.body)?;
        unrated(&usage).iter().for_each(|text| output::note(text));
        return args.fail_over.map_or(Ok(()), |limit| check(&usage, limit));
    }
    print_rows(context, &usage, "rows", &columns(&args.by), &args.to)?;
    if !context.json {
        tell_bounds(&usage);
        unrated(&usage).iter().for_each(|text| output::note(text));
    }
    match args.fail_over {
        Some(limit) => check(&usage, limit),
        None => Ok(()),
    }
}

/// Filters as the API takes them: pairs apart by commas.
pub(super) fn pairs(filter: &[String]) -> Outcome<Vec<(&str, &str)>> {
    let pairs = filter.iter().flat_map(|text| text.split(','));
    pairs
        .map(|pair| match pair.trim().split_once('=') {
            Some((dimension, name)) if !dimension.is_empty() && !name.is_empty() => Ok((dimension, name)),
            _ => Err(CliError::usage(format!("`{pair}` is no filter; write it as client=acme"))),
        })
        .collect()
}

fn columns(by: &[String]) -> Vec<Column> {
    let dimensions = by.iter().filter_map(|name| {
        DIMENSIONS
            .iter()
            .find(|(dimension, _, _)| dimension == name)
            .map(|(_, title, at)| Column(title, at, Kind::Text))
    });
    let numbers = [
        Column("REQUESTS", "/requests", Kind::Count),
        Column("FAILED", "/failed", Kind::Count),
        Column("INPUT TOKENS", "/input_tokens", Kind::Count),
        Column("OUTPUT TOKENS", "/output_tokens", Kind::Count),
        Column("COST", "/cost", Kind::Cost("currency")),
    ];
    dimensions.chain(numbers).collect()
}

const DIMENSIONS: [(&str, &str, &str); 11] = [
    ("member", "MEMBER", "/member"),
    ("project", "PROJECT", "/project"),
    ("client", "CLIENT", "/client"),
    ("key", "KEY", "/key"),
    ("model", "MODEL", "/model"),
    ("provider", "PROVIDER", "/provider"),
    ("tool", "TOOL", "/tool"),
    ("environment", "ENVIRONMENT", "/environment"),
    ("task", "TASK", "/task"),
    ("day", "DAY", "/day"),
    ("hour", "HOUR", "/hour"),
];

/// What the numbers are about: zone, bounds, total, and up to when everything is in.
fn tell_bounds(usage: &Value) {
    let text = |name: &str| usage[name].as_str().unwrap_or("-");
    let total = output::cost(&usage["total"]["cost"], &usage["total"], text("currency"));
    let complete = usage["watermark"].as_str().map_or("nothing yet".to_owned(), short_time);
    output::note(&format!(
        "total {total} · from {} to {} (not included), {} · complete up to {complete}",
        text("from"),
        text("to"),
        text("zone"),
    ));
}

/// What the sums leave out.
fn unrated(usage: &Value) -> Option<String> {
    let calls = usage.pointer("/total/unrated").and_then(Value::as_u64).filter(|calls| *calls > 0)?;
    let have = if calls == 1 { "call has" } else { "calls have" };
    let and_not = if calls == 1 { "is not" } else { "are not" };
    Some(format!(
        "{} {have} no price and {and_not} in these sums: `tallystick events list --status unrated`",
        output::count(calls)
    ))
}

fn total(usage: &Value) -> Option<Decimal> {
    usage.pointer("/total/cost").and_then(Value::as_str)?.parse().ok()
}

fn check(usage: &Value, limit: Decimal) -> Outcome {
    let currency = usage["currency"].as_str().unwrap_or_default();
    let total = total(usage).ok_or_else(|| CliError::new("the answer holds no total"))?;
    if total <= limit {
        return Ok(());
    }
    let what = format!("the total {} is above {}", money(total, currency), money(limit, currency));
    Err(CliError::with_exit(Exit::OverThreshold, what))
}

async fn reassign(context: &Context, args: ReassignArgs) -> Outcome {
    let filter = pairs(&args.filter)?
        .into_iter()
        .fold(Fields::new(), |fields, (name, value)| fields.with(name, Some(value)));
    if args.apply {
        confirm(context, "this posts a correction for every event that matches")?;
    }
    let body = Fields::new()
        .with("where", Some(filter.into_value()))
        .with("from", Some(args.from))
        .with("to", Some(args.to))
        .with("client", args.client)
        .with("project", args.project)
        .with("member", args.member)
        .with("apply", Some(args.apply));
    let answer = context.api()?.post("/usage/reassign", body.into_value()).await?;
    print_object(context, &answer)?;
    if !args.apply && !context.json {
        output::note("nothing was changed: add --apply to do it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_total_above_the_threshold_has_its_own_exit_code() {
        let usage = json!({"currency": "USD", "total": {"cost": "100.01"}});
        assert!(check(&usage, Decimal::from(101)).is_ok());
        let error = check(&usage, Decimal::from(100)).unwrap_err();
        assert_eq!(error.exit(), Exit::OverThreshold);
    }

    #[test]
    fn calls_without_a_price_are_named_below_the_sums() {
        let note = |calls: u64| unrated(&json!({"total": {"unrated": calls, "cost": "0"}}));
        assert_eq!(note(0), None);
        assert!(note(1).unwrap().starts_with("1 call has no price and is not in these sums"));
        assert!(note(2_000).unwrap().starts_with("2,000 calls have no price and are not in these sums"));
    }

    #[test]
    fn every_dimension_asked_for_is_a_column() {
        let by: Vec<String> = DIMENSIONS.iter().map(|(name, _, _)| (*name).to_owned()).collect();
        assert_eq!(columns(&by).len(), DIMENSIONS.len() + 5);
    }

    #[test]
    fn a_filter_without_a_name_is_refused() {
        assert_eq!(
            pairs(&["client=acme,model=gpt-5".to_owned()]).unwrap(),
            [("client", "acme"), ("model", "gpt-5")]
        );
        assert!(pairs(&["client".to_owned()]).is_err());
    }
}
