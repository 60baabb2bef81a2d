//! A sheet that is written from the top down.

use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use crate::date::Date;

/// The longest text of a cell, in UTF-16 units.
const LONGEST_TEXT: usize = 32_767;
/// How wide columns are whose width is not given, in characters.
const WIDTH: u16 = 16;

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Number(f64),
    Share(f64),
    Day(Date),
    Month(Date),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number, if it exists and is finite.
    pub(super) fn number(value: Option<f64>) -> Self {
        (value.filter(|x| x.is_finite())).map_or(Self::Empty, Self::Number)
    }

    /// A share, which is shown in per cent.
    pub(super) fn share(value: Option<f64>) -> Self {
        (value.filter(|x| x.is_finite())).map_or(Self::Empty, Self::Share)
    }

    /// A number of that unit.
    pub(super) fn of_unit(unit: &str, value: Option<f64>) -> Self {
        if unit == "share" {
            Self::share(value)
        } else {
            Self::number(value)
        }
    }

    pub(super) fn date(date: Option<Date>) -> Self {
        date.map_or(Self::Empty, Self::Day)
    }

    /// The month with that number, from 0.
    pub(super) fn month(start: Date, number: usize) -> Self {
        (start.plus_months(number as f64)).map_or(Self::Empty, Self::Month)
    }
}

/// The day as Excel counts it; those before 1900, which it does not know, are its first.
pub(super) fn excel_date(date: Date) -> Result<ExcelDateTime, XlsxError> {
    let day = date.to_day_string();
    let mut parts = day.split('-').map(|part| part.parse().unwrap_or(1_u16));
    let mut next = || parts.next().unwrap_or(1);
    let (year, month, day) = (next(), next() as u8, next() as u8);
    if year < 1900 {
        return ExcelDateTime::from_ymd(1900, 1, 1);
    }
    ExcelDateTime::from_ymd(year, month, day)
}

/// A sheet and the row that is written next.
pub(super) struct Sheet<'b> {
    pub(super) sheet: &'b mut Worksheet,
    pub(super) row: u32,
    formats: Formats,
}

struct Formats {
    title: Format,
    head: Format,
    number: Format,
    small: Format,
    share: Format,
    day: Format,
    month: Format,
}

impl Formats {
    fn new() -> Self {
        let format = |code: &str| Format::new().set_num_format(code);
        Self {
            title: Format::new().set_bold().set_font_size(16),
            head: Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_background_color("#E8EDF2"),
            number: format("#,##0"),
            small: format("#,##0.00"),
            share: format("0.0%"),
            day: format("yyyy-mm-dd"),
            month: format("yyyy-mm"),
        }
    }
}

impl<'b> Sheet<'b> {
    /// A sheet of that name; the first columns are so wide.
    pub(super) fn new(
        book: &'b mut Workbook,
        name: &str,
        widths: &[u16],
    ) -> Result<Self, XlsxError> {
        let sheet = book.add_worksheet();
        sheet.set_name(name)?;
        sheet.set_landscape();
        sheet.set_print_fit_to_pages(1, 0);
        for column in 0..24 {
            let width = widths.get(usize::from(column)).copied().unwrap_or(WIDTH);
            sheet.set_column_width(column, f64::from(width))?;
        }
        Ok(Self {
            sheet,
            row: 0,
            formats: Formats::new(),
        })
    }

    pub(super) fn title(&mut self, text: &str) -> Result<(), XlsxError> {
        (self.sheet).write_string_with_format(self.row, 0, cut(text), &self.formats.title)?;
        self.row += 1;
        Ok(())
    }

    pub(super) fn line(&mut self, text: &str) -> Result<(), XlsxError> {
        self.sheet.write_string(self.row, 0, cut(text))?;
        self.row += 1;
        Ok(())
    }

    /// A head and rows, which can be filtered; what is above stays in sight.
    pub(super) fn table<H: AsRef<str>>(
        &mut self,
        heads: &[H],
        rows: &[Vec<Cell>],
    ) -> Result<(), XlsxError> {
        let top = self.row;
        for (column, head) in (0_u16..).zip(heads) {
            let head = head.as_ref();
            (self.sheet).write_string_with_format(top, column, cut(head), &self.formats.head)?;
        }
        self.row += 1;
        for row in rows {
            for (column, cell) in (0_u16..).zip(row) {
                self.cell(self.row, column, cell)?;
            }
            self.row += 1;
        }
        self.sheet.set_freeze_panes(top + 1, 0)?;
        let last = u16::try_from(heads.len().saturating_sub(1)).unwrap_or(u16::MAX);
        (self.sheet).autofilter(top, 0, self.row - 1, last)?;
        Ok(())
    }

    pub(super) fn cell(&mut self, row: u32, column: u16, cell: &Cell) -> Result<(), XlsxError> {
        let formats = &self.formats;
        let sheet = &mut self.sheet;
        match cell {
            Cell::Empty => {}
            Cell::Text(text) => {
                sheet.write_string(row, column, cut(text))?;
            }
            Cell::Number(x) => {
                let is_large = x.abs() >= 100.0 || *x == 0.0;
                let format = if is_large {
                    &formats.number
                } else {
                    &formats.small
                };
                sheet.write_number_with_format(row, column, *x, format)?;
            }
            Cell::Share(x) => {
                sheet.write_number_with_format(row, column, *x, &formats.share)?;
            }
            Cell::Day(date) => {
                sheet.write_datetime_with_format(row, column, excel_date(*date)?, &formats.day)?;
            }
            Cell::Month(date) => {
                sheet.write_datetime_with_format(
                    row,
                    column,
                    excel_date(*date)?,
                    &formats.month,
                )?;
            }
        }
        Ok(())
    }
}

/// As much of a text as a cell can hold.
fn cut(text: &str) -> &str {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > LONGEST_TEXT {
            return &text[..at];
        }
    }
    text
}
