//! What the agency owes its clients: invoices, and what it owes itself: reports and usage as files.

use futures_util::future::try_join_all;
use http::Method;
use serde_json::{Value, json};

use super::place::Place;
use crate::client::{Api, Body, Query};
use crate::commands::{invoices, report};
use crate::error::{CliError, Outcome};

/// The groupings that are written as CSV.
const USAGE: [(&str, &str); 4] = [
    ("by-client", "client,project"),
    ("by-member", "member,tool"),
    ("by-model", "provider,model"),
    ("by-day", "day,client"),
];

/// A finalised invoice and its file.
pub(super) struct Issued {
    pub(super) invoice: Value,
    /// The page, relative to the demo's folder.
    pub(super) pdf: String,
}

/// Drafts and finalises the month's invoices, writes each as PDF, CSV and JSON.
pub(super) async fn invoices(api: &Api, place: &Place, month: &str) -> Outcome<Vec<Issued>> {
    let drafted = api.post("/invoices", json!({"all": true, "month": month})).await?;
    let drafts = drafted["data"].as_array().cloned().unwrap_or_default();
    if drafts.is_empty() {
        return Err(CliError::new(format!(
            "no invoice could be drafted for {month}: {}",
            drafted["skipped"]
        )));
    }
    let mut finalised = Vec::with_capacity(drafts.len());
    for draft in &drafts {
        let id = draft["id"].as_str().unwrap_or_default();
        let expected = json!({"expected_total": draft["total"]});
        finalised.push(api.post(&invoices::path(id, "/finalize"), expected).await?);
    }
    try_join_all(finalised.into_iter().map(|invoice| write_invoice(api, place, invoice))).await
}

async fn write_invoice(api: &Api, place: &Place, invoice: Value) -> Outcome<Issued> {
    let text = |name: &str| invoice[name].as_str().unwrap_or_default();
    let (id, stem) = (text("id"), format!("invoices/{}-{}", text("number"), slug(text("client"))));
    for format in ["pdf", "csv", "json"] {
        download(api, place, &invoices::path(id, ""), format, &stem).await?;
    }
    Ok(Issued { pdf: format!("{stem}.pdf"), invoice })
}

/// Writes the monthly report and a weekly review of that month.
pub(super) async fn reports(api: &Api, place: &Place, month: &str, week: &str) -> Outcome {
    let wanted = [("month", month), ("week", week)].into_iter().flat_map(|(kind, period)| {
        ["pdf", "csv", "json"].map(|format| (report::path(kind, period), format, format!("reports/{period}")))
    });
    let written =
        wanted.map(|(path, format, stem)| async move { download(api, place, &path, format, &stem).await });
    try_join_all(written).await?;
    Ok(())
}

/// Writes the month's usage in several groupings.
pub(super) async fn usage(api: &Api, place: &Place, month: &str) -> Outcome {
    let written = USAGE.map(|(name, by)| async move {
        let path = Query::new().with("month", Some(month)).with("by", Some(by)).on("/usage");
        download(api, place, &path, "csv", &format!("usage/{month}-{name}")).await
    });
    try_join_all(written).await?;
    Ok(())
}

async fn download(api: &Api, place: &Place, path: &str, format: &str, stem: &str) -> Outcome {
    let joint = if path.contains('?') { '&' } else { '?' };
    let reply = api.send(Method::GET, &format!("{path}{joint}format={format}"), Body::None).await?;
    place.write(&format!("{stem}.{format}"), &reply.body)
}

fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_a_file_name() {
        assert_eq!(slug("Acme Corp"), "acme-corp");
        assert_eq!(slug("Startup X, Inc."), "startup-x-inc");
    }
}
