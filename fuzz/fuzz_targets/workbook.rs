//! An Excel workbook is refused, or is a scenario. An input that begins as a packed file does is taken as it is; any other one is
//! a text of sheets, which is packed first.
#![no_main]

#[path = "../../tests/suite/sheets.rs"]
mod sheets;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use buildout::Scenario;
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("buildout-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder.join("plan.xlsx")
});

fuzz_target!(|bytes: &[u8]| {
    let packed = match std::str::from_utf8(bytes) {
        _ if bytes.starts_with(b"PK") => bytes.to_vec(),
        Ok(text) => sheets::packed(text),
        Err(_) => return,
    };
    fs::write(&*FILE, packed).expect("a file");
    if let Ok(scenario) = Scenario::from_path(&*FILE) {
        let text = scenario.to_toml().expect("a text");
        let again = Scenario::from_toml(&text).expect("what was written");
        assert_eq!(again, scenario);
    }
});
