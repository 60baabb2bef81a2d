//! Results as Parquet, for DuckDB, Polars and their like.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use crate::Projection;
use crate::projection::TidyRow;

mod trials;

pub use trials::{write_trial_months_parquet, write_trials_parquet};

/// Why no Parquet was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetFileError {
    /// The writer failed.
    #[error("the Parquet file could not be written: {0}")]
    Writing(#[from] ParquetError),
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

    use super::super::trials::GROUP;
    use super::*;
    use crate::monte_carlo::sample_run::SampleRun;
    use crate::projection::TrialRow;
    use crate::report::fixture;
    use crate::{Model, Workspace};

    #[test]
    fn what_is_written_reads_back_as_the_trials_and_the_projection() {
        let scenario = fixture::scenario(2, 20);
        let model = scenario.compile().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.parquet");
        let trials = GROUP + 5;
        let file = std::fs::File::create(&path).unwrap();
        let run = SampleRun::new(&model).all_measures().seed(7);
        write_trials_parquet(&run.trial_range(3..3 + trials), file).unwrap();
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
                    let column = 1 + model.input_count() + at;
                    assert_eq!(row.get_double(column).unwrap_or(f64::INFINITY), *months);
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
        let trials = (131_072 / rows) as u64 + 2;
        let file = std::fs::File::create(&path).unwrap();
        let run = SampleRun::new(model).seed(7);
        let run = run.trial_range(3..3 + trials);
        write_trial_months_parquet(&run, &metrics, file).unwrap();
        let reader = SerializedFileReader::try_from(path.as_path()).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let at = run.metric_positions(&metrics).unwrap();
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

        let wrong = write_trial_months_parquet(&run, &["takeup"], Vec::new());
        let words = wrong.unwrap_err().to_string();
        assert!(words.contains("did you mean \"take_up\"?"), "{words}");
    }
}
