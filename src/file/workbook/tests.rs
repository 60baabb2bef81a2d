use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use rust_xlsxwriter::Workbook;

use super::*;

/// What is read from a workbook of those bytes.
fn load(bytes: &[u8]) -> Result<Scenario, ScenarioError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.xlsx");
    fs::write(&path, bytes).unwrap();
    Scenario::from_path(path)
}

fn refusal(bytes: &[u8]) -> String {
    load(bytes).unwrap_err().to_string()
}

#[test]
#[ignore = "slow"]
fn every_example_is_the_same_scenario_after_a_way_through_excel() {
    let mut tried = 0;
    for entry in fs::read_dir("examples").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let scenario = Scenario::from_path(&path).unwrap();
        let bytes = Scenario::workbook_of(&path).unwrap();
        let read = load(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(read, scenario, "{}", path.display());
        let back = Scenario::from_toml(&read.to_toml().unwrap()).unwrap();
        assert_eq!(back, scenario, "{}", path.display());
        let in_base_units = load(&scenario.to_workbook().unwrap()).unwrap();
        assert_eq!(in_base_units, scenario, "{}", path.display());
        tried += 1;
    }
    assert!(tried > 10);
}

#[test]
fn comments_become_notes_and_come_back_as_what_stands_behind_a_value() {
    let text = "name = \"a\"\nstart = \"2025-01\"\nhorizon = \"3 years\" # [C]\n\n# Offer of March [P].\n\
                [[campuses]]\nname = \"north\"\npue = 1.3\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.xlsx");
    fs::write(&path, Scenario::workbook_of_toml(text).unwrap()).unwrap();
    let inputs = Scenario::load(&path, &[]).unwrap().inputs;
    let pue = inputs
        .iter()
        .find(|input| input.key == "campuses.north.pue")
        .unwrap();
    assert_eq!(pue.note, "Offer of March [P].");
    assert_eq!(pue.basis, [crate::presets::Basis::Published]);
    assert_eq!(pue.place(), "Campuses!B2");
    let horizon = inputs
        .iter()
        .find(|input| input.key.starts_with("horizon"))
        .unwrap();
    assert_eq!(horizon.basis, [crate::presets::Basis::Calibrated]);
}

