//! For those who stay: how to call what is running, and how to go on with an account of one's own.

use crate::client::Api;
use crate::commands::keys::snippet::{curl, python};
use crate::error::Outcome;
use crate::output;

use super::place::Place;

/// Prints a call with curl, one with the Python SDK, and the commands for one's own provider key.
pub(super) fn print(api: &Api, place: &Place, secret: Option<&str>) -> Outcome {
    let Some(secret) = secret else { return Ok(()) };
    let base = format!("{}/v1", api.url());
    let data_dir = place.data_dir();
    let data_dir = data_dir.display();
    let text = format!(
        "\n  STILL RUNNING at {url}; end it with Ctrl-C\n\n{curl}\n{python}\n\
         # With an account of your own, in another terminal:\n\
         export OPENAI_API_KEY=sk-...\n\
         tallystick --data-dir {data_dir} providers update openai --base-url https://api.openai.com/v1 --secret-env OPENAI_API_KEY\n\
         tallystick --data-dir {data_dir} keys add --name my-laptop --kind project --tool curl\n\
         tallystick --data-dir {data_dir} usage --by key,model\n",
        url = api.url(),
        curl = curl(&base, secret),
        python = python(&base, secret),
    );
    output::data(text.as_bytes())
}
