//! A projection for people and files: a summary to read, charts, and the files of a run.
//!
//! This room only formats; every number comes from the [`Projection`](crate::Projection). JSON and
//! CSV are made there: [`Projection::to_json`](crate::Projection::to_json) and
//! [`write_csv`](crate::projection::write_csv).
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use buildout::report::{OutputFolder, outputs, summary};
//! use buildout::{Batch, Date, Scenario, site::Campus};
//!
//! let mut scenario = Scenario::new("empty land", Date::month(2025, 1)?, 12);
//! scenario.campuses.push(Campus::new("north"));
//! let projection = Batch::new(&scenario.compile()?).trials(100).run()?;
//! println!("{}", summary(&projection));
//!
//! let parent = tempfile::tempdir()?;
//! let folder = OutputFolder::new(parent.path().join("out"));
//! let written = folder.write(&outputs(&projection)?)?;
//! assert!(written[0].ends_with("projection.json"));
//! # Ok(())
//! # }
//! ```

mod backtest;
mod chart;
mod comparison;
mod decide;
mod drivers;
#[cfg(test)]
pub(crate) mod fixture;
mod html;
mod markdown;
mod money;
mod outputs;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "png")]
mod png;
mod question;
mod schedule;
mod search;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod trials;
mod update;
mod words;
#[cfg(feature = "excel")]
mod workbook;
mod worth;
mod write;

#[cfg(feature = "parquet")]
pub use self::parquet::{
    ParquetFileError, write_projection_parquet, write_trial_months_parquet, write_trials_parquet,
};
pub use backtest::{
    BACKTEST_OUTPUTS, backtest_chart, backtest_csv, backtest_markdown, backtest_outputs, pit_chart,
};
pub use chart::{BarChart, ChartError, FanChart, GridChart};
pub use comparison::{
    COMPARISON_OUTPUTS, comparison, comparison_goals, comparison_outputs, write_comparison_csv,
};
pub use decide::{DECISION_OUTPUTS, decide, decision_chart, decision_outputs};
pub use drivers::{
    DRIVERS_OUTPUTS, drivers, drivers_csv, drivers_markdown, drivers_outputs, tornado_chart,
};
pub use html::HtmlReport;
pub use markdown::markdown;
pub use outputs::{
    ChartChoice, OutputChoice, OutputFile, OutputsError, PictureFormat, RunFacts, outputs,
};
pub use search::search;
pub use summary::{summary, summary_metrics, summary_within};
pub use trials::{TrialTableError, write_trial_months_csv, write_trials_csv};
pub use update::UpdatePage;
pub use words::sentences;
#[cfg(feature = "excel")]
pub use workbook::{Workbook, WorkbookError};
pub use worth::{WORTH_OUTPUTS, worth, worth_chart, worth_csv, worth_markdown, worth_outputs};
pub use write::{OutputFolder, WriteError, replace_file};
