//! A projection as an Excel workbook: numbers with which a planner can calculate further, and native fan charts.
//!
//! | sheet | what is in it |
//! | --- | --- |
//! | Summary | the answer in sentences; capacity at the ends of years |
//! | Targets, Milestones, Outcomes | each with its probability, dates and percentiles |
//! | Charts | fan charts of the leading metrics and of those that targets ask about |
//! | Months | every metric, month by month, in total and, where there is room, by campus |
//! | Constraints | what holds capacity in service back |
//! | Inputs | what was put in, and what stands behind it |
//! | Drivers | which inputs the spread of the least sure result comes from |
//! | Provenance | what made these results, and how to make them again |

mod charts;
mod months;
mod sheet;

use rust_xlsxwriter::{DocProperties, Workbook as Book, XlsxError};

use self::sheet::{Cell, Sheet};
use super::summary::{KEY_METRICS, cause_words, ever_binding, year_ends};
use super::text::{nth_month, title_of};
use super::words::{likelihood, sentences};
use crate::Projection;
use crate::analysis::drivers::Drivers;
use crate::analysis::drivers::report::DriversReport;
use crate::file::Input;
use crate::projection::{Distribution, PERCENTILES};

/// The workbook of one run.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use buildout::report::Workbook;
/// use buildout::{Batch, Date, Scenario, site::Campus};
///
/// let mut scenario = Scenario::new("empty land", Date::month(2025, 1)?, 12);
/// scenario.campuses.push(Campus::new("north"));
/// let projection = Batch::new(&scenario.compile()?).trials(100).run()?;
/// let bytes = Workbook::new(&projection).to_xlsx()?;
/// assert!(bytes.starts_with(b"PK"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Workbook<'a> {
    projection: &'a Projection,
    inputs: &'a [Input],
    drivers: Option<&'a DriversReport>,
}

/// A workbook could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the workbook could not be made: {0}")]
pub struct WorkbookError(#[from] XlsxError);

impl<'a> Workbook<'a> {
    /// The workbook of a projection.
    pub fn new(projection: &'a Projection) -> Self {
        Self {
            projection,
            inputs: &[],
            drivers: None,
        }
    }

    /// Lists what was put in, with its sources.
    #[must_use]
    pub fn inputs(mut self, inputs: &'a [Input]) -> Self {
        self.inputs = inputs;
        self
    }

    /// Lists what drives results.
    #[must_use]
    pub fn drivers(mut self, drivers: &'a DriversReport) -> Self {
        self.drivers = Some(drivers);
        self
    }

    /// The file. The same run gives the same bytes.
    pub fn to_xlsx(&self) -> Result<Vec<u8>, WorkbookError> {
        let mut book = Book::new();
        let projection = self.projection;
        // The clock would make each file another one.
        let start = sheet::excel_date(projection.layout().start)?;
        let properties = DocProperties::new()
            .set_title(projection.provenance().scenario.as_str())
            .set_creation_datetime(&start);
        book.set_properties(&properties);
        summary(&mut book, projection)?;
        targets(&mut book, projection)?;
        milestones(&mut book, projection)?;
        outcomes(&mut book, projection)?;
        charts::write(&mut book, projection)?;
        months::write(&mut book, projection)?;
        constraints(&mut book, projection)?;
        inputs(&mut book, self.inputs)?;
        drivers(&mut book, self.drivers)?;
        provenance(&mut book, projection)?;
        Ok(book.save_to_buffer()?)
    }
}

fn summary(book: &mut Book, projection: &Projection) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, "Summary", &[44])?;
    sheet.title(&projection.provenance().scenario)?;
    for sentence in sentences(projection) {
        sheet.line(&sentence)?;
    }
    sheet.line("")?;
    let start = projection.layout().start;
    let ends = year_ends(projection);
    let mut heads = vec![
        "Metric".to_owned(),
        "Unit".to_owned(),
        "Statistic".to_owned(),
    ];
    heads.extend(
        ends.iter()
            .map(|end| format!("End of {}", nth_month(start, *end))),
    );
    let mut rows = Vec::new();
    for (name, _) in KEY_METRICS.into_iter().flatten() {
        let Some(metric) = projection.metric(name) else {
            continue;
        };
        for (statistic, p) in [("P10", 0.1), ("P50", 0.5), ("P90", 0.9)] {
            let mut row = vec![
                Cell::text(title_of(name, metric.unit())),
                Cell::text(metric.unit()),
                Cell::text(statistic),
            ];
            let values = ends.iter().map(|end| metric.month(*end)?.quantile(p));
            row.extend(values.map(|value| Cell::of_unit(metric.unit(), value)));
            rows.push(row);
        }
    }
    sheet.table(&heads, &rows)
}

