//! `tallystick providers`. A secret never stands on the command line: it comes from a variable or from stdin.

use std::io::Read as _;

use clap::{Args, Subcommand};
use serde_json::json;

use super::values::Fields;
use crate::cli::ListArgs;
use crate::client::{Query, segment};
use crate::context::Context;
use crate::error::{CliError, Doing as _, Outcome};
use crate::output::{Column, Kind, confirm, print_list, print_object};

const COLUMNS: &[Column] = &[
    Column("NAME", "/name", Kind::Text),
    Column("KIND", "/kind", Kind::Text),
    Column("BASE URL", "/base_url", Kind::Text),
    Column("SECRET", "/has_secret", Kind::Text),
    Column("ID", "/id", Kind::Text),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List providers.
    List {
        /// Also archived ones.
        #[arg(long)]
        archived: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show a provider.
    Show { provider: String },
    /// Add a provider; known names need no kind and no URL.
    #[command(alias = "create")]
    Add {
        /// Such as openai, anthropic, mistral.
        name: String,
        #[command(flatten)]
        account: Account,
    },
    /// Change a provider.
    Update {
        provider: String,
        #[command(flatten)]
        account: Account,
    },
    /// Archive a provider; nothing is sent to it any more.
    Archive { provider: String },
}

/// Where the provider is and how to get in.
#[derive(Debug, Args)]
pub(crate) struct Account {
    #[arg(long, value_parser = ["openai", "anthropic", "gemini", "openai-compatible"])]
    kind: Option<String>,
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The provider under whose name the price book has its models [default: its own].
    #[arg(long, value_name = "NAME")]
    price_name: Option<String>,
    /// Patterns of the models that go here [default: those that the price book knows].
    #[arg(long, value_delimiter = ',', value_name = "GLOB,...")]
    models: Vec<String>,
    /// Let the address be private or local; needs an operator's token.
    #[arg(long)]
    private_address: bool,
    /// Variable that holds the provider's key.
    #[arg(long, value_name = "VAR", conflicts_with = "secret_stdin")]
    secret_env: Option<String>,
    /// Read the provider's key from stdin.
    #[arg(long)]
    secret_stdin: bool,
}

impl Account {
    fn fields(self, context: &Context, name: Option<String>) -> Outcome<Fields> {
        let secret = match (&self.secret_env, self.secret_stdin) {
            (Some(variable), _) => Some(from_variable(context, variable)?),
            (None, true) => Some(from_stdin()?),
            (None, false) => None,
        };
        let fields = Fields::new().with("name", name).with("kind", self.kind).with("base_url", self.base_url);
        let fields = fields.with("price_name", self.price_name).list("models", &self.models);
        Ok(fields.flag("private_address", self.private_address).with("secret", secret))
    }
}

fn from_variable(context: &Context, variable: &str) -> Outcome<String> {
    let found = context.environment.get(variable).map(str::to_owned);
    found.ok_or_else(|| {
        CliError::usage(format!("the variable {variable} is not set"))
            .advise(format!("set it for this command: {variable}=sk-... tallystick providers ..."))
    })
}

fn from_stdin() -> Outcome<String> {
    let mut secret = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut secret)
        .doing(|| "reading the secret from stdin".to_owned())?;
    let secret = secret.trim();
    if secret.is_empty() {
        return Err(CliError::usage("stdin holds no secret")
            .advise("pipe it in: `tallystick providers add openai --secret-stdin < key.txt`"));
    }
    Ok(secret.to_owned())
}

pub(crate) async fn run(context: &Context, command: Command) -> Outcome {
    let path = |provider: &str| format!("/providers/{}", segment(provider));
    match command {
        Command::List { archived, list } => {
            print_list(context, "/providers", Query::new().flag("archived", archived), COLUMNS, &list).await
        }
        Command::Show { provider } => print_object(context, &context.api()?.get(&path(&provider)).await?),
        Command::Add { name, account } => {
            let body = account.fields(context, Some(name))?.into_value();
            print_object(context, &context.api()?.post("/providers", body).await?)
        }
        Command::Update { provider, account } => {
            let change = account.fields(context, None)?.into_change()?;
            print_object(context, &context.api()?.patch(&path(&provider), change).await?)
        }
        Command::Archive { provider } => {
            confirm(context, &format!("archiving the provider {provider} refuses every call to it"))?;
            let archived = context.api()?.post(&format!("{}/archive", path(&provider)), json!({})).await?;
            print_object(context, &archived)
        }
    }
}
