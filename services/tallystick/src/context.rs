//! What every command has at hand: settings, environment, how to print, and the API once it is needed.

use tallystick_runtime::config::{Environment, Loaded};
use tallystick_runtime::{Ids, SharedClock, SystemClock};

use crate::cli::{Cli, SettingFlags};
use crate::client::Api;
use crate::error::{CliError, Outcome};

/// The surroundings of one command.
pub(crate) struct Context {
    /// The settings and where they came from.
    pub(crate) loaded: Loaded,
    /// The environment, read once.
    pub(crate) environment: Environment,
    /// Whether `--json` was given.
    pub(crate) json: bool,
    /// Whether `--yes` was given.
    pub(crate) yes: bool,
    pub(crate) clock: SharedClock,
    pub(crate) ids: Ids,
}

impl Context {
    /// Reads the settings; every finding is reported at once.
    pub(crate) fn new(cli: &Cli) -> Outcome<Self> {
        let environment = Environment::of_process();
        let loaded = load(&cli.settings, &environment)?;
        let clock = SystemClock::shared();
        let ids = Ids::new(clock.clone());
        Ok(Self { loaded, environment, json: cli.json, yes: cli.yes, clock, ids })
    }

    /// The client of the API; fails when there is no token.
    pub(crate) fn api(&self) -> Outcome<Api> {
        Api::find(&self.environment, &self.loaded.settings)
    }
}

fn load(flags: &SettingFlags, environment: &Environment) -> Outcome<Loaded> {
    let sources = flags.sources(environment.clone());
    tallystick_runtime::config::load(&sources).map_err(|error| {
        let advice =
            "every setting is a flag, a variable TALLYSTICK_..., or a line of the file given by --config";
        CliError::with_exit(crate::error::Exit::Usage, tallystick_runtime::error_chain(&error)).advise(advice)
    })
}
