//! Reading a projection: by name, as plain numbers.

use super::layout::{Metric, TargetLabel};
use super::series::{Ordered, Series};
use super::{Place, Projection};

/// The distribution of one number over the trials.
///
/// Where a statistic does not exist it is `None`: the mean of nothing, the standard
/// error from a single trial, a quantile that falls among trials in which the number is
/// infinite (a milestone not reached within the horizon).
///
/// The mean and what derives from it are over the trials in which the number is finite. Quantiles
/// and shares are over all trials in which it is a number, with
/// a milestone that is not reached as a time beyond all others. Trials in which it is NaN, such
/// as a price without a sale, take part in nothing.
///
/// Standard errors of independent trials come from the numbers themselves, of an ensemble with regard to how many independent trials
/// would have as much to say; those of other sampling designs from how much the design's replicates differ ([`design`](crate::sampling::design)).
#[derive(Clone, Copy, Debug)]
pub struct Distribution<'a> {
    series: &'a Series,
    projection: &'a Projection,
    place: Place,
}

/// A projection's numbers at a place, ready for quantiles.
fn ordered(projection: &Projection, place: Place) -> Ordered {
    projection.series(place).ordered(&projection.sampled(place))
}

impl<'a> Distribution<'a> {
    pub(super) fn new(projection: &'a Projection, place: Place) -> Self {
        Self {
            series: projection.series(place),
            projection,
            place,
        }
    }

    /// The standard error of a statistic from its values in the replicates; the outer `None` if there are none.
    fn by_replicates(&self, statistic: impl Fn(&Series) -> Option<f64>) -> Option<Option<f64>> {
        let replicates = &self.projection.replicates;
        (!replicates.is_empty()).then(|| {
            replicates_std_error(replicates.iter().map(|replicate| {
                let series = replicate.series(self.place);
                (series.defined(), statistic(series))
            }))
        })
    }

    /// A standard error of independent trials as one of the design's.
    fn widened(&self, error: f64) -> f64 {
        error * self.projection.provenance.design.error_factor()
    }

    /// In how many trials it is a number, infinite ones included.
    pub fn count(&self) -> u64 {
        self.series.defined()
    }

    /// In how many trials it is finite: a milestone reached within the horizon.
    pub fn finite_count(&self) -> u64 {
        self.series.finite()
    }

    /// Bounds of the order statistic with that rank from 0, infinite numbers included: equal while numbers are kept one
    /// by one, the bounds of a bucket from there on. `None` if there are not this many numbers.
    pub fn order_statistic(&self, rank: u64) -> Option<(f64, f64)> {
        self.series.order_statistic(rank)
    }

    /// Whether the quantiles are exact: so long as at most 256 distinct values were seen.
    /// Beyond that they are within 0.39 % (milestones and outcomes: 0.049 %), and a value that many trials share is
    /// reported as it is.
    pub fn is_exact(&self) -> bool {
        self.series.is_exact()
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> Option<f64> {
        Some(self.series.moments()?.mean)
    }

    /// The standard deviation over trials, with n - 1.
    pub fn std_dev(&self) -> Option<f64> {
        self.series.moments()?.standard_deviation
    }

    /// The standard error of the mean: of independent trials standard deviation / sqrt(n).
    pub fn std_error(&self) -> Option<f64> {
        self.mean_and_std_error().1
    }

    pub(super) fn mean_and_std_error(&self) -> (Option<f64>, Option<f64>) {
        let Some(moments) = self.series.moments() else {
            return (None, None);
        };
        let n = self.series.finite() as f64;
        let std_error = self
            .by_replicates(|series| Some(series.moments()?.mean))
            .unwrap_or_else(|| (moments.standard_deviation).map(|sd| self.widened(sd / n.sqrt())));
        (Some(moments.mean), std_error)
    }

    /// The least finite value, exactly.
    pub fn min(&self) -> Option<f64> {
        Some(self.series.range()?.0)
    }

    /// The greatest finite value, exactly.
    pub fn max(&self) -> Option<f64> {
        Some(self.series.range()?.1)
    }

    /// The quantile at p from 0 to 1 (cut to it): 0.5 is the P50.
    ///
    /// By straight interpolation between order statistics at the rank (n - 1) p: definition 7 of
    /// Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
    /// Statistician 50(4), 1996, which is NumPy's default.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        finite(ordered(self.projection, self.place).quantile(p))
    }

