//! Rows in the binary form of `COPY`: for wide rows about half the cost of an `INSERT` from arrays, which the server
//! would keep twice before it stores them.

use crate::StoreError;
use sqlx::encode::IsNull;
use sqlx::postgres::{PgArgumentBuffer, PgCopyIn};
use sqlx::{Encode, PgConnection, Postgres};

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
/// The length that stands for an absent value.
const NULL: i32 = -1;
/// Rows are sent once they take so many bytes.
const MESSAGE: usize = 128 << 10;

/// A row under way, encoded by the driver's own encoders. The types are not checked here: values must be given in the
/// order and with the types of the statement's columns.
pub(super) struct CopyRow<'a>(&'a mut PgArgumentBuffer);

impl CopyRow<'_> {
    /// The row's next value.
    pub(super) fn value<'q, T: Encode<'q, Postgres>>(&mut self, value: T) -> Result<(), StoreError> {
        let refused = |source| StoreError::from(sqlx::Error::Encode(source));
        let at = self.0.len();
        self.0.extend_from_slice(&NULL.to_be_bytes());
        let from = self.0.len();
        if matches!(value.encode_by_ref(self.0).map_err(refused)?, IsNull::No) {
            let length = i32::try_from(self.0.len() - from).map_err(|error| refused(Box::new(error)))?;
            self.0[at..from].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }
}

/// Runs one `COPY .. FROM STDIN (FORMAT binary)`: `fill` encodes each item as a row of so many columns. Gives how many
/// rows the server took.
pub(super) async fn copy_in<T>(
    to: &mut PgConnection,
    statement: &'static str,
    columns: i16,
    items: &[T],
    fill: impl Fn(&mut CopyRow<'_>, &T) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut copy = to.copy_in_raw(statement).await?;
    match send_rows(&mut copy, columns, items, fill).await {
        Ok(()) => Ok(copy.finish().await?),
        Err(error) => {
            copy.abort("a row could not be encoded").await?;
            Err(error)
        }
    }
}

async fn send_rows<T>(
    copy: &mut PgCopyIn<&mut PgConnection>,
    columns: i16,
    items: &[T],
    fill: impl Fn(&mut CopyRow<'_>, &T) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut bytes = PgArgumentBuffer::default();
    bytes.extend_from_slice(HEADER);
    for item in items {
        bytes.extend_from_slice(&columns.to_be_bytes());
        fill(&mut CopyRow(&mut bytes), item)?;
        if bytes.len() >= MESSAGE {
            copy.send(&bytes[..]).await?;
            bytes.clear();
        }
    }
    bytes.extend_from_slice(&TRAILER.to_be_bytes());
    copy.send(&bytes[..]).await?;
    Ok(())
}
