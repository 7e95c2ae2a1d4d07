//! What the documents say, held against the repository and the program.
//!
//! Owns: that links lead somewhere, that files named exist, that commands shown are understood by the program, and that
//! tables which repeat the source (settings, endpoints, error codes, metrics, outcomes, checks) say what the source says.
//! Does not own what commands do; the scenarios beside this folder run them.
//!
//! `UPDATE=1 cargo test -p tallystick-tests --test docs` writes the generated tables anew.
//!
//! Where to read next: `markdown.rs` for what is read out of a page.

mod commands;
mod generated;
mod links;
mod markdown;
mod source;
