//! Every metric, month by month, as one table to filter.

use rust_xlsxwriter::{Workbook, XlsxError};

use super::sheet::{Cell, Sheet};
use super::{percentile_heads, percentiles};
use crate::Projection;
use crate::projection::ScopeView;

/// Campuses are in the workbook so long as it has no more rows than these (assumption: about 10 MB, and a spreadsheet
/// still scrolls); `projection.csv` has them in any case.
const MOST_ROWS: usize = 60_000;

pub(super) fn write(book: &mut Workbook, projection: &Projection) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, "Months", &[18, 34, 16, 10])?;
    let rows_of = |scope: ScopeView<'_>| scope.metrics().count() * projection.layout().months;
    let total = projection.total();
    let campuses: Vec<ScopeView<'_>> = projection.campuses().collect();
    let all = rows_of(total) * (campuses.len() + 1);
    let has_room = all <= MOST_ROWS;
    if !has_room {
        sheet.line("All campuses together; each by itself is in projection.csv.")?;
    }
    let mut heads = [
        "Campus",
        "Metric",
        "Unit",
        "Month",
        "Mean",
        "Standard error",
    ]
    .map(str::to_owned)
    .to_vec();
    heads.extend(percentile_heads());
    let mut rows = Vec::new();
    let shown = campuses.into_iter().filter(|_| has_room);
    for scope in std::iter::once(total).chain(shown) {
        for metric in scope.metrics() {
            for (month, distribution) in metric.distributions().enumerate() {
                let cell = |value| Cell::of_unit(metric.unit(), value);
                let mut row = vec![
                    Cell::text(scope.name()),
                    Cell::text(metric.name()),
                    Cell::text(metric.unit()),
                    Cell::month(projection.layout().start, month),
                    cell(distribution.mean()),
                    cell(distribution.std_error()),
                ];
                row.extend(percentiles(distribution).into_iter().map(cell));
                rows.push(row);
            }
        }
    }
    sheet.table(&heads, &rows)
}
