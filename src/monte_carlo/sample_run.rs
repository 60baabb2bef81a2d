//! Runs of trials that keep what each trial had and yielded: [`Samples`].

use std::ops::Range;
use std::sync::atomic::AtomicU64;

use super::batch::RunError;
use super::experiment::Experiment as _;
use super::sample_part::SamplePartError;
use super::settings::{RunSettings, setting_methods};
use super::trial_loop::{LARGEST_BLOCK, Stretch, Worker};
use crate::model::Model;
use crate::problem::name_help;
use crate::projection::{Layout, Measure, MeasureError, RowPlace, Samples, TrialRow};
use crate::sampling::design::{Drawing, Noise, Sampling};
use crate::trial::Workspace;

/// About how many rows of months are held in memory at once.
const GROUP_ROWS: usize = 131_072;
/// So many trials whose measures alone are wanted are held in memory at once.
const MEASURED_GROUP: u64 = 4_096;

/// Why no samples were gathered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The model does not yield a measure.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The trials did not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A part of a run does not fit it.
    #[error(transparent)]
    Part(#[from] SamplePartError),
}

/// A run of trials whose inputs and measures are kept, trial by trial.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "files")] {
/// use buildout::Scenario;
/// use buildout::monte_carlo::sample_run::SampleRun;
///
/// let model = Scenario::from_path("examples/qingyang.toml")?.compile()?;
/// let samples = SampleRun::new(&model)
///     .measures(["installed_pflops@2027-12", "Qingyang/B4 live"])
///     .trials(50)
///     .seed(1)
///     .run()?;
/// let shell = samples.input("Qingyang/A1/shell").expect("an input");
/// let live = samples.measure("Qingyang/B4 live").expect("it was asked for");
/// assert_eq!((shell.values.len(), live.values.len()), (50, 50));
/// # }
/// # Ok(())
/// # }
/// ```
pub struct SampleRun<'a> {
    model: &'a Model,
    measures: Vec<String>,
    all_measures: bool,
    settings: RunSettings<'a>,
}

impl<'a> SampleRun<'a> {
    /// A run of [`DEFAULT_TRIALS`](super::batch::DEFAULT_TRIALS) independent trials of `model` with seed 0 on all processors that keeps the inputs alone.
    pub fn new(model: &'a Model) -> Self {
        Self::with_settings(model, RunSettings::default())
    }

    pub(crate) fn with_settings(model: &'a Model, settings: RunSettings<'a>) -> Self {
        Self {
            model,
            measures: Vec::new(),
            all_measures: false,
            settings,
        }
    }

    /// Keeps these, too: see [`Measure`].
    #[must_use]
    pub fn measures<N: Into<String>>(mut self, measures: impl IntoIterator<Item = N>) -> Self {
        self.measures.extend(measures.into_iter().map(Into::into));
        self
    }

    /// Keeps all milestones, targets and outcomes, before those that are named.
    #[must_use]
    pub fn all_measures(mut self) -> Self {
        self.all_measures = true;
        self
    }

    setting_methods!(
        trials,
        trial_range,
        seed,
        design,
        drawing,
        threads,
        on_progress,
        cancelled_by,
        kept
    );

    /// Runs the trials and keeps all of them: 8 bytes for each number, of which an input has two.
    pub fn run(&self) -> Result<Samples, SampleError> {
        if let Some(kept) = self.settings.kept {
            self.check_trials()?;
            return kept.samples(self);
        }
        let mut all = self.empty()?;
        let trials = self.settings.count();
        self.stream(trials.max(1), |samples| {
            all = samples;
            Ok::<_, SampleError>(())
        })?;
        Ok(all)
    }

