//! Running until results are known well enough.
//!
//! "Until the P90 of milestone A1 is known to ±0.1 months and the probability of the target to ±0.01, at 95 %
//! confidence": [`Until`] says so, [`run_until`] runs one scenario or several until it is so for all.
//!
//! # Looking again and again
//! Who looks at an ordinary confidence interval after every thousand trials and stops when it is
//! narrow stops too early too often. Here intervals come from *confidence sequences*: with the stated
//! probability they cover the truth at all numbers of trials at once, so one may look as often as one likes and stop
//! whenever one likes.
//!
//! They are built on the beta-binomial mixture martingale. Of trials of which each succeeds
//! with probability p, let s of t have succeeded. With weights of a Beta(mp, m(1-p)) distribution
//!
//! ```text
//! M(p; s, t) = B(mp + s, m(1-p) + t - s) / B(mp, m(1-p)) / (p^s (1-p)^(t-s))
//! ```
//!
//! is a nonnegative martingale of mean 1, so that by Ville's inequality it ever reaches 1/alpha with probability at most
//! alpha (Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of
//! Mathematical Statistics 41, 1970; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform,
//! nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49(2), 2021, where it
//! is the two-sided beta-binomial boundary).
//!
//! - **A probability**: the set of all p for which M(p; s, t) < 1/alpha. ln M is convex in p, so it is an interval:
//!   its derivative is f(s, p) - f(t-s, 1-p) with f(s, p) = -sum over i < s of (i/m)/(p (p + i/m)), which rises in p.
//! - **A quantile** at p: the number of trials at or below the true quantile is such an s. It
//!   lies within the counts for which M(p; s, t) < 1/alpha, and the quantile between the order statistics with these ranks
//!   (Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and
//!   best-arm identification", Bernoulli 28(3), 2022). Valid for any distribution, also one with ties or
//!   milestones that are never reached.
//! - **A mean**, for which there is no such count: of t trials with the mean x and the standard deviation s it lies within
//!   x ± s sqrt((t + m) (ln((t + m)/m) + 2 ln(1/alpha))) / t.
//!   This is Robbins' normal mixture, with the standard deviation as estimated. It is *asymptotic*: the confidence holds as the
//!   least number of trials grows, for any distribution with a variance (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
//!   "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 52(6), 2024). As
//!   with every interval from a standard deviation, what no trial has shown is not in it.
//!
//! m says at which number of trials the interval is narrowest beside the best possible one: here at
//! the geometric mean of floor and ceiling, t0, with m = t0 / (2 ln(1/alpha) + ln(1 + 2 ln(1/alpha))) (Howard et
//! al. 2021, section 3.5). Several goals, and several scenarios, share alpha evenly (Bonferroni); looks do not share it,
//! as the intervals hold at all of them together.
//!
//! The price: about two to two and a half times the trials that a single look at a known number of trials would need.
//!
//! Trials must be independent: designs other than random are refused.

mod sequence;

use super::batch::{Batch, RunError};
use super::part::Part;
use crate::projection::{Distribution, Layout, Measure, MetricTime, Projection};
use crate::sampling::design::Design;

pub(crate) use sequence::Sequence;

/// The least number of trials before the first look by default. (an assumption)
pub const DEFAULT_AT_LEAST: u64 = 1_000;
/// The most trials by default. (an assumption)
pub const DEFAULT_AT_MOST: u64 = 10_000_000;
/// By how much the number of trials grows from one look to the next. (an assumption)
const GROWTH: f64 = 1.1;

/// What is to be known.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Goal {
    /// A quantile to ± so much: half the width of its confidence interval.
    Quantile {
        /// Of what: a milestone, an outcome, or a metric at the end of a month.
        of: Measure,
        /// At which probability, above 0 and below 1.
        p: f64,
        /// The greatest half width, in the output's unit, above 0.
        within: f64,
    },
    /// The probability that a target is met, or that a milestone is reached within the horizon, to ± so much.
    Probability {
        /// The name of the target or milestone.
        of: String,
        /// The greatest half width, above 0.
        within: f64,
    },
}

