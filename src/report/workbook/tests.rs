use std::io::Cursor;

use calamine::{Data, DataType, Range, Reader, Xlsx};

use super::*;
use crate::report::fixture;

fn open(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

fn text(range: &Range<Data>, row: u32, column: u32) -> String {
    range
        .get_value((row, column))
        .map(Data::to_string)
        .unwrap_or_default()
}

#[test]
fn numbers_are_those_of_the_projection_and_the_same_run_gives_the_same_bytes() {
    let projection = fixture::projection();
    let bytes = Workbook::new(&projection).to_xlsx().unwrap();
    assert_eq!(bytes, Workbook::new(&projection).to_xlsx().unwrap());
    let mut book = open(bytes);
    assert_eq!(
        book.sheet_names(),
        [
            "Summary",
            "Targets",
            "Milestones",
            "Charts",
            "Chart data",
            "Months",
            "Constraints",
            "Inputs",
            "Drivers",
            "Provenance"
        ]
    );
    let json = projection.to_json();
    let targets = book.worksheet_range("Targets").unwrap();
    assert_eq!(text(&targets, 1, 0), "a thousand racks");
    assert_eq!(
        targets.get_value((1, 3)).unwrap().as_f64(),
        json["targets"][0]["probability"].as_f64()
    );
    let months = book.worksheet_range("Months").unwrap();
    let power: Vec<&[Data]> = (months.rows())
        .filter(|row| row[1] == "it_power_mw")
        .collect();
    assert_eq!(power.len(), projection.layout().months);
    for (month, row) in power.iter().enumerate() {
        let expected = &json["metrics"]["it_power_mw"];
        for (column, statistic) in [(4, "mean"), (6, "p5"), (9, "p50"), (13, "p95")] {
            assert_eq!(
                row[column].as_f64(),
                expected[statistic][month].as_f64(),
                "{month} {statistic}"
            );
        }
    }
}

#[test]
fn a_fan_is_drawn_of_what_the_targets_ask_about_first() {
    let bytes = Workbook::new(&fixture::projection()).to_xlsx().unwrap();
    let mut book = open(bytes);
    let data = book.worksheet_range("Chart data").unwrap();
    assert_eq!(text(&data, 0, 0), "racks_deployable");
    let last = data.height() as u32 - 1;
    let number = |column| {
        data.get_value((last, column))
            .and_then(Data::as_f64)
            .unwrap()
    };
    // P5 and the bands upon it end at P95, and the P50 lies between.
    let top: f64 = (1..=4).map(number).sum();
    assert!(number(1) <= number(5) && number(5) <= top);
}