    /// The measures of the trials alone, column by column.
    pub fn measured(&self) -> Result<Vec<Vec<f64>>, SampleError> {
        if let Some(kept) = self.settings.kept {
            self.check_trials()?;
            return kept.measures(self);
        }
        let mut columns = vec![Vec::new(); self.chosen()?.len()];
        self.stream(MEASURED_GROUP, |samples| {
            for (column, measure) in columns.iter_mut().zip(samples.measures()) {
                column.extend_from_slice(&measure.values);
            }
            Ok::<_, SampleError>(())
        })?;
        Ok(columns)
    }

    /// Samples of no trial, with the columns that [`Self::run`] fills.
    pub fn empty(&self) -> Result<Samples, SampleError> {
        let layout = self.model.layout();
        let labels: Vec<_> = (self.chosen()?.iter())
            .map(|measure| measure.label(layout))
            .collect();
        Ok(Samples::new(
            self.model.provenance(&self.settings.drawing),
            layout.start,
            self.model.input_names(),
            labels.into_iter(),
        ))
    }

    /// Runs the trials in groups of `group` and hands on the samples of each, in order, so that memory does not grow with the
    /// number of trials.
    pub fn stream<E: From<SampleError>>(
        &self,
        group: u64,
        mut each: impl FnMut(Samples) -> Result<(), E>,
    ) -> Result<(), E> {
        self.stream_range(self.settings.trials.clone(), group, &mut each)
    }

    /// Runs those trials of a range in groups.
    pub(super) fn stream_range<E: From<SampleError>>(
        &self,
        trials: Range<u64>,
        group: u64,
        mut each: impl FnMut(Samples) -> Result<(), E>,
    ) -> Result<(), E> {
        let run = self.prepare()?;
        let trial_loop = self.settings.trial_loop();
        let pool = trial_loop.pool().map_err(SampleError::from)?;
        let total = self.settings.count();
        let done = AtomicU64::new(trials.start - self.settings.trials.start);
        let mut first = trials.start;
        while first < trials.end {
            let end = first.saturating_add(group).min(trials.end);
            let fair = (end - first).div_ceil(8 * pool.current_num_threads() as u64);
            let stretch = Stretch {
                trials: first..end,
                block: fair.clamp(1, LARGEST_BLOCK),
                until: None,
                done: &done,
                total,
            };
            let reached = trial_loop.run(&pool, stretch, || run.keeper());
            let reached = reached.map_err(SampleError::from)?;
            if reached.next < end {
                return Err(SampleError::from(RunError::Cancelled).into());
            }
            let mut samples = self.empty()?;
            put_together(&mut samples, reached.workers);
            each(samples)?;
            first = end;
        }
        Ok(())
    }

