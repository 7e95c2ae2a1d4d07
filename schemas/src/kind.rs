//! The event types of the log and their versions.

use crate::envelope::DecodeError;
use tallystick_domain::event::Event;

/// An event kind in its current version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Recorded,
    Adjusted,
    Refused,
    Heartbeat,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Recorded, Self::Adjusted, Self::Refused, Self::Heartbeat];

    /// The kind of an event.
    #[must_use]
    pub const fn of(event: &Event) -> Self {
        match event {
            Event::Recorded(_) => Self::Recorded,
            Event::Adjusted(_) => Self::Adjusted,
            Event::Refused(_) => Self::Refused,
            Event::Heartbeat(_) => Self::Heartbeat,
        }
    }

    /// The CloudEvents type, version included.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Recorded => "tallystick.usage.recorded.v1",
            Self::Adjusted => "tallystick.usage.adjusted.v1",
            Self::Refused => "tallystick.requests.refused.v1",
            Self::Heartbeat => "tallystick.producer.heartbeat.v1",
        }
    }

    /// Reads a CloudEvents type.
    ///
    /// # Errors
    /// When the type is unknown, or a later version of a known one.
    pub fn from_type(name: &str) -> Result<Self, DecodeError> {
        if let Some(kind) = Self::ALL.into_iter().find(|kind| kind.type_name() == name) {
            return Ok(kind);
        }
        let stem = |text: &str| {
            text.rsplit_once(".v").map(|(stem, version)| (stem.to_owned(), version.parse::<u32>()))
        };
        let known = |wanted: &str| {
            Self::ALL.into_iter().any(|k| stem(k.type_name()).is_some_and(|(s, _)| s == wanted))
        };
        match stem(name) {
            Some((stem, Ok(version))) if version > 1 && known(&stem) => {
                Err(DecodeError::NewerVersion(name.to_owned()))
            }
            _ => Err(DecodeError::UnknownType(name.to_owned())),
        }
    }

    /// One letter for the spool's frame.
    pub(crate) const fn tag(self) -> u8 {
        match self {
            Self::Recorded => b'R',
            Self::Adjusted => b'A',
            Self::Refused => b'F',
            Self::Heartbeat => b'H',
        }
    }

    pub(crate) fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.tag() == tag)
    }
}