    /// Several quantiles at once, which is cheaper than one by one.
    pub fn quantiles(&self, ps: &[f64]) -> Vec<Option<f64>> {
        let ordered = ordered(self.projection, self.place);
        ps.iter().map(|p| finite(ordered.quantile(*p))).collect()
    }

    /// The standard error of the quantile at p: half the distance between the quantiles at p - s and p + s, s the standard
    /// error of the share of trials below it (Woodruff, "Confidence Intervals for
    /// Medians and Other Position Measures", Journal of the American Statistical
    /// Association 47, 1952). Of independent trials s = sqrt(p (1 - p) / n). Of a design s comes from the shares in its
    /// replicates, and if their quantiles differ by more than that, it is the error of these: where strata end at p all replicates
    /// have the same share below it, and within a stratum each of their quantiles is smoother than that of all trials.
    /// A rough one near p = 0 and 1.
    pub fn quantile_std_error(&self, p: f64) -> Option<f64> {
        self.quantile_std_errors(&[p])[0]
    }

    /// Several of [`Self::quantile_std_error`] at once, which is cheaper than one by one.
    pub fn quantile_std_errors(&self, ps: &[f64]) -> Vec<Option<f64>> {
        let whole = ordered(self.projection, self.place);
        let replicates: Vec<(u64, Ordered)> = (self.projection.replicates.iter())
            .map(|replicate| {
                let defined = replicate.series(self.place).defined();
                (defined, ordered(replicate, self.place))
            })
            .collect();
        let of_independent = |p: f64| {
            let share_error = share_std_error(p.clamp(0.0, 1.0), self.series.defined());
            let error = whole.quantile_std_error(p, share_error)?;
            Some(self.widened(error))
        };
        let of_design = |p: f64| {
            let quantile = finite(whole.quantile(p))?;
            let each = replicates.iter();
            let shares = (each.clone()).map(|(n, each)| (*n, each.share_at_most(quantile)));
            let quantiles = each.map(|(n, each)| (*n, finite(each.quantile(p))));
            let by_share = whole.quantile_std_error(p, replicates_std_error(shares)?)?;
            Some(by_share.max(replicates_std_error(quantiles)?))
        };
        (ps.iter())
            .map(|p| match replicates.is_empty() {
                true => of_independent(*p),
                false => of_design(*p),
            })
            .collect()
    }

    /// The mean of the least `share` of the trials (above 0, at most 1), by the midpoint rule on 400
    /// quantiles: (1/share) x the integral of the quantile from 0 to `share`. `None` without trials, for
    /// another share, and where a quantile is infinite.
    pub fn mean_of_least(&self, share: f64) -> Option<f64> {
        const POINTS: usize = 400;
        if !(share > 0.0 && share <= 1.0) {
            return None;
        }
        let points: Vec<f64> = (0..POINTS)
            .map(|point| share * (point as f64 + 0.5) / POINTS as f64)
            .collect();
        let quantiles: Option<Vec<f64>> = self.quantiles(&points).into_iter().collect();
        quantiles.map(|quantiles| quantiles.iter().sum::<f64>() / POINTS as f64)
    }

    /// The share of trials with at least that value.
    pub fn probability_at_least(&self, value: f64) -> Option<f64> {
        let sample = self.projection.sampled(self.place);
        self.share(self.series.count_at_least(value, &sample), value)
    }

    /// The share of trials with at most that value: for a milestone, the
    /// probability that it is reached by that time.
    pub fn probability_at_most(&self, value: f64) -> Option<f64> {
        let sample = self.projection.sampled(self.place);
        self.share(self.series.count_at_most(value, &sample), value)
    }

    fn share(&self, count: f64, value: f64) -> Option<f64> {
        let defined = self.series.defined();
        (defined > 0 && !value.is_nan()).then(|| (count / defined as f64).clamp(0.0, 1.0))
    }

    /// The share of trials in which it is finite: for a milestone, the probability that it is
    /// reached within the horizon.
    pub fn probability(&self) -> Option<f64> {
        let defined = self.series.defined();
        (defined > 0).then(|| self.series.finite() as f64 / defined as f64)
    }

    /// The share of all trials in which it is finite, those counted in which it does not exist at all: the basis of
    /// its mean.
    pub fn share_of_trials(&self) -> Option<f64> {
        let trials = self.projection.trials();
        (trials > 0).then(|| self.series.finite() as f64 / trials as f64)
    }

