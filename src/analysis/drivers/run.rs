//! Runs trials of a model and estimates what drives its results.

use std::sync::Arc;

use super::groups::{Group, groups_by_name};
use super::report::{Confirmed, DriversReport, ResultDrivers};
use super::screening::{ElementaryEffect, elementary_effects};
use super::totals::{Factor, PointWithNoise, variance_shares};
use super::{
    Drivers, DriversError, GivenInput, GivenTrials, LEAST_TRIALS, ResultKind, given_drivers,
};
use crate::model::Model;
use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::kept_runs::KeptRuns;
use crate::monte_carlo::sample_run::{SampleError, SampleRun};
use crate::monte_carlo::settings::{RunSettings, setting_methods};
use crate::monte_carlo::stop::{GoalError, KnownTo, Until};
use crate::projection::{MeasureColumn, MeasureKind, Samples};
use crate::sampling::design::{Design, Drawing};
use crate::sampling::ensemble::{Ensemble, EnsembleError};
use crate::uncertain::normal_quantile;

/// How many trials each of the two samples has by which total indices are confirmed.
pub const DEFAULT_CONFIRMING_TRIALS: u64 = 2_000;

/// Why it was not reported what drives results of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriversRunError {
    /// The trials did not run, or do not yield the result.
    #[error(transparent)]
    Samples(#[from] SampleError),
    /// They do not.
    #[error(transparent)]
    Drivers(#[from] DriversError),
    /// No result was named, and the model has no target and no milestone.
    #[error(
        "the scenario has no target and no milestone\n  help: name a metric with its month, such as it_power_mw@2027-12, or an outcome"
    )]
    NothingToExplain,
    /// Trials of their own need inputs that are drawn independently.
    #[error(
        "runs of their own (confirming, screening) need independent trials, not the design \"{0}\""
    )]
    Design(Design),
    /// A result is no number in some trials.
    #[error("\"{0}\" is no number in some trials: its indices cannot be confirmed")]
    NotANumber(String),
    /// A point is not one: this is a fault of the analysis.
    #[error(transparent)]
    Point(#[from] EnsembleError),
    /// What is to be known cannot be pursued.
    #[error(transparent)]
    Goal(#[from] GoalError),
}

/// A search for what drives results of a model.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "files")] {
/// use buildout::Scenario;
/// use buildout::analysis::drivers::run::DriversRun;
///
/// let model = Scenario::from_path("examples/first.toml")?.compile()?;
/// let report = DriversRun::new(&model).of(["A1 live"]).trials(500).seed(1).run()?;
/// let drivers = &report.results[0].drivers;
/// assert!(drivers.inputs[0].first_order.value > drivers.noise_floor.first_order);
/// # }
/// # Ok(())
/// # }
/// ```
pub struct DriversRun<'a> {
    model: &'a Model,
    of: Vec<String>,
    settings: RunSettings<'a>,
    groups: Vec<(String, Vec<String>)>,
    failures: bool,
    confirm: Option<(usize, u64)>,
    screen: Option<u64>,
    until: Option<Until<f64>>,
}

impl<'a> DriversRun<'a> {
    /// A search for what drives the target of `model` that is the least sure, or its last milestone, in 10,000 trials.
    pub fn new(model: &'a Model) -> Self {
        Self {
            model,
            of: Vec::new(),
            settings: RunSettings::default(),
            groups: Vec::new(),
            failures: false,
            confirm: None,
            screen: None,
            until: None,
        }
    }

    /// Asks of these results: see [`Measure`](crate::projection::Measure).
    #[must_use]
    pub fn of<N: Into<String>>(mut self, results: impl IntoIterator<Item = N>) -> Self {
        self.of.extend(results.into_iter().map(Into::into));
        self
    }

