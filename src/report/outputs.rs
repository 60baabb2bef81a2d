//! Which files a run leaves in its folder.

use std::io;

use crate::Projection;
use crate::projection::{Layout, write_csv};

/// A file of a run: its name in the folder and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutputFile {
    /// Its name, such as `projection.json`.
    pub name: String,
    /// All that is in it.
    pub contents: Vec<u8>,
}

/// What a run is to leave in its folder: the projection as JSON and CSV, the summary as text and Markdown, the
/// page, with the feature `excel` a workbook, with the feature `parquet` the projection as Parquet, and with the feature
/// `charts` fan charts.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use buildout::report::{ChartChoice, OutputChoice};
/// use buildout::{Batch, Date, Scenario, site::Campus};
///
/// let mut scenario = Scenario::new("empty land", Date::month(2025, 1)?, 12);
/// scenario.campuses.push(Campus::new("north"));
/// let projection = Batch::new(&scenario.compile()?).trials(100).run()?;
/// let mut choice = OutputChoice::default();
/// choice.charts.push(ChartChoice::new("take_up"));
/// let files = choice.files(&projection)?;
/// # #[cfg(feature = "charts")]
/// assert!(files.iter().any(|file| file.name == "take_up.svg"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct OutputChoice {
    /// Fan charts beside those of standard racks, IT power and PFLOPS.
    pub charts: Vec<ChartChoice>,
    /// As what charts are drawn.
    pub pictures: PictureFormat,
}

/// What is known of a run beside its projection, for those of its files that show it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunFacts<'a> {
    /// What was put in, with its sources.
    #[cfg(feature = "files")]
    pub inputs: &'a [crate::file::Input],
    /// What drives its results.
    pub drivers: Option<&'a crate::analysis::drivers::report::DriversReport>,
}

/// As what charts are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PictureFormat {
    /// As SVG: sharp at any size.
    #[default]
    Svg,
    /// As PNG, twice the pixels of a screen, for slides and documents that take no SVG.
    #[cfg(feature = "png")]
    Png,
    /// As both.
    #[cfg(feature = "png")]
    Both,
}

impl PictureFormat {
    #[cfg(feature = "charts")]
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Svg => &["svg"],
            #[cfg(feature = "png")]
            Self::Png => &["png"],
            #[cfg(feature = "png")]
            Self::Both => &["svg", "png"],
        }
    }
}

/// A fan chart of a metric.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ChartChoice {
    /// The name of the metric.
    pub metric: String,
    /// One campus instead of the total.
    pub campus: Option<String>,
}

impl ChartChoice {
    /// A chart of the metric of that name, in total.
    pub fn new(metric: impl Into<String>) -> Self {
        Self {
            metric: metric.into(),
            campus: None,
        }
    }

    /// Shows one campus instead of the total.
    #[must_use]
    pub fn campus(mut self, name: impl Into<String>) -> Self {
        self.campus = Some(name.into());
        self
    }

    /// The name of its file without the ending.
    #[cfg(feature = "charts")]
    fn stem(&self) -> String {
        let Some(campus) = &self.campus else {
            return self.metric.clone();
        };
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        let campus: String = campus.chars().map(plain).collect();
        format!("{campus}-{}", self.metric)
    }

    /// Refuses what a run of that layout does not have.
    pub fn check(&self, layout: &Layout) -> Result<(), OutputsError> {
        let look = |kind, wanted: &str, known: &mut dyn Iterator<Item = &str>| {
            let known: Vec<&str> = known.collect();
            if known.contains(&wanted) {
                return Ok(());
            }
            Err(OutputsError::Unknown {
                kind,
                wanted: wanted.to_owned(),
                nearest: crate::problem::nearest(wanted, known).map(str::to_owned),
            })
        };
        let metrics = layout.metrics.iter().map(|metric| metric.name.as_str());
        look("metric", &self.metric, &mut { metrics })?;
        match &self.campus {
            Some(campus) => {
                let campuses = layout.scopes.iter().skip(1).map(String::as_str);
                look("campus", campus, &mut { campuses })
            }
            None => Ok(()),
        }
    }
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
    /// The workbook could not be made.
    #[cfg(feature = "excel")]
    #[error("projection.xlsx: {0}")]
    Workbook(#[from] super::WorkbookError),
    /// The Parquet could not be made.
    #[cfg(feature = "parquet")]
    #[error(transparent)]
    Parquet(#[from] super::ParquetFileError),
    /// There is nothing of that name in the results.
    #[error("there is no {kind} \"{wanted}\" in these results{}", did_you_mean(nearest.as_deref()))]
    Unknown {
        /// Of what: a metric or a campus.
        kind: &'static str,
        /// What was asked for.
        wanted: String,
        /// What it may have been meant to be.
        nearest: Option<String>,
    },
    /// A chart could not be drawn.
    #[cfg(feature = "charts")]
    #[error("{name} could not be drawn: {source}")]
    Chart {
        /// The chart's file.
        name: String,
        /// Why.
        source: super::ChartError,
    },
}

const JSON: &str = "projection.json";
const CSV: &str = "projection.csv";
const SUMMARY: &str = "summary.txt";
const MARKDOWN: &str = "summary.md";
#[cfg(feature = "excel")]
const WORKBOOK: &str = "projection.xlsx";
#[cfg(feature = "parquet")]
const PARQUET: &str = "projection.parquet";
const PAGE: &str = "report.html";

/// The charts that every run has and their metrics, where the projection has these.
#[cfg(feature = "charts")]
const CHARTS: [(&str, &str); 3] = [
    ("racks", "standard_racks"),
    ("it_power", "it_power_mw"),
    ("pflops", "installed_pflops"),
];

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(": did you mean \"{name}\"?"))
}