/// When to stop, with goals of a run or of a comparison
/// ([`ComparisonGoal`](crate::analysis::compare::ComparisonGoal)).
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Until<G = Goal> {
    /// What is to be known; all of it.
    pub goals: Vec<G>,
    /// With which probability all intervals hold, at all looks together: above 0, below 1.
    pub confidence: f64,
    /// The least number of trials, 1 or more.
    pub at_least: u64,
    /// The greatest number of trials, at least `at_least`.
    pub at_most: u64,
}

/// Why a goal cannot be pursued.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GoalError {
    /// The scenario has no such output.
    #[error("scenario \"{scenario}\" has no {kind} \"{name}\"{help}")]
    Unknown {
        /// The scenario.
        scenario: String,
        /// What kind of output.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The nearest name.
        help: String,
    },
    /// A number is out of range.
    #[error("{what} is {value}: it must be {allowed}")]
    Range {
        /// Of what.
        what: &'static str,
        /// What was read.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Nothing is asked.
    #[error("there is no goal: say what is to be known, and how well")]
    Nothing,
    /// The trials are not independent.
    #[error(
        "stopping on what has been seen needs independent trials: use the design random instead of {0}"
    )]
    Dependent(Design),
}

/// How well a goal is known.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Known {
    /// The lower end of the confidence interval; -infinity if unknown.
    pub low: f64,
    /// The upper end; infinity if unknown.
    pub high: f64,
    /// Whether it is as narrow as asked.
    pub reached: bool,
}

/// How a run until its goals ended.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Stopped {
    /// After how many trials.
    pub trials: u64,
    /// For each scenario how well each goal is known.
    pub known: Vec<Vec<Known>>,
}

impl Stopped {
    /// Whether all goals of all scenarios were reached.
    pub fn is_reached(&self) -> bool {
        self.known.iter().flatten().all(|known| known.reached)
    }
}

/// How well all numbers of one kind are known at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct KnownTo {
    /// The half width that was asked for.
    pub within: f64,
    /// The widest half width of an interval.
    pub half_width: f64,
    /// With which probability all looks are right.
    pub confidence: f64,
    /// Whether all are as well known as was asked.
    pub is_reached: bool,
}

impl KnownTo {
    /// By the one goal of a run.
    pub(crate) fn new(until: &Until<f64>, half_width: f64) -> Self {
        let within = until.goals.first().copied().unwrap_or(f64::NAN);
        Self {
            within,
            half_width,
            confidence: until.confidence,
            is_reached: half_width <= within,
        }
    }
}

impl<G> Until<G> {
    /// Until `goals` are known at 95 % confidence, with the default floor and ceiling.
    pub fn new(goals: Vec<G>) -> Self {
        Self {
            goals,
            confidence: 0.95,
            at_least: DEFAULT_AT_LEAST,
            at_most: DEFAULT_AT_MOST,
        }
    }

    /// Refuses numbers out of range, whatever the goals ask for.
    pub(crate) fn check_numbers(&self) -> Result<(), GoalError> {
        if self.goals.is_empty() {
            return Err(GoalError::Nothing);
        }
        check_between(self.confidence, "the confidence")?;
        if self.at_least == 0 || self.at_least > self.at_most {
            return Err(GoalError::Range {
                what: "the number of trials",
                value: format!("{} to {}", self.at_least, self.at_most),
                allowed: "1 or more, the least first",
            });
        }
        Ok(())
    }

    /// Numbers of trials after which to look: the floor, then a tenth more each time, up to the ceiling.
    pub(crate) fn looks(&self) -> impl Iterator<Item = u64> + use<G> {
        let most = self.at_most;
        std::iter::successors(Some(self.at_least), move |trials| {
            let next = (*trials as f64 * GROWTH).ceil() as u64;
            (*trials < most).then(|| next.max(trials + 1).min(most))
        })
    }

    /// Numbers of trials after which to look where a look costs much: the floor, then twice as many each time, up to the ceiling.
    pub(crate) fn doublings(&self) -> impl Iterator<Item = u64> + use<G> {
        let most = self.at_most;
        std::iter::successors(Some(self.at_least), move |trials| {
            (*trials < most).then(|| trials.saturating_mul(2).min(most))
        })
    }

