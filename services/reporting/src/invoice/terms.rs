//! Who bills whom, on which terms: issuer, client and the contract in force.

use crate::api::error::{ApiError, ApiResult};
use tallystick_domain::invoice::{ExchangeRate, InvoiceDocument, NumberFormat, Party};
use tallystick_domain::period::{DayRange, Zone};
use tallystick_runtime::Problem;
use tallystick_store::Store;
use tallystick_store::control::{ClientRow, ContractRow, IssuerRow, TeamRow, contract_in_force};

/// Everything but the usage.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) team: TeamRow,
    /// With the terms of the contract in place of its own.
    pub(crate) client: ClientRow,
    pub(crate) contract: Option<ContractRow>,
    pub(crate) issuer: Option<IssuerRow>,
    /// The client's.
    pub(crate) zone: Zone,
    pub(crate) exchange_rate: Option<ExchangeRate>,
}

impl Terms {
    /// The terms of a month: those in force on its last day.
    pub(crate) async fn load(
        store: &Store,
        team: &TeamRow,
        client: &ClientRow,
        month: DayRange,
    ) -> ApiResult<Self> {
        let contracts = store.contracts_of(team.id, client.id).await?;
        let contract = contract_in_force(&contracts, month.last_day()).cloned();
        let client = contract.as_ref().map_or_else(|| client.clone(), |contract| contract.applied_to(client));
        let pinned = contract.as_ref().and_then(|contract| contract.exchange_rate.clone());
        let exchange_rate =
            pinned.map(serde_json::from_value).transpose().map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            team: team.clone(),
            zone: Zone::parse(&client.zone)?,
            issuer: store.issuer_load(team.id).await?,
            client,
            contract,
            exchange_rate,
        })
    }

    pub(crate) fn issuer_party(&self) -> Party {
        let Some(issuer) = self.issuer.clone() else { return Party::default() };
        Party {
            legal_name: issuer.legal_name,
            address: issuer.address,
            country: issuer.country,
            vat_id: issuer.vat_id,
            registration: issuer.registration,
            email: issuer.email,
            iban: issuer.iban,
            bic: issuer.bic,
            bank: issuer.bank,
        }
    }

    pub(crate) fn buyer_party(&self) -> Party {
        let client = &self.client;
        Party {
            legal_name: client.legal_name.clone(),
            address: client.address.clone(),
            country: client.country.clone(),
            vat_id: client.vat_id.clone(),
            registration: client.registration.clone(),
            email: client.email.clone(),
            ..Party::default()
        }
    }

    pub(crate) fn number_format(&self) -> ApiResult<NumberFormat> {
        let Some(issuer) = &self.issuer else { return Ok(NumberFormat::default()) };
        issuer.number_format.parse().map_err(|error: tallystick_domain::invoice::InvoiceError| {
            ApiError::invalid(format!(
                "{error}; set it with: tallystick issuer set --number-format INV-{{year}}-{{seq:04}}"
            ))
        })
    }
}

/// What an invoice must name before it can be final, with the command that sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) what: &'static str,
    pub(crate) command: String,
}

/// Name and address of both sides, and a tax or registration number of the issuer. A bank account is worth having and
/// not demanded.
pub(crate) fn missing(document: &InvoiceDocument, client: &str) -> Vec<Missing> {
    let issuer = |option: &str| format!("tallystick issuer set {option}");
    let buyer = |option: &str| format!("tallystick clients update '{client}' {option}");
    document
        .missing_details()
        .into_iter()
        .filter_map(|what| {
            let command = match what {
                "legal name of the issuer" => issuer("--legal-name NAME"),
                "address of the issuer" => issuer("--address ADDRESS"),
                "tax or registration number of the issuer" => issuer("--vat-id NUMBER"),
                "legal name of the client" => buyer("--legal-name NAME"),
                "address of the client" => buyer("--address ADDRESS"),
                _ => return None,
            };
            Some(Missing { what, command })
        })
        .collect()
}