    /// Runs the trials in groups and hands on these metrics of each, month by month, in the order of the trials. `metrics` are
    /// names such as `it_power_mw`; one that is named twice is kept once.
    pub fn stream_months<E: From<SampleError>>(
        &self,
        metrics: &[&str],
        mut each: impl FnMut(MonthlyGroup<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let chosen = self.metric_positions(metrics).map_err(SampleError::from)?;
        let run = self.prepare()?;
        let trial_loop = self.settings.silent_loop();
        let layout = self.model.layout();
        let rows = layout.months * layout.scopes.len();
        let group = (GROUP_ROWS / rows.max(1)).max(1) as u64;
        let mut first = self.settings.trials.start;
        while first < self.settings.trials.end {
            let end = first.saturating_add(group).min(self.settings.trials.end);
            let values = trial_loop.map(
                first..end,
                || run.keeper(),
                |keeper, trial| keeper.months(trial, &chosen),
            );
            each(MonthlyGroup {
                layout,
                first,
                chosen: &chosen,
                values: values.map_err(SampleError::from)?,
            })?;
            if let Some(report) = &self.settings.on_progress {
                report(
                    end - self.settings.trials.start,
                    self.settings.trials.end - self.settings.trials.start,
                );
            }
            first = end;
        }
        Ok(())
    }

    /// Where metrics of these names stand in the layout, each once.
    pub fn metric_positions(&self, metrics: &[&str]) -> Result<Vec<usize>, MeasureError> {
        let layout = self.model.layout();
        let mut chosen: Vec<usize> = Vec::new();
        for wanted in metrics {
            let at = layout.metric_index(wanted).ok_or_else(|| {
                let names = layout.metrics.iter().map(|metric| metric.name.as_str());
                MeasureError::Unknown {
                    scenario: self.model.name().to_owned(),
                    measure: (*wanted).to_owned(),
                    help: name_help(wanted, names),
                }
            })?;
            if !chosen.contains(&at) {
                chosen.push(at);
            }
        }
        Ok(chosen)
    }

    /// The numbers of its trials.
    pub(super) fn trial_numbers(&self) -> Range<u64> {
        self.settings.trials.clone()
    }

    /// The inputs of these trials, drawn without simulating anything, with empty columns for the measures.
    pub(super) fn inputs_of(&self, trials: &[u64]) -> Result<Samples, SampleError> {
        let sampling = (self.model.sampling_of(&self.settings.drawing)).map_err(RunError::from)?;
        let mut samples = self.empty()?;
        let (mut point, mut values) = (Vec::new(), Vec::new());
        for &trial in trials {
            self.model.point(&sampling, trial, &mut point);
            self.model.input_values(&point, &mut values);
            samples.push_inputs(trial, &point, &values);
        }
        Ok(samples)
    }

    /// The model whose trials are run.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// How the inputs are drawn.
    pub fn drawn_by(&self) -> &Drawing {
        &self.settings.drawing
    }

    /// The measures that are kept.
    fn chosen(&self) -> Result<Vec<Measure>, MeasureError> {
        let layout = self.model.layout();
        let mut kept = Vec::new();
        if self.all_measures {
            kept.extend(layout.milestones.iter().cloned().map(Measure::Milestone));
            let targets = layout.targets.iter().map(|target| target.name.clone());
            kept.extend(targets.map(Measure::Target));
            let outcomes = layout.outcomes.iter().map(|outcome| outcome.name.clone());
            kept.extend(outcomes.map(Measure::Outcome));
        }
        for text in &self.measures {
            let measure = Measure::find(text, self.model.name(), layout)?;
            if !kept.contains(&measure) {
                kept.push(measure);
            }
        }
        Ok(kept)
    }

    fn check_trials(&self) -> Result<(), RunError> {
        if self.settings.trials.is_empty() {
            return Err(RunError::NoTrials);
        }
        let design = self.settings.drawing.design();
        Ok(design.check_trials(self.settings.trials.end)?)
    }

    fn prepare(&self) -> Result<PreparedRun<'_>, SampleError> {
        self.check_trials()?;
        let (name, layout) = (self.model.name(), self.model.layout());
        let places = self.chosen()?;
        Ok(PreparedRun {
            model: self.model,
            sampling: (self.model.sampling_of(&self.settings.drawing)).map_err(RunError::from)?,
            places: (places.iter())
                .map(|measure| measure.place(name, layout))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A run whose measures have been found.
struct PreparedRun<'a> {
    model: &'a Model,
    sampling: Sampling,
    places: Vec<RowPlace>,
}

impl PreparedRun<'_> {
    fn keeper(&self) -> Keeper<'_> {
        Keeper {
            run: self,
            workspace: Workspace::default(),
            row: TrialRow::new(self.model.layout().clone()),
            point: Vec::new(),
            values: Vec::new(),
            blocks: Vec::new(),
        }
    }
}

/// Metrics of a few trials in a row, month by month.
#[derive(Clone, Debug)]
pub struct MonthlyGroup<'a> {
    layout: &'a Layout,
    first: u64,
    chosen: &'a [usize],
    /// By trial: the chosen metrics, one after the other, each scope by scope and month by month.
    values: Vec<Vec<f64>>,
}

