//! The end-to-end crate: everything that looks at Tallystick from outside.
//!
//! Owns the fake provider with its own bill (`provider`), the load client (`load`) and the runner of
//! the official SDK's tests (`sdk`). These three know nothing of our crates, so that they can judge
//! them; only what starts a gateway may depend on the services, behind the feature `harness`.

#[cfg(feature = "harness")]
pub mod bench;
#[cfg(feature = "harness")]
pub mod harness;
pub mod load;
pub mod provider;
pub mod sdk;