    /// The confidence sequence of each of this many intervals (1 or more) that share the confidence evenly.
    pub(crate) fn sequence(&self, intervals: usize) -> Sequence {
        let between = (self.at_least as f64 * self.at_most as f64).sqrt();
        Sequence::new((1.0 - self.confidence) / intervals as f64, between)
    }
}

/// Refuses a share that is not above 0 and below 1.
fn check_between(share: f64, what: &'static str) -> Result<(), GoalError> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    Err(GoalError::Range {
        what,
        value: share.to_string(),
        allowed: "above 0 and below 1",
    })
}

/// Refuses a half width that is not above 0, and the level of a quantile that is not above 0 and below 1.
pub(crate) fn check_goal(within: f64, level: Option<f64>) -> Result<(), GoalError> {
    if within.is_nan() || within <= 0.0 {
        return Err(GoalError::Range {
            what: "the half width of an interval",
            value: within.to_string(),
            allowed: "above 0",
        });
    }
    level.map_or(Ok(()), |p| check_between(p, "the level of a quantile"))
}

impl Until {
    /// Refuses numbers out of range.
    pub fn check(&self) -> Result<(), GoalError> {
        self.check_numbers()?;
        self.goals.iter().try_for_each(|goal| match goal {
            Goal::Quantile { p, within, .. } => check_goal(*within, Some(*p)),
            Goal::Probability { within, .. } => check_goal(*within, None),
        })
    }

    /// How well each goal is known after the independent trials of a projection, when `scenarios` share the confidence.
    pub fn known(
        &self,
        projection: &Projection,
        scenarios: usize,
    ) -> Result<Vec<Known>, GoalError> {
        let sequence = self.sequence(self.goals.len().max(1) * scenarios.max(1));
        self.goals
            .iter()
            .map(|goal| match goal {
                Goal::Quantile { of, p, within } => {
                    let distribution = find(projection, of)?;
                    Ok(Known::new(sequence.quantile(&distribution, *p), *within))
                }
                Goal::Probability { of, within } => {
                    let (met, trials) = count(projection, of)?;
                    Ok(Known::new(sequence.probability(met, trials), *within))
                }
            })
            .collect()
    }

    /// As [`Self::known`] of what a part has, without a copy of it.
    fn known_of(&self, part: &Part, scenarios: usize) -> Result<Vec<Known>, RunError> {
        Ok(match part.single() {
            Some(projection) => self.known(projection, scenarios)?,
            None => self.known(&part.projection()?, scenarios)?,
        })
    }
}

impl Known {
    /// Whether the interval is as narrow as `within` asks.
    pub(crate) fn new((low, high): (f64, f64), within: f64) -> Self {
        Self {
            low,
            high,
            // Both ends at infinity: it is known that the milestone is not reached in this many trials.
            reached: high - low <= 2.0 * within || (low == high && low == f64::INFINITY),
        }
    }
}

fn unknown<'a>(
    projection: &Projection,
    kind: &'static str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> GoalError {
    GoalError::Unknown {
        scenario: projection.provenance().scenario.clone(),
        kind,
        name: name.to_owned(),
        help: format!("; {}", crate::problem::name_help(name, names)),
    }
}

fn find<'a>(projection: &'a Projection, of: &Measure) -> Result<Distribution<'a>, GoalError> {
    let layout = projection.layout();
    match of {
        Measure::Milestone(name) => projection.milestone(name).ok_or_else(|| {
            unknown(
                projection,
                "milestone",
                name,
                layout.milestones.iter().map(String::as_str),
            )
        }),
        Measure::Outcome(name) => projection.outcome(name).ok_or_else(|| {
            let names = layout.outcomes.iter().map(|outcome| outcome.name.as_str());
            unknown(projection, "outcome", name, names)
        }),
        Measure::Metric { metric, campus, at } => {
            let scope = match campus {
                None => projection.total(),
                Some(campus) => projection.campus(campus).ok_or_else(|| {
                    let names = layout.scopes.iter().skip(1).map(String::as_str);
                    unknown(projection, "campus", campus, names)
                })?,
            };
            let view = scope.metric(metric).ok_or_else(|| {
                let names = layout.metrics.iter().map(|metric| metric.name.as_str());
                unknown(projection, "metric", metric, names)
            })?;
            month_of(*at, layout)
                .and_then(|month| view.month(month))
                .ok_or_else(|| GoalError::Unknown {
                    scenario: projection.provenance().scenario.clone(),
                    kind: "month",
                    name: match at {
                        MetricTime::Month(month) => month.to_string(),
                        _ => "total".to_owned(),
                    },
                    help: "; it is outside of the horizon".to_owned(),
                })
        }
        Measure::Target(_) | Measure::ReachedBy { .. } => Err(GoalError::Range {
            what: "what has a quantile",
            value: format!("the target \"{of}\""),
            allowed: "a milestone, an outcome or a metric; of a target ask for the probability",
        }),
    }
}

