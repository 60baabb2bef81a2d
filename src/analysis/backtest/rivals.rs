//! Forecasts from what a subject and others like it did up to the origin, without a model of what drives them: the
//! rivals that a forecaster has to beat.
//!
//! All are causal: they read nothing that is dated after the origin. A subject is never its own reference.

use libm::{exp, log};

use super::Series;
use crate::analysis::fit::{KaplanMeier, Record};
use crate::date::Date;
use crate::sampling::streams::{Source, Stream};

/// The name of the forecast by a logistic curve.
pub const S_CURVE: &str = "S-curve";
/// The name of the forecast by the growth of others.
pub const REFERENCE_CLASS: &str = "reference class";
/// The name of the forecast by waits and sizes of the steps of others.
pub const STEP_PROCESS: &str = "step process";

/// How many equally likely values the distributions have.
const VALUES: u32 = 400;
/// Fewer growths of others than this tell nothing: the last value stays.
const LEAST_GROWTHS: usize = 5;
/// Others are of the same age within this many months.
const SAME_AGE_MONTHS: f64 = 6.0;
/// The mean of a wait, in months, once all experience is exceeded (assumption).
const WAIT_BEYOND_MONTHS: f64 = 24.0;
/// More steps than this are not followed.
const MOST_STEPS: u32 = 12;
/// Waits in months where nobody's is known: to the first step and to a further one (assumption).
const UNKNOWN_WAITS_MONTHS: [f64; 2] = [27.0, 9.0];

/// The logistic curve through the monthly history of a subject, with a ceiling of 1 to 4 times the present, by least squares
/// over a grid; what it grows by within `months` after `origin` is added to the last value. 0 where nothing is there.
pub fn s_curve(series: &Series, origin: Date, months: f64) -> f64 {
    let history = series.monthly_before(origin);
    let Some(&now) = history.first().filter(|now| **now > 0.0) else {
        return 0.0;
    };
    let mut best = (f64::INFINITY, now);
    for ceiling in [1.02, 1.5, 2.0, 3.0, 4.0] {
        for middle in (-36..=36).step_by(3).map(f64::from) {
            for rise in [6.0, 12.0, 24.0, 48.0] {
                let at =
                    |month: f64| ceiling * now / (1.0 + exp(-log(81.0) * (month - middle) / rise));
                let errors = (history.iter().zip(0..))
                    .map(|(seen, back)| (at(-f64::from(back)) - seen).powi(2));
                let error: f64 = errors.sum();
                if error < best.0 {
                    best = (error, now + (at(months) - at(0.0)).max(0.0));
                }
            }
        }
    }
    best.1
}

/// What others did by a day, of one quantity.
#[derive(Clone, Debug)]
pub struct Others<'a> {
    origin: Date,
    series: Vec<&'a Series>,
}

impl<'a> Others<'a> {
    /// The series of others, of which only what is dated up to `origin` is read.
    pub fn new(origin: Date, series: impl IntoIterator<Item = &'a Series>) -> Self {
        let seen = |series: &&Series| series.first().is_some_and(|first| first <= origin);
        Self {
            origin,
            series: series.into_iter().filter(seen).collect(),
        }
    }

    /// Equally likely values `months` after the origin: the last value times the growth that others had over as many months from
    /// any month in which something was there. Where nothing is there yet, what others of the same age had then. Each
    /// of the others has the same weight.
    pub fn reference_class(&self, subject: &Series, months: f64) -> Vec<f64> {
        let now = subject.at(self.origin);
        let age = subject.months_seen(self.origin);
        let ahead = months.round().max(0.0) as usize;
        let mut weighted = Vec::new();
        for series in &self.series {
            let values = series.monthly_until(self.origin);
            let pairs = (values.iter().zip(values.iter().skip(ahead))).enumerate();
            let outcomes: Vec<f64> = pairs
                .filter_map(|(month, (before, after))| match now > 0.0 {
                    true => (*before > 0.0).then(|| after / before),
                    false => {
                        let same_age = (month as f64 - age).abs() <= SAME_AGE_MONTHS;
                        (*before == 0.0 && same_age).then_some(*after)
                    }
                })
                .collect();
            let weight = 1.0 / outcomes.len() as f64;
            weighted.extend(outcomes.into_iter().map(|outcome| (outcome, weight)));
        }
        if weighted.len() < LEAST_GROWTHS {
            return vec![now];
        }
        let unit = if now > 0.0 { now } else { 1.0 };
        let values = evenly(weighted).into_iter();
        values.map(|outcome| unit * outcome).collect()
    }

