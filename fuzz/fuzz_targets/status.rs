//! A table of progress is refused, or is matched with activities.
#![no_main]

use buildout::import::StatusUpdate;
use libfuzzer_sys::fuzz_target;

const ACTIVITIES: [&str; 5] = [
    "north/A1/shell",
    "north/A1/A100 fit-out",
    "south/A1/shell",
    "south/B*/permit",
    "order",
];

fuzz_target!(|text: &str| {
    if let Ok(update) = StatusUpdate::from_csv(text, None) {
        let found = update.match_to(ACTIVITIES);
        for (name, _) in &found.entries {
            // A name is that of the activity within its campus.
            let is_one = |activity: &&str| activity.ends_with(name.as_str());
            assert!(
                ACTIVITIES.iter().any(|activity| is_one(&activity)),
                "{name}"
            );
        }
    }
});
