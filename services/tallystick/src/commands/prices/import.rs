//! `tallystick prices import`: a public price table, and how it differs from the price book.
//!
//! The server compares and stores; here the first differences and refusals are named and the rest is counted.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::read;
use crate::commands::values::Fields;
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{self, count, more};

/// Changed models that are named; the rest is counted.
const CHANGES: usize = 20;
/// Refusals that are named; the rest is counted.
const REFUSALS: usize = 10;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[arg(long, value_parser = ["litellm", "genai-prices"])]
    format: String,
    file: PathBuf,
    /// Change nothing, only show the difference.
    #[arg(long)]
    dry_run: bool,
    /// Only these providers.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    providers: Vec<String>,
    /// Models (provider/model) that are known to be free; any other price of zero is refused.
    #[arg(long, value_delimiter = ',', value_name = "MODEL,...")]
    free: Vec<String>,
    /// From when on prices without a date of their own are in force [default: now].
    #[arg(long, value_name = "DATE")]
    effective_from: Option<String>,
}

pub(super) async fn run(context: &Context, args: ImportArgs) -> Outcome {
    let body = Fields::new()
        .with("format", Some(args.format))
        .with("content", Some(read(&args.file)?))
        .with("source", args.file.file_name().map(|name| name.to_string_lossy().into_owned()))
        .with("effective_from", args.effective_from)
        .list("providers", &args.providers)
        .list("free", &args.free)
        .with("dry_run", Some(args.dry_run));
    let report = context.api()?.post("/prices/import", body.into_value()).await?;
    if context.json {
        return output::json(&report);
    }
    for (name, pointer) in [
        ("new", "/diff/added"),
        ("changed", "/diff/changed"),
        ("in force already", "/diff/unchanged"),
        ("not in the file", "/diff/missing"),
        ("refused", "/skipped"),
        ("rounded to 12 decimals", "/rounded"),
    ] {
        output::line(&format!("{name}\t{}", count(items(&report, pointer).len() as u64)))?;
    }
    output::line(&format!("stored\t{}", count(report["applied"].as_u64().unwrap_or(0))))?;
    for text in named(items(&report, "/diff/changed"), CHANGES, changed) {
        output::line(&text)?;
    }
    named(items(&report, "/skipped"), REFUSALS, refused).iter().for_each(|text| output::note(text));
    output::note("everything in full: add --json");
    if args.dry_run {
        output::note("nothing was changed: leave out --dry-run to do it");
    }
    Ok(())
}

fn items<'a>(report: &'a Value, pointer: &str) -> &'a [Value] {
    report.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The first items, and how many more there are.
fn named(items: &[Value], most: usize, tell: fn(&Value) -> String) -> Vec<String> {
    items.iter().take(most).map(tell).chain(more(items.len() as u64, most)).collect()
}

/// A model and every rate of it that differs: `openai/gpt-4o: standard input_uncached 2.5 -> 3`.
fn changed(change: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let rates: Vec<String> = items(change, "/rates")
        .iter()
        .map(|rate| format!("{} {} -> {}", text(&rate["rate"]), text(&rate["old"]), text(&rate["new"])))
        .collect();
    format!("{}/{}: {}", text(&change["provider"]), text(&change["model"]), rates.join(", "))
}

fn refused(skipped: &Value) -> String {
    let text = |name: &str| skipped[name].as_str().unwrap_or("-");
    format!("refused: {}: {}", text("model"), text("reason"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_changed_price_shows_the_old_and_the_new_rate_of_every_bucket() {
        let change = json!({"provider": "openai", "model": "gpt-4o", "rates": [
            {"rate": "standard input_uncached", "old": "2.5", "new": "3"},
            {"rate": "standard cache_read", "old": null, "new": "1.25"},
        ]});
        assert_eq!(
            changed(&change),
            "openai/gpt-4o: standard input_uncached 2.5 -> 3, standard cache_read none -> 1.25"
        );
    }

    #[test]
    fn refusals_beyond_the_named_ones_are_counted() {
        let skipped: Vec<Value> = (0..12)
            .map(|number| json!({"model": format!("m{number}"), "reason": "the price is zero"}))
            .collect();
        let told = named(&skipped, REFUSALS, refused);
        assert_eq!((told.len(), told[9].as_str()), (11, "refused: m9: the price is zero"));
        assert_eq!(told[10], "and 2 more (use --json for all)");
    }
}
