//! A checkpoint is refused, or is a part of a run: as it is, and sealed with the checksum that it would need.
#![no_main]

use buildout::monte_carlo::checkpoint::FORMAT;
use buildout::monte_carlo::part::Part;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let sum: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut sealed = format!(
        "buildout checkpoint {FORMAT}\nsha256 {sum} bytes {}\n",
        bytes.len()
    )
    .into_bytes();
    sealed.extend_from_slice(bytes);
    read(&sealed);
});

fn read(bytes: &[u8]) {
    if let Ok(part) = Part::from_bytes(bytes, Path::new("checkpoint")) {
        let _ = part.into_projection();
    }
}
