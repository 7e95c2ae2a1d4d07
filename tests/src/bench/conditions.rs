//! Under which conditions the figures were taken.

use serde::Serialize;
use std::fmt;
use std::process::Command;

/// What a reader needs to judge a figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Conditions {
    /// From the `date` program.
    date: String,
    cores: usize,
    cpu: String,
    memory_gib: u64,
    kernel: String,
    postgres: String,
    /// The compiler's profile of this program.
    profile: &'static str,
    /// Load average over one minute before the first round: anything above a few tenths is somebody else's work.
    load_before: String,
    /// Sizes of the sections.
    pub(crate) sizes: Vec<String>,
}

impl Conditions {
    pub(crate) fn now() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory: u64 = memory.split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
        Self {
            date: said_by("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            memory_gib: memory >> 20,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            postgres: "not used".to_owned(),
            profile: if cfg!(debug_assertions) {
                "debug (figures mean nothing)"
            } else {
                "release, thin LTO"
            },
            load_before: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            sizes: Vec::new(),
        }
    }

    /// States which server was measured, with the settings that decide about durability.
    pub(crate) fn postgres(&mut self, server: String) {
        self.postgres = server;
    }
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Tallystick benchmarks, {}", self.date)?;
        writeln!(
            f,
            "  machine   {} cores, {}, {} GiB, Linux {}",
            self.cores, self.cpu, self.memory_gib, self.kernel
        )?;
        writeln!(f, "  load      {} before the first round", self.load_before)?;
        writeln!(f, "  program   {}, mimalloc", self.profile)?;
        writeln!(f, "  database  {}", self.postgres)?;
        for size in &self.sizes {
            writeln!(f, "  sizes     {size}")?;
        }
        Ok(())
    }
}