    /// Asks of a group of inputs that fit any of these patterns, beside those that names suggest.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>, patterns: Vec<String>) -> Self {
        self.groups.push((name.into(), patterns));
        self
    }

    /// Tells under which conditions a target is missed.
    #[must_use]
    pub fn failures(mut self, yes: bool) -> Self {
        self.failures = yes;
        self
    }

    /// Confirms the leading inputs by pick-freeze runs of two samples of `base` trials.
    #[must_use]
    pub fn confirm(mut self, inputs: usize, base: u64) -> Self {
        self.confirm = Some((inputs, base));
        self
    }

    /// Screens all inputs along this many trajectories.
    #[must_use]
    pub fn screen(mut self, trajectories: u64) -> Self {
        self.screen = Some(trajectories);
        self
    }

    /// Runs until the first-order index of every input is known to ± so much, the one goal, or to the most trials. One looks after the
    /// least number of trials, and each time they have doubled; all looks together have the confidence, which they share
    /// evenly.
    #[must_use]
    pub fn until(mut self, until: Until<f64>) -> Self {
        self.until = Some(until);
        self
    }

    setting_methods!(
        trials,
        seed,
        drawing,
        threads,
        on_progress,
        cancelled_by,
        kept
    );

    /// The run of trials whose samples [`Self::explain`] reads.
    pub fn sample_run(&self) -> SampleRun<'_> {
        let run = self.settings.sample_run(self.model);
        let layout = self.model.layout();
        if !self.of.is_empty() {
            return run.measures(self.of.iter());
        }
        let targets = layout.targets.iter().map(|target| &target.name);
        run.measures(targets).measures(layout.milestones.last())
    }

    fn started(&self, drawing: Drawing) -> SampleRun<'_> {
        self.settings.sample_run(self.model).drawing(drawing)
    }

    /// Runs the trials and estimates what drives the results.
    pub fn run(&self) -> Result<DriversReport, DriversRunError> {
        let Some(until) = &self.until else {
            return self.explain(&self.sample_run().run()?);
        };
        self.run_until(until)
    }

    fn run_until(&self, until: &Until<f64>) -> Result<DriversReport, DriversRunError> {
        let design = self.settings.drawing.design();
        until.check_numbers()?;
        if design != Design::Random {
            return Err(GoalError::Dependent(design).into());
        }
        let own = KeptRuns::new();
        let kept = self.settings.kept.unwrap_or(&own);
        let looks: Vec<u64> = until.doublings().collect();
        let z = normal_quantile(1.0 - (1.0 - until.confidence) / (2.0 * looks.len() as f64));
        // Runs of their own come once, after the last look.
        let glance = DriversRun {
            confirm: None,
            screen: None,
            settings: self.settings.of_run(0, 1),
            of: self.of.clone(),
            groups: self.groups.clone(),
            until: None,
            ..*self
        };
        for trials in looks {
            let samples = self.sample_run().trials(trials).kept(kept).run()?;
            let mut report = glance.explain(&samples)?;
            let inputs = (report.results.iter()).flat_map(|result| &result.drivers.inputs);
            let half_width = inputs
                .map(|input| z * input.first_order.std_error)
                .fold(0.0, f64::max);
            let known = KnownTo::new(until, half_width);
            if known.is_reached || trials == until.at_most {
                if self.confirm.is_some() || self.screen.is_some() {
                    report = self.explain(&samples)?;
                }
                report.known_to = Some(known);
                return Ok(report);
            }
        }
        Err(SampleError::from(RunError::NoTrials).into())
    }

    /// Tells what drives the results of trials that were run by [`Self::sample_run`].
    pub fn explain(&self, samples: &Samples) -> Result<DriversReport, DriversRunError> {
        if let Design::Ensemble { effective, .. } = self.settings.drawing.design()
            && effective < LEAST_TRIALS as u64
        {
            return Err(DriversError::FewEffective { effective }.into());
        }
        let names: Vec<&str> = samples
            .inputs()
            .iter()
            .map(|input| input.name.as_str())
            .collect();
        let mut groups = Vec::new();
        for (name, patterns) in &self.groups {
            groups.push(Group::new(name.clone(), patterns, &names)?);
        }
        groups.extend(groups_by_name(&names));
        let results = (self.asked(samples)?.into_iter())
            .map(|measure| self.result(samples, measure, &groups))
            .collect::<Result<Vec<ResultDrivers>, DriversRunError>>()?;
        let provenance = samples.provenance();
        Ok(DriversReport {
            scenario: provenance.scenario.clone(),
            version: provenance.version.clone(),
            seed: provenance.seed,
            trials: samples.len() as u64,
            results,
            known_to: None,
        })
    }

    /// The measures that were asked for; else the target that is the least sure, else the milestone.
    fn asked<'s>(&self, samples: &'s Samples) -> Result<Vec<&'s MeasureColumn>, DriversRunError> {
        if !self.of.is_empty() {
            return Ok(samples.measures().iter().collect());
        }
        let is_target = |measure: &&MeasureColumn| measure.label.kind == MeasureKind::Target;
        let unsure = |measure: &MeasureColumn| {
            let met = measure.values.iter().sum::<f64>() / measure.values.len() as f64;
            (met - 0.5).abs()
        };
        let least_sure = (samples.measures().iter().filter(is_target))
            .min_by(|a, b| unsure(a).total_cmp(&unsure(b)));
        let chosen = least_sure.or_else(|| samples.measures().last());
        chosen
            .map(|measure| vec![measure])
            .ok_or(DriversRunError::NothingToExplain)
    }

    fn result(
        &self,
        samples: &Samples,
        measure: &MeasureColumn,
        groups: &[Group],
    ) -> Result<ResultDrivers, DriversRunError> {
        let label = &measure.label;
        let correlated = self.model.correlated_inputs();
        let inputs = (samples.inputs().iter().enumerate()).map(|(position, input)| GivenInput {
            name: &input.name,
            values: &input.values,
            is_correlated: correlated.contains(&position),
        });
        let given = GivenTrials {
            inputs: inputs.collect(),
            name: &label.name,
            kind: match label.kind {
                MeasureKind::Target => ResultKind::Target,
                MeasureKind::Milestone => ResultKind::Date,
                _ => ResultKind::Number,
            },
            unit: match label.kind {
                MeasureKind::Target => "",
                _ => &label.unit,
            },
            result: &measure.values,
            horizon_months: self.model.layout().months as f64,
            seed: samples.provenance().seed,
        };
        let failures = self.failures && given.kind == ResultKind::Target;
        let drivers = given_drivers(&given, groups, failures)?;
        let own_trials = OwnTrials {
            run: self,
            given: &given,
        };
        let confirmed = match self.confirm {
            Some((leading, base)) => Some(own_trials.confirm(&drivers, leading, base)?),
            None => None,
        };
        let screened = match self.screen {
            Some(trajectories) => Some(own_trials.screen(trajectories)?),
            None => None,
        };
        Ok(ResultDrivers {
            drivers,
            confirmed,
            screened,
        })
    }
}

