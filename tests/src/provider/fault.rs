//! What can go wrong with one call, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One misbehaviour. Written as its name (`stall`), an HTTP status as its number (`429`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Fault {
    /// Answers with this error status and the dialect's error body. Never billed.
    Status(u16),
    /// Resets the connection after reading the request, before any byte of an answer (`reset`).
    ResetBeforeHeaders,
    /// Resets right after the status line and headers (`reset_headers`).
    ResetAfterHeaders,
    /// Resets in the middle of the body (`reset_mid`).
    ResetMidBody,
    /// Never answers (`stall`).
    Stall,
    /// Sends half of the body and then nothing, with the connection open (`stall_mid`).
    StallMidBody,
    /// A stream ends early and cleanly: no usage, no end marker. Another body is cut off (`truncate`).
    Truncate,
    /// A complete answer that names no usage (`no_usage`).
    NoUsage,
    /// A complete answer whose usage is zero everywhere, and is billed as zero (`zero_usage`).
    ZeroUsage,
    /// A stream reports an error in a frame after its 200 and ends; other calls get a 500 (`error_frame`).
    ErrorFrame,
    /// A 200 whose body is no JSON; in a stream, one such frame among the good ones (`garbage`).
    Garbage,
}

/// A fault name that is not in the list.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no fault is called {0:?}")]
pub struct UnknownFault(String);

const NAMES: [(&str, Fault); 10] = [
    ("reset", Fault::ResetBeforeHeaders),
    ("reset_headers", Fault::ResetAfterHeaders),
    ("reset_mid", Fault::ResetMidBody),
    ("stall", Fault::Stall),
    ("stall_mid", Fault::StallMidBody),
    ("truncate", Fault::Truncate),
    ("no_usage", Fault::NoUsage),
    ("zero_usage", Fault::ZeroUsage),
    ("error_frame", Fault::ErrorFrame),
    ("garbage", Fault::Garbage),
];

impl Fault {
    /// Whether the provider itself could say afterwards if such a call is charged: `None` stands for
    /// «nobody knows», which the script decides.
    pub(crate) fn charged(self) -> Option<bool> {
        match self {
            Self::Status(_) => Some(false),
            Self::ResetBeforeHeaders | Self::Stall | Self::ErrorFrame => None,
            Self::ResetAfterHeaders
            | Self::ResetMidBody
            | Self::StallMidBody
            | Self::Truncate
            | Self::NoUsage
            | Self::ZeroUsage
            | Self::Garbage => Some(true),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Status(code) = self {
            return write!(f, "{code}");
        }
        let name = NAMES.iter().find(|(_, fault)| fault == self).map_or("status", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        if let Ok(code) = text.parse::<u16>()
            && (400..600).contains(&code)
        {
            return Ok(Self::Status(code));
        }
        NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, fault)| *fault)
            .ok_or_else(|| UnknownFault(text.to_owned()))
    }
}

impl TryFrom<String> for Fault {
    type Error = UnknownFault;

    fn try_from(text: String) -> Result<Self, UnknownFault> {
        text.parse()
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.to_string()
    }
}