impl MonthlyGroup<'_> {
    /// The numbers of the trials.
    pub fn trials(&self) -> Range<u64> {
        self.first..self.first + self.values.len() as u64
    }

    /// How many rows a trial has: scopes x months, the months of one scope together.
    pub fn rows(&self) -> usize {
        self.layout.scopes.len() * self.layout.months
    }

    /// A metric, by its position among those that were asked for, in each row of each trial.
    pub fn metric(&self, position: usize) -> impl Iterator<Item = f64> + Clone {
        let rows = self.rows();
        let range = position * rows..(position + 1) * rows;
        (self.values.iter()).flat_map(move |list| list[range.clone()].iter().copied())
    }

    /// How many metrics were asked for.
    pub fn metrics(&self) -> usize {
        self.chosen.len()
    }

    /// What a trial has in a row, metric by metric.
    pub fn row(&self, trial: usize, row: usize) -> impl Iterator<Item = f64> {
        self.values[trial]
            .iter()
            .skip(row)
            .step_by(self.rows())
            .copied()
    }
}

/// What one thread keeps of its trials.
struct Keeper<'a> {
    run: &'a PreparedRun<'a>,
    workspace: Workspace,
    row: TrialRow,
    point: Vec<f64>,
    values: Vec<f64>,
    blocks: Vec<Block>,
}

/// A few trials in a row: their columns one after the other.
struct Block {
    trials: Range<u64>,
    columns: Vec<f64>,
}

impl Keeper<'_> {
    /// The months of metrics in one trial.
    fn months(&mut self, trial: u64, metrics: &[usize]) -> Vec<f64> {
        let PreparedRun {
            model, sampling, ..
        } = self.run;
        model.simulate_by(sampling, trial, &mut self.workspace, &mut self.row);
        let row = &self.row;
        let scopes = row.layout().scopes.len();
        let metrics = metrics
            .iter()
            .flat_map(|&metric| (0..scopes).flat_map(move |scope| row.monthly(scope, metric)));
        metrics.copied().collect()
    }
}

impl Worker for Keeper<'_> {
    fn run(&mut self, trials: Range<u64>) -> Result<(), RunError> {
        let PreparedRun {
            model,
            sampling,
            places,
        } = self.run;
        let count = (trials.end - trials.start) as usize;
        let inputs = model.input_count();
        let mut columns = vec![0.0; (2 * inputs + places.len()) * count];
        let mut last: Option<(Noise, usize)> = None;
        for (at, trial) in trials.clone().enumerate() {
            let noise = model.point(sampling, trial, &mut self.point);
            let is_repeated = last.is_some_and(|(before, row)| {
                before == noise && column_of(&columns, count, row).take(inputs).eq(&self.point)
            });
            if !is_repeated {
                model.input_values(&self.point, &mut self.values);
                model.simulate_inputs(&self.values, noise, &mut self.workspace, &mut self.row);
            }
            last = Some((noise, at));
            let measures = places.iter().map(|place| place.of(&self.row));
            let all = (self.point.iter().copied())
                .chain(self.values.iter().copied())
                .chain(measures);
            for (column, value) in columns.chunks_exact_mut(count).zip(all) {
                column[at] = value;
            }
        }
        self.blocks.push(Block { trials, columns });
        Ok(())
    }
}

/// The numbers of one trial of a block, column by column.
fn column_of(columns: &[f64], count: usize, row: usize) -> impl Iterator<Item = &f64> {
    columns.iter().skip(row).step_by(count)
}

/// Fills in the samples of blocks that several threads have.
fn put_together(samples: &mut Samples, keepers: Vec<Keeper<'_>>) {
    let mut blocks: Vec<Block> = keepers
        .into_iter()
        .flat_map(|keeper| keeper.blocks)
        .collect();
    blocks.sort_unstable_by_key(|block| block.trials.start);
    let total = blocks
        .iter()
        .map(|block| (block.trials.end - block.trials.start) as usize)
        .sum();
    for block in &blocks {
        samples.trials_mut().extend(block.trials.clone());
    }
    for (position, column) in samples.columns_mut().enumerate() {
        column.reserve_exact(total);
        for block in &blocks {
            let count = (block.trials.end - block.trials.start) as usize;
            column.extend_from_slice(&block.columns[position * count..(position + 1) * count]);
        }
    }
}

