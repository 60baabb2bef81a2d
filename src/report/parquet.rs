//! Results as Parquet, for DuckDB, Polars and their like.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use rayon::prelude::*;

use crate::projection::{Layout, TidyRow, TrialRow};
use crate::{Model, Projection, Workspace};

/// So many trials make a row group: enough to compress well, and little to hold in memory.
const GROUP: u64 = 4_096;

/// About so many rows make a row group where a trial has many rows.
const GROUP_ROWS: usize = 131_072;

/// Why no Parquet was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetFileError {
    /// The writer failed.
    #[error("the Parquet file could not be written: {0}")]
    Writing(#[from] ParquetError),
    /// The scenario has no metric of that name.
    #[error("this scenario has no metric \"{wanted}\"{}", did_you_mean(nearest.as_deref()))]
    UnknownMetric {
        /// What was asked for.
        wanted: String,
        /// What it may have been meant to be.
        nearest: Option<String>,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": did you mean \"{name}\"?"))
}

/// Writes projections as one tidy table, one number a row, in the order of
/// [`write_csv`](crate::projection::write_csv).
///
/// | column | type | |
/// |---|---|---|
/// | `scenario` | text | the scenario's name |
/// | `scope` | text | `total`, or a campus if there are several |
/// | `metric` | text | the name of a metric, cause, milestone, target or outcome |
/// | `unit` | text | |
/// | `month` | text | `2024-01`; null for milestones, targets and outcomes |
/// | `statistic` | text | `mean`, `std_error`, `p5` to `p95`, `binding_share`, `probability`, `probability_std_error` |
/// | `value` | double | null if it does not exist |
pub fn write_projection_parquet<'a>(
    projections: impl IntoIterator<Item = &'a Projection>,
    to: impl Write + Send,
) -> Result<(), ParquetFileError> {
    let mut columns: [Vec<ByteArray>; 6] = Default::default();
    let mut months = Vec::new();
    let mut values = Vec::new();
    let mut has_value = Vec::new();
    for projection in projections {
        // Appending to lists in memory cannot fail.
        let _ = crate::projection::for_each_row(projection, |row: TidyRow<'_>| {
            let texts = [
                row.scenario,
                row.scope,
                row.metric,
                row.unit,
                row.month,
                row.statistic,
            ];
            for (at, (column, text)) in columns.iter_mut().zip(texts).enumerate() {
                if at != MONTH || !text.is_empty() {
                    column.push(ByteArray::from(text));
                }
            }
            months.push(i16::from(!row.month.is_empty()));
            has_value.push(i16::from(row.value.is_some()));
            values.extend(row.value);
            Ok(())
        });
    }
    let names = ["scenario", "scope", "metric", "unit", "month", "statistic"];
    let mut fields: Vec<Arc<Type>> = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        fields.push(text_field(name, at == MONTH)?);
    }
    fields.push(field("value", Physical::DOUBLE, true)?);
    let mut file = begin(fields, to, Vec::new())?;
    let mut group = file.next_row_group()?;
    for (at, column) in columns.iter().enumerate() {
        let levels = (at == MONTH).then_some(months.as_slice());
        put(&mut group, |writer| match writer {
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                writer.write_batch(column, levels, None).map(drop)
            }
            _ => Err(wrong_type()),
        })?;
    }
    put(&mut group, |writer| match writer {
        ColumnWriter::DoubleColumnWriter(writer) => writer
            .write_batch(&values, Some(&has_value), None)
            .map(drop),
        _ => Err(wrong_type()),
    })?;
    group.close()?;
    file.close()?;
    Ok(())
}

const MONTH: usize = 4;

