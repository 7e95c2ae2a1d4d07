//! Bodies of the API as tables: a list by its columns, an object field by field.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Table, count, data, is_terminal, json, money, note, short_time, to_file};
use crate::cli::{FileArgs, ListArgs};
use crate::client::{Api, Query};
use crate::context::Context;
use crate::error::Outcome;

/// Rows of a list on a terminal where no limit is given.
const ROWS: u32 = 100;
/// Rows of a file where no limit is given.
const ALL_ROWS: u32 = u32::MAX;
/// What stands where there is no price.
const UNRATED: &str = "unrated";

/// How a value is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// As it is.
    Text,
    /// An instant.
    Time,
    /// A number.
    Count,
    /// An amount; the currency stands in this field of the row or of the document.
    Money(&'static str),
    /// The same for the cost of calls, of which some may have no price: those are named, never shown as zero.
    Cost(&'static str),
    /// What this makes of the whole row.
    Told(fn(&Value) -> String),
}

/// One column: its title, where its value is (a JSON pointer, several after each other apart by `|`), how it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column(pub(crate) &'static str, pub(crate) &'static str, pub(crate) Kind);

impl Column {
    fn value<'a>(&self, row: &'a Value) -> &'a Value {
        let found = |pointer: &str| row.pointer(pointer).filter(|value| !value.is_null());
        self.1.split('|').find_map(found).unwrap_or(&Value::Null)
    }

    fn shown(&self, row: &Value, document: &Value) -> String {
        let value = self.value(row);
        let currency =
            |field: &str| row[field].as_str().or(document[field].as_str()).unwrap_or_default().to_owned();
        match self.2 {
            Kind::Told(tell) => tell(row),
            Kind::Cost(field) => cost(value, row, &currency(field)),
            _ if value.is_null() => "-".to_owned(),
            Kind::Text => plain(value),
            Kind::Time => short_time(&plain(value)),
            Kind::Count => value.as_u64().map_or_else(|| plain(value), count),
            Kind::Money(field) => amount(value, &currency(field)),
        }
    }
}

/// The cost of a sum of calls, which counts those without a price, or of one event, which names why it has none.
/// What a correction made of an event stands in its `current`: null once it was voided.
pub(crate) fn cost(value: &Value, sums: &Value, currency: &str) -> String {
    let number = |name: &str| sums[name].as_u64().unwrap_or(0);
    match number("unrated") {
        0 if value.is_null() => {
            let standing = sums.get("current").unwrap_or(sums);
            if standing["unrated"].is_null() { "-".to_owned() } else { UNRATED.to_owned() }
        }
        0 => amount(value, currency),
        unrated if unrated >= number("requests") => UNRATED.to_owned(),
        unrated => format!("{} + {} {UNRATED}", amount(value, currency), count(unrated)),
    }
}

fn amount(value: &Value, currency: &str) -> String {
    let text = plain(value);
    text.parse::<Decimal>().map_or(text, |amount| money(amount, currency))
}

/// A value without decoration: lists joined, objects as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Asks for a list and prints it as JSON, CSV or a table.
pub(crate) async fn print_list(
    context: &Context,
    path: &str,
    query: Query,
    columns: &[Column],
    list: &ListArgs,
) -> Outcome {
    let default = if list.to.csv { ALL_ROWS } else { ROWS };
    let api: Api = context.api()?;
    let document = api.list(path, &query, list.limit.unwrap_or(default)).await?;
    print_rows(context, &document, "data", columns, &list.to)?;
    if document["has_more"] == Value::Bool(true) && !context.json {
        note("there are more rows: ask with a higher --limit");
    }
    Ok(())
}

/// Prints the rows of a document that is already here.
pub(crate) fn print_rows(
    context: &Context,
    document: &Value,
    rows: &str,
    columns: &[Column],
    to: &FileArgs,
) -> Outcome {
    if context.json {
        return match &to.output {
            Some(path) => to_file(Some(path), format!("{document:#}\n").as_bytes()),
            None => json(document),
        };
    }
    let rows = document[rows].as_array().map(Vec::as_slice).unwrap_or_default();
    if to.csv {
        return to_file(to.output.as_deref(), &exact(rows, columns).csv()?);
    }
    let table = table(rows, document, columns);
    let text = if is_terminal() && to.output.is_none() { table.drawn() } else { table.plain() };
    if rows.is_empty() && is_terminal() {
        note("nothing to show");
        return Ok(());
    }
    to_file(to.output.as_deref(), text.as_bytes())
}

