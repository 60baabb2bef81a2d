//! What a plan is asked: each target with its probability, when it comes, and what decides it.

use super::chart::{DateStrip, end_of_month};
use super::text::{MISSING, grouped, month_of, percent, whole_percent};
use super::words::likelihood;
use crate::Projection;
use crate::analysis::drivers::report::DriversReport;
use crate::projection::{Layout, MetricView, ScopeView};
use crate::scenario::{Scenario, Target};

/// The probabilities whose dates are shown.
const LEVELS: [f64; 4] = [0.1, 0.5, 0.8, 0.9];
/// A target met in all but so few trials is not in question.
const CERTAIN: f64 = 0.995;
/// A cause that holds back in this many times as many months as the next one decides alone.
const DECIDES: f64 = 1.5;
/// Where no cause holds back in as many months as these, none is said to decide.
const LITTLE: f64 = 0.25;
/// Causes that hold back in fewer months than these do not matter.
const LEAST_SHARE: f64 = 0.005;
/// What decides is looked for in this many months up to the date that is asked about (assumption): earlier ones are of other
/// causes, such as construction before there is anything to feed.
const WINDOW: usize = 3;

/// Something that a plan is asked, and what its trials answer.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    projection: &'a Projection,
    pub(super) name: &'a str,
    /// The probability that it is met, with its standard error; none of a milestone without a date.
    pub(super) probability: Option<(f64, f64)>,
    /// When it has happened, and when it should have, in months after the start.
    pub(super) dates: DateStrip,
    /// The metric that should have a value, and that value.
    pub(super) metric: Option<(MetricView<'a>, f64)>,
    pub(super) campus: Option<&'a str>,
}

/// The questions of a run, the least likely first and what is certain last; where there are no targets, the milestones that
/// the planner named, or the last of all.
pub(super) fn questions<'a>(
    projection: &'a Projection,
    scenario: Option<&'a Scenario>,
) -> Vec<Question<'a>> {
    let mut questions: Vec<Question<'a>> = (projection.targets())
        .filter_map(|target| {
            let label = target.label();
            let stated = scenario.and_then(|scenario| {
                (scenario.targets.iter()).find(|stated| stated.name == label.name)
            });
            let mut question = Question {
                projection,
                name: &label.name,
                probability: Some((target.probability()?, target.std_error()?)),
                dates: DateStrip::default(),
                metric: None,
                campus: stated.and_then(|stated| stated.campus.as_deref()),
            };
            let start = projection.layout().start;
            question.dates.promised = label.by.map(|by| end_of_month(by, start));
            if let Some(stated) = stated {
                question.look_up(stated);
            }
            Some(question)
        })
        .collect();
    let rank = |question: &Question<'_>| {
        let (p, _) = question.probability.unwrap_or_default();
        if p > CERTAIN { 2.0 } else { p }
    };
    questions.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    if questions.is_empty() {
        questions.extend(milestones(projection));
    }
    questions
}

fn milestones(projection: &Projection) -> Vec<Question<'_>> {
    let all: Vec<&str> = projection.milestones().map(|(name, _)| name).collect();
    let named = all.iter().filter(|name| !name.ends_with(" live"));
    let mut names: Vec<&str> = named.copied().collect();
    if names.is_empty() {
        names.extend(all.last());
    }
    (names.into_iter())
        .filter_map(|name| {
            let quantiles = projection.milestone(name)?.quantiles(&LEVELS);
            Some(Question {
                projection,
                name,
                probability: None,
                dates: DateStrip {
                    quantiles: quantiles.try_into().ok()?,
                    promised: None,
                },
                metric: None,
                campus: None,
            })
        })
        .collect()
}

impl<'a> Question<'a> {
    /// Its metric and its dates. Of a date and an amount that must hold together no trial keeps the moment.
    fn look_up(&mut self, stated: &'a Target) {
        let projection = self.projection;
        let scope = self.scope();
        if let (Some(name), Some(value)) = (&stated.metric, stated.at_least) {
            self.metric = scope.metric(name).map(|metric| (metric, value));
        }
        self.dates.quantiles = match (&stated.milestone, &self.metric) {
            (Some(milestone), None) => (projection.milestone(milestone))
                .and_then(|times| times.quantiles(&LEVELS).try_into().ok())
                .unwrap_or_default(),
            (None, Some((metric, value))) => {
                let met = metric.probability_at_least(*value);
                LEVELS.map(|level| {
                    let month = met.iter().position(|share| *share >= level)?;
                    Some((month + 1) as f64)
                })
            }
            _ => [None; 4],
        };
    }

