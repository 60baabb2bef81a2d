//! Scenarios against each other, with common random numbers.
//!
//! Each trial is simulated in every scenario with the same numbers of all sources that they share ([`paired`](super::paired)),
//! and a [`Measure`] is read off each. What is said of a difference A - B comes from the differences trial
//! by trial:
//!
//! - its mean, with the confidence interval mean ± z s / sqrt(n), s being the standard deviation of the differences and
//!   z the quantile of the normal distribution;
//! - the shares of trials in which A is greater, less or equal: P(A beats B), whichever of the two is winning;
//! - by how many times fewer trials that takes than independent trials in each scenario:
//!   (var A + var B) / var(A - B), which is 1 where the two have nothing in common.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "files")] {
//! use buildout::Scenario;
//! use buildout::analysis::compare::Comparison;
//!
//! let base = Scenario::from_path("examples/qingyang.toml")?.compile()?;
//! let slow = Scenario::from_path("examples/qingyang-slow-grid.toml")?.compile()?;
//! let compared = Comparison::new([("as planned", &base), ("slow grid", &slow)])
//!     .measures(["installed_pflops@2026-12", "Qingyang/park substation energised"])
//!     .trials(100)
//!     .run()?;
//! let lost = &compared.differences[0];
//! assert!(lost.high.is_some_and(|high| high < 0.0) && lost.fewer_trials.is_some_and(|times| times > 2.0));
//! # }
//! # Ok(())
//! # }
//! ```

mod compared;
mod goals;
mod matrix;
mod parts;

use super::decide::evaluate::Questions;
use super::decide::run::{DecideError, check_trials};
use super::decide::{Constraint, Objective};
use super::paired::PairedError;
use crate::date::Date;
use crate::model::Model;
use crate::monte_carlo::batch::RunError;
use crate::monte_carlo::settings::{RunSettings, setting_methods};
use crate::monte_carlo::stop::{GoalError, Until};
use crate::problem::name_help;
use crate::projection::MeasureError;

pub(crate) use crate::projection::SHARE;
pub use crate::projection::{Measure, MeasureKind, MeasureLabel, MetricTime};
pub use compared::{Compared, ComparedScenario, Difference, Level};
use goals::Asked;
pub use goals::{ComparisonGoal, KnownGoal, KnownGoals};
pub use matrix::{Matrix, MatrixError};
pub use parts::{COMPARISON_OF, PreparedComparison};

/// The confidence of intervals by default.
pub const DEFAULT_CONFIDENCE: f64 = 0.95;

