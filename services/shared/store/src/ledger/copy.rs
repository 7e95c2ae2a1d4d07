//! Rows in the binary form of `COPY`: for wide rows about half the cost of an `INSERT` from arrays, which the server
//! would keep twice before it stores them.

use crate::StoreError;
use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
/// The length that stands for an absent value.
const NULL: i32 = -1;
/// Bytes per message to the server.
const MESSAGE: usize = 128 << 10;

/// Rows for one `COPY .. FROM STDIN (FORMAT binary)`, encoded by the driver's own encoders. The columns' types are not
/// checked here: the values must be given in the order and with the types of the statement's columns.
pub(super) struct CopyRows {
    bytes: PgArgumentBuffer,
    columns: i16,
}

impl CopyRows {
    /// For rows of so many columns; makes room for `capacity` bytes.
    pub(super) fn new(columns: i16, capacity: usize) -> Self {
        let mut bytes = PgArgumentBuffer::default();
        bytes.reserve(capacity);
        bytes.extend_from_slice(HEADER);
        Self { bytes, columns }
    }

    /// Begins a row; as many [`Self::value`]s follow as there are columns.
    pub(super) fn row(&mut self) {
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
    }

    /// The row's next value.
    pub(super) fn value<'q, T: Encode<'q, Postgres>>(&mut self, value: T) -> Result<(), StoreError> {
        let refused = |source| StoreError::from(sqlx::Error::Encode(source));
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&NULL.to_be_bytes());
        let from = self.bytes.len();
        if matches!(value.encode_by_ref(&mut self.bytes).map_err(refused)?, IsNull::No) {
            let length = i32::try_from(self.bytes.len() - from).map_err(|error| refused(Box::new(error)))?;
            self.bytes[at..from].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// Sends the rows; gives how many the server took.
    pub(super) async fn send(mut self, to: &mut PgConnection, statement: &'static str) -> Result<u64, StoreError> {
        self.bytes.extend_from_slice(&TRAILER.to_be_bytes());
        let mut copy = to.copy_in_raw(statement).await?;
        for message in self.bytes.chunks(MESSAGE) {
            copy.send(message).await?;
        }
        Ok(copy.finish().await?)
    }
}
