//! How far tenants that come and go at the ends of months are from tenants that come and go at any moment, for the segments of
//! the examples. The table in docs/model.md is made here: `BUILDOUT_RENEW=1 cargo test --test suite months` writes it again.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use buildout::finance::{Finance, Price};
use buildout::tenants::Segment;
use buildout::uncertain::Domain;
use buildout::{Batch, Scenario, Uncertain};

use crate::tool::{PROJECT, examples};

/// Contracts that are signed in a month, each of one kW.
const ARRIVALS: f64 = 30.0;
/// A horizon by which the last tenant of any example has left but for 1e-5 of them.
const FAR: usize = 3_000;
/// Moments within a month at which continuous time is looked at.
const STEPS: usize = 16;

enum End {
    Churn(f64),
    Renewal { probability: f64, months: f64 },
}

/// How long tenants stay and how they fill their leases: values with their weights.
struct Stay {
    terms: Vec<(f64, f64)>,
    ramps: Vec<(f64, f64)>,
    end: End,
}

fn values(of: &Uncertain) -> Vec<(f64, f64)> {
    const MANY: usize = 20;
    let sampler = of.sampler(Domain::NON_NEGATIVE).unwrap();
    let mut weights: BTreeMap<u64, f64> = BTreeMap::new();
    for number in 0..MANY {
        let value = sampler.at((number as f64 + 0.5) / MANY as f64);
        *weights.entry(value.to_bits()).or_default() += 1.0 / MANY as f64;
    }
    (weights.into_iter())
        .map(|(bits, weight)| (f64::from_bits(bits), weight))
        .collect()
}

fn median(of: &Uncertain) -> f64 {
    of.sampler(Domain::NON_NEGATIVE).unwrap().at(0.5)
}

fn mean_over(list: &[(f64, f64)], of: impl Fn(f64) -> f64) -> f64 {
    list.iter().map(|(value, weight)| weight * of(*value)).sum()
}

impl Stay {
    /// None where tenants never leave.
    fn of(segment: &Segment) -> Option<Self> {
        let churn = median(&segment.churn_per_month);
        let end = match &segment.renewal {
            Some(renewal) => End::Renewal {
                probability: median(&renewal.probability),
                months: median(renewal.term_months.as_ref().unwrap_or(&segment.term_months)),
            },
            None if churn > 0.0 => End::Churn(churn),
            None => return None,
        };
        Some(Self {
            terms: values(&segment.term_months),
            ramps: values(&segment.ramp_months),
            end,
        })
    }

    /// The share of tenants that are still there so long after they moved in.
    fn share_left(&self, months: f64) -> f64 {
        mean_over(&self.terms, |term| match self.end {
            End::Churn(churn) => (1.0 - churn).powf((months - term).max(0.0)),
            End::Renewal { .. } if months < term => 1.0,
            End::Renewal {
                probability,
                months: renewed,
            } => probability.powf(1.0 + ((months - term) / renewed).floor()),
        })
    }

    /// The part of a lease that is in use so long after it began, filled in equal steps of a month or at an even rate.
    fn share_used(&self, months: f64, is_even: bool) -> f64 {
        mean_over(&self.ramps, |ramp| {
            let steps = if is_even {
                months
            } else {
                months.floor() + 1.0
            };
            (steps / ramp.round().max(1.0)).min(1.0)
        })
    }

    /// The power in service at each month's end of one kW a month, as the model counts.
    fn in_months(&self) -> Vec<f64> {
        let each = (0..FAR).map(|month| {
            let month = month as f64;
            self.share_left(month) * self.share_used(month, false)
        });
        running(each)
    }

    /// The same of continuous time, at each step of a month.
    fn in_steps(&self, is_even: bool) -> Vec<f64> {
        let each = (0..FAR * STEPS).map(|step| {
            let months = (step as f64 + 0.5) / STEPS as f64;
            self.share_left(months) * self.share_used(months, is_even) / STEPS as f64
        });
        running(each)
    }
}

fn running(each: impl Iterator<Item = f64>) -> Vec<f64> {
    each.scan(0.0, |sum, x| {
        *sum += x;
        Some(*sum)
    })
    .collect()
}

/// What the model has more than continuous time has, as shares of the latter.
struct Excess {
    stay_months: f64,
    power: f64,
    power_after_three_years: f64,
    revenue_of_ten_years: f64,
    power_of_even_ramps: f64,
}

impl Excess {
    fn of(stay: &Stay) -> Self {
        let months = stay.in_months();
        let steps = stay.in_steps(false);
        let at = |month: usize| months[month - 1] / steps[month * STEPS - 1] - 1.0;
        let decade = 120;
        let billed: f64 = months[..decade].iter().sum();
        let earned: f64 = steps[..decade * STEPS].iter().sum::<f64>() / STEPS as f64;
        let even = stay.in_steps(true);
        let stay_months = (0..FAR * STEPS)
            .map(|step| stay.share_left((step as f64 + 0.5) / STEPS as f64) / STEPS as f64)
            .sum();
        Self {
            stay_months,
            power: at(FAR),
            power_after_three_years: at(36),
            revenue_of_ten_years: billed / earned - 1.0,
            power_of_even_ramps: months[FAR - 1] / even[FAR * STEPS - 1] - 1.0,
        }
    }
}

