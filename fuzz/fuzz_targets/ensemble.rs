//! The file of an ensemble is refused, or is written so that it reads back as the same.
#![no_main]

use std::path::Path;

use buildout::sampling::ensemble::Ensemble;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let path = Path::new("ensemble");
    let Ok(ensemble) = Ensemble::from_text(text, path) else {
        return;
    };
    let mut written = Vec::new();
    ensemble.write(&[], &mut written).expect("into memory");
    let written = String::from_utf8(written).expect("text");
    let again = Ensemble::from_text(&written, path).expect("what was written");
    assert_eq!(again, ensemble);
    for trial in 0..ensemble.trials().min(20) {
        assert!(ensemble.member_of(trial) < ensemble.len());
    }
});