fn table(rows: &[Value], document: &Value, columns: &[Column]) -> Table {
    let titles: Vec<String> = columns
        .iter()
        .map(|column| match column.2 {
            Kind::Count | Kind::Money(_) | Kind::Cost(_) => format!(">{}", column.0),
            Kind::Text | Kind::Time | Kind::Told(_) => column.0.to_owned(),
        })
        .collect();
    let mut table = Table::new(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        table.row(columns.iter().map(|column| column.shown(row, document)));
    }
    table
}

/// The same rows with exact values, for files.
fn exact(rows: &[Value], columns: &[Column]) -> Table {
    let titles: Vec<String> =
        columns.iter().map(|column| column.0.to_lowercase().replace(' ', "_")).collect();
    let mut table = Table::new(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        table.row(columns.iter().map(|column| plain(column.value(row))));
    }
    table
}

/// Prints one object: JSON, or a line per field, absent ones left out.
pub(crate) fn print_object(context: &Context, object: &Value) -> Outcome {
    if context.json {
        return json(object);
    }
    let mut lines = Vec::new();
    flatten(object, "", &mut lines);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let text: String =
        lines
            .iter()
            .map(|(name, value)| {
                if is_terminal() {
                    format!("{name:<width$}  {value}\n")
                } else {
                    format!("{name}\t{value}\n")
                }
            })
            .collect();
    data(text.as_bytes())
}

fn flatten(value: &Value, prefix: &str, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(value, &name, lines);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, &format!("{prefix}[{index}]"), lines);
            }
        }
        Value::Null => {}
        other => lines.push((prefix.to_owned(), plain(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLUMNS: &[Column] = &[
        Column("NAME", "/name", Kind::Text),
        Column("COST", "/cost", Kind::Money("currency")),
        Column("REQUESTS", "/requests", Kind::Count),
    ];

    fn rows() -> Value {
        json!({"currency": "USD", "data": [{"name": "Acme Corp", "cost": "1234.5678", "requests": 4321}]})
    }

    #[test]
    fn people_see_rounded_amounts_and_files_carry_exact_ones() {
        let document = rows();
        let data = document["data"].as_array().unwrap();
        assert!(table(data, &document, COLUMNS).plain().contains("Acme Corp\t$1,234.57\t4,321"));
        let csv = String::from_utf8(exact(data, COLUMNS).csv().unwrap()).unwrap();
        assert_eq!(csv, "name,cost,requests\nAcme Corp,1234.5678,4321\n");
    }

    #[test]
    fn calls_without_a_price_are_never_a_cost_of_zero() {
        let shown = |row: Value| {
            Column("COST", "/current/cost|/cost", Kind::Cost("currency"))
                .shown(&row, &json!({"currency": "USD"}))
        };
        assert_eq!(shown(json!({"requests": 3, "unrated": 0, "cost": "0"})), "$0.00");
        assert_eq!(shown(json!({"requests": 3, "unrated": 3, "cost": "0"})), "unrated");
        assert_eq!(shown(json!({"requests": 3, "unrated": 1, "cost": "1.5"})), "$1.50 + 1 unrated");
        let reason = json!({"reason": "unknown_model"});
        assert_eq!(shown(json!({"unrated": reason})), "unrated");
        assert_eq!(shown(json!({"unrated": reason, "current": {"cost": "2"}})), "$2.00");
        assert_eq!(shown(json!({"unrated": reason, "current": null})), "-");
        assert_eq!(shown(json!({"cost": "2"})), "$2.00");
    }

    #[test]
    fn an_object_is_shown_field_by_field() {
        let mut lines = Vec::new();
        flatten(
            &json!({"name": "x", "period": {"from": "a"}, "gone": null, "models": ["m", "n"]}),
            "",
            &mut lines,
        );
        let lines: Vec<String> = lines.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(lines.len(), 3);
        for expected in ["name=x", "period.from=a", "models=m, n"] {
            assert!(lines.iter().any(|line| line == expected), "{expected} in {lines:?}");
        }
    }
}
