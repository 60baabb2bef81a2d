//! The class of AI campuses at a date: what was believed before any of them was seen, and what those
//! that are known by then say.
//!
//! Every number below is a judgement. The medians and trends are what trade figures said before 2024,
//! with wide errors; the spreads were set by hand, once, on 43 campuses that are open to all, and then
//! left alone (docs/track-record.md lists what was changed).

use jiff::civil::Date;

use buildout::analysis::fit::{
    ClassPrior, FitError, GroupedFit, NormalPrior, Record, Spread, fit_grouped,
};

use crate::known::{Known, Wave};
use crate::vintages::years;

/// The probability that a wave is a campus's last.
pub(crate) const STOP_PROBABILITY: f64 = 0.03;
/// The share of the variance of a wait's normal score that is the campus's own (assumption; between a
/// campus's first and next wait the correlation is about 0.4).
pub(crate) const WAITS_BETWEEN_SHARE: f64 = 0.4;
/// The standard deviations of a shock to the logarithms of first and of later waits that all campuses
/// share: a supply crunch, a rush (assumption).
const SHARED_SHOCK: [f64; 2] = [0.1, 0.1];
/// The wait that goes on is this much shorter where at least two buildings more than are live have been
/// seen: several are under way (assumption; ln 0.55).
const SEVERAL_UNDER_WAY: f64 = -0.6;
/// How many buildings a wave has, and how often (assumption).
pub(crate) const BUILDINGS: [(f64, f64); 5] = [
    (1.0, 0.72),
    (2.0, 0.14),
    (3.0, 0.06),
    (4.0, 0.04),
    (6.0, 0.04),
];
/// How many waves that judgement is worth against those that have been seen.
const BUILDINGS_WEIGHT: f64 = 15.0;

/// A prior for the start of 2024: the median and the error of its logarithm, its growth a year and the
/// error of that, the standard deviation of the logarithm within the class and the share between campuses.
fn prior(
    (median, error): (f64, f64),
    (growth, growth_error): (f64, f64),
    (sigma, between_share): (f64, f64),
) -> ClassPrior {
    ClassPrior {
        ln_median: NormalPrior {
            mean: median.ln(),
            sd: error,
        },
        trend_per_year: Some(NormalPrior {
            mean: growth,
            sd: growth_error,
        }),
        reference_years: 0.0,
        spread: Spread::Known {
            sigma,
            between_share,
        },
    }
}

/// From the clearing of land to the first power: 24 to 36 months and more beyond 100 MW, median 28.
fn first_wait() -> ClassPrior {
    prior((28.0, 0.25), (-0.15, 0.15), (0.42, 0.0))
}

/// From wave to wave: about 9 months (assumption).
fn later_wait() -> ClassPrior {
    prior((9.0, 0.4), (-0.15, 0.15), (0.6, WAITS_BETWEEN_SHARE))
}

/// MW of critical IT power a building: about 65, growing by a tenth a year (assumption).
fn mw_per_building() -> ClassPrior {
    prior((65.0, 0.3), (0.1, 0.1), (0.58, 0.7))
}

/// H100 equivalents a MW: an H100 takes about 1.4 to 1.7 kW all in, and the energy efficiency of
/// accelerators grows by 26 to 40 % a year.
fn h100e_per_mw() -> ClassPrior {
    prior((650.0, 0.25), (0.3, 0.12), (0.32, 0.6))
}

/// A lognormal law whose median is itself uncertain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Law {
    /// The logarithm of the median.
    pub(crate) ln_median: f64,
    /// The standard deviation of the logarithm, the error of the median and shared shocks and all.
    pub(crate) sigma: f64,
    /// The part of it that all campuses share: the error of the median, and shocks.
    pub(crate) shared_sigma: f64,
}

/// The class at a date.
pub(crate) struct Class {
    first: GroupedFit,
    later: GroupedFit,
    size: GroupedFit,
    hardware: GroupedFit,
    /// How many buildings a wave has, and how often.
    pub(crate) buildings: Vec<(f64, f64)>,
    /// The date, in years from 2024.
    pub(crate) origin: f64,
}

impl Class {
    /// What campuses that are known at a date, and the judgements above, say of the class.
    pub(crate) fn new(known: &[Known], origin: Date) -> Result<Self, FitError> {
        let fit = |records: Vec<Record>, prior| fit_grouped(&records, &prior);
        Ok(Self {
            first: fit(wait_records(known, true), first_wait())?,
            later: fit(wait_records(known, false), later_wait())?,
            size: fit(wave_records(known, mw_of_a_building), mw_per_building())?,
            hardware: fit(wave_records(known, h100e_of_a_mw), h100e_per_mw())?,
            buildings: buildings(known),
            origin: years(origin),
        })
    }

