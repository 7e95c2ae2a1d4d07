//! The one client of the HTTP API.
//!
//! Owns finding the server and the token ([`target`]), sending, keyset paging, and the map from problem documents to
//! messages and exit codes ([`problem`]). A POST carries an `Idempotency-Key`, so that sending it again after a broken
//! connection changes nothing.

mod http;
mod problem;
mod target;

pub(crate) use http::{Api, Body};
pub(crate) use target::{RUNNING_FILE, Running, TOKEN_FILE};

/// Escapes one segment of a path, so that a name with a slash or a space stays one segment.
pub(crate) fn segment(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
        escaped
    })
}

/// Parameters of a query, absent ones left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter where there is a value.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Adds `name=true` where the flag is given.
    #[must_use]
    pub(crate) fn flag(self, name: &'static str, given: bool) -> Self {
        self.with(name, given.then_some("true"))
    }

    /// A path with these parameters behind it.
    pub(crate) fn on(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.0);
        format!("{path}?{}", query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_stays_one_segment() {
        assert_eq!(segment("Acme Corp/EU"), "Acme%20Corp%2FEU");
    }

    #[test]
    fn absent_parameters_are_left_out_of_the_query() {
        let query =
            Query::new().with("month", Some("2026-10")).with("client", None::<String>).flag("all", true);
        assert_eq!(query.on("/usage"), "/usage?month=2026-10&all=true");
        assert_eq!(Query::new().on("/usage"), "/usage");
    }
}
