//! Rebuilds the crate when a migration is added: the embedded list must never be older than the folder.

fn main() {
    println!("cargo::rerun-if-changed=../../../migrations");
}
