//! Samples: inputs and measures trial by trial, in columns, as methods read them that need no trials of their own
//! (sensitivity, conditional means, the value of information).

use std::io::{self, Write};

use super::{MeasureKind, MeasureLabel, Provenance, number, quoted};
use crate::date::Date;

/// Inputs and measures of many trials, in columns; gathered by [`SampleRun`](crate::monte_carlo::sample_run::SampleRun).
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    provenance: Provenance,
    start: Date,
    trials: Vec<u64>,
    inputs: Vec<InputColumn>,
    measures: Vec<MeasureColumn>,
}

/// An input in each trial.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InputColumn {
    /// Its name.
    pub name: String,
    /// Its uniform number in (0, 1), before any correlation.
    pub uniforms: Vec<f64>,
    /// What it is, in its own unit.
    pub values: Vec<f64>,
}

/// A measure in each trial.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MeasureColumn {
    /// Its name, kind and unit.
    pub label: MeasureLabel,
    /// Its values: 1 or 0 for a target that is met or not, infinite for a milestone that is not reached within the horizon, NaN where a
    /// trial has no such number.
    pub values: Vec<f64>,
}

impl Samples {
    /// No trial yet of these inputs and measures.
    pub(crate) fn new<'a>(
        provenance: Provenance,
        start: Date,
        inputs: impl Iterator<Item = &'a str>,
        measures: impl Iterator<Item = MeasureLabel>,
    ) -> Self {
        Self {
            provenance,
            start,
            trials: Vec::new(),
            inputs: inputs
                .map(|name| InputColumn {
                    name: name.to_owned(),
                    uniforms: Vec::new(),
                    values: Vec::new(),
                })
                .collect(),
            measures: measures
                .map(|label| MeasureColumn {
                    label,
                    values: Vec::new(),
                })
                .collect(),
        }
    }

    /// The trial numbers, to be written.
    pub(crate) fn trials_mut(&mut self) -> &mut Vec<u64> {
        &mut self.trials
    }

    /// All columns, to be written: the uniforms of all inputs, their values, then the measures.
    pub(crate) fn columns_mut(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        let (uniforms, values): (Vec<_>, Vec<_>) = (self.inputs.iter_mut())
            .map(|input| (&mut input.uniforms, &mut input.values))
            .unzip();
        let measures = self.measures.iter_mut().map(|measure| &mut measure.values);
        uniforms.into_iter().chain(values).chain(measures)
    }

    /// The columns of the measures, to be written.
    pub(crate) fn measure_columns_mut(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        self.measures.iter_mut().map(|measure| &mut measure.values)
    }

    /// Appends a trial with its inputs; its measures follow.
    pub(crate) fn push_inputs(&mut self, trial: u64, point: &[f64], values: &[f64]) {
        self.trials.push(trial);
        for ((input, uniform), value) in self.inputs.iter_mut().zip(point).zip(values) {
            input.uniforms.push(*uniform);
            input.values.push(*value);
        }
    }

    /// Adds trials of the same run that come after these.
    pub(crate) fn append(&mut self, mut more: Self) {
        self.trials.append(&mut more.trials);
        for (column, more) in self.columns_mut().zip(more.columns_mut()) {
            column.append(more);
        }
    }

    /// Where they come from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The start of the scenario, from which months count.
    pub fn start(&self) -> Date {
        self.start
    }

    /// How many trials there are.
    pub fn len(&self) -> usize {
        self.trials.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.trials.is_empty()
    }

    /// The numbers of the trials, in order; with seed and design they replay a trial.
    pub fn trials(&self) -> &[u64] {
        &self.trials
    }

    /// The inputs, in the order of the model.
    pub fn inputs(&self) -> &[InputColumn] {
        &self.inputs
    }

    /// The inputs alone.
    pub fn into_inputs(self) -> Vec<InputColumn> {
        self.inputs
    }

    /// An input by name.
    pub fn input(&self, name: &str) -> Option<&InputColumn> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// The measures, in the order in which they were asked for.
    pub fn measures(&self) -> &[MeasureColumn] {
        &self.measures
    }

    /// A measure by name, as [`Measure`](super::Measure) writes it.
    pub fn measure(&self, name: &str) -> Option<&MeasureColumn> {
        (self.measures.iter()).find(|measure| measure.label.name == name)
    }

    /// Writes the names of the columns as a line of comma-separated values; see [`Self::write_csv_rows`].
    pub fn write_csv_head(&self, to: &mut impl Write) -> io::Result<()> {
        write!(to, "trial")?;
        for input in &self.inputs {
            write!(to, ",{}", quoted(&input.column()))?;
        }
        for measure in &self.measures {
            write!(to, ",{}", quoted(&measure.label.column()))?;
        }
        writeln!(to)
    }

    /// Writes a line for each trial: its number, the value of each input, and the measures. Numbers are in the
    /// shortest form that reads back as the same double; a target is `true` or `false`; empty is a milestone that is not
    /// reached within the horizon, and a number that does not exist.
    pub fn write_csv_rows(&self, to: &mut impl Write) -> io::Result<()> {
        for (row, trial) in self.trials.iter().enumerate() {
            write!(to, "{trial}")?;
            for input in &self.inputs {
                write!(to, ",{}", number(input.values[row]))?;
            }
            for measure in &self.measures {
                let value = measure.values[row];
                match measure.label.kind {
                    MeasureKind::Target => write!(to, ",{}", value > 0.0)?,
                    _ => write!(to, ",{}", number(value))?,
                }
            }
            writeln!(to)?;
        }
        Ok(())
    }
}

impl InputColumn {
    /// What its column is called in a file.
    pub(crate) fn column(&self) -> String {
        format!("input: {}", self.name)
    }
}

impl MeasureLabel {
    /// What its column is called in a file.
    pub(crate) fn column(&self) -> String {
        let kind = match self.kind {
            MeasureKind::Metric => "metric",
            MeasureKind::Milestone => "milestone",
            MeasureKind::Outcome => "outcome",
            MeasureKind::Target => "target",
        };
        format!("{kind}: {}", self.name)
    }
}