/// Simulates the trials of these numbers and writes one row for each as they come, in order; the
/// memory it takes does not grow with their number. `on_progress` is told how many are done.
///
/// | column | type | |
/// |---|---|---|
/// | `trial` | 64-bit integer | its number; with the seed it replays the trial |
/// | `milestone: NAME` | double | months after the start; null if not within the horizon |
/// | `target: NAME` | boolean | whether it is met |
/// | `outcome: NAME` | double | the trial's single numbers; null if there is none |
///
/// The start, the seed, the scenario's name and the version are in the file's metadata. The probability of a target
/// given that a substation is late, in DuckDB:
/// ```sql
/// SELECT avg("target: 50 MW by 2032"::INT), count(*) FROM 'trials.parquet'
/// WHERE "milestone: 110 kV substation energised" > 40 OR "milestone: 110 kV substation energised" IS NULL
/// ```
pub fn write_trials_parquet(
    model: &Model,
    seed: u64,
    trials: Range<u64>,
    to: impl Write + Send,
    mut on_progress: impl FnMut(u64),
) -> Result<(), ParquetFileError> {
    let layout = model.layout();
    let mut fields = vec![field("trial", Physical::INT64, false)?];
    for name in &layout.milestones {
        fields.push(field(
            &format!("milestone: {name}"),
            Physical::DOUBLE,
            true,
        )?);
    }
    for target in &layout.targets {
        fields.push(field(
            &format!("target: {}", target.name),
            Physical::BOOLEAN,
            false,
        )?);
    }
    for outcome in &layout.outcomes {
        fields.push(field(
            &format!("outcome: {}", outcome.name),
            Physical::DOUBLE,
            true,
        )?);
    }
    let mut file = begin(fields, to, facts(model, seed))?;
    let mut first = trials.start;
    while first < trials.end {
        let end = first.saturating_add(GROUP).min(trials.end);
        let singles = simulated(model, seed, first..end, |row| Single {
            milestones: row.milestones().to_vec(),
            targets: row.targets().to_vec(),
            outcomes: row.outcomes().to_vec(),
        });
        let mut group = file.next_row_group()?;
        write_group(&mut group, layout, first, &singles)?;
        group.close()?;
        on_progress(end - trials.start);
        first = end;
    }
    file.close()?;
    Ok(())
}

/// Simulates the trials of these numbers and writes a row for each of their months as they come, in
/// order; the memory it takes does not grow with the number of trials. `metrics` are names such as `it_power_mw`.
///
/// | column | type | |
/// |---|---|---|
/// | `trial` | 64-bit integer | its number, by which it joins [`write_trials_parquet`]'s table |
/// | `scope` | text | `total`, or a campus if there are several |
/// | `month` | text | `2024-01`; the numbers are those of its end |
/// | a column for each metric | double | in the metric's unit; null if there is no such number in this trial and month |
///
/// The units, the start, the seed, the scenario's name and the version are in the file's metadata. What a late
/// substation does to the power live at the end of each month, in DuckDB:
/// ```sql
/// SELECT month, t."milestone: 110 kV substation energised" > 40 AS late, median(it_power_mw)
/// FROM 'months.parquet' JOIN 'trials.parquet' t USING (trial) WHERE scope = 'total' GROUP BY ALL ORDER BY ALL
/// ```
pub fn write_trial_months_parquet(
    model: &Model,
    seed: u64,
    trials: Range<u64>,
    metrics: &[&str],
    to: impl Write + Send,
    mut on_progress: impl FnMut(u64),
) -> Result<(), ParquetFileError> {
    let layout = model.layout();
    let chosen = metric_positions(layout, metrics)?;
    let mut fields = vec![
        field("trial", Physical::INT64, false)?,
        text_field("scope", false)?,
        text_field("month", false)?,
    ];
    let mut facts = facts(model, seed);
    for &at in &chosen {
        let metric = &layout.metrics[at];
        fields.push(field(&metric.name, Physical::DOUBLE, true)?);
        let key = format!("unit of {}", metric.name);
        facts.push(KeyValue::new(key, metric.unit.clone()));
    }
    let mut file = begin(fields, to, facts)?;
    let months: Vec<ByteArray> = (layout.month_labels().iter())
        .map(|month| ByteArray::from(month.as_str()))
        .collect();
    let scopes: Vec<ByteArray> = (layout.scopes.iter())
        .map(|scope| ByteArray::from(scope.as_str()))
        .collect();
    let rows = months.len() * scopes.len();
    let group_trials = (GROUP_ROWS / rows.max(1)).max(1) as u64;
    let mut first = trials.start;
    while first < trials.end {
        let end = first.saturating_add(group_trials).min(trials.end);
        // By trial: the chosen metrics, one after the other, each scope by scope and month by month.
        let values: Vec<Vec<f64>> = simulated(model, seed, first..end, |row| {
            let metrics = chosen.iter().flat_map(|&metric| {
                (0..scopes.len()).flat_map(move |scope| row.monthly(scope, metric))
            });
            metrics.copied().collect()
        });
        let mut group = file.next_row_group()?;
        let numbers: Vec<i64> = (first..end)
            .flat_map(|trial| std::iter::repeat_n(trial as i64, rows))
            .collect();
        integers(&mut group, &numbers)?;
        let by_scope = scopes
            .iter()
            .flat_map(|scope| std::iter::repeat_n(scope, months.len()));
        let by_month = scopes.iter().flat_map(|_| &months);
        texts(&mut group, values.iter().flat_map(|_| by_scope.clone()))?;
        texts(&mut group, values.iter().flat_map(|_| by_month.clone()))?;
        for at in 0..chosen.len() {
            let of_trial = |list: &'_ Vec<f64>| list[at * rows..(at + 1) * rows].to_vec();
            doubles(&mut group, values.iter().flat_map(of_trial))?;
        }
        group.close()?;
        on_progress(end - trials.start);
        first = end;
    }
    file.close()?;
    Ok(())
}

