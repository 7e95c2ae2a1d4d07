//! `tallystick issuer`: who writes the invoices.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};

use super::values::Fields;
use crate::context::Context;
use crate::error::{Doing as _, Outcome};
use crate::output::print_object;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the issuer.
    Show,
    /// Set the issuer; what is absent stays.
    Set(Box<SetArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Name under which the team is registered.
    #[arg(long)]
    legal_name: Option<String>,
    /// Address; lines apart by a comma or repeated.
    #[arg(long, value_delimiter = ',')]
    address: Vec<String>,
    /// ISO 3166 country code, such as DE.
    #[arg(long)]
    country: Option<String>,
    /// VAT or other tax number.
    #[arg(long)]
    vat_id: Option<String>,
    /// Company register entry.
    #[arg(long)]
    registration: Option<String>,
    #[arg(long)]
    email: Option<String>,
    #[arg(long)]
    iban: Option<String>,
    #[arg(long)]
    bic: Option<String>,
    #[arg(long)]
    bank: Option<String>,
    /// PNG, JPEG or SVG of at most 1 MiB.
    #[arg(long, value_name = "FILE")]
    logo: Option<PathBuf>,
    /// How numbers are written, such as INV-{year}-{seq:04}.
    #[arg(long)]
    number_format: Option<String>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let api = context.api()?;
    let issuer = match command {
        Command::Show => api.get("/issuer").await?,
        Command::Set(args) => {
            let logo = args.logo.as_deref().map(read_logo).transpose()?;
            let address: Vec<&str> = args.address.iter().map(|line| line.trim()).collect();
            let body = Fields::new()
                .with("legal_name", args.legal_name)
                .list("address", &address)
                .with("country", args.country)
                .with("vat_id", args.vat_id)
                .with("registration", args.registration)
                .with("email", args.email)
                .with("iban", args.iban)
                .with("bic", args.bic)
                .with("bank", args.bank)
                .with("logo", logo)
                .with("number_format", args.number_format);
            api.patch("/issuer", body.into_change()?).await?
        }
    };
    print_object(context, &issuer)
}

/// A picture in base64, the way the API takes it.
fn read_logo(path: &Path) -> Outcome<String> {
    let bytes = std::fs::read(path).doing(|| format!("reading {}", path.display()))?;
    Ok(STANDARD.encode(bytes))
}
