//! A schedule in Microsoft Project's XML is refused, or becomes a scenario.
#![no_main]

use buildout::import::mspdi;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(schedule) = mspdi::read_bytes(bytes) {
        let _ = schedule.to_scenario(60).check();
    }
});
