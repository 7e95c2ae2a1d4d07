//! A client as it is sent and shown.

use crate::api::error::{ApiError, ApiResult};
use crate::api::extract::{email, name, text, texts};
use crate::api::given;
use crate::api::references::{country, percent};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tallystick_domain::invoice::PaymentTerms;
use tallystick_domain::period::Zone;
use tallystick_domain::{ClientId, Currency};
use tallystick_store::control::ClientRow;

/// Lines of an address.
pub(in crate::api) const ADDRESS_LINES: usize = 8;

/// A client.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::api) struct ClientView {
    #[schema(value_type = String)]
    id: ClientId,
    name: String,
    legal_name: String,
    /// One entry per printed line.
    address: Vec<String>,
    /// ISO 3166 code.
    country: Option<String>,
    vat_id: Option<String>,
    registration: Option<String>,
    email: Option<String>,
    /// Currency of the client's invoices.
    currency: String,
    /// IANA name of the zone that the client's billing days are cut in.
    zone: String,
    /// Percent on top of the provider's cost.
    #[schema(value_type = String)]
    markup: Decimal,
    /// Whether invoices show cost and mark-up, or prices that hold it.
    markup_shown: bool,
    /// The team itself: reported, never invoiced.
    internal: bool,
    /// Days from the issue of an invoice to its due date, such as `14d`.
    terms: String,
    purchase_order: Option<String>,
    tax_label: Option<String>,
    /// Percent of the subtotal.
    #[schema(value_type = Option<String>)]
    tax_percent: Option<Decimal>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    archived_at: Option<Timestamp>,
}

impl From<ClientRow> for ClientView {
    fn from(row: ClientRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            legal_name: row.legal_name,
            address: row.address,
            country: row.country,
            vat_id: row.vat_id,
            registration: row.registration,
            email: row.email,
            currency: row.currency.code().to_owned(),
            zone: row.zone,
            markup: row.markup.normalize(),
            markup_shown: row.markup_shown,
            internal: row.internal,
            terms: format!("{}d", row.terms_days),
            purchase_order: row.purchase_order,
            tax_label: row.tax_label,
            tax_percent: row.tax_percent.map(|percent| percent.normalize()),
            created_at: row.created_at,
            archived_at: row.archived_at,
        }
    }
}

/// What a client is to be; what is absent stays, null clears.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ClientBody {
    name: Option<String>,
    legal_name: Option<String>,
    /// One entry per printed line.
    address: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    country: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    vat_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    registration: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    /// ISO 4217.
    currency: Option<String>,
    /// IANA name.
    zone: Option<String>,
    /// `20%`.
    markup: Option<String>,
    markup_shown: Option<bool>,
    internal: Option<bool>,
    /// `14d`.
    #[schema(value_type = Option<String>)]
    terms: Option<PaymentTerms>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    purchase_order: Option<Option<String>>,
    /// Label and percent, such as `VAT 19%`; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    tax: Option<Option<String>>,
}

/// A checked body.
#[derive(Debug)]
pub(in crate::api) struct ClientChange {
    body: ClientBody,
    zone: Option<Zone>,
    currency: Option<Currency>,
    markup: Option<Decimal>,
    tax: Option<Option<(String, Decimal)>>,
}

/// A tax as people write it: `VAT 19%`, or only `19%`.
pub(in crate::api) fn tax(written: &str) -> ApiResult<(String, Decimal)> {
    let written = text("tax", written)?;
    let (label, rate) =
        written.trim_end_matches('%').trim_end().rsplit_once(' ').unwrap_or(("VAT", &written));
    let rate = percent("tax", rate)?;
    if rate > Decimal::ONE_HUNDRED {
        return Err(ApiError::invalid("tax is above 100%; write it as 'VAT 19%'"));
    }
    Ok((label.trim().to_owned(), rate))
}

/// A kept text in a field that may be cleared.
pub(in crate::api) fn clearable(
    field: &str,
    value: Option<Option<String>>,
) -> ApiResult<Option<Option<String>>> {
    value.map(|value| value.map(|value| text(field, &value)).transpose()).transpose()
}

impl ClientBody {
    /// Checks every field.
    pub(in crate::api) fn checked(self) -> ApiResult<ClientChange> {
        let zone = self.zone.as_deref().map(Zone::parse).transpose()?;
        let currency = self.currency.as_deref().map(Currency::parse).transpose()?;
        let markup = self.markup.as_deref().map(|markup| percent("markup", markup)).transpose()?;
        let tax = self.tax.as_ref().map(|tax_| tax_.as_deref().map(tax).transpose()).transpose()?;
        let mail =
            self.email.as_ref().map(|mail| mail.as_deref().map(|mail| email("email", mail)).transpose());
        let body = Self {
            name: self.name.map(|value| name("name", &value)).transpose()?,
            legal_name: self.legal_name.map(|value| text("legal_name", &value)).transpose()?,
            address: self.address.map(|lines| texts("address", &lines, ADDRESS_LINES)).transpose()?,
            country: self.country.map(|code| code.map(|code| country(&code)).transpose()).transpose()?,
            vat_id: clearable("vat_id", self.vat_id)?,
            registration: clearable("registration", self.registration)?,
            email: mail.transpose()?,
            purchase_order: clearable("purchase_order", self.purchase_order)?,
            ..self
        };
        Ok(ClientChange { body, zone, currency, markup, tax })
    }
}

impl ClientChange {
    /// Whether it gives a name.
    pub(in crate::api) fn names(&self) -> bool {
        self.body.name.is_some()
    }

    /// Puts what was given in place.
    pub(in crate::api) fn apply(&self, row: &mut ClientRow) {
        let body = &self.body;
        put(&mut row.name, body.name.as_ref());
        put(&mut row.legal_name, body.legal_name.as_ref());
        put(&mut row.address, body.address.as_ref());
        put(&mut row.country, body.country.as_ref());
        put(&mut row.vat_id, body.vat_id.as_ref());
        put(&mut row.registration, body.registration.as_ref());
        put(&mut row.email, body.email.as_ref());
        put(&mut row.currency, self.currency.as_ref());
        put(&mut row.markup, self.markup.as_ref());
        put(&mut row.markup_shown, body.markup_shown.as_ref());
        put(&mut row.internal, body.internal.as_ref());
        put(&mut row.purchase_order, body.purchase_order.as_ref());
        if let Some(zone) = &self.zone {
            row.zone = zone.name().to_owned();
        }
        if let Some(terms) = body.terms {
            row.terms_days = i16::try_from(terms.as_days()).unwrap_or(i16::MAX);
        }
        if let Some(tax) = &self.tax {
            row.tax_label = tax.as_ref().map(|(label, _)| label.clone());
            row.tax_percent = tax.as_ref().map(|(_, percent)| *percent);
        }
    }
}

/// Replaces a value where another one is given.
pub(in crate::api) fn put<T: Clone>(slot: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        slot.clone_from(given);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tax_has_a_label_and_a_rate() {
        assert_eq!(tax("VAT 19%").unwrap(), ("VAT".to_owned(), Decimal::from(19)));
        assert_eq!(tax("Sales tax 7.25 %").unwrap(), ("Sales tax".to_owned(), "7.25".parse().unwrap()));
        assert_eq!(tax("19%").unwrap(), ("VAT".to_owned(), Decimal::from(19)));
        assert!(tax("VAT").is_err());
        assert!(tax("VAT 190%").is_err());
    }
}