    /// Equally likely values `months` after the origin, of a process of steps: waits are those of others (Kaplan-Meier, so that
    /// waits not over count), the present one given how long it lasts; a step has the size of another's
    /// first one or, where the subject has had steps, the mean of them times another's ratio of a step to the mean of those before it.
    pub fn step_process(&self, subject: &Series, months: f64, seed: u64) -> Vec<f64> {
        let experience = Experience::of(&self.series, self.origin);
        let steps = subject.steps_until(self.origin);
        let gains = gains(&steps);
        let waited = steps.last().map_or_else(
            || subject.months_seen(self.origin),
            |(day, _)| self.origin.months_since(*day),
        );
        let grown: Vec<f64> = gains.into_iter().filter(|gain| *gain > 0.0).collect();
        let source = Source::named(STEP_PROCESS);
        let trial = |trial: u32| {
            let mut stream = source.stream(seed, u64::from(trial));
            let mut value = subject.at(self.origin);
            let (mut sum, mut count) = (grown.iter().sum::<f64>(), grown.len() as f64);
            let mut clock = experience.wait(!steps.is_empty(), waited, &mut stream);
            for _ in 0..MOST_STEPS {
                if clock > months {
                    break;
                }
                let gain = if sum > 0.0 {
                    sum / count * one_of(&experience.ratios, 1.0, &mut stream)
                } else {
                    one_of(&experience.first_sizes, 0.0, &mut stream)
                };
                value += gain;
                (sum, count) = (sum + gain, count + 1.0);
                clock += experience.wait(true, 0.0, &mut stream);
            }
            value
        };
        (0..VALUES).map(trial).collect()
    }
}

/// [`VALUES`] quantiles of weighted values.
fn evenly(mut weighted: Vec<(f64, f64)>) -> Vec<f64> {
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let mut values = weighted.into_iter();
    let mut current = values.next().unwrap_or_default();
    let mut passed = current.1;
    let mut quantiles = Vec::with_capacity(VALUES as usize);
    for number in 0..VALUES {
        let wanted = (f64::from(number) + 0.5) / f64::from(VALUES) * total;
        while passed < wanted {
            let Some(next) = values.next() else { break };
            current = next;
            passed += next.1;
        }
        quantiles.push(current.0);
    }
    quantiles
}

fn one_of(values: &[f64], otherwise: f64, stream: &mut Stream) -> f64 {
    let place = (stream.uniform() * values.len() as f64) as usize;
    values.get(place).copied().unwrap_or(otherwise)
}

/// By how much each step changed the value.
fn gains(steps: &[(Date, f64)]) -> Vec<f64> {
    let before = std::iter::once(0.0).chain(steps.iter().map(|(_, value)| *value));
    (steps.iter().zip(before))
        .map(|((_, value), before)| value - before)
        .collect()
}

/// Waits and sizes of the steps of others.
struct Experience {
    /// Survival of first and of further waits: months, and the share that lasts longer.
    waits: [Vec<(f64, f64)>; 2],
    first_sizes: Vec<f64>,
    /// Of further steps to the mean of those before.
    ratios: Vec<f64>,
}

impl Experience {
    fn of(others: &[&Series], origin: Date) -> Self {
        let mut waits = [Vec::new(), Vec::new()];
        let (mut first_sizes, mut ratios) = (Vec::new(), Vec::new());
        for series in others {
            let steps = series.steps_until(origin);
            let gains = gains(&steps);
            let was_live_when_seen = series.first().is_some_and(|first| series.at(first) > 0.0);
            match steps.first() {
                None => waits[0].push((series.months_seen(origin), false)),
                Some((day, value)) if !was_live_when_seen => {
                    waits[0].push((series.months_seen(*day), true));
                    first_sizes.push(*value);
                }
                Some(_) => {}
            }
            for (number, pair) in steps.windows(2).enumerate() {
                let gain = gains[number + 1];
                if gain > 0.0 {
                    waits[1].push((pair[1].0.months_since(pair[0].0), true));
                    let before = gains[..=number].iter().map(|gain| gain.max(1e-9));
                    ratios.push(gain * (number + 1) as f64 / before.sum::<f64>());
                }
            }
            if let Some((day, _)) = steps.last() {
                waits[1].push((origin.months_since(*day), false));
            }
        }
        let [first, further] = waits;
        Self {
            waits: [
                survival(first, UNKNOWN_WAITS_MONTHS[0]),
                survival(further, UNKNOWN_WAITS_MONTHS[1]),
            ],
            first_sizes,
            ratios,
        }
    }

