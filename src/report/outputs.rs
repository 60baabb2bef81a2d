//! Which files a run leaves in its folder.

use std::io;

use crate::Projection;
use crate::projection::write_csv;

/// A file of a run: its name in the folder and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutputFile {
    /// Its name, such as `projection.json`.
    pub name: String,
    /// All that is in it.
    pub contents: Vec<u8>,
}

/// Why the files of a run could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputsError {
    /// The JSON could not be made.
    #[error("projection.json could not be made: {0}")]
    Json(#[from] serde_json::Error),
    /// The CSV could not be made.
    #[error("projection.csv could not be made: {0}")]
    Csv(#[from] io::Error),
    /// The Parquet could not be made.
    #[cfg(feature = "parquet")]
    #[error(transparent)]
    Parquet(#[from] super::ParquetFileError),
    /// A chart could not be drawn.
    #[cfg(feature = "charts")]
    #[error("{name} could not be drawn: {source}")]
    Chart {
        /// The chart's file.
        name: &'static str,
        /// Why.
        source: super::ChartError,
    },
}

const JSON: &str = "projection.json";
const CSV: &str = "projection.csv";
const SUMMARY: &str = "summary.txt";
const MARKDOWN: &str = "summary.md";
#[cfg(feature = "parquet")]
const PARQUET: &str = "projection.parquet";
const PAGE: &str = "report.html";

/// The charts of a run and their metrics.
#[cfg(feature = "charts")]
const CHARTS: [(&str, &str); 3] = [
    ("racks.svg", "standard_racks"),
    ("it_power.svg", "it_power_mw"),
    ("pflops.svg", "installed_pflops"),
];

/// The names of the files that [`outputs`] can make, in its order.
pub fn output_names() -> Vec<&'static str> {
    #[cfg(not(feature = "charts"))]
    let charts = [];
    #[cfg(feature = "charts")]
    let charts = CHARTS.map(|(name, _)| name);
    [JSON, CSV, SUMMARY, MARKDOWN, PAGE]
        .into_iter()
        .chain(
            #[cfg(feature = "parquet")]
            [PARQUET],
            #[cfg(not(feature = "parquet"))]
            [],
        )
        .chain(charts)
        .collect()
}

/// The files of a run: the projection as JSON and CSV, the summary as text and Markdown, the page, and with the feature `charts`
/// fan charts of standard racks, IT power and PFLOPS, where the projection has these metrics.
pub fn outputs(projection: &Projection) -> Result<Vec<OutputFile>, OutputsError> {
    let mut json = serde_json::to_vec_pretty(&projection.to_json())?;
    json.push(b'\n');
    let mut csv = Vec::new();
    write_csv([projection], &mut csv)?;
    #[cfg_attr(not(any(feature = "charts", feature = "parquet")), allow(unused_mut))]
    let mut files = vec![
        OutputFile::new(JSON, json),
        OutputFile::new(CSV, csv),
        OutputFile::new(SUMMARY, super::summary(projection).into_bytes()),
        OutputFile::new(MARKDOWN, super::markdown(projection).into_bytes()),
        OutputFile::new(
            PAGE,
            super::HtmlReport::new(projection).to_html().into_bytes(),
        ),
    ];
    #[cfg(feature = "parquet")]
    {
        let mut table = Vec::new();
        super::write_projection_parquet([projection], &mut table)?;
        files.push(OutputFile::new(PARQUET, table));
    }
    #[cfg(feature = "charts")]
    for (name, metric) in CHARTS {
        if projection.metric(metric).is_some() {
            let svg = super::FanChart::new(projection, metric)
                .and_then(|chart| chart.to_svg())
                .map_err(|source| OutputsError::Chart { name, source })?;
            files.push(OutputFile::new(name, svg.into_bytes()));
        }
    }
    Ok(files)
}

impl OutputFile {
    /// A file of that name in its folder.
    pub fn new(name: impl Into<String>, contents: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            contents,
        }
    }
}