/// Why scenarios cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// There is nothing to compare.
    #[error("a comparison needs two scenarios or more: there {}", if *.0 == 1 { "is 1" } else { "are none" })]
    TooFew(usize),
    /// Two have one name.
    #[error("two scenarios are named \"{0}\": each needs a name of its own")]
    SameName(String),
    /// What the others are to be compared with is not there.
    #[error("there is no scenario \"{wanted}\" to compare the others with\n  help: {help}")]
    Baseline {
        /// The name that was asked for.
        wanted: String,
        /// The nearest name.
        help: String,
    },
    /// Times are counted from different months.
    #[error("\"{one}\" begins in {} and \"{other}\" in {}: only scenarios that begin together can be compared", starts[0], starts[1])]
    Starts {
        /// A scenario.
        one: String,
        /// Another.
        other: String,
        /// When they begin.
        starts: [Date; 2],
    },
    /// A scenario does not yield a measure.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// Plans and worlds do not fit the scenarios.
    #[error(
        "a matrix of {plans} plans and {worlds} worlds does not name each of {scenarios} scenarios once"
    )]
    Matrix {
        /// How many plans.
        plans: usize,
        /// How many worlds.
        worlds: usize,
        /// How many scenarios.
        scenarios: usize,
    },
    /// There is nothing by which to compare.
    #[error(
        "there is nothing to compare the scenarios by: name a metric, milestone, target or outcome"
    )]
    NoMeasures,
    /// The confidence is out of range.
    #[error("the confidence is {0}: it must be above 0 and below 1")]
    Confidence(f64),
    /// A goal has no meaning.
    #[error("{goal} cannot be known: {reason}")]
    Goal {
        /// The goal.
        goal: String,
        /// Why, and what to ask instead.
        reason: String,
    },
    /// The numbers of goals are out of range.
    #[error(transparent)]
    Goals(#[from] GoalError),
    /// The trials did not run.
    #[error(transparent)]
    Trials(#[from] PairedError),
    /// No plan can be chosen.
    #[error(transparent)]
    Decision(#[from] DecideError),
}

impl From<RunError> for CompareError {
    fn from(error: RunError) -> Self {
        Self::Trials(error.into())
    }
}

/// A comparison about to run.
pub struct Comparison<'a> {
    scenarios: Vec<(String, &'a Model)>,
    baseline: Option<String>,
    matrix: Option<Matrix>,
    measures: Vec<String>,
    settings: RunSettings<'a>,
    confidence: f64,
    until: Option<Until<ComparisonGoal>>,
    wanted: Option<(Objective, Vec<Constraint>)>,
}

impl<'a> Comparison<'a> {
    /// A comparison of these scenarios by name, the others with the first, in [`DEFAULT_TRIALS`](crate::monte_carlo::batch::DEFAULT_TRIALS) trials of seed 0.
    pub fn new<N: Into<String>>(scenarios: impl IntoIterator<Item = (N, &'a Model)>) -> Self {
        let scenarios = scenarios.into_iter();
        Self {
            scenarios: scenarios
                .map(|(name, model)| (name.into(), model))
                .collect(),
            baseline: None,
            matrix: None,
            measures: Vec::new(),
            settings: RunSettings::default(),
            confidence: DEFAULT_CONFIDENCE,
            until: None,
            wanted: None,
        }
    }

    /// Compares the others with this one.
    #[must_use]
    pub fn baseline(mut self, name: impl Into<String>) -> Self {
        self.baseline = Some(name.into());
        self
    }

    /// Takes the scenarios for plans in worlds: each is compared with the first plan in the same world, rather than with one
    /// baseline.
    #[must_use]
    pub fn matrix(mut self, matrix: Matrix) -> Self {
        self.matrix = Some(matrix);
        self
    }

    /// By what they are compared: see [`Measure`]. By default: the power that is live and in service at
    /// the end, and all targets and outcomes that all scenarios have.
    #[must_use]
    pub fn measures<N: Into<String>>(mut self, measures: impl IntoIterator<Item = N>) -> Self {
        self.measures.extend(measures.into_iter().map(N::into));
        self
    }

    /// Runs until all goals are known, or to the most trials, instead of a number of trials: see
    /// [`stop`](crate::monte_carlo::stop). What comes out is the same as from this many trials that were asked for.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "files")] {
    /// use buildout::Scenario;
    /// use buildout::analysis::compare::{Comparison, ComparisonGoal};
    /// use buildout::monte_carlo::stop::Until;
    ///
    /// let base = Scenario::from_path("examples/qingyang.toml")?.compile()?;
    /// let slow = Scenario::from_path("examples/qingyang-slow-grid.toml")?.compile()?;
    /// let median = ComparisonGoal::Quantile { of: "Qingyang/B4 live".into(), p: 0.5, within: 2.0 };
    /// let delay = ComparisonGoal::Difference { of: "Qingyang/B4 live".into(), within: 1.0 };
    /// let until = Until { at_least: 100, at_most: 1_000, ..Until::new(vec![median, delay]) };
    /// let compared = Comparison::new([("as planned", &base), ("slow grid", &slow)])
    ///     .measures(["Qingyang/B4 live"])
    ///     .until(until)
    ///     .run()?;
    /// let goals = compared.goals.expect("there were some");
    /// // The median in both, the delay of one.
    /// assert_eq!(goals.known.len(), 3);
    /// assert!(goals.are_reached() || compared.trials == 1_000);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn until(mut self, until: Until<ComparisonGoal>) -> Self {
        self.until = Some(until);
        self
    }

    /// Also chooses among the plans of the [matrix](Self::matrix) by an objective and what must hold.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "files")] {
    /// use buildout::Scenario;
    /// use buildout::analysis::compare::{Comparison, Matrix};
    ///
    /// let file = "examples/comparisons/wholesale.toml";
    /// let stated = Scenario::load_comparison(file, &[])?.expect("it states a comparison");
    /// let mut cases = Vec::new();
    /// for case in &stated.cases {
    ///     cases.push((case.name.as_str(), case.scenario.compile()?));
    /// }
    /// let compared = Comparison::new(cases.iter().map(|(name, model)| (*name, model)))
    ///     .matrix(Matrix::of_file(&stated, &[], &[])?)
    ///     .measures(["npv"])
    ///     .decision("maximise mean(npv)".parse()?, [])
    ///     .trials(100)
    ///     .run()?;
    /// let choice = compared.decision.expect("it was asked for").choice;
    /// assert_eq!((choice.plans.len(), choice.worlds.len()), (4, 3));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn decision(
        mut self,
        objective: Objective,
        constraints: impl IntoIterator<Item = Constraint>,
    ) -> Self {
        self.wanted = Some((objective, constraints.into_iter().collect()));
        self
    }

    /// Sets the confidence of intervals, above 0 and below 1.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }

    setting_methods!(trials, seed, drawing, threads, on_progress, cancelled_by);

    /// Refuses what cannot be compared, without a trial; returns the measures.
    pub fn check(&self) -> Result<Vec<Measure>, CompareError> {
        if self.scenarios.len() < 2 {
            return Err(CompareError::TooFew(self.scenarios.len()));
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(CompareError::Confidence(self.confidence));
        }
        let (first, first_model) = &self.scenarios[0];
        for (position, (name, model)) in self.scenarios.iter().enumerate() {
            if self.scenarios[..position]
                .iter()
                .any(|(other, _)| other == name)
            {
                return Err(CompareError::SameName(name.clone()));
            }
            let starts = [first_model.layout().start, model.layout().start];
            if starts[0] != starts[1] {
                return Err(CompareError::Starts {
                    one: first.clone(),
                    other: name.clone(),
                    starts,
                });
            }
        }
        self.baseline_at()?;
        if let Some(matrix) = &self.matrix {
            matrix.check(self.scenarios.len())?;
        }
        let mut measures = Vec::new();
        for text in &self.measures {
            let measure = self.measure(text)?;
            if !measures.contains(&measure) {
                measures.push(measure);
            }
        }
        if self.measures.is_empty() {
            measures = self.usual_measures();
        }
        if measures.is_empty() {
            return Err(CompareError::NoMeasures);
        }
        self.asked()?;
        self.check_decision()?;
        Ok(measures)
    }

    /// What is asked of the plans, if one is to be chosen.
    fn questions(&self) -> Option<Questions<'_>> {
        let (objective, constraints) = self.wanted.as_ref()?;
        Some(Questions {
            objectives: std::slice::from_ref(objective),
            constraints,
        })
    }

    fn check_decision(&self) -> Result<(), CompareError> {
        let Some(questions) = self.questions() else {
            return Ok(());
        };
        let Some(matrix) = &self.matrix else {
            return Err(DecideError::NoMatrix.into());
        };
        if matrix.plans.len() < 2 {
            return Err(DecideError::TooFewPlans(matrix.plans.len()).into());
        }
        let trials = (self.until.as_ref()).map_or(self.settings.count(), |until| until.at_least);
        check_trials(trials, self.settings.drawing.design())?;
        questions.check(self.scenarios[0].1)?;
        questions
            .measures()
            .try_for_each(|text| self.measure(text).map(|_| ()))
    }

    /// What a text means in all scenarios.
    fn measure(&self, text: &str) -> Result<Measure, CompareError> {
        let (first, model) = &self.scenarios[0];
        let measure = Measure::find(text, first, model.layout())?;
        for (name, model) in &self.scenarios[1..] {
            measure.place(name, model.layout())?;
        }
        Ok(measure)
    }

    fn asked(&self) -> Result<Option<Asked<'_>>, CompareError> {
        (self.until.as_ref())
            .map(|until| Asked::of(until, self))
            .transpose()
    }

    fn usual_measures(&self) -> Vec<Measure> {
        let layout = self.scenarios[0].1.layout();
        let metrics = ["it_power_mw", "in_service_power_mw"].map(|metric| Measure::Metric {
            metric: metric.to_owned(),
            campus: None,
            at: MetricTime::End,
        });
        let targets = layout
            .targets
            .iter()
            .map(|known| Measure::Target(known.name.clone()));
        let outcomes = (layout.outcomes.iter()).map(|known| Measure::Outcome(known.name.clone()));
        let have_it = |measure: &Measure| {
            (self.scenarios.iter()).all(|(name, model)| measure.place(name, model.layout()).is_ok())
        };
        metrics
            .into_iter()
            .chain(targets)
            .chain(outcomes)
            .filter(have_it)
            .collect()
    }

    fn baseline_at(&self) -> Result<usize, CompareError> {
        if let Some(matrix) = &self.matrix {
            return Ok(matrix.first());
        }
        let Some(wanted) = &self.baseline else {
            return Ok(0);
        };
        let names = self.scenarios.iter().map(|(name, _)| name.as_str());
        names
            .clone()
            .position(|name| name == wanted)
            .ok_or_else(|| CompareError::Baseline {
                wanted: wanted.clone(),
                help: name_help(wanted, names),
            })
    }

    /// Runs the trials.
    pub fn run(&self) -> Result<Compared, CompareError> {
        let prepared = self.prepare()?;
        let mut batch = prepared.batch();
        let mut part = batch.begin()?;
        let goals = prepared.advance(&mut batch, &mut part)?;
        let mut compared = prepared.compared(&part, goals)?;
        compared.decision = prepared.decision(&part, "comparison")?;
        Ok(compared)
    }
}

#[cfg(test)]
mod tests;
