//! Settings as a tree of names, for laying sources over each other.

use serde_json::{Map, Number, Value};

use super::Settings;

/// The settings as nested objects. Every known path is present, unset ones as null.
#[derive(Debug, Clone)]
pub(super) struct Tree(Value);

impl Tree {
    pub(super) fn of(settings: &Settings) -> Self {
        Self(settings.redacted())
    }

    /// The settings that this tree spells out.
    pub(super) fn settings(&self) -> Result<Settings, serde_json::Error> {
        serde::Deserialize::deserialize(&self.0)
    }

    /// The value at a path, null when it is unset; `None` when there is no such setting.
    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.0, |value, name| value.get(name)).filter(|value| !value.is_object())
    }

    /// Puts a value at a path that exists.
    pub(super) fn set(&mut self, path: &str, value: Value) {
        let found = path.split('.').try_fold(&mut self.0, |value, name| value.get_mut(name));
        *found.expect("only known paths are set") = value;
    }

    /// The path of every setting.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect(&self.0, "", &mut |path, _| paths.push(path.to_owned()));
        paths
    }
}

/// Every leaf of an object with its dotted path.
pub(super) fn collect(value: &Value, prefix: &str, leaf: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                collect(value, &path, leaf);
            }
        }
        _ => leaf(prefix, value),
    }
}

/// `proxy.drain_time` is `TALLYSTICK_PROXY_DRAIN_TIME`.
pub(super) fn environment_name(path: &str) -> String {
    format!("TALLYSTICK_{}", path.replace('.', "_").to_ascii_uppercase())
}

/// Text from the environment or the command line, as the kind of value that the setting has now.
pub(super) fn typed(text: &str, like: &Value) -> Result<Value, String> {
    match like {
        Value::Bool(_) => match text {
            "true" | "1" | "yes" | "on" => Ok(Value::Bool(true)),
            "false" | "0" | "no" | "off" => Ok(Value::Bool(false)),
            _ => Err(format!("`{text}` is neither true nor false")),
        },
        Value::Number(number) if number.is_f64() => text
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number)
            .ok_or_else(|| format!("`{text}` is no number")),
        Value::Number(_) => {
            text.parse::<u64>().map(Value::from).map_err(|_| format!("`{text}` is no whole number"))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// A leaf as it is written in the file; nothing for an unset one.
pub(super) fn display(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// A TOML table in the form of the tree.
pub(super) fn from_toml(table: toml::Table) -> Value {
    Value::Object(
        table.into_iter().map(|(name, value)| (name, value_from_toml(value))).collect::<Map<_, _>>(),
    )
}

fn value_from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(value_from_toml).collect()),
        toml::Value::Table(table) => from_toml(table),
    }
}
