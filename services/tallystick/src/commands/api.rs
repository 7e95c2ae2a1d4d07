//! `tallystick api`: any path of the API, for what has no command of its own.

use std::io::Read as _;

use clap::Args;
use http::Method;

use crate::client::Body;
use crate::context::Context;
use crate::error::{CliError, Doing as _, Outcome};
use crate::output;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tallystick api GET /team\n  tallystick api POST /clients --data '{\"name\":\"Acme\"}'"
)]
pub(crate) struct ApiArgs {
    /// GET, POST, PATCH, PUT or DELETE.
    method: String,
    /// Path, with or without /api/v1 in front.
    path: String,
    /// JSON body; `-` reads it from stdin.
    #[arg(long, short = 'd', value_name = "JSON")]
    data: Option<String>,
}

pub(crate) async fn run(context: &Context, args: ApiArgs) -> Outcome {
    let method: Method = args
        .method
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| CliError::usage(format!("`{}` is no HTTP method", args.method)))?;
    if !args.path.starts_with('/') {
        return Err(CliError::usage(format!("`{}` is no path; it begins with /", args.path)));
    }
    let body = match args.data.as_deref() {
        None => Body::None,
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).doing(|| "reading stdin".to_owned())?;
            Body::Json(serde_json::from_str(&text).doing(|| "reading the body from stdin".to_owned())?)
        }
        Some(text) => Body::Json(serde_json::from_str(text).doing(|| "reading --data".to_owned())?),
    };
    let reply = context.api()?.send(method, &args.path, body).await?;
    output::data(&reply.body)?;
    if output::is_terminal() && !reply.body.ends_with(b"\n") {
        output::line("")?;
    }
    Ok(())
}