/// Trials beyond the given ones, whose inputs the analysis chooses.
struct OwnTrials<'a> {
    run: &'a DriversRun<'a>,
    given: &'a GivenTrials<'a>,
}

impl OwnTrials<'_> {
    /// Runs these points and returns the result of each. Process noise is numbered from after the given trials.
    fn evaluate(&self, points: &[PointWithNoise]) -> Result<Vec<f64>, DriversRunError> {
        let names = self.given.inputs.iter().map(|input| input.name);
        let mut ensemble = Ensemble::new(names, self.run.settings.drawing.seed())?;
        for at in points {
            ensemble.push(&at.point, self.run.settings.trials.end + at.noise, 1)?;
        }
        let run = (self.run.started(Drawing::of(Arc::new(ensemble))))
            .trials(points.len() as u64)
            .measures([self.given.name]);
        let measured = run.measured()?.into_iter().flatten();
        let results: Vec<f64> = measured
            .map(|value| match self.given.kind {
                ResultKind::Date => value.min(self.given.horizon_months),
                _ => value,
            })
            .collect();
        if results.iter().any(|value| !value.is_finite()) {
            return Err(DriversRunError::NotANumber(self.given.name.to_owned()));
        }
        Ok(results)
    }

    fn check_design(&self) -> Result<(), DriversRunError> {
        match self.run.settings.drawing.design() {
            Design::Ensemble { .. } => {
                Err(DriversRunError::Design(self.run.settings.drawing.design()))
            }
            _ => Ok(()),
        }
    }

    fn confirm(
        &self,
        drivers: &Drivers,
        leading: usize,
        base: u64,
    ) -> Result<Confirmed, DriversRunError> {
        self.check_design()?;
        let factors = self.factors(drivers, leading);
        let (model, seed) = (self.run.model, self.run.settings.drawing.seed());
        let sampling = model.sampling(Design::Random, seed);
        let sampling = sampling.map_err(|error| SampleError::from(crate::RunError::from(error)))?;
        let point = |trial: u64| {
            let mut point = Vec::new();
            model.point(&sampling, self.run.settings.trials.end + trial, &mut point);
            point
        };
        let mut trials = 0;
        let factors = variance_shares(&factors, base, seed, point, |points| {
            trials = points.len() as u64;
            self.evaluate(points)
        })?;
        Ok(Confirmed {
            base,
            trials,
            factors,
        })
    }

    /// The leading inputs. Those that the scenario correlates are exchanged all together: exchanged alone, one would
    /// bring together values that do not go together.
    fn factors(&self, drivers: &Drivers, leading: usize) -> Vec<Factor> {
        let correlated = self.run.model.correlated_inputs();
        let mut factors: Vec<Factor> = Vec::new();
        for input in drivers.inputs.iter().take(leading) {
            let position = self
                .given
                .inputs
                .iter()
                .position(|given| given.name == input.name);
            let Some(position) = position else { continue };
            let (name, inputs) = if correlated.contains(&position) {
                let name = format!("the {} correlated inputs", correlated.len());
                (name, correlated.to_vec())
            } else {
                (input.name.clone(), vec![position])
            };
            if factors.iter().all(|factor| factor.name != name) {
                factors.push(Factor { name, inputs });
            }
        }
        factors
    }

    fn screen(&self, trajectories: u64) -> Result<Vec<ElementaryEffect>, DriversRunError> {
        self.check_design()?;
        let names: Vec<String> = self
            .given
            .inputs
            .iter()
            .map(|input| input.name.to_owned())
            .collect();
        elementary_effects(
            &names,
            trajectories,
            self.run.settings.drawing.seed(),
            |points| {
                let points: Vec<PointWithNoise> = (points.iter())
                    .map(|(point, noise)| PointWithNoise {
                        point: point.clone(),
                        noise: *noise,
                    })
                    .collect();
                self.evaluate(&points)
            },
        )
    }
}
