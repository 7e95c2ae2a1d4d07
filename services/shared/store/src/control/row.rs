//! From what the driver reads to typed rows.

use crate::error::StoreError;
use crate::time::{date_from_db, from_db};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use serde_json::Value;
use tallystick_domain::{
    ClientId, Currency, KeyId, MemberId, PriceVersionId, ProjectId, ProviderId, TeamId, TokenId,
};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// A column's value as the row wants it.
pub(super) trait FromDb<T>: Sized {
    fn from_db(raw: T) -> Result<Self, StoreError>;
}

/// A value that the schema forbids or that this program does not know.
pub(super) fn unreadable(what: &str, value: &str) -> StoreError {
    StoreError::Other(sqlx::Error::Decode(format!("{what} '{value}' is not known to this program").into()))
}

macro_rules! same {
    ($($ty:ty),+) => {$(
        impl FromDb<$ty> for $ty {
            fn from_db(raw: $ty) -> Result<Self, StoreError> {
                Ok(raw)
            }
        }
    )+};
}
same!(String, bool, i16, i32, i64, Decimal, Vec<u8>, Vec<String>, Value, Uuid);

macro_rules! ids {
    ($($ty:ty),+) => {$(
        impl FromDb<Uuid> for $ty {
            fn from_db(raw: Uuid) -> Result<Self, StoreError> {
                Ok(Self::from_uuid(raw))
            }
        }
    )+};
}
ids!(ClientId, KeyId, MemberId, PriceVersionId, ProjectId, ProviderId, TeamId, TokenId);

impl<A, B: FromDb<A>> FromDb<Option<A>> for Option<B> {
    fn from_db(raw: Option<A>) -> Result<Self, StoreError> {
        raw.map(B::from_db).transpose()
    }
}

impl FromDb<OffsetDateTime> for Timestamp {
    fn from_db(raw: OffsetDateTime) -> Result<Self, StoreError> {
        Ok(from_db(raw))
    }
}

impl FromDb<Date> for civil::Date {
    fn from_db(raw: Date) -> Result<Self, StoreError> {
        Ok(date_from_db(raw))
    }
}

impl FromDb<String> for Currency {
    fn from_db(raw: String) -> Result<Self, StoreError> {
        Self::parse(&raw).map_err(|_| unreadable("currency", &raw))
    }
}

/// Declares a row with typed fields and, beside it, the struct that the checked macros fill.
macro_rules! row {
    ($(#[$meta:meta])* $row:ident / $raw:ident {
        $($(#[$field_meta:meta])* $field:ident: $ty:ty = $db:ty),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $row {
            $($(#[$field_meta])* pub $field: $ty,)+
        }

        pub(super) struct $raw {
            $(pub(super) $field: $db,)+
        }

        impl TryFrom<$raw> for $row {
            type Error = $crate::error::StoreError;
            fn try_from(raw: $raw) -> Result<Self, Self::Error> {
                Ok(Self { $($field: $crate::control::row::FromDb::from_db(raw.$field)?,)+ })
            }
        }
    };
}
pub(super) use row;

/// Several rows.
pub(super) fn rows<R, T: TryFrom<R, Error = StoreError>>(raw: Vec<R>) -> Result<Vec<T>, StoreError> {
    raw.into_iter().map(T::try_from).collect()
}

/// A row that may be absent.
pub(super) fn maybe<R, T: TryFrom<R, Error = StoreError>>(raw: Option<R>) -> Result<Option<T>, StoreError> {
    raw.map(T::try_from).transpose()
}
