//! The binary as a person starts it: one instance from first start to SIGTERM, and commands that must be refused.

mod flows;
mod instance;
mod refusals;
