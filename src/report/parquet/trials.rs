//! Tables of trials as Parquet, written as the trials run.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::super::trials::{GROUP, TrialTableError};
use super::{
    ParquetFileError, begin, doubles, field, integers, put, text_field, texts, wrong_type,
};
use crate::monte_carlo::sample_run::{MonthlyGroup, SampleError, SampleRun};
use crate::projection::{MeasureKind, Samples};

/// Runs the trials and writes one row for each as they come, in order; the memory it takes does not grow with their number.
///
/// | column | type | |
/// |---|---|---|
/// | `trial` | 64-bit integer | its number; with seed and design it replays the trial |
/// | `input: NAME` | double | what was drawn for an input, in its own unit |
/// | `milestone: NAME` | double | months after the start; null if not within the horizon |
/// | `target: NAME` | boolean | whether it is met |
/// | `outcome: NAME` | double | the trial's single numbers; null if there is none |
/// | `metric: NAME@MONTH` | double | a metric that was asked for |
///
/// The start, the seed, the design, the scenario's name and the version are in the file's metadata. The probability of a target
/// given that a substation is late, in DuckDB:
/// ```sql
/// SELECT avg("target: 50 MW by 2032"::INT), count(*) FROM 'trials.parquet'
/// WHERE "milestone: 110 kV substation energised" > 40 OR "milestone: 110 kV substation energised" IS NULL
/// ```
pub fn write_trials_parquet(
    run: &SampleRun<'_>,
    to: impl Write + Send,
) -> Result<(), TrialTableError> {
    let mut file = begin(fields_of(&run.empty()?)?, to, facts(run)).map_err(parquet_error)?;
    run.stream(GROUP, |samples| {
        write_samples(&mut file, &samples).map_err(parquet_error)
    })?;
    file.close().map_err(parquet_error)?;
    Ok(())
}

fn parquet_error(error: ParquetError) -> TrialTableError {
    ParquetFileError::from(error).into()
}

fn fields_of(samples: &Samples) -> Result<Vec<Arc<Type>>, TrialTableError> {
    let trial = std::iter::once(field("trial", Physical::INT64, false));
    let inputs = samples.inputs().iter();
    let inputs = inputs.map(|input| field(&input.column(), Physical::DOUBLE, false));
    let measures = samples.measures().iter().map(|measure| {
        let label = &measure.label;
        match label.kind {
            MeasureKind::Target => field(&label.column(), Physical::BOOLEAN, false),
            _ => field(&label.column(), Physical::DOUBLE, true),
        }
    });
    let fields = trial.chain(inputs).chain(measures);
    fields.collect::<Result<_, _>>().map_err(parquet_error)
}

/// A group of trials as a row group.
fn write_samples<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    samples: &Samples,
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    let numbers: Vec<i64> = samples.trials().iter().map(|&trial| trial as i64).collect();
    integers(&mut group, &numbers)?;
    for input in samples.inputs() {
        put(&mut group, |writer| match writer {
            ColumnWriter::DoubleColumnWriter(writer) => {
                writer.write_batch(&input.values, None, None).map(drop)
            }
            _ => Err(wrong_type()),
        })?;
    }
    for measure in samples.measures() {
        if measure.label.kind != MeasureKind::Target {
            doubles(&mut group, measure.values.iter().copied())?;
            continue;
        }
        let met: Vec<bool> = measure.values.iter().map(|met| *met > 0.0).collect();
        put(&mut group, |writer| match writer {
            ColumnWriter::BoolColumnWriter(writer) => {
                writer.write_batch(&met, None, None).map(drop)
            }
            _ => Err(wrong_type()),
        })?;
    }
    group.close()?;
    Ok(())
}

/// Runs the trials and writes a row for each of their months as they come, in order; the memory it takes does not grow with
/// the number of trials. `metrics` are names such as `it_power_mw`.
///
/// | column | type | |
/// |---|---|---|
/// | `trial` | 64-bit integer | its number, by which it joins [`write_trials_parquet`]'s table |
/// | `scope` | text | `total`, or a campus if there are several |
/// | `month` | text | `2024-01`; the numbers are those of its end |
/// | a column for each metric | double | in the metric's unit; null if there is no such number in this trial and month |
///
/// The units, the start, the seed, the design, the scenario's name and the version are in the file's metadata. What a late
/// substation does to the power live at the end of each month, in DuckDB:
/// ```sql
/// SELECT month, t."milestone: 110 kV substation energised" > 40 AS late, median(it_power_mw)
/// FROM 'months.parquet' JOIN 'trials.parquet' t USING (trial) WHERE scope = 'total' GROUP BY ALL ORDER BY ALL
/// ```
pub fn write_trial_months_parquet(
    run: &SampleRun<'_>,
    metrics: &[&str],
    to: impl Write + Send,
) -> Result<(), TrialTableError> {
    let layout = run.model().layout();
    let mut facts = facts(run);
    let mut fields = vec![
        field("trial", Physical::INT64, false),
        text_field("scope", false),
        text_field("month", false),
    ];
    for at in run.metric_positions(metrics).map_err(SampleError::from)? {
        let metric = &layout.metrics[at];
        fields.push(field(&metric.name, Physical::DOUBLE, true));
        let key = format!("unit of {}", metric.name);
        facts.push(KeyValue::new(key, metric.unit.clone()));
    }
    let fields = fields.into_iter().collect::<Result<Vec<_>, _>>();
    let mut file = begin(fields.map_err(parquet_error)?, to, facts).map_err(parquet_error)?;
    let bytes = |texts: &[String]| -> Vec<ByteArray> {
        texts.iter().map(|text| text.as_str().into()).collect()
    };
    let (months, scopes) = (bytes(&layout.month_labels()), bytes(&layout.scopes));
    run.stream_months(metrics, |group| {
        write_months(&mut file, &group, &months, &scopes).map_err(parquet_error)
    })?;
    file.close().map_err(parquet_error)?;
    Ok(())
}

fn write_months<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    months_of: &MonthlyGroup<'_>,
    months: &[ByteArray],
    scopes: &[ByteArray],
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    let trials = months_of.trials();
    let numbers: Vec<i64> = trials
        .clone()
        .flat_map(|trial| std::iter::repeat_n(trial as i64, months_of.rows()))
        .collect();
    integers(&mut group, &numbers)?;
    let by_scope = scopes
        .iter()
        .flat_map(|scope| std::iter::repeat_n(scope, months.len()));
    let by_month = scopes.iter().flat_map(|_| months);
    texts(&mut group, trials.clone().flat_map(|_| by_scope.clone()))?;
    texts(&mut group, trials.flat_map(|_| by_month.clone()))?;
    for metric in 0..months_of.metrics() {
        doubles(&mut group, months_of.metric(metric))?;
    }
    group.close()?;
    Ok(())
}

/// What the trials come from.
fn facts(run: &SampleRun<'_>) -> Vec<KeyValue> {
    let drawing = run.drawn_by();
    [
        ("scenario", run.model().name().to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("seed", drawing.seed().to_string()),
        ("design", drawing.design().to_string()),
        ("start", run.model().layout().start.to_month_string()),
    ]
    .map(|(key, value)| KeyValue::new(key.to_owned(), value))
    .to_vec()
}
