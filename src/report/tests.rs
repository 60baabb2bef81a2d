//! Names that hold a tab: no scenario may have them, but what is read from elsewhere might.

use super::{fixture, markdown};
use crate::Projection;
use crate::projection::write_csv;

/// The projection of two buildings, with a tab in the names of its scenario, a milestone and a target.
fn projection() -> Projection {
    let written = serde_json::to_string(&fixture::projection()).unwrap();
    let named = written
        .replace("both shells", r"both\tshells")
        .replace("a thousand racks", r"\t=1+1")
        .replace("<a> & ", r"<a>\t& ");
    assert_ne!(named, written);
    serde_json::from_str(&named).unwrap()
}

#[test]
fn a_tab_stays_in_its_cell_of_comma_separated_values() {
    let mut written = Vec::new();
    write_csv(&[projection()], &mut written).unwrap();
    let text = String::from_utf8(written).unwrap();
    assert!(text.contains("\"both\tshells\""));
    // It does not begin a formula.
    assert!(text.contains("\"'\t=1+1\"") && !text.contains("\"\t=1+1\""));
    assert!(text.lines().all(|line| line.starts_with('"')));
}

#[test]
fn a_tab_is_a_blank_in_markdown_and_html() {
    let text = markdown(&projection());
    assert!(!text.contains('\t'), "{text}");
    assert!(text.contains("both shells") && text.starts_with("# &lt;a&gt; &amp; "));
    assert_eq!(super::text::escape("a\tb\u{7}<c>"), "a b &lt;c&gt;");
}

#[cfg(feature = "excel")]
#[test]
fn a_tab_is_text_of_its_cell_in_a_workbook() {
    use calamine::{Data, Reader, Xlsx};
    let bytes = super::Workbook::new(&projection()).to_xlsx().unwrap();
    let mut book = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let targets = book.worksheet_range("Targets").unwrap();
    let name = targets.get_value((1, 0)).map(Data::to_string);
    assert_eq!(name.as_deref(), Some("\t=1+1"));
    assert!(book.worksheet_formula("Targets").unwrap().is_empty());
    let milestones = book.worksheet_range("Milestones").unwrap();
    assert!(milestones.rows().any(|row| row[0] == "both\tshells"));
}