    /// The law of a wait that began at a time, in years from 2024.
    pub(crate) fn wait(&self, first: bool, begun: f64) -> Law {
        let (fit, shock) = if first {
            (&self.first, SHARED_SHOCK[0])
        } else {
            (&self.later, SHARED_SHOCK[1])
        };
        law(fit, begun, shock)
    }

    /// The law of the wait that goes on at a campus.
    pub(crate) fn waiting(&self, campus: &Known) -> Law {
        let law = self.wait(campus.waiting.first, campus.waiting.begun);
        let several = campus.live[0] > 0.0 && campus.buildings_seen >= campus.live[2] + 2.0;
        Law {
            ln_median: law.ln_median + if several { SEVERAL_UNDER_WAY } else { 0.0 },
            ..law
        }
    }

    /// The law of MW a building at a time.
    pub(crate) fn size(&self, years: f64) -> Law {
        law(&self.size, years, 0.0)
    }

    /// Standard deviations of ln(MW a building): between campuses, with the error of the median, and from
    /// wave to wave.
    pub(crate) fn size_spread(&self) -> (f64, f64) {
        let [between, within] = spread(&self.size);
        let error = self.size.ln_median_variance_at(self.origin + 1.0);
        ((between * between + error).sqrt(), within)
    }

    /// Standard deviations of ln(H100 equivalents a MW): between campuses and from wave to wave.
    pub(crate) fn hardware_spread(&self) -> (f64, f64) {
        let [between, within] = spread(&self.hardware);
        (between, within)
    }

    /// The law of H100 equivalents a MW at a time.
    pub(crate) fn hardware(&self, years: f64) -> Law {
        law(&self.hardware, years, 0.0)
    }
}

fn law(fit: &GroupedFit, years: f64, shock: f64) -> Law {
    let shared = fit.ln_median_variance_at(years) + shock * shock;
    Law {
        ln_median: fit.ln_median_at(years),
        sigma: (fit.sigma * fit.sigma + shared).sqrt(),
        shared_sigma: shared.sqrt(),
    }
}

fn spread(fit: &GroupedFit) -> [f64; 2] {
    [fit.between_share, 1.0 - fit.between_share].map(|share| fit.sigma * share.sqrt())
}

/// MW a building, of a wave that has buildings.
pub(crate) fn mw_of_a_building(wave: &Wave) -> Option<f64> {
    let [mw, _, buildings] = wave.gain;
    (buildings > 0.0 && mw > 0.0).then(|| mw / buildings)
}

/// H100 equivalents a MW of a wave.
pub(crate) fn h100e_of_a_mw(wave: &Wave) -> Option<f64> {
    let [mw, h100e, _] = wave.gain;
    (h100e > 0.0 && mw > 0.0).then(|| h100e / mw)
}

/// First or later waits, those that go on as censored.
fn wait_records(known: &[Known], first: bool) -> Vec<Record> {
    let mut records = Vec::new();
    for campus in known {
        let over = campus.waits.iter().map(|wait| (wait, true));
        for (wait, ended) in over.chain([(&campus.waiting, false)]) {
            if wait.first == first && wait.months > 0.0 {
                let record = Record {
                    ended,
                    ..Record::ended(wait.months)
                };
                records.push(record.begun(wait.begun).of(&campus.name));
            }
        }
    }
    records
}

fn wave_records(known: &[Known], value: impl Fn(&Wave) -> Option<f64>) -> Vec<Record> {
    let of = |campus: &Known| {
        let record = |wave: &Wave| {
            let record = Record::ended(value(wave)?).begun(wave.years);
            Some(record.of(&campus.name))
        };
        campus.waves.iter().filter_map(record).collect::<Vec<_>>()
    };
    known.iter().flat_map(of).collect()
}

/// The judgement of how many buildings a wave has, with what has been seen counted in: each wave under
/// the number that is nearest to its own.
fn buildings(known: &[Known]) -> Vec<(f64, f64)> {
    let mut weights = BUILDINGS.map(|(_, share)| BUILDINGS_WEIGHT * share);
    let gains = known
        .iter()
        .flat_map(|campus| &campus.waves)
        .map(|wave| wave.gain[2]);
    for gain in gains.filter(|&gain| gain > 0.0) {
        let distance = |i: &usize| (BUILDINGS[*i].0 - gain).abs();
        let nearest = (0..BUILDINGS.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        weights[nearest.unwrap_or(0)] += 1.0;
    }
    let total: f64 = weights.iter().sum();
    let outcome = |(&(number, _), weight): (&(f64, f64), f64)| (number, weight / total);
    BUILDINGS.iter().zip(weights).map(outcome).collect()
}