    fn scope(&self) -> ScopeView<'a> {
        let campus = self.campus.and_then(|name| self.projection.campus(name));
        campus.unwrap_or_else(|| self.projection.total())
    }

    /// Whether nearly all trials meet it.
    pub(super) fn is_certain(&self) -> bool {
        self.probability.is_some_and(|(p, _)| p > CERTAIN)
    }

    pub(super) fn layout(&self) -> &'a Layout {
        self.projection.layout()
    }

    fn date(&self, months: f64) -> String {
        let start = self.projection.layout().start;
        month_of(start, months).unwrap_or_else(|| MISSING.to_owned())
    }

    /// How likely it is, in words: "unlikely: 24 of 100 trials meet it".
    pub(super) fn odds(&self) -> Option<String> {
        let (p, error) = self.probability?;
        let exact = match p {
            0.0 | 1.0 => percent(Some(p)),
            p => format!("{} ± {:.1}", percent(Some(p)), error * 100.0),
        };
        Some(match p {
            1.0 => format!("{}: all trials meet it", likelihood(p)),
            0.0 => format!("{}: no trial meets it", likelihood(p)),
            p => format!(
                "{}: {} of 100 trials meet it ({exact})",
                likelihood(p),
                of_a_hundred(p)
            ),
        })
    }

    /// When it comes, beside when it was promised.
    pub(super) fn when(&self) -> String {
        let [_, p50, p80, _] = self.dates.quantiles;
        let end = self.projection.layout().months as f64;
        let promised = (self.dates.promised).map(|by| (by, self.date(by)));
        let late = |months: f64| match &promised {
            Some((by, _)) if months - by >= 0.5 => {
                format!(", {} months after it", grouped(months - by, 0))
            }
            _ => String::new(),
        };
        let mut text = match (p50, p80) {
            (Some(half), Some(most)) => format!(
                "P50 {}, P80 {}{}",
                self.date(half),
                self.date(most),
                late(most)
            ),
            (Some(half), None) => format!(
                "P50 {}{}; P80 after {}",
                self.date(half),
                late(half),
                self.date(end)
            ),
            (None, _) if self.has_dates() => {
                format!("half of the trials are not there by {}", self.date(end))
            }
            (None, _) => String::new(),
        };
        if let Some((_, date)) = promised {
            let lead = if text.is_empty() {
                "by "
            } else {
                "promised for "
            };
            text = [format!("{lead}{date}"), text]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
        }
        text
    }

    /// Whether anything is known of when it comes.
    pub(super) fn has_dates(&self) -> bool {
        self.dates.quantiles.iter().any(Option::is_some)
            || self
                .metric
                .as_ref()
                .is_some_and(|_| self.probability.is_some())
    }

    /// What decides it, computed from what holds capacity back in the months up to its date.
    pub(super) fn decides(&self) -> Option<String> {
        let scope = self.scope();
        let layout = self.projection.layout();
        let until = (self.dates.promised.or(self.dates.quantiles[1]))
            .map_or(layout.months, |months| {
                (months.ceil().max(1.0) as usize).min(layout.months)
            });
        let from = until.saturating_sub(WINDOW);
        let of_supply =
            !(self.metric.as_ref()).is_some_and(|(metric, _)| needs_tenants(metric.name()));
        let mut shares: Vec<(&str, f64)> = (scope.bindings())
            .filter(|(cause, _)| !(of_supply && *cause == "demand"))
            .map(|(cause, shares)| {
                let sum: f64 = shares[from..until].iter().sum();
                (cause, sum / (until - from) as f64)
            })
            .filter(|(_, share)| *share >= LEAST_SHARE)
            .collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        let span = match from {
            0 => format!("up to {}", self.date(until as f64)),
            _ => format!("in the {WINDOW} months to {}", self.date(until as f64)),
        };
        Some(deciding(&shares, &span))
    }

    /// The input that explains most of its spread.
    pub(super) fn leading_driver(&self, report: Option<&DriversReport>) -> Option<String> {
        let found = (report?.results.iter()).find(|result| result.drivers.of.name == self.name)?;
        let leading = found.drivers.inputs.first()?;
        Some(format!(
            "Of the inputs, “{}” explains the most of it: {} of the variance.",
            leading.name,
            whole_percent(leading.first_order.value)
        ))
    }
}

/// Whether a metric grows only as tenants come.
fn needs_tenants(metric: &str) -> bool {
    [
        "in_service",
        "take_up",
        "leased",
        "draw",
        "revenue",
        "cash",
        "effective",
        "contracts",
        "energy",
    ]
    .iter()
    .any(|word| metric.contains(word))
}

/// A cause in the middle of a sentence.
fn noun(cause: &str) -> &str {
    match cause {
        "grid" => "power",
        "electrical" => "the electrical chain",
        "delivery" => "the delivery tree",
        "density" => "rack density",
        cause => cause,
    }
}