    /// What is left of a first or a further wait that has lasted so long; beyond all experience exponential.
    fn wait(&self, is_further: bool, waited: f64, stream: &mut Stream) -> f64 {
        let curve = &self.waits[usize::from(is_further)];
        let ahead = curve.partition_point(|(months, _)| *months <= waited);
        let now = match ahead {
            0 => 1.0,
            _ => curve[ahead - 1].1,
        };
        let beyond = |stream: &mut Stream| -WAIT_BEYOND_MONTHS * log(stream.uniform());
        let Some((last, _)) = curve[ahead..].last().filter(|_| now > 0.0) else {
            return beyond(stream);
        };
        let wanted = stream.uniform() * now;
        match curve[ahead..].iter().find(|(_, share)| *share <= wanted) {
            Some((months, _)) => months - waited,
            None => (last - waited).max(0.0) + beyond(stream),
        }
    }
}

/// The Kaplan-Meier curve of waits, each with whether it is over.
fn survival(mut waits: Vec<(f64, bool)>, unknown_months: f64) -> Vec<(f64, f64)> {
    if waits.is_empty() {
        waits.push((unknown_months, true));
    }
    let records: Vec<Record> = (waits.into_iter())
        .filter(|(months, _)| *months > 0.0)
        .map(|(months, is_over)| match is_over {
            true => Record::ended(months),
            false => Record::going_on(months),
        })
        .collect();
    let curve = KaplanMeier::new(&records).map(|curve| {
        let steps = curve.steps().iter();
        steps.map(|step| (step.value, step.survival)).collect()
    });
    curve.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn series(points: &[(&str, f64)]) -> Series {
        Series::new(points.iter().map(|&(at, value)| (day(at), value)).collect())
    }

    #[test]
    fn a_curve_that_has_flattened_grows_little() {
        let flat = series(&[("2022-01-01", 100.0)]);
        let origin = day("2024-06-30");
        assert!((s_curve(&flat, origin, 24.0) - 100.0).abs() < 2.0);
        let steep = series(&[
            ("2023-07-01", 5.0),
            ("2023-10-01", 10.0),
            ("2024-01-01", 20.0),
            ("2024-04-01", 40.0),
            ("2024-06-01", 60.0),
        ]);
        assert!(s_curve(&steep, origin, 12.0) > 90.0);
        assert_eq!(s_curve(&series(&[("2024-01-01", 0.0)]), origin, 12.0), 0.0);
    }

    #[test]
    fn growth_of_others_counts_each_of_them_alike_and_nothing_after_the_origin() {
        let origin = day("2024-06-30");
        let subject = series(&[("2023-01-01", 30.0)]);
        let doubles = series(&[
            ("2022-07-01", 10.0),
            ("2023-07-01", 20.0),
            ("2024-07-01", 900.0),
        ]);
        let stays = series(&[("2020-01-01", 50.0)]);
        let others = Others::new(origin, [&doubles, &stays]);
        let values = others.reference_class(&subject, 12.0);
        let share_doubled = values.iter().filter(|value| **value == 60.0).count() as f64 / 400.0;
        assert!((share_doubled - 0.5).abs() < 0.02, "{share_doubled}");
        assert!(values.iter().all(|value| *value == 30.0 || *value == 60.0));
        let unknown = Others::new(day("2022-07-31"), [&doubles]);
        assert_eq!(unknown.reference_class(&subject, 12.0), [0.0]);
    }

    #[test]
    fn steps_come_as_often_as_those_of_others() {
        // Each of ten others had its first 40 after ten months, and nothing since.
        let origin = day("2024-06-30");
        let other = series(&[("2023-01-01", 0.0), ("2023-11-01", 40.0)]);
        let others = Others::new(origin, std::iter::repeat_n(&other, 10));
        let young = series(&[("2024-01-01", 0.0)]);
        let soon = others.step_process(&young, 3.0, 1);
        assert!(soon.iter().all(|value| *value == 0.0));
        let later = others.step_process(&young, 6.0, 1);
        // It comes after 4.05 months, and a further one, of which nobody has experience, in the 1.95 that are left with the
        // probability 1 - exp(-1.95 / 24) = 7.8 %: four standard errors of 400 trials.
        assert!(later.iter().all(|value| *value >= 40.0), "{later:?}");
        let once = later.iter().filter(|value| **value == 40.0).count() as f64 / 400.0;
        assert!(
            (once - 0.922).abs() < 4.0 * (0.922_f64 * 0.078 / 400.0).sqrt(),
            "{once}"
        );
        assert_eq!(later, others.step_process(&young, 6.0, 1));
    }
}