/// A workbook with a scenario that can be read, and one more sheet.
fn with_sheet(name: &str, rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheets: [(&str, &[&[&str]]); 5] = [
        (
            "Scenario",
            &[
                &["key", "value"],
                &["name", "x"],
                &["start", "2025-01"],
                &["horizon_months", "36"],
            ],
        ),
        ("Rack types", &[&["name", "power_kw [kW]"], &["GPU", "40"]]),
        (
            "Campuses",
            &[
                &["name", "pue"],
                &["north", "1.3"],
                &["south", "{ pert = [1.1, 1.2, 1.3] }"],
            ],
        ),
        (
            "Buildings",
            &[
                &["in", "name", "starts", "activities", "halls"],
                &[
                    "north",
                    "A1",
                    "2025-02",
                    "[{ name = \"permit\", duration_months = 3 }]",
                    "[{ name = \"hall\", racks = 10, rack_type = \"GPU\" }]",
                ],
            ],
        ),
        (name, rows),
    ];
    for (name, rows) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(name).unwrap();
        for (row, cells) in (0_u32..).zip(rows) {
            for (column, cell) in (0_u16..).zip(*cells) {
                sheet.write_string(row, column, *cell).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}

#[test]
fn a_row_finds_the_table_that_holds_it_by_the_end_of_its_key() {
    let activities: &[&[&str]] = &[
        &["in", "name", "duration_months", "after"],
        &["A1", "groundwork", "6 weeks", "permit"],
        &[
            "campuses.north.buildings.A1",
            "shell",
            "{ p10 = 6, p90 = 9 }",
            "permit; groundwork",
        ],
    ];
    let scenario = load(&with_sheet("Activities", activities)).unwrap();
    let building = &scenario.campuses[0].buildings[0];
    let activities = building.activities.as_ref().unwrap();
    assert_eq!(activities.len(), 3);
    assert_eq!(activities[2].after.as_ref().unwrap().len(), 2);
    assert!(
        (activities[1].duration_months.constant().unwrap() - 6.0 * 7.0 / 30.4375).abs() < 1e-12
    );
}

/// A sheet, its rows, and what is to be said of them.
type Case = (
    &'static str,
    &'static [&'static [&'static str]],
    &'static [&'static str],
);

#[test]
fn what_is_wrong_is_reported_with_sheet_and_cell() {
    let cases: [Case; 9] = [
        (
            "Halls",
            &[
                &["in", "name", "racks", "rack_type"],
                &["A1", "h", "12", "CPU"],
            ],
            &["Halls!D2", "\"CPU\""],
        ),
        (
            "Halls",
            &[
                &["in", "name", "racks", "rack_type"],
                &["A2", "h", "12", "GPU"],
            ],
            &["Halls!A2", "\"A2\"", "A1"],
        ),
        (
            "Halls",
            &[
                &["in", "name", "racks", "rack_type"],
                &["A1", "h", "12.5", "GPU"],
            ],
            &["Halls!C2", "12.5"],
        ),
        (
            "Halls",
            &[&["in", "name", "rack_type"], &["A1", "h", "GPU"]],
            &["Halls!B2", "\"racks\"", "missing"],
        ),
        (
            "Halls",
            &[&["in", "name", "raks"], &["A1", "h", "1"]],
            &["Halls!C1", "raks", "racks"],
        ),
        (
            "Hals",
            &[&["in", "name"], &["A1", "h"]],
            &["Hals!A1", "did you mean \"Halls\"?"],
        ),
        (
            "Grid",
            &[
                &["in", "name", "power_mw", "wait_months"],
                &["north", "g", "12 km", "3"],
            ],
            &["Grid!C2", "12 km"],
        ),
        (
            "Grid",
            &[&["name", "power_mw", "wait_months"], &["g", "12", "3"]],
            &["Grid!A2", "campuses.south"],
        ),
        (
            "Grid",
            &[
                &["in", "name", "power_mw", "wait_months"],
                &["north", "g", "12", "{ pert = [1, 2 }"],
            ],
            &["Grid!D2", "not TOML"],
        ),
    ];
    for (sheet, rows, words) in cases {
        let reported = refusal(&with_sheet(sheet, rows));
        for word in words {
            assert!(reported.contains(word), "\"{word}\" is not in\n{reported}");
        }
    }
}

#[test]
fn what_is_the_planners_own_is_not_read() {
    let rows: &[&[&str]] = &[&["anything", "at all"], &["=1/0", "}"]];
    assert!(load(&with_sheet("# sums", rows)).is_ok());
    let halls: &[&[&str]] = &[
        &["in", "name", "racks", "rack_type", "# why"],
        &["A1", "h", "12", "GPU", "{"],
    ];
    assert_eq!(
        load(&with_sheet("Halls", halls)).unwrap().campuses[0].buildings[0]
            .halls
            .as_ref()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn what_is_no_workbook_is_refused_in_words() {
    assert!(refusal(b"").contains("it is empty"));
    assert!(refusal(b"name = \"a\"").contains("no Excel workbook"));
    let good = with_sheet("# own", &[]);
    assert!(refusal(&good[..good.len() / 2]).contains("damaged"));
    assert!(refusal(&Workbook::new().save_to_buffer().unwrap_or_default()).contains("is"));
    let mut locked = vec![0xD0, 0xCF, 0x11, 0xE0, 0, 0];
    assert!(refusal(&locked).contains("Excel 2003"));
    locked.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert!(refusal(&locked).contains("password"));
    let mut empty = Workbook::new();
    empty.add_worksheet();
    assert!(refusal(&empty.save_to_buffer().unwrap()).contains("nothing is written in it"));
}

#[test]
fn what_unpacks_to_far_more_than_it_is_is_refused() {
    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    packed.start_file("xl/sharedStrings.xml", options).unwrap();
    let million = vec![b' '; 1_000_000];
    for _ in 0..crate::disk::MOST_MB + 1 {
        packed.write_all(&million).unwrap();
    }
    let bytes = packed.finish().unwrap().into_inner();
    assert!(bytes.len() < 1_000_000);
    assert!(refusal(&bytes).contains("when it is unpacked"));
}

#[test]
fn a_workbook_may_extend_a_file_and_be_extended_and_is_not_set_as_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("base.xlsx"), with_sheet("# own", &[])).unwrap();
    fs::write(
        at("over.toml"),
        "extends = \"base.xlsx\"\nname = \"late\"\n",
    )
    .unwrap();
    assert_eq!(Scenario::from_path(at("over.toml")).unwrap().name, "late");
    let set = [("horizon_months".to_owned(), "12".to_owned())];
    assert_eq!(
        Scenario::from_path_with(at("base.xlsx"), &set)
            .unwrap()
            .horizon_months,
        12
    );
    let reported = Scenario::edited(at("base.xlsx"), &set)
        .unwrap_err()
        .to_string();
    assert!(reported.contains("buildout convert"), "{reported}");
    assert!(!Path::new(&at("base.xlsx")).with_extension("toml").exists());
}