/// The heads of the percentiles.
fn percentile_heads() -> impl Iterator<Item = String> {
    PERCENTILES.iter().map(|(name, _)| name.to_uppercase())
}

fn percentiles(of: Distribution<'_>) -> Vec<Option<f64>> {
    of.quantiles(&PERCENTILES.map(|(_, p)| p))
}

fn targets(book: &mut Book, projection: &Projection) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, "Targets", &[40, 56])?;
    let heads = [
        "Target",
        "What it asks for",
        "By",
        "Probability",
        "Standard error",
        "In words",
    ];
    let rows: Vec<Vec<Cell>> = (projection.targets())
        .map(|target| {
            let label = target.label();
            let probability = target.probability();
            vec![
                Cell::text(&label.name),
                Cell::text(&label.description),
                Cell::date(label.by),
                Cell::share(probability),
                Cell::share(target.std_error()),
                Cell::text(probability.map_or("", likelihood)),
            ]
        })
        .collect();
    sheet.table(&heads, &rows)
}

fn milestones(book: &mut Book, projection: &Projection) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, "Milestones", &[40])?;
    sheet.line(
        "A percentile is the day by which that share of the trials has reached the milestone; it is empty where fewer have \
         within the horizon.",
    )?;
    let mut heads = vec!["Milestone".to_owned()];
    heads.extend(percentile_heads());
    heads.extend(
        [
            "Reached within the horizon",
            "Standard error",
            "P50, months after the start",
        ]
        .map(str::to_owned),
    );
    let start = projection.layout().start;
    let rows: Vec<Vec<Cell>> = (projection.milestones())
        .map(|(name, distribution)| {
            let mut row = vec![Cell::text(name)];
            let days = percentiles(distribution).into_iter();
            row.extend(days.map(|months| Cell::date(months.and_then(|m| start.day_of_finish(m)))));
            row.push(Cell::share(distribution.probability()));
            row.push(Cell::share(distribution.probability_std_error()));
            row.push(Cell::number(distribution.quantile(0.5)));
            row
        })
        .collect();
    sheet.table(&heads, &rows)
}

fn outcomes(book: &mut Book, projection: &Projection) -> Result<(), XlsxError> {
    if projection.outcomes().next().is_none() {
        return Ok(());
    }
    let mut sheet = Sheet::new(book, "Outcomes", &[36, 14])?;
    let mut heads = ["Outcome", "Unit", "Mean", "Standard error"]
        .map(str::to_owned)
        .to_vec();
    heads.extend(percentile_heads());
    heads.extend(["Share of trials", "Meaning"].map(str::to_owned));
    let rows: Vec<Vec<Cell>> = (projection.outcomes())
        .map(|(label, distribution)| {
            let cell = |value| Cell::of_unit(&label.unit, value);
            let mut row = vec![
                Cell::text(&label.name),
                Cell::text(&label.unit),
                cell(distribution.mean()),
                cell(distribution.std_error()),
            ];
            row.extend(percentiles(distribution).into_iter().map(cell));
            row.push(Cell::share(distribution.share_of_trials()));
            row.push(Cell::text(&label.meaning));
            row
        })
        .collect();
    sheet.table(&heads, &rows)
}

