//! The cells of a workbook, taken out of a file that may be damaged, locked or a trap.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, SheetVisible, Xlsx, XlsxError};
use zip::ZipArchive;

use crate::disk::{MOST_MB_VARIABLE, most_mb};

/// The most cells that are read (assumption: a hundred times the largest scenario known to us).
const MOST_CELLS: usize = 2_000_000;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Text(String),
    Number(f64),
    Boolean(bool),
    /// A date, as a scenario writes it.
    Date(String),
    /// An error of a formula, such as `#REF!`.
    Error(String),
}

/// A cell that is not empty; row and column count from 0.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) content: Content,
}

/// A sheet with its filled cells, row by row.
#[derive(Clone, Debug)]
pub(super) struct SheetCells {
    pub(super) name: String,
    pub(super) cells: Vec<Filled>,
}

/// How a compound file begins: a workbook with a password, or one of Excel 2003 and before.
const COMPOUND: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0];

/// The sheets of a workbook, or why it is refused, for a planner.
pub(super) fn sheets(bytes: &[u8]) -> Result<Vec<SheetCells>, String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    if bytes.starts_with(COMPOUND) {
        return Err(locked_or_old(bytes));
    }
    refuse_large(bytes)?;
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let names: Vec<String> = (book.sheets_metadata().iter())
        .filter(|sheet| sheet.visible != SheetVisible::VeryHidden)
        .map(|sheet| sheet.name.clone())
        .collect();
    let mut sheets = Vec::new();
    let mut left = MOST_CELLS;
    for name in names {
        match cells_of(&mut book, &name, &mut left) {
            Ok(cells) => sheets.push(SheetCells { name, cells }),
            // A sheet of a chart has no cells.
            Err(XlsxError::NotAWorksheet(_)) => {}
            Err(error) => return Err(damaged(&error)),
        }
        if left == 0 {
            return Err(format!(
                "it has more than {MOST_CELLS} filled cells, the most that is read"
            ));
        }
    }
    if sheets.iter().all(|sheet| sheet.cells.is_empty()) {
        return Err("nothing is written in it; `buildout new --excel` makes one to fill in".into());
    }
    Ok(sheets)
}

fn damaged(error: &XlsxError) -> String {
    match error {
        XlsxError::Password => PASSWORD.to_owned(),
        error => format!(
            "it is damaged, or no Excel workbook ({error}); open it in a spreadsheet and save it again as .xlsx"
        ),
    }
}

const PASSWORD: &str = "it is protected by a password; save it without one";

fn locked_or_old(bytes: &[u8]) -> String {
    let name: Vec<u8> = ("EncryptedPackage".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    if bytes.windows(name.len()).any(|part| part == name) {
        return PASSWORD.to_owned();
    }
    "it is a workbook of Excel 2003 or before; save it again as .xlsx".to_owned()
}

/// Unpacks everything once and counts, since what a packed file says of its own size need not be true.
fn refuse_large(bytes: &[u8]) -> Result<(), String> {
    let broken =
        |error: &dyn std::fmt::Display| format!("it is damaged, or no Excel workbook ({error})");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    let most = most_mb().saturating_mul(1_000_000);
    let mut unpacked = 0;
    for number in 0..archive.len() {
        let part = archive.by_index(number).map_err(|error| broken(&error))?;
        let room = most.saturating_sub(unpacked).saturating_add(1);
        let read = std::io::copy(&mut part.take(room), &mut std::io::sink());
        unpacked += read.map_err(|error| broken(&error))?;
        if unpacked > most {
            return Err(format!(
                "it has more than {} MB when it is unpacked, the most that is read; {MOST_MB_VARIABLE} sets another limit",
                most_mb()
            ));
        }
    }
    Ok(())
}

fn cells_of(
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    left: &mut usize,
) -> Result<Vec<Filled>, XlsxError> {
    let mut reader = book.worksheet_cells_reader(name)?;
    let mut cells = Vec::new();
    while let Some(cell) = reader.next_cell()? {
        let (row, column) = cell.get_position();
        if let Some(content) = content(cell.get_value()) {
            cells.push(Filled {
                row,
                column,
                content,
            });
            *left -= 1;
            if *left == 0 {
                break;
            }
        }
    }
    cells.sort_by_key(|cell| (cell.row, cell.column));
    Ok(cells)
}

/// What is in a cell; none if there is nothing but blanks.
fn content(value: &DataRef<'_>) -> Option<Content> {
    let text = |text: &str| (!text.trim().is_empty()).then(|| Content::Text(text.to_owned()));
    Some(match value {
        DataRef::Empty => return None,
        DataRef::Int(number) => Content::Number(*number as f64),
        DataRef::Float(number) => Content::Number(*number),
        DataRef::String(words) => return text(words),
        DataRef::SharedString(words) => return text(words),
        DataRef::Bool(value) => Content::Boolean(*value),
        DataRef::DateTime(date) if date.is_datetime() => {
            let (year, month, day, hour, minute, ..) = date.to_ymd_hms_milli();
            let day = format!("{year:04}-{month:02}-{day:02}");
            Content::Date(match (hour, minute) {
                (0, 0) => day,
                (hour, minute) => format!("{day}T{hour:02}:{minute:02}"),
            })
        }
        DataRef::DateTime(duration) => Content::Number(duration.as_f64()),
        DataRef::DateTimeIso(words) | DataRef::DurationIso(words) => Content::Date(words.clone()),
        DataRef::Error(error) => Content::Error(error.to_string()),
    })
}