/// Where metrics of these names stand in the layout, each once.
fn metric_positions(layout: &Layout, metrics: &[&str]) -> Result<Vec<usize>, ParquetFileError> {
    let mut chosen: Vec<usize> = Vec::new();
    for wanted in metrics {
        let at = (layout.metrics.iter()).position(|metric| metric.name == *wanted);
        let at = at.ok_or_else(|| {
            let names = layout.metrics.iter().map(|metric| metric.name.as_str());
            ParquetFileError::UnknownMetric {
                wanted: (*wanted).to_owned(),
                nearest: crate::problem::nearest(wanted, names).map(str::to_owned),
            }
        })?;
        if !chosen.contains(&at) {
            chosen.push(at);
        }
    }
    Ok(chosen)
}

fn facts(model: &Model, seed: u64) -> Vec<KeyValue> {
    [
        ("scenario", model.name().to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("seed", seed.to_string()),
        ("start", model.layout().start.to_month_string()),
    ]
    .map(|(key, value)| KeyValue::new(key.to_owned(), value))
    .to_vec()
}

/// What is kept of each of these trials, in order, simulated on all threads.
fn simulated<T: Send>(
    model: &Model,
    seed: u64,
    trials: Range<u64>,
    keep: impl Fn(&TrialRow) -> T + Sync,
) -> Vec<T> {
    trials
        .into_par_iter()
        .map_init(
            || {
                let row = TrialRow::new(model.layout().clone());
                (Workspace::default(), row)
            },
            |(workspace, row), trial| {
                model.simulate(seed, trial, workspace, row);
                keep(row)
            },
        )
        .collect()
}

/// A trial's numbers that are not by month.
struct Single {
    milestones: Vec<f64>,
    targets: Vec<bool>,
    outcomes: Vec<f64>,
}

fn write_group<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    layout: &Layout,
    first: u64,
    singles: &[Single],
) -> Result<(), ParquetError> {
    let numbers: Vec<i64> = (first..)
        .take(singles.len())
        .map(|trial| trial as i64)
        .collect();
    integers(group, &numbers)?;
    for at in 0..layout.milestones.len() {
        doubles(group, singles.iter().map(|single| single.milestones[at]))?;
    }
    for at in 0..layout.targets.len() {
        let met: Vec<bool> = singles.iter().map(|single| single.targets[at]).collect();
        put(group, |writer| match writer {
            ColumnWriter::BoolColumnWriter(writer) => {
                writer.write_batch(&met, None, None).map(drop)
            }
            _ => Err(wrong_type()),
        })?;
    }
    for at in 0..layout.outcomes.len() {
        doubles(group, singles.iter().map(|single| single.outcomes[at]))?;
    }
    Ok(())
}

fn integers<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    numbers: &[i64],
) -> Result<(), ParquetError> {
    put(group, |writer| match writer {
        ColumnWriter::Int64ColumnWriter(writer) => {
            writer.write_batch(numbers, None, None).map(drop)
        }
        _ => Err(wrong_type()),
    })
}

/// A column of texts.
fn texts<'a, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    texts: impl Iterator<Item = &'a ByteArray>,
) -> Result<(), ParquetError> {
    let texts: Vec<ByteArray> = texts.cloned().collect();
    put(group, |writer| match writer {
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            writer.write_batch(&texts, None, None).map(drop)
        }
        _ => Err(wrong_type()),
    })
}

/// A column of numbers, of which those that are not finite are null.
fn doubles<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    numbers: impl Iterator<Item = f64> + Clone,
) -> Result<(), ParquetError> {
    let levels: Vec<i16> = numbers.clone().map(|x| i16::from(x.is_finite())).collect();
    let values: Vec<f64> = numbers.filter(|x| x.is_finite()).collect();
    put(group, |writer| match writer {
        ColumnWriter::DoubleColumnWriter(writer) => {
            writer.write_batch(&values, Some(&levels), None).map(drop)
        }
        _ => Err(wrong_type()),
    })
}

fn put<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    write: impl FnOnce(&mut ColumnWriter<'_>) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("there is no such column".to_owned()));
    };
    write(column.untyped())?;
    column.close()
}

fn wrong_type() -> ParquetError {
    ParquetError::General("a column has another type".to_owned())
}

fn field(name: &str, kind: Physical, is_optional: bool) -> Result<Arc<Type>, ParquetError> {
    let repetition = if is_optional {
        Repetition::OPTIONAL
    } else {
        Repetition::REQUIRED
    };
    let built = Type::primitive_type_builder(name, kind).with_repetition(repetition);
    Ok(Arc::new(built.build()?))
}

