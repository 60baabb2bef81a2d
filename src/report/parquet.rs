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

/// Why no Parquet was written.
#[derive(Debug, thiserror::Error)]
#[error("the Parquet file could not be written: {0}")]
pub struct ParquetFileError(#[from] ParquetError);

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
    let facts = [
        ("scenario", model.name().to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("seed", seed.to_string()),
        ("start", layout.start.to_month_string()),
    ];
    let facts = facts.map(|(key, value)| KeyValue::new(key.to_owned(), value));
    let mut file = begin(fields, to, facts.to_vec())?;
    let mut first = trials.start;
    while first < trials.end {
        let end = first.saturating_add(GROUP).min(trials.end);
        let singles: Vec<Single> = (first..end)
            .into_par_iter()
            .map_init(
                || (Workspace::default(), TrialRow::new(layout.clone())),
                |(workspace, row), trial| {
                    model.simulate(seed, trial, workspace, row);
                    Single {
                        milestones: row.milestones().to_vec(),
                        targets: row.targets().to_vec(),
                        outcomes: row.outcomes().to_vec(),
                    }
                },
            )
            .collect();
        let mut group = file.next_row_group()?;
        write_group(&mut group, layout, first, &singles)?;
        group.close()?;
        on_progress(end - trials.start);
        first = end;
    }
    file.close()?;
    Ok(())
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
    put(group, |writer| match writer {
        ColumnWriter::Int64ColumnWriter(writer) => {
            writer.write_batch(&numbers, None, None).map(drop)
        }
        _ => Err(wrong_type()),
    })?;
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
}
