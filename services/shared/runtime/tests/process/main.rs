//! What touches the whole process: signals, and the global telemetry. One binary, so that nothing else runs beside it.

#[cfg(test)]
mod collector;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod telemetry;
