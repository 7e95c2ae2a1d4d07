//! `/issuer`: who asks clients for money.

use super::ApiState;
use super::auth::{Can, ManageBilling, ViewBilling};
use super::clients::body::{ADDRESS_LINES, clearable, put};
use super::error::{ApiError, ApiResult};
use super::extract::{Json, email, text, texts};
use super::given;
use super::references::country;
use axum::Json as Answer;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tallystick_domain::invoice::NumberFormat;
use tallystick_runtime::Problem;
use tallystick_store::control::IssuerRow;

/// Largest logo, in bytes.
const MAX_LOGO: usize = 1 << 20;

/// The issuer of invoices.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct IssuerView {
    legal_name: String,
    /// One entry per printed line.
    address: Vec<String>,
    /// ISO 3166 code.
    country: Option<String>,
    vat_id: Option<String>,
    registration: Option<String>,
    email: Option<String>,
    iban: Option<String>,
    bic: Option<String>,
    bank: Option<String>,
    /// Media type of the logo; null: there is none.
    logo_type: Option<String>,
    /// How invoices are numbered, such as `INV-{year}-{seq:04}`.
    number_format: String,
    #[schema(value_type = String)]
    updated_at: Timestamp,
}

impl From<IssuerRow> for IssuerView {
    fn from(row: IssuerRow) -> Self {
        Self {
            legal_name: row.legal_name,
            address: row.address,
            country: row.country,
            vat_id: row.vat_id,
            registration: row.registration,
            email: row.email,
            iban: row.iban,
            bic: row.bic,
            bank: row.bank,
            logo_type: row.logo_type,
            number_format: row.number_format,
            updated_at: row.updated_at,
        }
    }
}

/// What the issuer is to be; what is absent stays, null clears. `legal_name` is required the first time.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuerBody {
    legal_name: Option<String>,
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
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    iban: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    bic: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    bank: Option<Option<String>>,
    /// PNG, JPEG or SVG of at most 1 MiB, in base64; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    logo: Option<Option<String>>,
    number_format: Option<String>,
}

/// Shows the issuer.
#[utoipa::path(get, path = "/issuer", tag = "issuer", responses((status = 200, body = IssuerView)))]
pub(super) async fn show(
    State(api): State<ApiState>,
    caller: Can<ViewBilling>,
) -> ApiResult<Answer<IssuerView>> {
    let found = api.store.issuer_load(caller.team_id()).await?;
    found.map(|row| Answer(row.into())).ok_or_else(|| {
        Problem::not_found(
            "the team has no issuer yet; set one with 'tallystick issuer set --legal-name ...'",
        )
        .into()
    })
}

/// Sets the issuer.
#[utoipa::path(patch, path = "/issuer", tag = "issuer", request_body = IssuerBody,
    responses((status = 200, body = IssuerView)))]
pub(super) async fn set(
    State(api): State<ApiState>,
    caller: Can<ManageBilling>,
    Json(body): Json<IssuerBody>,
) -> ApiResult<Answer<IssuerView>> {
    let logo = body.logo.as_ref().map(|logo| logo.as_deref().map(image).transpose()).transpose()?;
    let body = checked(body)?;
    if body.legal_name.is_none() && api.store.issuer_load(caller.team_id()).await?.is_none() {
        return Err(ApiError::invalid("legal_name is missing; the first time, say who issues the invoices"));
    }
    let actor = caller.actor(&api);
    let fresh = IssuerRow {
        team_id: caller.team_id(),
        legal_name: String::new(),
        address: Vec::new(),
        country: None,
        vat_id: None,
        registration: None,
        email: None,
        iban: None,
        bic: None,
        bank: None,
        logo: None,
        logo_type: None,
        number_format: NumberFormat::default().to_string(),
        updated_at: actor.at,
    };
    let row = api
        .store
        .issuer_set(&actor, &fresh, |row| {
            put(&mut row.legal_name, body.legal_name.as_ref());
            put(&mut row.address, body.address.as_ref());
            put(&mut row.country, body.country.as_ref());
            put(&mut row.vat_id, body.vat_id.as_ref());
            put(&mut row.registration, body.registration.as_ref());
            put(&mut row.email, body.email.as_ref());
            put(&mut row.iban, body.iban.as_ref());
            put(&mut row.bic, body.bic.as_ref());
            put(&mut row.bank, body.bank.as_ref());
            put(&mut row.number_format, body.number_format.as_ref());
            if let Some(logo) = &logo {
                row.logo = logo.as_ref().map(|(bytes, _)| bytes.clone());
                row.logo_type = logo.as_ref().map(|(_, kind)| (*kind).to_owned());
            }
            Ok(())
        })
        .await?;
    Ok(Answer(row.into()))
}

fn checked(body: IssuerBody) -> ApiResult<IssuerBody> {
    let mail = body.email.as_ref().map(|mail| mail.as_deref().map(|mail| email("email", mail)).transpose());
    let number_format = body
        .number_format
        .as_deref()
        .map(|format| format.parse::<NumberFormat>().map_err(|error| ApiError::invalid(error.to_string())))
        .transpose()?;
    Ok(IssuerBody {
        legal_name: body.legal_name.map(|value| text("legal_name", &value)).transpose()?,
        address: body.address.map(|lines| texts("address", &lines, ADDRESS_LINES)).transpose()?,
        country: body.country.map(|code| code.map(|code| country(&code)).transpose()).transpose()?,
        vat_id: clearable("vat_id", body.vat_id)?,
        registration: clearable("registration", body.registration)?,
        email: mail.transpose()?,
        iban: clearable("iban", body.iban)?,
        bic: clearable("bic", body.bic)?,
        bank: clearable("bank", body.bank)?,
        number_format: number_format.map(|format| format.to_string()),
        logo: body.logo,
    })
}

/// The bytes of an image and what it is, told by how it begins.
fn image(encoded: &str) -> ApiResult<(Vec<u8>, &'static str)> {
    let bad = || ApiError::invalid("logo is no PNG, JPEG or SVG of at most 1 MiB in base64");
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| bad())?;
    let start = bytes.trim_ascii_start();
    let kind = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        "image/jpeg"
    } else if start.starts_with(b"<svg") || start.starts_with(b"<?xml") {
        "image/svg+xml"
    } else {
        return Err(bad());
    };
    if bytes.len() > MAX_LOGO { Err(bad()) } else { Ok((bytes, kind)) }
}
