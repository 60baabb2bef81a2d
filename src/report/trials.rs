//! Tables of trials as comma-separated values, written as the trials run.

use std::io::{self, Write};

use crate::monte_carlo::sample_run::{MonthlyGroup, SampleError, SampleRun};
use crate::projection::{number, quoted};

/// How many trials are held in memory at once: enough to keep all processors busy.
pub(super) const GROUP: u64 = 4_096;

/// Why no table of trials was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialTableError {
    /// The trials did not run.
    #[error(transparent)]
    Trials(#[from] SampleError),
    /// The file or stream does not take it.
    #[error("the table of trials could not be written: {0}")]
    Writing(#[from] io::Error),
    /// Parquet was asked for.
    #[cfg(not(feature = "parquet"))]
    #[error(
        "this build writes no Parquet: build it with the feature `parquet`, or take comma-separated values"
    )]
    NoParquet,
    /// The Parquet writer failed.
    #[cfg(feature = "parquet")]
    #[error(transparent)]
    Parquet(#[from] super::ParquetFileError),
}

/// Runs the trials and writes one line for each as they come, in order; the memory it takes does not grow with their number.
///
/// Columns: `trial`, its number, by which `buildout replay` shows it; `input: NAME`, what was drawn for an input, in its own unit;
/// `milestone: NAME` in months after the start, empty if not within the horizon; `target: NAME`, true or false; `outcome: NAME`; and
/// `metric: NAME@MONTH` where a metric was asked for.
pub fn write_trials_csv(run: &SampleRun<'_>, mut to: impl Write) -> Result<(), TrialTableError> {
    run.empty()?.write_csv_head(&mut to)?;
    run.stream(GROUP, |samples| {
        samples.write_csv_rows(&mut to)?;
        Ok::<_, TrialTableError>(())
    })?;
    Ok(to.flush()?)
}

/// Runs the trials and writes a line for each of their months as they come, in order. `metrics` are names such as `it_power_mw`.
///
/// Columns: `trial`; `scope`, which is `total` or a campus if there are several; `month`, such as 2027-12; and one for each
/// metric, at the end of that month, empty where there is no such number.
pub fn write_trial_months_csv(
    run: &SampleRun<'_>,
    metrics: &[&str],
    mut to: impl Write,
) -> Result<(), TrialTableError> {
    let layout = run.model().layout();
    let chosen = run.metric_positions(metrics).map_err(SampleError::from)?;
    write!(to, "trial,scope,month")?;
    for &metric in &chosen {
        write!(to, ",{}", quoted(&layout.metrics[metric].name))?;
    }
    writeln!(to)?;
    let (months, scopes) = (layout.month_labels(), &layout.scopes);
    run.stream_months(metrics, |group: MonthlyGroup<'_>| {
        for (position, trial) in group.trials().enumerate() {
            for row in 0..group.rows() {
                let scope = quoted(&scopes[row / months.len()]);
                write!(to, "{trial},{scope},{}", months[row % months.len()])?;
                for value in group.row(position, row) {
                    write!(to, ",{}", number(value))?;
                }
                writeln!(to)?;
            }
        }
        Ok::<_, TrialTableError>(())
    })?;
    Ok(to.flush()?)
}
