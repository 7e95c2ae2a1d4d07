//! What can go wrong with the database, sorted by what the caller does about it.

use crate::migrate::SchemaError;

/// A failed use of the store. Display never repeats its source: print the chain once, where it is handled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No answer: connection refused or lost, shutting down, out of resources, a time limit passed. Whether a commit
    /// that was under way took effect is unknown. Wait and look again.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),

    /// Serialisation failures, deadlocks or lock time-outs went on for longer than `run_tx` retries. Nothing was
    /// written. Wait and try again.
    #[error("the transaction kept colliding with others")]
    Contended(#[source] sqlx::Error),

    /// The caller's assumption about the stored state does not hold (a compare-and-set that lost, a name that is
    /// taken, a state that forbids the step). Nothing was written. Read again and decide anew.
    #[error("{0}")]
    Conflict(String),

    /// The database refuses this data, now and always (SQLSTATE classes 22, 23, 0A, 54, or a value that cannot be
    /// encoded). Trying again is useless.
    #[error("the database refused the data (sqlstate {code})")]
    Data {
        /// Five characters of SQLSTATE; `22000` where the driver refused before sending.
        code: String,
        /// The constraint that was violated, where the database names one.
        constraint: Option<String>,
        /// The database's own words.
        #[source]
        source: sqlx::Error,
    },

    /// The schema is not the one that this program was built for.
    #[error("the database schema does not fit this program")]
    Schema(#[from] SchemaError),

    /// A defect: wrong SQL, wrong types, missing rights, a broken configuration.
    #[error("the database call failed")]
    Other(#[source] sqlx::Error),
}

impl StoreError {
    /// A [`StoreError::Conflict`] that says what was being done and with which id.
    pub fn conflict(what: impl Into<String>) -> Self {
        Self::Conflict(what.into())
    }

    /// Whether the same call may succeed later without anybody changing its arguments.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Contended(_))
    }

    /// Whether the database refuses the data itself.
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(self, Self::Data { .. })
    }

    /// Whether a unique constraint or index of this name was violated.
    #[must_use]
    pub fn violates(&self, name: &str) -> bool {
        matches!(self, Self::Data { constraint: Some(constraint), .. } if constraint == name)
    }

    /// A short, bounded word for logs and metric labels.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Contended(_) => "contended",
            Self::Conflict(_) => "conflict",
            Self::Data { .. } => "data",
            Self::Schema(_) => "schema",
            Self::Other(_) => "other",
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(refusal) => {
                let code = refusal.code().unwrap_or_default().into_owned();
                let constraint = refusal.constraint().map(str::to_owned);
                match class_of(&code) {
                    Class::Away => Self::Unavailable(error),
                    Class::Collision => Self::Contended(error),
                    Class::Data => Self::Data { code, constraint, source: error },
                    Class::Defect => Self::Other(error),
                }
            }
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => {
                Self::Unavailable(error)
            }
            E::Encode(_) | E::InvalidArgument(_) => {
                Self::Data { code: "22000".to_owned(), constraint: None, source: error }
            }
            _ => Self::Other(error),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Class {
    Away,
    Collision,
    Data,
    Defect,
}

/// SQLSTATE to what the caller does about it. Whole classes first, then the codes that differ from their class.
fn class_of(code: &str) -> Class {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Class::Collision,
        // query_canceled (a time limit), read_only_sql_transaction (a standby after a fail-over)
        "57014" | "25006" => Class::Away,
        _ => match code.get(..2) {
            // connection, resources, operator intervention, system error
            Some("08" | "53" | "57" | "58") => Class::Away,
            // data exception, constraint, feature not supported, a value over a program limit
            Some("22" | "23" | "0A" | "54") => Class::Data,
            _ => Class::Defect,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlstate_tells_a_database_that_is_away_from_one_that_refuses_the_data() {
        for (code, class) in [
            ("08006", Class::Away),
            ("53100", Class::Away),
            ("57P01", Class::Away),
            ("57014", Class::Away),
            ("40001", Class::Collision),
            ("40P01", Class::Collision),
            ("55P03", Class::Collision),
            ("22021", Class::Data),
            ("23505", Class::Data),
            ("23001", Class::Data),
            ("0A000", Class::Data),
            ("54000", Class::Data),
            ("42P01", Class::Defect),
            ("42501", Class::Defect),
            ("", Class::Defect),
        ] {
            assert_eq!(class_of(code), class, "{code}");
        }
    }

    #[test]
    fn a_full_pool_is_a_database_that_is_away() {
        assert!(StoreError::from(sqlx::Error::PoolTimedOut).is_transient());
        assert!(!StoreError::from(sqlx::Error::RowNotFound).is_transient());
    }
}
