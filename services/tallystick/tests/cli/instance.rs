//! A running `tallystick up` on free ports, and commands that are sent to it.

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// A command line with nothing of this machine's environment that would lead it elsewhere.
pub(crate) fn tallystick(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallystick"));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().starts_with("TALLYSTICK_");
        if ours || name == "DATABASE_URL" || name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
            command.env_remove(name);
        }
    }
    command.arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    command
}

/// What a command ended with.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The one document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A running instance.
pub(crate) struct Instance<'d> {
    data_dir: &'d Path,
    process: Child,
}

impl<'d> Instance<'d> {
    /// Starts one and waits for its banner.
    pub(crate) fn start(data_dir: &'d Path) -> Self {
        let mut command = tallystick(data_dir);
        command.args(["up", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("tallystick usage") {
            let read = stderr.read_line(&mut said).unwrap();
            assert_ne!(read, 0, "the instance ended: {said}");
        }
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { data_dir, process }
    }

    /// Runs a command against it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(tallystick(self.data_dir).args(arguments).output().unwrap())
    }

    /// Runs a command that must succeed; gives its document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.json()
    }

    /// Sends SIGTERM and waits; gives the exit code.
    pub(crate) fn terminate(mut self) -> i32 {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind; one that ended well has waited already.
        let _ended_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}