/// The sentence that concludes, from the causes with their shares of months, the largest first.
fn deciding(shares: &[(&str, f64)], span: &str) -> String {
    let share = |x: f64| match x {
        x if x < 0.01 => "under 1 %".to_owned(),
        x => whole_percent(x),
    };
    let text = match shares {
        [] => return format!("Nothing holds capacity back {span}."),
        [(first, x), others @ ..] if *x < LITTLE => {
            let also = others.first().map_or_else(String::new, |(second, y)| {
                format!(", {} in {}", noun(second), share(*y))
            });
            format!(
                "little holds capacity back {span}: {} in {} of the months of all trials{also}.",
                noun(first),
                share(*x)
            )
        }
        [(only, x)] => format!(
            "{} alone decides: {span} it holds capacity back in {} of the months of all trials.",
            noun(only),
            share(*x)
        ),
        [(first, x), (second, y), ..] if *x >= DECIDES * y => format!(
            "{}, not {}, decides: {span} it holds capacity back in {} of the months of all trials, {} in {}.",
            noun(first),
            noun(second),
            share(*x),
            noun(second),
            share(*y)
        ),
        [(first, x), (second, y), ..] => format!(
            "{} and {} decide together: {span} they hold capacity back in {} and {} of the months of all trials.",
            noun(first),
            noun(second),
            share(*x),
            share(*y)
        ),
    };
    upper_first(&text)
}

pub(super) fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// How many of a hundred a share is that is neither none nor all.
fn of_a_hundred(share: f64) -> String {
    match (share * 100.0).round() {
        0.0 => "fewer than 1".to_owned(),
        100.0 => "more than 99".to_owned(),
        count => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Date;
    use crate::report::fixture;

    #[test]
    fn a_rare_chance_is_not_said_to_be_one_of_a_hundred() {
        let said = [0.000_4, 0.006, 0.243, 0.994, 0.999_9].map(of_a_hundred);
        assert_eq!(said, ["fewer than 1", "1", "24", "99", "more than 99"]);
    }

    #[test]
    fn the_sentence_that_concludes_follows_the_shares() {
        let span = "in the year to Dec 2027";
        assert_eq!(
            deciding(&[("grid", 0.73), ("construction", 0.2)], span),
            "Power, not construction, decides: in the year to Dec 2027 it holds capacity back in 73 % of the months of \
             all trials, construction in 20 %."
        );
        let together = deciding(&[("construction", 0.4), ("grid", 0.3)], span);
        assert!(together.starts_with("Construction and power decide together"));
        assert!(deciding(&[("equipment", 1.0)], span).starts_with("Equipment alone decides"));
        assert!(deciding(&[], span).starts_with("Nothing holds capacity back"));
        assert_eq!(
            deciding(&[("construction", 0.08), ("density", 0.04)], span),
            "Little holds capacity back in the year to Dec 2027: construction in 8 % of the months of all trials, \
             rack density in 4 %."
        );
        assert!(
            deciding(&[("grid", 0.1)], span)
                .ends_with("power in 10 % of the months of all trials.")
        );
    }

    #[test]
    fn a_target_is_reported_with_its_dates() {
        let mut scenario = fixture::scenario(2, 20);
        for (name, value) in [("one", 900.0), ("both", 1_900.0), ("more", 9_000.0)] {
            let by = Date::month(2025, 3).unwrap();
            scenario
                .targets
                .push(Target::reached(name, "racks_deployable", value, by));
        }
        let projection = fixture::run(&scenario);
        let questions = questions(&projection, Some(&scenario));
        let names: Vec<&str> = questions.iter().map(|question| question.name).collect();
        assert_eq!(names[0], "more");
        assert_eq!(
            questions[0].odds().unwrap(),
            "exceptionally unlikely: no trial meets it"
        );
        assert!(
            questions[0]
                .when()
                .contains("half of the trials are not there by Dec 2025")
        );
        let both = questions
            .iter()
            .find(|question| question.name == "both")
            .unwrap();
        let metric = projection.metric("racks_deployable").unwrap();
        let met = metric.probability_at_least(1_900.0);
        let half = both.dates.quantiles[1].unwrap() as usize;
        assert!(met[half - 1] >= 0.5 && met[half - 2] < 0.5);
        assert_eq!(both.dates.promised, Some(11.0));
        // Racks that are deployable do not wait for tenants.
        assert!(!both.decides().unwrap().contains("emand"));
    }

    #[test]
    fn without_targets_milestones_are_asked_about() {
        let projection = fixture::run(&fixture::scenario(2, 20));
        let questions = questions(&projection, None);
        assert_eq!(questions.len(), 1);
        assert_eq!(questions[0].name, "B2 live");
        assert!(
            questions[0].when().starts_with("P50 "),
            "{}",
            questions[0].when()
        );
        assert!(questions[0].odds().is_none());
    }
}