/// The month of a time, if the horizon has it.
fn month_of(at: MetricTime, layout: &Layout) -> Option<usize> {
    let month = match at {
        MetricTime::Month(month) => month.months_after(layout.start).floor(),
        MetricTime::End => layout.months as f64 - 1.0,
        // Sums over all months are not gathered.
        MetricTime::Total => return None,
    };
    (0.0..layout.months as f64)
        .contains(&month)
        .then_some(month as usize)
}

/// In how many of how many trials a target was met, or a milestone reached.
fn count(projection: &Projection, name: &str) -> Result<(u64, u64), GoalError> {
    if let Some(target) = projection.target(name) {
        return Ok((target.met(), projection.trials()));
    }
    if let Some(milestone) = projection.milestone(name) {
        return Ok((milestone.finite_count(), milestone.count()));
    }
    let layout = projection.layout();
    let names = (layout.targets.iter().map(|target| target.name.as_str()))
        .chain(layout.milestones.iter().map(String::as_str));
    Err(unknown(projection, "target or milestone", name, names))
}

/// Runs scenarios until all goals are known in each, or the ceiling is reached.
///
/// All have the same number of trials at every look. `parts` has one part for each batch, as [`Batch::begin`]
/// makes it or a checkpoint holds it; what is done in it is not done again, and an interrupted run that
/// goes on stops where it would have stopped. The batches' own numbers of trials do not matter.
pub fn run_until(
    batches: &mut [Batch<'_>],
    until: &Until,
    parts: &mut [Part],
) -> Result<Stopped, RunError> {
    assert_eq!(batches.len(), parts.len(), "a part for each batch");
    until.check()?;
    for part in parts.iter() {
        let design = part.provenance().design;
        if design != Design::Random {
            return Err(GoalError::Dependent(design).into());
        }
        // Names that are wrong are reported before the first trial.
        until.known_of(part, parts.len())?;
    }
    look_and_run(batches, until, parts, |parts, trials| {
        let known = (parts.iter())
            .map(|part| until.known_of(part, parts.len()))
            .collect::<Result<Vec<_>, RunError>>()?;
        let stopped = Stopped { trials, known };
        Ok((stopped.is_reached(), stopped))
    })
}

/// Runs batches, look by look, until `look` says that enough is known or the ceiling is reached; returns what it said
/// last. Parts may have trials that are done already: a run that goes on stops where it would have stopped.
pub(crate) fn look_and_run<G, K, E: From<RunError>>(
    batches: &mut [Batch<'_>],
    until: &Until<G>,
    parts: &mut [Part],
    mut look: impl FnMut(&[Part], u64) -> Result<(bool, K), E>,
) -> Result<K, E> {
    // Looks at fewer trials than are done have been taken before the interruption.
    let done = parts.iter().map(|part| part.done().count()).max();
    let done = done.unwrap_or(0).min(until.at_most);
    for trials in until.looks().skip_while(|trials| *trials < done) {
        for (batch, part) in batches.iter_mut().zip(parts.iter_mut()) {
            batch.set_trials(trials);
            part.set_trials(trials);
            batch.advance(part)?;
        }
        let (is_enough, known) = look(parts, trials)?;
        if is_enough || trials == until.at_most {
            return Ok(known);
        }
    }
    Err(RunError::NoTrials.into())
}

#[cfg(test)]
mod tests;