/// The files of a run as [`OutputChoice`] has them by default.
pub fn outputs(projection: &Projection) -> Result<Vec<OutputFile>, OutputsError> {
    OutputChoice::default().files(projection)
}

impl OutputChoice {
    /// The names of the files that [`Self::files`] can make, in its order.
    pub fn names(&self) -> Vec<String> {
        #[cfg_attr(
            not(any(feature = "charts", feature = "excel", feature = "parquet")),
            allow(unused_mut)
        )]
        let mut names = [JSON, CSV, SUMMARY, MARKDOWN, PAGE]
            .map(str::to_owned)
            .to_vec();
        #[cfg(feature = "excel")]
        names.push(WORKBOOK.to_owned());
        #[cfg(feature = "parquet")]
        names.push(PARQUET.to_owned());
        #[cfg(feature = "charts")]
        for (stem, _) in self.all_charts() {
            let endings = self.pictures.endings().iter();
            names.extend(endings.map(|ending| format!("{stem}.{ending}")));
        }
        names
    }

    /// The charts and the names of their files without endings; none twice.
    #[cfg(feature = "charts")]
    fn all_charts(&self) -> Vec<(String, ChartChoice)> {
        let mut all: Vec<(String, ChartChoice)> = CHARTS
            .map(|(stem, metric)| (stem.to_owned(), ChartChoice::new(metric)))
            .to_vec();
        for chart in &self.charts {
            if !all.iter().any(|(stem, _)| *stem == chart.stem()) {
                all.push((chart.stem(), chart.clone()));
            }
        }
        all
    }

    /// Refuses charts of what a run of that layout does not have: better before the trials than after.
    pub fn check(&self, layout: &Layout) -> Result<(), OutputsError> {
        self.charts.iter().try_for_each(|chart| chart.check(layout))
    }

    /// The files of a run of which nothing is known but its projection.
    pub fn files(&self, projection: &Projection) -> Result<Vec<OutputFile>, OutputsError> {
        self.files_with(projection, &RunFacts::default())
    }

    /// The files of a run.
    #[cfg_attr(not(feature = "excel"), allow(unused_variables))]
    pub fn files_with(
        &self,
        projection: &Projection,
        facts: &RunFacts<'_>,
    ) -> Result<Vec<OutputFile>, OutputsError> {
        self.check(projection.layout())?;
        let mut json = serde_json::to_vec_pretty(&projection.to_json())?;
        json.push(b'\n');
        let mut csv = Vec::new();
        write_csv([projection], &mut csv)?;
        if !csv.is_ascii() {
            // Without this mark Excel takes a file for one of its own country's letters.
            csv.splice(0..0, *b"\xef\xbb\xbf");
        }
        #[cfg_attr(
            not(any(feature = "charts", feature = "excel", feature = "parquet")),
            allow(unused_mut)
        )]
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
        #[cfg(feature = "excel")]
        {
            let mut workbook = super::Workbook::new(projection).inputs(facts.inputs);
            if let Some(drivers) = facts.drivers {
                workbook = workbook.drivers(drivers);
            }
            files.push(OutputFile::new(WORKBOOK, workbook.to_xlsx()?));
        }
        #[cfg(feature = "parquet")]
        {
            let mut table = Vec::new();
            super::write_projection_parquet([projection], &mut table)?;
            files.push(OutputFile::new(PARQUET, table));
        }
        #[cfg(feature = "charts")]
        for (stem, chart) in self.all_charts() {
            if projection.metric(&chart.metric).is_some() {
                files.extend(self.pictures_of(projection, &stem, &chart)?);
            }
        }
        Ok(files)
    }

    #[cfg(feature = "charts")]
    fn pictures_of(
        &self,
        projection: &Projection,
        stem: &str,
        choice: &ChartChoice,
    ) -> Result<Vec<OutputFile>, OutputsError> {
        let drawn = |ending: &str| {
            let mut chart = super::FanChart::new(projection, &choice.metric)?;
            if let Some(campus) = &choice.campus {
                chart = chart.campus(campus)?;
            }
            match ending {
                #[cfg(feature = "png")]
                "png" => chart.to_png(2.0),
                _ => Ok(chart.to_svg()?.into_bytes()),
            }
        };
        let endings = self.pictures.endings().iter();
        endings
            .map(|ending| {
                let name = format!("{stem}.{ending}");
                match drawn(ending) {
                    Ok(contents) => Ok(OutputFile::new(name, contents)),
                    Err(source) => Err(OutputsError::Chart { name, source }),
                }
            })
            .collect()
    }
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
