//! What a person sees while the demo works: one line per step, on stderr.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tallystick_runtime::SharedClock;

use crate::output::note;

/// The steps of a run.
pub(super) struct Progress {
    clock: SharedClock,
    steps: usize,
    done: usize,
    bar: Option<ProgressBar>,
    title: String,
    began: Duration,
}

impl Progress {
    pub(super) fn new(clock: SharedClock, steps: usize) -> Self {
        Self { clock, steps, done: 0, bar: None, title: String::new(), began: Duration::ZERO }
    }

    /// Begins a step.
    pub(super) fn begin(&mut self, title: &str) {
        self.title = title.to_owned();
        self.began = self.clock.monotonic();
        if io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("  {spinner} {msg}").expect("the template is fixed");
            bar.set_style(style);
            bar.set_message(self.line(""));
            bar.enable_steady_tick(Duration::from_millis(100));
            self.bar = Some(bar);
        }
    }

    /// Says how far the step is; only on a terminal.
    pub(super) fn tell(&self, how_far: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.line(how_far));
        }
    }

    /// Ends the step with what came of it.
    pub(super) fn end(&mut self, result: &str) {
        let seconds = self.clock.monotonic().saturating_sub(self.began);
        let line = self.line(result);
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.done += 1;
        note(&format!("  {line} ({}.{} s)", seconds.as_secs(), seconds.subsec_millis() / 100));
    }

    fn line(&self, text: &str) -> String {
        let number = self.done + 1;
        let gap = if text.is_empty() { "" } else { ": " };
        format!("[{number:>2}/{}] {}{gap}{text}", self.steps, self.title)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