fn constraints(book: &mut Book, projection: &Projection) -> Result<(), XlsxError> {
    let causes = ever_binding(projection.total());
    let mut sheet = Sheet::new(book, "Constraints", &[12])?;
    sheet.line(
        "Share of the trials in which each holds capacity in service back, all campuses together.",
    )?;
    let mut heads = vec!["Month".to_owned()];
    heads.extend(
        causes
            .iter()
            .map(|(cause, _)| cause_words(cause).to_owned()),
    );
    let rows: Vec<Vec<Cell>> = (0..projection.layout().months)
        .map(|month| {
            let mut row = vec![Cell::month(projection.layout().start, month)];
            row.extend(
                causes
                    .iter()
                    .map(|(_, shares)| Cell::share(Some(shares[month]))),
            );
            row
        })
        .collect();
    sheet.table(&heads, &rows)
}

fn inputs(book: &mut Book, inputs: &[Input]) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, "Inputs", &[48, 36, 22, 12, 24, 80])?;
    let heads = [
        "Key",
        "Value",
        "File",
        "Place",
        "Kind of evidence",
        "Source or note",
    ];
    let rows: Vec<Vec<Cell>> = (inputs.iter())
        .map(|input| {
            let basis: Vec<&str> = input.basis.iter().map(|basis| basis.word()).collect();
            vec![
                Cell::text(&input.key),
                Cell::text(&input.value),
                Cell::text(input.file.display().to_string()),
                Cell::text(input.place()),
                Cell::text(basis.join(", ")),
                Cell::text(&input.note),
            ]
        })
        .collect();
    sheet.table(&heads, &rows)
}

fn drivers(book: &mut Book, report: Option<&DriversReport>) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, "Drivers", &[36, 44])?;
    let found: Vec<&Drivers> = (report.iter())
        .flat_map(|report| report.results.iter().map(|result| &result.drivers))
        .collect();
    sheet.line(if found.is_empty() {
        "What drives results is not known from these trials, or was not asked: see `buildout drivers`."
    } else {
        "First order: the share of the variance of the result that knowing the input would take away."
    })?;
    let heads = [
        "Result",
        "Input",
        "First order",
        "Standard error",
        "Input low",
        "Mean of the result there",
        "Input high",
        "Mean of the result there ",
    ];
    let rows: Vec<Vec<Cell>> = (found.iter())
        .flat_map(|drivers| drivers.inputs.iter().map(move |input| (drivers, input)))
        .map(|(drivers, input)| {
            let mut row = vec![
                Cell::text(&drivers.of.name),
                Cell::text(&input.name),
                Cell::share(Some(input.first_order.value)),
                Cell::share(Some(input.first_order.std_error)),
            ];
            let ends = input.tornado.iter();
            row.extend(
                ends.flat_map(|end| [end.input, end.mean])
                    .map(|x| Cell::number(Some(x))),
            );
            row
        })
        .collect();
    sheet.table(&heads, &rows)
}

fn provenance(book: &mut Book, projection: &Projection) -> Result<(), XlsxError> {
    let mut sheet = Sheet::new(book, "Provenance", &[24, 80])?;
    let layout = projection.layout();
    let from = projection.provenance();
    let rows = [
        ("Scenario", from.scenario.clone()),
        ("Fingerprint", from.fingerprint.clone()),
        ("Made by", format!("buildout {}", from.version)),
        ("Seed", from.seed.to_string()),
        ("Sampling", from.design.to_string()),
        ("Trials", projection.trials().to_string()),
        ("First month", layout.start.to_month_string()),
        ("Months", layout.months.to_string()),
    ]
    .map(|(what, value)| vec![Cell::text(what), Cell::text(value)]);
    sheet.table(&["What", "Value"], &rows)
}

#[cfg(test)]
mod tests;
