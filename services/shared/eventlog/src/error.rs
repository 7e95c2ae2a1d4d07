//! What can go wrong with the log.

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed call. Display never repeats its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// No answer, or no room right now. After an append it is unknown whether the records are in: send them again.
    #[error("the event log is not available")]
    Unavailable(#[source] Source),

    /// The log refuses the call, now and always: a record is over a named limit.
    #[error("{what} of {bytes} bytes is over the event log's limit of {limit} bytes")]
    TooLarge {
        /// `a record` or `an append`.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },

    /// There is no such partition.
    #[error("the event log has no partition {0}")]
    NoPartition(u32),

    /// The records asked for were trimmed away.
    #[error("partition {partition} of the event log begins at offset {first}, {asked} is gone")]
    Trimmed {
        /// The partition.
        partition: u32,
        /// The offset that was asked for.
        asked: u64,
        /// The first one that is still there.
        first: u64,
    },

    /// The reader knows of records that the log does not have: the log was restored to an older state or replaced.
    #[error("partition {partition} of the event log ends at offset {end}, but {asked} was asked for")]
    BeyondEnd {
        /// The partition.
        partition: u32,
        /// The offset that was asked for.
        asked: u64,
        /// The offset that the next record will get.
        end: u64,
    },

    /// What is stored cannot be what was appended. Reading on would skip records, so nothing is given.
    #[error("the event log is damaged in partition {partition} at offset {offset}: {reason}")]
    Damaged {
        /// The partition.
        partition: u32,
        /// The first record that cannot be read.
        offset: u64,
        /// What was found.
        reason: String,
    },

    /// A defect: wrong schema, missing rights.
    #[error("the event log call failed")]
    Other(#[source] Source),
}

impl LogError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for LogError {
    /// Refusals that say the call itself is wrong (syntax, rights, data, constraints) are defects; all else may pass.
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let defect = match &error {
            E::Database(refusal) => {
                matches!(
                    refusal.code().as_deref().and_then(|code| code.get(..2)),
                    Some("22" | "23" | "42" | "0A" | "54")
                )
            }
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => {
                false
            }
            _ => true,
        };
        if defect { Self::Other(error.into()) } else { Self::Unavailable(error.into()) }
    }
}
