//! Writes sample invoices and reports as PDF, to look at them:
//! `cargo run -p tallystick-document --example sample -- DIRECTORY`.

mod data;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("give a directory to write to")?);
    std::fs::create_dir_all(&directory)?;
    for (name, sample) in data::samples() {
        std::fs::write(directory.join(format!("{name}.pdf")), sample.render()?)?;
    }
    Ok(())
}
