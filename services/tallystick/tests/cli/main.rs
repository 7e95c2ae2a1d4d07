//! The binary as a person starts it: one instance from first start to SIGTERM, and commands that must be refused.

#[cfg(test)]
mod drain;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod instance;
#[cfg(test)]
mod refusals;
