//! Values on the command line that are more than a word: budgets, bodies with absent fields.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::{CliError, Outcome};
use crate::output;

/// Fields of a body; absent ones are left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a field where there is a value.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: Option<impl Serialize>) -> Self {
        if let Some(value) = value {
            let value = serde_json::to_value(value).expect("texts, numbers and lists of them are JSON");
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// Adds a list where it is not empty.
    #[must_use]
    pub(crate) fn list<T: Serialize>(self, name: &str, values: &[T]) -> Self {
        self.with(name, (!values.is_empty()).then_some(values))
    }

    /// Adds a true where the flag is given.
    #[must_use]
    pub(crate) fn flag(self, name: &str, given: bool) -> Self {
        self.with(name, given.then_some(true))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// The body of a change; without a field there is nothing to change.
    pub(crate) fn into_change(self) -> Outcome<Value> {
        if self.is_empty() {
            return Err(CliError::usage("nothing to change was given")
                .advise("add --help to see what can be changed"));
        }
        Ok(self.into_value())
    }
}

/// An amount above zero as a decimal text.
pub(crate) fn amount(text: &str) -> Result<String, String> {
    let value: Decimal =
        text.trim().parse().map_err(|_| format!("`{text}` is no amount; write it as 12.50"))?;
    if value <= Decimal::ZERO {
        return Err(format!("`{text}` is not above zero"));
    }
    Ok(value.to_string())
}

/// `daily=5` or `monthly=100:alert` as a budget of the API.
pub(crate) fn budget(text: &str) -> Result<Value, String> {
    let wrong = || format!("`{text}` is no budget; write it as daily=5, weekly=20, monthly=100 or total=500");
    let (period, limit) = text.split_once('=').ok_or_else(wrong)?;
    let (limit, hard) = limit.strip_suffix(":alert").map_or((limit, true), |limit| (limit, false));
    if !["daily", "weekly", "monthly", "total"].contains(&period) {
        return Err(wrong());
    }
    Ok(json!({"period": period, "limit": amount(limit)?, "hard": hard}))
}

/// Says of budgets that were given what they do not do.
pub(crate) fn tell_unenforced(budgets: &[Value]) {
    unenforced(budgets).iter().for_each(|text| output::note(text));
}

fn unenforced(budgets: &[Value]) -> Option<&'static str> {
    (!budgets.is_empty())
        .then_some("the budget is recorded but not enforced in this version: no call is stopped by it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_names_its_period_and_stops_unless_it_only_alerts() {
        assert_eq!(budget("daily=5"), Ok(json!({"period": "daily", "limit": "5", "hard": true})));
        assert_eq!(
            budget("monthly=99.5:alert"),
            Ok(json!({"period": "monthly", "limit": "99.5", "hard": false}))
        );
        for wrong in ["5", "hourly=5", "daily=0", "daily=-1", "daily="] {
            assert!(budget(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_budget_is_never_taken_in_without_saying_that_it_stops_nothing() {
        assert!(unenforced(&[budget("daily=5").unwrap()]).unwrap().contains("not enforced"));
        assert_eq!(unenforced(&[]), None);
    }

    #[test]
    fn absent_fields_are_left_out_of_a_body_and_an_empty_change_is_refused() {
        let fields = Fields::new()
            .with("name", Some("x"))
            .with("zone", None::<String>)
            .list("models", &[] as &[String]);
        assert_eq!(fields.into_value(), json!({"name": "x"}));
        assert!(Fields::new().into_change().is_err());
    }
}