#[cfg(test)]
#[cfg(feature = "files")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Scenario;
    use crate::sampling::design::Design;
    use crate::sampling::ensemble::Ensemble;

    fn qingyang() -> Model {
        let scenario = Scenario::from_path("examples/qingyang.toml").unwrap();
        scenario.compile().unwrap()
    }

    #[test]
    #[ignore = "slow"]
    fn samples_are_the_inputs_and_results_of_the_trials_on_any_number_of_threads() {
        let model = qingyang();
        let run = |threads| {
            let run = SampleRun::new(&model).all_measures().threads(threads);
            run.measures(["it_power_mw@2026-03", "it_power_mw@total"])
                .trial_range(40..140)
                .seed(3)
        };
        let samples = run(1).run().unwrap();
        assert_eq!(samples, run(3).run().unwrap());
        assert!(samples.trials().iter().copied().eq(40..140));
        let mut workspace = Workspace::default();
        let mut row = TrialRow::new(model.layout().clone());
        let mut drawn = Vec::new();
        for (at, trial) in (40..140).enumerate().step_by(17) {
            model.simulate(3, trial, &mut workspace, &mut row);
            model.draw_inputs(3, trial, &mut drawn);
            let values: Vec<f64> = samples.inputs().iter().map(|one| one.values[at]).collect();
            assert_eq!(values, drawn);
            let metric = model.layout().metric_index("it_power_mw").unwrap();
            let by_month = row.monthly(0, metric);
            let of = |name: &str| samples.measure(name).unwrap().values[at];
            let month = Measure::find("it_power_mw@2026-03", "", model.layout()).unwrap();
            let place = month.place("", model.layout()).unwrap();
            assert_eq!(of("it_power_mw@2026-03"), place.of(&row));
            assert_eq!(of("it_power_mw@total"), by_month.iter().sum::<f64>());
            let milestone = model.layout().milestone_index("Qingyang/A1 live").unwrap();
            assert_eq!(of("Qingyang/A1 live"), row.milestones()[milestone]);
        }
        let mut streamed = Vec::new();
        let in_groups = run(2).stream(33, |group| {
            streamed.extend_from_slice(&group.measure("Qingyang/A1 live").unwrap().values);
            Ok::<_, SampleError>(())
        });
        in_groups.unwrap();
        assert_eq!(
            streamed,
            samples.measure("Qingyang/A1 live").unwrap().values
        );
    }

    /// An ensemble of the points of a run is that run again; a member that counts twice is there twice.
    #[test]
    fn an_ensemble_runs_its_members_as_often_as_they_count() {
        let model = qingyang();
        let plain = SampleRun::new(&model).all_measures().trials(20).seed(5);
        let plain = plain.run().unwrap();
        let sampling = model.sampling(Design::Random, 5).unwrap();
        let mut ensemble = Ensemble::new(model.input_names(), 5).unwrap();
        let mut point = Vec::new();
        for trial in 0..20 {
            let noise = model.point(&sampling, trial, &mut point);
            ensemble.push(&point, noise.trial, 1 + trial % 3).unwrap();
        }
        let trials = ensemble.trials();
        let again = SampleRun::new(&model)
            .all_measures()
            .drawing(Drawing::of(Arc::new(ensemble.clone())))
            .trials(trials);
        let again = again.run().unwrap();
        for (column, repeated) in plain.measures().iter().zip(again.measures()) {
            let expected = (0..trials).map(|trial| column.values[ensemble.member_of(trial)]);
            let same = |(a, b): (f64, &f64)| a.to_bits() == b.to_bits();
            assert!(expected.zip(&repeated.values).all(same));
        }
        let beyond = SampleRun::new(&model).drawing(Drawing::of(Arc::new(ensemble)));
        assert!(beyond.trials(trials + 1).run().is_err());
    }
}
