//! Making a key and showing its secret.

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::snippet::snippet;
use crate::commands::values::{Fields, budget, tell_unenforced};
use crate::context::Context;
use crate::error::Outcome;
use crate::output::{data, json};

/// How a new secret is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, with a snippet.
    Text,
    /// As variables for a shell or an .env file.
    Env,
    /// The body of the API.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[arg(long)]
    name: String,
    /// What the key is for; automation needs a daily budget, temporary an end.
    #[arg(long, value_parser = ["member", "project", "automation", "temporary"])]
    kind: String,
    #[command(flatten)]
    policy: Policy,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Who a key belongs to and what it may do.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    /// Who answers for it.
    #[arg(long)]
    member: Option<String>,
    #[arg(long)]
    project: Option<String>,
    #[arg(long)]
    client: Option<String>,
    #[arg(long, value_parser = ["dev", "staging", "production"])]
    environment: Option<String>,
    /// What it is used by; also chooses the snippet: curl, python, node, cursor, claude-code, open-webui.
    #[arg(long)]
    tool: Option<String>,
    /// Models it may ask for, such as gpt-4o*,claude-*.
    #[arg(long, value_delimiter = ',', value_name = "GLOB,...")]
    models: Vec<String>,
    /// Providers it may use.
    #[arg(long, value_delimiter = ',', value_name = "A,...")]
    providers: Vec<String>,
    /// Endpoints it may call, such as chat,embeddings.
    #[arg(long, value_delimiter = ',', value_name = "E,...")]
    endpoints: Vec<String>,
    /// When it ends: 7d, a date or an instant.
    #[arg(long)]
    expires: Option<String>,
    /// A hard stop such as daily=20 (repeatable), daily=20:alert only warns; recorded, not enforced in this version.
    #[arg(long, value_parser = budget, value_name = "PERIOD=LIMIT")]
    pub(super) budget: Vec<Value>,
    /// Requests per minute.
    #[arg(long, value_name = "N")]
    rpm: Option<u32>,
    /// Tokens per minute.
    #[arg(long, value_name = "N")]
    tpm: Option<u64>,
    /// Requests at once.
    #[arg(long, value_name = "N")]
    parallel: Option<u32>,
    /// Addresses it may be used from.
    #[arg(long, value_delimiter = ',', value_name = "CIDR,...")]
    ip: Vec<String>,
}

impl Policy {
    pub(super) fn fields(self, fields: Fields) -> Fields {
        fields
            .with("member", self.member)
            .with("project", self.project)
            .with("client", self.client)
            .with("environment", self.environment)
            .with("tool", self.tool)
            .list("models", &self.models)
            .list("providers", &self.providers)
            .list("endpoints", &self.endpoints)
            .with("expires", self.expires)
            .list("budgets", &self.budget)
            .with("rpm", self.rpm)
            .with("tpm", self.tpm)
            .with("parallel", self.parallel)
            .list("ip", &self.ip)
    }
}

pub(super) async fn run(context: &Context, args: AddArgs) -> Outcome {
    let (tool, budgets) = (args.policy.tool.clone(), args.policy.budget.clone());
    let fields = Fields::new().with("name", Some(args.name)).with("kind", Some(args.kind));
    let body = args.policy.fields(fields).into_value();
    let made = context.api()?.post("/keys", body).await?;
    tell_unenforced(&budgets);
    show_secret(context, &made, tool.as_deref(), args.format)
}

/// Prints what was made, with its secret.
pub(super) fn show_secret(context: &Context, made: &Value, tool: Option<&str>, format: Format) -> Outcome {
    if context.json || format == Format::Json {
        return json(made);
    }
    let field = |pointer: &str| made.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (secret, openai, anthropic) =
        (field("/secret"), field("/base_urls/openai"), field("/base_urls/anthropic"));
    let text = match format {
        Format::Env => format!(
            "OPENAI_API_KEY={secret}\nOPENAI_BASE_URL={openai}\nANTHROPIC_API_KEY={secret}\nANTHROPIC_BASE_URL={anthropic}\n"
        ),
        Format::Text | Format::Json => format!(
            "{secret}\n\nKeep it now: it is not shown again.\n\nOpenAI clients     {openai}\nAnthropic clients  {anthropic}\n\
             Gemini clients     {gemini}\n\n{snippet}",
            gemini = field("/base_urls/gemini"),
            snippet = snippet(tool.unwrap_or("curl"), openai, anthropic, secret),
        ),
    };
    data(text.as_bytes())
}
