//! Time as a value that is passed in: a test sets it, a process reads it from the system.
//!
//! `now` is for what is written down (an event's time, a billing day); `monotonic` is for how long something took and
//! never goes back. Waiting is not the clock's: that is `tokio::time`.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// Where the time comes from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The instant to write down, in UTC.
    fn now(&self) -> Timestamp;

    /// Time since this clock was made; never decreases.
    fn monotonic(&self) -> Duration;
}

/// The form in which a clock is handed around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// The machine's clock in the form that constructors take.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that stands still until it is moved. Clones share the same hands.
#[derive(Debug, Clone)]
pub struct TestClock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug)]
struct Hands {
    now: Timestamp,
    monotonic: Duration,
}

impl TestClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { hands: Arc::new(Mutex::new(Hands { now, monotonic: Duration::ZERO })) }
    }

    /// A clock that shows an RFC 3339 instant such as `2026-11-23T12:00:00Z`.
    ///
    /// # Errors
    /// When the text is no instant.
    pub fn at(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self::new)
    }

    /// This clock in the form that constructors take; it goes on being moved from here.
    #[must_use]
    pub fn shared(&self) -> SharedClock {
        Arc::new(self.clone())
    }

    /// Shows another instant, earlier or later, as an administrator or NTP would; monotonic time is untouched.
    pub fn set(&self, now: Timestamp) {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner).now = now;
    }

    /// Lets time pass for both kinds of time. Stops at the last instant that can be represented.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        hands.now = hands.now.checked_add(by).unwrap_or(Timestamp::MAX);
        hands.monotonic = hands.monotonic.saturating_add(by);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    fn monotonic(&self) -> Duration {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner).monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_test_clock_show_the_same_time() {
        let clock = TestClock::at("2026-11-23T12:00:00Z").unwrap();
        let shared = clock.shared();
        clock.advance(Duration::from_secs(90));
        assert_eq!(shared.now().to_string(), "2026-11-23T12:01:30Z");
        assert_eq!(shared.monotonic(), Duration::from_secs(90));
    }

    #[test]
    fn setting_a_test_clock_back_leaves_monotonic_time_alone() {
        let clock = TestClock::at("2026-11-23T12:00:00Z").unwrap();
        clock.advance(Duration::from_secs(1));
        clock.set("2020-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.now().to_string(), "2020-01-01T00:00:00Z");
        assert_eq!(clock.monotonic(), Duration::from_secs(1));
    }

    #[test]
    fn the_system_clock_goes_forward() {
        let clock = SystemClock::new();
        let (now, monotonic) = (clock.now(), clock.monotonic());
        assert!(now > "2025-01-01T00:00:00Z".parse().unwrap());
        assert!(clock.monotonic() >= monotonic);
    }
}