/// The segments of the examples that tenants leave, alike ones once.
fn segments() -> Vec<(String, Segment)> {
    let mut found: Vec<(String, Segment)> = Vec::new();
    for path in examples() {
        let scenario = Scenario::from_path(&path).unwrap();
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        for segment in scenario.segments {
            let is_known = found.iter().any(|(_, known)| {
                known.term_months == segment.term_months
                    && known.ramp_months == segment.ramp_months
                    && known.churn_per_month == segment.churn_per_month
                    && known.renewal == segment.renewal
            });
            if Stay::of(&segment).is_some() && !is_known {
                found.push((format!("{file}: {}", segment.name), segment));
            }
        }
    }
    found
}

/// The segment alone on a campus with room for all, its quantities at their medians, at a rent of 1 a kW and month.
fn alone(segment: &Segment) -> Scenario {
    let text = "name = \"alone\"\nstart = \"2025-01\"\nhorizon_months = 120\nrack_types = [{ name = \"r\", power_kw = 10 }]\n\
        campuses = [{ name = \"c\", existing = { racks = 100_000, rack_type = \"r\", power_kw = 1_000_000 } }]";
    let mut scenario = Scenario::from_toml(text).unwrap();
    let mut only = Segment::new("s");
    only.outreach_per_month = ARRIVALS.into();
    only.contract_power_kw = Some(1.0.into());
    only.term_months = segment.term_months.clone();
    only.ramp_months = segment.ramp_months.clone();
    only.churn_per_month = median(&segment.churn_per_month).into();
    only.renewal.clone_from(&segment.renewal);
    if let Some(renewal) = &mut only.renewal {
        renewal.probability = median(&renewal.probability).into();
    }
    scenario.segments = vec![only];
    let mut price = Price::new("s");
    price.per_kw_month = 1.0.into();
    let mut finance = Finance::new(0.0);
    finance.prices = vec![price];
    scenario.finance = Some(finance);
    scenario
}

#[test]
fn trials_have_the_closed_form_of_whole_months() {
    const TRIALS: u64 = 40;
    for (name, segment) in segments() {
        let expected = Stay::of(&segment).unwrap().in_months();
        let model = alone(&segment).compile().unwrap();
        let batch = Batch::new(&model).trials(TRIALS).seed(20_261_130);
        let projection = batch.run().unwrap();
        let power = projection.metric("in_service_power_mw").unwrap().mean();
        let revenue = projection.metric("revenue").unwrap().mean();
        for month in [11, 35, 119] {
            let kw = ARRIVALS * expected[month];
            // A Poisson number of leases, none of which has more than one kW in use.
            let tolerance = 4.0 * (kw / TRIALS as f64).sqrt();
            let got = 1e3 * power[month];
            assert!((got - kw).abs() < tolerance, "{name}, {month}: {got} {kw}");
            let paid = revenue[month];
            assert!((paid - got).abs() < 1e-3 * got, "{name}: {paid} {got}");
        }
    }
}

const BEGIN: &str = "<!-- made by tests/suite/months.rs -->\n";
const END: &str = "<!-- end -->";

fn table(rows: &[(String, Excess)]) -> String {
    let mut text = BEGIN.to_owned();
    text += "| segment | mean stay, months | power in service | after 3 years | revenue of 10 years | power, if ramps are even |\n| --- | ---: | ---: | ---: | ---: | ---: |\n";
    for (name, excess) in rows {
        let percent = |share: f64| format!("{:+.1} %", 100.0 * share).replace("-0.0", "+0.0");
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {} | {} | {} | {} |",
            excess.stay_months,
            percent(excess.power),
            percent(excess.power_after_three_years),
            percent(excess.revenue_of_ten_years),
            percent(excess.power_of_even_ramps),
        );
    }
    text + END
}

#[test]
fn whole_months_change_the_examples_by_less_than_a_hundredth() {
    let rows: Vec<(String, Excess)> = (segments().into_iter())
        .map(|(name, segment)| (name, Excess::of(&Stay::of(&segment).unwrap())))
        .collect();
    assert!(rows.len() >= 6);
    for (name, excess) in &rows {
        assert!(excess.power.abs() < 0.01, "{name}: {}", excess.power);
        let early = excess.power_after_three_years;
        assert!(early.abs() < 0.01, "{name}: {early}");
        let even = excess.power_of_even_ramps;
        assert!(even.abs() < 0.015, "{name}: {even}");
    }
    let path = Path::new(PROJECT).join("docs/model.md");
    let text = fs::read_to_string(&path).unwrap();
    let begin = text.find(BEGIN).expect("where the table begins");
    let end = begin + text[begin..].find(END).expect("where it ends") + END.len();
    let made = table(&rows);
    if std::env::var_os("BUILDOUT_RENEW").is_some() {
        fs::write(&path, format!("{}{made}{}", &text[..begin], &text[end..])).unwrap();
        return;
    }
    assert_eq!(text[begin..end], made, "renew the table");
}

/// A churn c stands for a mean stay of 1/c months; read as a rate of -ln(1 - c) it stands for half a month less.
#[test]
fn half_a_month_is_a_hundredth_of_fifty_and_a_twentieth_of_ten() {
    for (months, expected) in [(3.0, 0.176), (10.0, 0.0508), (50.0, 0.01), (120.0, 0.0042)] {
        let stay = Stay {
            terms: vec![(0.0, 1.0)],
            ramps: vec![(1.0, 1.0)],
            end: End::Churn(1.0 - (-1.0_f64 / months).exp()),
        };
        let excess = Excess::of(&stay);
        assert!((excess.stay_months / months - 1.0).abs() < 1e-3);
        assert!(
            (excess.power - expected).abs() < 0.002 * (1.0 + 1.0 / months),
            "{}",
            excess.power
        );
    }
}
