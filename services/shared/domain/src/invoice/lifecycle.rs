//! Finalising an invoice and what may follow. A state changes only through here.

use std::fmt;

use jiff::civil::Date;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{InvoiceDocument, InvoiceError, InvoiceStatus};

/// What can be done with an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvoiceAction {
    /// Number and freeze it.
    Finalize,
    /// Hand it to the client.
    Send,
    /// Note that it is settled.
    MarkPaid,
    /// Withdraw it.
    Void,
}

impl fmt::Display for InvoiceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finalize => "finalized",
            Self::Send => "sent",
            Self::MarkPaid => "marked as paid",
            Self::Void => "voided",
        })
    }
}

impl InvoiceStatus {
    /// The state after an action.
    ///
    /// A draft can only be finalised. What is finalised can be sent (again), paid or voided; what is paid or void stays.
    ///
    /// # Errors
    /// When the state does not allow the action.
    pub fn after(self, action: InvoiceAction) -> Result<Self, InvoiceError> {
        match (self, action) {
            (Self::Draft, InvoiceAction::Finalize) => Ok(Self::Finalized),
            (Self::Finalized | Self::Sent, InvoiceAction::Send) => Ok(Self::Sent),
            (Self::Finalized | Self::Sent, InvoiceAction::MarkPaid) => Ok(Self::Paid),
            (Self::Finalized | Self::Sent, InvoiceAction::Void) => Ok(Self::Void),
            (from, action) => Err(InvoiceError::Transition { from, action }),
        }
    }
}

impl InvoiceDocument {
    /// Gives a draft its number and date, and freezes it under its hash.
    ///
    /// # Errors
    /// When it is not a draft.
    pub fn finalize(mut self, number: String, issue_date: Date) -> Result<Self, InvoiceError> {
        self.status = self.status.after(InvoiceAction::Finalize)?;
        self.number = Some(number);
        self.issue_date = issue_date;
        self.due_date = self.terms.due(issue_date)?;
        self.sha256 = Some(self.content_hash()?);
        Ok(self)
    }

    /// Moves a finalised invoice on; the content and its hash stay.
    ///
    /// # Errors
    /// When the state does not allow the action, and for [`InvoiceAction::Finalize`], which needs a number.
    pub fn advance(mut self, action: InvoiceAction) -> Result<Self, InvoiceError> {
        if action == InvoiceAction::Finalize {
            return Err(InvoiceError::Transition { from: self.status, action });
        }
        self.status = self.status.after(action)?;
        Ok(self)
    }

    /// The canonical JSON: every field but `status` and `sha256`, keys sorted at every level, no white space.
    ///
    /// # Errors
    /// When serialisation fails, which no value of this type makes it do.
    pub fn canonical_json(&self) -> Result<String, InvoiceError> {
        let json = |error: serde_json::Error| InvoiceError::Json(error.to_string());
        let mut value = serde_json::to_value(self).map_err(json)?;
        if let Value::Object(fields) = &mut value {
            fields.remove("status");
            fields.remove("sha256");
        }
        let mut text = String::new();
        write_sorted(&value, &mut text).map_err(json)?;
        Ok(text)
    }

    /// SHA-256 of [`InvoiceDocument::canonical_json`], in hex.
    ///
    /// # Errors
    /// As for the canonical JSON.
    pub fn content_hash(&self) -> Result<String, InvoiceError> {
        let digest = Sha256::digest(self.canonical_json()?.as_bytes());
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether the content is still what was frozen; a draft has nothing to compare with.
    ///
    /// # Errors
    /// As for the canonical JSON.
    pub fn is_intact(&self) -> Result<bool, InvoiceError> {
        match &self.sha256 {
            None => Ok(self.status == InvoiceStatus::Draft),
            Some(hash) => Ok(*hash == self.content_hash()?),
        }
    }
}

/// Sorts keys itself: whether the JSON library keeps or sorts them depends on features of other crates.
fn write_sorted(value: &Value, out: &mut String) -> Result<(), serde_json::Error> {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, field)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::to_string(key)?);
                out.push(':');
                write_sorted(field, out)?;
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_sorted(item, out)?;
            }
            out.push(']');
        }
        scalar => out.push_str(&serde_json::to_string(scalar)?),
    }
    Ok(())
}