    /// The standard error of [`Self::probability`]: of independent trials sqrt(p (1 - p) / n).
    pub fn probability_std_error(&self) -> Option<f64> {
        let probability = self.probability()?;
        let share = |series: &Series| {
            let defined = series.defined();
            (defined > 0).then(|| series.finite() as f64 / defined as f64)
        };
        self.by_replicates(share).unwrap_or_else(|| {
            let error = share_std_error(probability, self.series.defined());
            Some(self.widened(error))
        })
    }
}

/// The standard error of a share p of n trials (at least 1): sqrt(p (1 - p) / n), from the binomial distribution.
pub(super) fn share_std_error(p: f64, n: u64) -> f64 {
    (p * (1.0 - p) / n as f64).sqrt()
}

/// The standard error of a result that n trials gave, from those of its R replicates with n_r trials
/// each: sqrt(R/(R-1) sum (n_r/n)^2 (x_r - x)^2), x the mean of the x_r weighted with n_r.
/// `None` if there is a replicate without a result.
pub(super) fn replicates_std_error(
    results: impl Iterator<Item = (u64, Option<f64>)> + Clone,
) -> Option<f64> {
    let (mut count, mut trials, mut sum) = (0.0, 0.0, 0.0);
    for (n, result) in results.clone() {
        count += 1.0;
        trials += n as f64;
        sum += n as f64 * result?;
    }
    if count < 2.0 || trials == 0.0 {
        return None;
    }
    let mean = sum / trials;
    let squares: f64 = results
        .map(|(n, result)| {
            let distance = n as f64 / trials * (result.unwrap_or(mean) - mean);
            distance * distance
        })
        .sum();
    Some((count / (count - 1.0) * squares).sqrt())
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// One metric of one scope, month by month.
///
/// The lists have one number a month; NaN stands where [`Distribution`] has `None`.
#[derive(Clone, Copy, Debug)]
pub struct MetricView<'a> {
    projection: &'a Projection,
    metric: &'a Metric,
    /// The place of the first month.
    first: usize,
    months: usize,
}

impl<'a> MetricView<'a> {
    /// The metric's name.
    pub fn name(&self) -> &'a str {
        &self.metric.name
    }

    /// The metric's unit.
    pub fn unit(&self) -> &'a str {
        &self.metric.unit
    }

    /// What the metric says.
    pub fn meaning(&self) -> &'a str {
        &self.metric.meaning
    }

    /// Its distribution in one month, from 0; `None` beyond the horizon.
    pub fn month(&self, month: usize) -> Option<Distribution<'a>> {
        (month < self.months)
            .then(|| Distribution::new(self.projection, Place::Monthly(self.first + month)))
    }

    /// Its distributions, month by month.
    pub fn distributions(&self) -> impl ExactSizeIterator<Item = Distribution<'a>> + use<'a> {
        let projection = self.projection;
        (self.first..self.first + self.months)
            .map(move |index| Distribution::new(projection, Place::Monthly(index)))
    }

    fn each(&self, statistic: impl Fn(Distribution<'a>) -> Option<f64>) -> Vec<f64> {
        self.distributions()
            .map(|distribution| statistic(distribution).unwrap_or(f64::NAN))
            .collect()
    }

    /// The means.
    pub fn mean(&self) -> Vec<f64> {
        self.each(|distribution| distribution.mean())
    }

    /// The standard errors of the means.
    pub fn std_error(&self) -> Vec<f64> {
        self.each(|distribution| distribution.std_error())
    }

    /// The standard deviations.
    pub fn std_dev(&self) -> Vec<f64> {
        self.each(|distribution| distribution.std_dev())
    }

    /// The least values.
    pub fn min(&self) -> Vec<f64> {
        self.each(|distribution| distribution.min())
    }

    /// The greatest values.
    pub fn max(&self) -> Vec<f64> {
        self.each(|distribution| distribution.max())
    }

    /// The quantiles at p from 0 to 1: [`Distribution::quantile`].
    pub fn quantile(&self, p: f64) -> Vec<f64> {
        self.each(|distribution| distribution.quantile(p))
    }

    /// The standard errors of the quantiles at p: [`Distribution::quantile_std_error`].
    pub fn quantile_std_error(&self, p: f64) -> Vec<f64> {
        self.each(|distribution| distribution.quantile_std_error(p))
    }

    /// The shares of trials with at least that value.
    pub fn probability_at_least(&self, value: f64) -> Vec<f64> {
        self.each(|distribution| distribution.probability_at_least(value))
    }
}