fn text_field(name: &str, is_optional: bool) -> Result<Arc<Type>, ParquetError> {
    let repetition = if is_optional {
        Repetition::OPTIONAL
    } else {
        Repetition::REQUIRED
    };
    let built = Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
        .with_repetition(repetition)
        .with_logical_type(Some(LogicalType::String));
    Ok(Arc::new(built.build()?))
}

fn begin<W: Write + Send>(
    fields: Vec<Arc<Type>>,
    to: W,
    facts: Vec<KeyValue>,
) -> Result<SerializedFileWriter<W>, ParquetError> {
    let schema = Type::group_type_builder("buildout")
        .with_fields(fields)
        .build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata((!facts.is_empty()).then_some(facts))
        .build();
    SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties))
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;
    use crate::report::fixture;

    #[test]
    fn what_is_written_reads_back_as_the_trials_and_the_projection() {
        let scenario = fixture::scenario(2, 20);
        let model = scenario.compile().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.parquet");
        let trials = GROUP + 5;
        let file = std::fs::File::create(&path).unwrap();
        write_trials_parquet(&model, 7, 3..3 + trials, file, |_| {}).unwrap();
        let reader = SerializedFileReader::try_from(path.as_path()).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let mut workspace = Workspace::default();
        let mut expected = TrialRow::new(model.layout().clone());
        let mut count = 0;
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let trial = row.get_long(0).unwrap();
            assert_eq!(trial, 3 + count);
            count += 1;
            if trial % 500 == 0 {
                model.simulate(7, trial as u64, &mut workspace, &mut expected);
                for (at, months) in expected.milestones().iter().enumerate() {
                    assert_eq!(row.get_double(1 + at).unwrap_or(f64::INFINITY), *months);
                }
            }
        }
        assert_eq!(count as u64, trials);

        months_read_back(&model, folder.path());

        let projection = fixture::projection();
        let path = folder.path().join("projection.parquet");
        let file = std::fs::File::create(&path).unwrap();
        write_projection_parquet([&projection], file).unwrap();
        let mut csv = Vec::new();
        crate::projection::write_csv([&projection], &mut csv).unwrap();
        let mut reader = csv::Reader::from_reader(&csv[..]);
        let table = SerializedFileReader::try_from(path.as_path()).unwrap();
        let mut rows = table.get_row_iter(None).unwrap();
        for record in reader.records() {
            let (record, row) = (record.unwrap(), rows.next().unwrap().unwrap());
            for at in [0, 1, 2, 3, 5] {
                assert_eq!(row.get_string(at).unwrap(), &record[at]);
            }
            let month = row.get_string(4).map(String::as_str).unwrap_or_default();
            assert_eq!(month, &record[4]);
            let value = row.get_double(6).ok();
            assert_eq!(value, record[6].parse().ok());
        }
        assert!(rows.next().is_none());
    }

    fn months_read_back(model: &Model, folder: &std::path::Path) {
        let path = folder.join("months.parquet");
        let layout = model.layout();
        let metrics = ["take_up", "it_power_mw", "take_up"];
        let rows = layout.months * layout.scopes.len();
        // A little more than one row group.
        let trials = (GROUP_ROWS / rows) as u64 + 2;
        let file = std::fs::File::create(&path).unwrap();
        write_trial_months_parquet(model, 7, 3..3 + trials, &metrics, file, |_| {}).unwrap();
        let reader = SerializedFileReader::try_from(path.as_path()).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let at = metric_positions(layout, &metrics).unwrap();
        assert_eq!(at.len(), 2);
        let mut workspace = Workspace::default();
        let mut expected = TrialRow::new(layout.clone());
        let mut count = 0;
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let (trial, place) = (3 + count / rows, count % rows);
            count += 1;
            assert_eq!(row.get_long(0).unwrap(), trial as i64);
            if trial % 97 != 0 {
                continue;
            }
            if place == 0 {
                model.simulate(7, trial as u64, &mut workspace, &mut expected);
            }
            let (scope, month) = (place / layout.months, place % layout.months);
            assert_eq!(row.get_string(1).unwrap(), &layout.scopes[scope]);
            assert_eq!(row.get_string(2).unwrap(), &layout.month_labels()[month]);
            for (column, metric) in at.iter().enumerate() {
                let number = expected.monthly(scope, *metric)[month];
                assert_eq!(
                    row.get_double(3 + column).ok(),
                    Some(number).filter(|x| x.is_finite())
                );
            }
        }
        assert_eq!(count as u64, trials * rows as u64);

        let wrong = write_trial_months_parquet(model, 7, 0..1, &["takeup"], Vec::new(), |_| {});
        let words = wrong.unwrap_err().to_string();
        assert!(words.contains("did you mean \"take_up\"?"), "{words}");
    }
}
