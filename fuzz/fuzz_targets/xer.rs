//! A schedule in Primavera's XER is refused, or becomes a scenario.
#![no_main]

use buildout::import::xer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(schedule) = xer::read(bytes) {
        let _ = schedule.to_scenario(60).check();
    }
});
