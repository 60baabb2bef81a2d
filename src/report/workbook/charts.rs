//! Fan charts as the spreadsheet's own charts: bands that are stacked upon P5, and the P50 as a line.

use rust_xlsxwriter::{
    Chart, ChartFormat, ChartLine, ChartSolidFill, ChartType, Workbook, XlsxError,
};

use super::KEY_METRICS;
use super::sheet::{Cell, Sheet};
use crate::Projection;
use crate::projection::MetricView;
use crate::report::text::title_of;

/// The sheet of the charts, and the one of the numbers that they are drawn from.
const CHARTS: &str = "Charts";
const DATA: &str = "Chart data";

/// A band: its name, between which percentiles, and how it is filled.
const BANDS: [(&str, f64, f64, &str); 3] = [
    ("P5 to P10", 0.05, 0.1, "#C9DBEC"),
    ("P10 to P90", 0.1, 0.9, "#8FB4D6"),
    ("P90 to P95", 0.9, 0.95, "#C9DBEC"),
];
const LINE: &str = "#12395B";

/// The size of a chart, in pixels, and how many rows of 20 it takes.
const SIZE: (u32, u32) = (880, 380);
const ROWS: u32 = 21;
/// How many columns the numbers of a chart take: the month, P5, the bands, P50, and one to part them from the next.
const COLUMNS: u16 = 7;

pub(super) fn write(book: &mut Workbook, projection: &Projection) -> Result<(), XlsxError> {
    let metrics = charted(projection);
    if metrics.is_empty() {
        return Ok(());
    }
    let charts: Vec<Chart> = (0_u16..)
        .zip(&metrics)
        .map(|(number, metric)| fan(metric, number * COLUMNS, projection.layout().months))
        .collect();
    let sheet = book.add_worksheet();
    sheet.set_name(CHARTS)?;
    sheet.set_screen_gridlines(false);
    for (row, chart) in (0_u32..).zip(&charts) {
        sheet.insert_chart(row * ROWS, 0, chart)?;
    }
    numbers(book, projection, &metrics)
}

/// The metrics that targets ask about, then the leading ones; none twice, and none that is nothing throughout.
fn charted(projection: &Projection) -> Vec<MetricView<'_>> {
    let asked = projection.layout().targets.iter().flat_map(|target| {
        let words = target.description.split([' ', ',']);
        words.filter_map(|word| projection.metric(word))
    });
    let leading = KEY_METRICS.into_iter().flatten();
    let leading = leading.filter_map(|(name, _)| projection.metric(name));
    let mut metrics: Vec<MetricView<'_>> = Vec::new();
    for metric in asked.chain(leading) {
        let is_something = metric
            .distributions()
            .any(|month| month.max().is_some_and(|x| x != 0.0));
        if is_something && metrics.iter().all(|known| known.name() != metric.name()) {
            metrics.push(metric);
        }
    }
    metrics
}

/// The chart of a metric whose numbers begin in that column.
fn fan(metric: &MetricView<'_>, column: u16, months: usize) -> Chart {
    let last = u32::try_from(months).unwrap_or(u32::MAX);
    let place = |column: u16| (DATA, 1, column, last, column);
    let mut chart = Chart::new(ChartType::AreaStacked);
    let base = chart.add_series();
    base.set_name("P5")
        .set_categories(place(column))
        .set_values(place(column + 1))
        .set_format(ChartFormat::new().set_no_fill().set_no_border());
    for (offset, (name, _, _, colour)) in (2_u16..).zip(BANDS) {
        let fill = ChartSolidFill::new().set_color(colour).clone();
        chart
            .add_series()
            .set_name(name)
            .set_categories(place(column))
            .set_values(place(column + offset))
            .set_format(ChartFormat::new().set_solid_fill(&fill).set_no_border());
    }
    let mut middle = Chart::new(ChartType::Line);
    middle
        .add_series()
        .set_name("P50")
        .set_categories(place(column))
        .set_values(place(column + 5))
        .set_format(ChartFormat::new().set_line(ChartLine::new().set_color(LINE).set_width(2.25)));
    chart.combine(&middle);
    let unit = if metric.unit() == "share" {
        "per cent"
    } else {
        metric.unit()
    };
    chart.title().set_name(&format!(
        "{}: P5 to P95, {unit}",
        title_of(metric.name(), metric.unit())
    ));
    chart.legend().delete_entries(&[0]);
    chart.x_axis().set_date_axis(true).set_num_format("yyyy");
    chart
        .x_axis()
        .set_major_unit(1)
        .set_major_unit_date_type(rust_xlsxwriter::ChartAxisDateUnitType::Years);
    chart.y_axis().set_num_format(if metric.unit() == "share" {
        "0%"
    } else {
        "#,##0"
    });
    chart.set_width(SIZE.0).set_height(SIZE.1);
    chart
}

fn numbers(
    book: &mut Workbook,
    projection: &Projection,
    metrics: &[MetricView<'_>],
) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, DATA, &[])?;
    for (number, metric) in (0_u16..).zip(metrics) {
        let column = number * COLUMNS;
        let mut heads = vec![metric.name().to_owned(), "P5".to_owned()];
        heads.extend(BANDS.map(|(name, ..)| name.to_owned()));
        heads.push("P50".to_owned());
        for (offset, head) in (0_u16..).zip(heads) {
            sheet.cell(0, column + offset, &Cell::Text(head))?;
        }
        for (month, distribution) in metric.distributions().enumerate() {
            let quantile = |p| distribution.quantile(p);
            let mut row = vec![
                Cell::month(projection.layout().start, month),
                Cell::of_unit(metric.unit(), quantile(0.05)),
            ];
            row.extend(BANDS.map(|(_, low, high, _)| {
                let width = quantile(high)
                    .zip(quantile(low))
                    .map(|(high, low)| high - low);
                Cell::of_unit(metric.unit(), width)
            }));
            row.push(Cell::of_unit(metric.unit(), quantile(0.5)));
            let line = u32::try_from(month + 1).unwrap_or(u32::MAX);
            for (offset, cell) in (0_u16..).zip(&row) {
                sheet.cell(line, column + offset, cell)?;
            }
        }
    }
    Ok(())
}
