//! What a person sees when a server has started: where it is, and what to do next.

use std::fmt::Write as _;

use tallystick_runtime::config::Settings;

use super::{Instance, Role};
use crate::client::TOKEN_FILE;
use crate::output::note;

/// Prints the banner on stderr.
pub(super) fn print(instance: &Instance, settings: &Settings, role: Role) {
    let mut text = String::new();
    let name = match role {
        Role::Up => "Tallystick is up",
        Role::Proxy => "The proxy is up",
        Role::Projector => "The projector is up",
        Role::Reporting => "Reporting is up",
    };
    writeln!(text, "\n  {name}\n").expect("writing to a string");
    let mut row =
        |title: &str, value: &str| writeln!(text, "  {title:<12}{value}").expect("writing to a string");
    let addresses = &instance.addresses;
    if let Some(url) = &addresses.proxy {
        row("proxy", &format!("{url}/v1   (base_url of any OpenAI client)"));
    }
    if let Some(url) = &addresses.api {
        row("API", &format!("{url}/api/v1"));
    }
    if let Some(url) = &addresses.metrics {
        row("metrics", url);
    }
    row("data", &settings.data_dir.display().to_string());
    if role == Role::Up {
        row("token", &settings.data_dir.join(TOKEN_FILE).display().to_string());
    }
    if instance.recovered > 0 {
        row("recovered", &format!("{} calls of a crashed run, settled as estimates", instance.recovered));
    }
    if role == Role::Up {
        text.push_str(
            "\n  Next, in another terminal:\n\
             \n    tallystick providers add openai --secret-env OPENAI_API_KEY\
             \n    tallystick keys add --name my-laptop --kind project --tool curl\
             \n    tallystick usage --by key,model\n",
        );
    }
    note(&text);
}
