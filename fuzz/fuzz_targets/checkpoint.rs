//! A checkpoint is refused, or is a part of a run.
#![no_main]

use buildout::monte_carlo::part::Part;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(part) = Part::from_bytes(bytes, Path::new("checkpoint")) {
        let _ = part.into_projection();
    }
});