/// The total or one campus.
#[derive(Clone, Copy, Debug)]
pub struct ScopeView<'a> {
    projection: &'a Projection,
    scope: usize,
}

impl<'a> ScopeView<'a> {
    pub(super) fn new(projection: &'a Projection, scope: usize) -> Self {
        Self { projection, scope }
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        &self.projection.layout.scopes[self.scope]
    }

    /// A metric by name.
    pub fn metric(&self, name: &str) -> Option<MetricView<'a>> {
        Some(self.metric_at(self.projection.layout.metric_index(name)?))
    }

    fn metric_at(&self, index: usize) -> MetricView<'a> {
        let layout = &self.projection.layout;
        MetricView {
            projection: self.projection,
            metric: &layout.metrics[index],
            first: layout.series_index(self.scope, index, 0),
            months: layout.months,
        }
    }

    /// All metrics, in the layout's order.
    pub fn metrics(&self) -> impl Iterator<Item = MetricView<'a>> + use<'a> {
        let view = *self;
        (0..view.projection.layout.metrics.len()).map(move |index| view.metric_at(index))
    }

    /// The share of trials in which that cause held capacity down, month by month;
    /// NaN without trials.
    pub fn binding(&self, cause: &str) -> Option<Vec<f64>> {
        Some(self.binding_at(self.projection.layout.cause_index(cause)?))
    }

    /// All causes and their shares of trials by month, in the layout's order.
    pub fn bindings(&self) -> impl Iterator<Item = (&'a str, Vec<f64>)> + use<'a> {
        let view = *self;
        (view.projection.layout.causes.iter().enumerate())
            .map(move |(index, cause)| (cause.as_str(), view.binding_at(index)))
    }

    fn binding_at(&self, cause: usize) -> Vec<f64> {
        let trials = self.projection.trials as f64;
        (0..self.projection.layout.months)
            .map(|month| self.bound(self.projection, cause, month) as f64 / trials)
            .collect()
    }

    /// In how many trials of this projection, or of a replicate of it, the cause was binding.
    fn bound(&self, projection: &Projection, cause: usize, month: usize) -> u64 {
        let layout = &projection.layout;
        projection.binding[(self.scope * layout.months + month) * layout.causes.len() + cause]
    }

    /// All causes and the standard errors of their shares of trials by month, in the layout's order; NaN where
    /// there is none.
    pub fn binding_std_errors(&self) -> impl Iterator<Item = (&'a str, Vec<f64>)> + use<'a> {
        let view = *self;
        (view.projection.layout.causes.iter().enumerate()).map(move |(cause, name)| {
            let errors = (0..view.projection.layout.months)
                .map(|month| {
                    counted_std_error(view.projection, |part| view.bound(part, cause, month))
                        .unwrap_or(f64::NAN)
                })
                .collect();
            (name.as_str(), errors)
        })
    }
}

/// The standard error of the share of trials that are counted.
fn counted_std_error(projection: &Projection, count: impl Fn(&Projection) -> u64) -> Option<f64> {
    let share =
        |part: &Projection| (part.trials > 0).then(|| count(part) as f64 / part.trials as f64);
    if projection.replicates.is_empty() {
        let error = share_std_error(share(projection)?, projection.trials);
        return Some(error * projection.provenance.design.error_factor());
    }
    let replicates = projection.replicates.iter();
    replicates_std_error(replicates.map(|part| (part.trials, share(part))))
}

/// How often a target is met.
#[derive(Clone, Copy, Debug)]
pub struct TargetView<'a> {
    pub(super) label: &'a TargetLabel,
    pub(super) projection: &'a Projection,
    pub(super) index: usize,
}

impl<'a> TargetView<'a> {
    /// The target.
    pub fn label(&self) -> &'a TargetLabel {
        self.label
    }

    /// How many trials meet it.
    pub fn met(&self) -> u64 {
        self.projection.targets[self.index]
    }

    /// The share of trials that meet it; `None` without trials.
    pub fn probability(&self) -> Option<f64> {
        let trials = self.projection.trials;
        (trials > 0).then(|| self.met() as f64 / trials as f64)
    }

    /// The standard error of that share: of independent trials sqrt(p (1 - p) / n).
    pub fn std_error(&self) -> Option<f64> {
        counted_std_error(self.projection, |part| part.targets[self.index])
    }
}
