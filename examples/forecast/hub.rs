//! A scenario of all campuses that are known at a date: what stands, and waves that are not announced.

use std::error::Error;

use jiff::civil;

use buildout::compute::{Generation, RackType};
use buildout::problem::is_hidden;
use buildout::sampling::correlations::{CommonFactor, Correlations, Loading};
use buildout::schedule::Activity;
use buildout::site::{Building, BuildingTemplate, Campus, CampusExpansion, ExistingCapacity, Hall};
use buildout::uncertain::Outcome;
use buildout::{Date, Scenario, Uncertain};

use crate::class::{
    Class, Law, STOP_PROBABILITY, WAITS_BETWEEN_SHARE, h100e_of_a_mw, mw_of_a_building,
};
use crate::known::{Known, Wave};
use crate::vintages::years;

/// PFLOPS of an H100, dense BF16 (NVIDIA; 989 TFLOPS).
pub(crate) const H100_PFLOPS: f64 = 0.989;
/// More waves than this are not followed within the horizon.
const MOST_WAVES: u32 = 12;
/// Laws drift little within the two years ahead: that of the middle is taken.
const MIDDLE_YEARS: f64 = 1.0;
/// Racks of 1 kW each stand for any: 1,000 are a MW.
const RACK: &str = "kW";
const RACKS_PER_MW: f64 = 1_000.0;
const HARDWARE: &str = "newest at its date";
const TEMPLATE: &str = "building of 1 MW";
/// The most of the variance of a campus's inputs that what all campuses share may be.
const MOST_LOADING: f64 = 0.8;

/// The scenario from the day after `origin` on.
pub(crate) fn scenario(
    known: &[Known],
    class: &Class,
    origin: civil::Date,
    horizon_months: u32,
) -> Result<Scenario, Box<dyn Error>> {
    let name = format!("AI campuses as known on {origin}");
    let mut scenario = Scenario::new(name, date(origin.tomorrow()?)?, horizon_months);
    scenario.rack_types.push(RackType::new(RACK, 1.0));
    scenario.generations.push(hardware(class, &scenario));
    scenario.building_templates.push(template());
    let future = Future::new(class, years(origin));
    let names = scenario_names(known);
    scenario.correlations = Some(future.correlations(known, &names));
    for (campus, name) in known.iter().zip(names) {
        scenario.campuses.push(future.campus(campus, name)?);
    }
    Ok(scenario)
}

/// Names of campuses in scenarios, where `/` separates names, `*` stands for any text, and no two are the same.
pub(crate) fn scenario_names(known: &[Known]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for campus in known {
        let plain = (campus.name).replace(|c: char| matches!(c, '/' | '*') || is_hidden(c), "-");
        let numbered = (2..).map(|number| format!("{plain} ({number})"));
        let mut free = std::iter::once(plain.clone()).chain(numbered);
        names.extend(free.find(|name| !names.contains(name)));
    }
    names
}

fn date(day: civil::Date) -> Result<Date, Box<dyn Error>> {
    Ok(Date::day(day.year(), day.month(), day.day())?)
}

/// Hardware of the class's median at the start, and its trend.
fn hardware(class: &Class, scenario: &Scenario) -> Generation {
    let law = class.hardware(class.origin);
    let growth = class.hardware(class.origin + 1.0).ln_median - law.ln_median;
    let rack_pflops = law.ln_median.exp() * H100_PFLOPS / RACKS_PER_MW;
    let mut generation = Generation::new(HARDWARE, 1.0, scenario.precision.as_str(), rack_pflops);
    generation.growth_per_year = growth.exp_m1().into();
    generation
}

/// A building takes no time of its own: waits are from one that is live to the next.
fn template() -> BuildingTemplate {
    let mut hall = Hall::new("hall", RACKS_PER_MW, RACK);
    hall.hardware = Some(HARDWARE.to_owned());
    hall.hardware_ordered_after = Some("start".to_owned());
    BuildingTemplate::new(TEMPLATE, vec![Activity::new("energised", 0.0)], vec![hall])
}

/// The class as laws of the two years ahead.
struct Future<'a> {
    class: &'a Class,
    later: Law,
    size: Law,
    hardware: Law,
}

impl<'a> Future<'a> {
    fn new(class: &'a Class, start: f64) -> Self {
        let middle = start + MIDDLE_YEARS;
        Self {
            class,
            later: class.wait(false, middle),
            size: class.size(middle),
            hardware: class.hardware(middle),
        }
    }

    fn campus(&self, known: &Known, name: String) -> Result<Campus, Box<dyn Error>> {
        let mut campus = Campus::new(name);
        let [mw, h100e, _] = known.live;
        if mw > 0.0 || h100e > 0.0 {
            // Where only hardware was seen, its power is not known: one rack stands for it.
            let racks = (mw * RACKS_PER_MW).round().max(1.0);
            let power_kw = (mw * RACKS_PER_MW).max(1.0);
            let existing = ExistingCapacity::new(racks as u32, RACK, power_kw);
            campus.existing = Some(existing.compute_pflops(h100e * H100_PFLOPS));
        }
        let mut building = Building::new("X{n}");
        building.template = Some(TEMPLATE.to_owned());
        building.expansion = Some(self.expansion(known)?);
        campus.buildings.push(building);
        Ok(campus)
    }

    fn expansion(&self, known: &Known) -> Result<CampusExpansion, Box<dyn Error>> {
        let class = self.class;
        let mut expansion = CampusExpansion::new(lognormal(&self.later));
        expansion.most = MOST_WAVES;
        expansion.since = Some(date(known.waiting.since)?);
        expansion.first_wait_months = Some(lognormal(&class.waiting(known)));
        expansion.waits_between_share = WAITS_BETWEEN_SHARE;
        expansion.stop_probability = STOP_PROBABILITY;
        let past = known.waits.iter().map(|wait| {
            let law = class.wait(wait.first, wait.begun);
            same_score(wait.months, &law, &self.later)
        });
        expansion.past_waits_months = past.collect();
        let outcomes = class
            .buildings
            .iter()
            .map(|&(value, probability)| Outcome { value, probability });
        expansion.buildings = Uncertain::Discrete(outcomes.collect());
        expansion.size = lognormal(&self.size);
        expansion.sizes_between_share = class.size_between_share(&self.size);
        let sizes = past_values(known, mw_of_a_building);
        expansion.past_sizes = (sizes.into_iter())
            .map(|(years, mw)| mw * (self.size.ln_median - class.size(years).ln_median).exp())
            .collect();
        expansion.compute_factor = lognormal(&Law {
            ln_median: 0.0,
            ..self.hardware
        });
        expansion.compute_between_share = class.hardware_between_share(&self.hardware);
        let compute = past_values(known, h100e_of_a_mw);
        expansion.past_compute_factors = (compute.into_iter())
            .map(|(years, density)| density / class.hardware(years).ln_median.exp())
            .collect();
        Ok(expansion)
    }

    /// What all campuses share: errors of the class's medians, and shocks.
    fn correlations(&self, known: &[Known], names: &[String]) -> Correlations {
        let own = (1.0 - WAITS_BETWEEN_SHARE).sqrt();
        let later = (2..=MOST_WAVES).map(|wave| format!("*/X{wave}/wait"));
        let sigma = self.later.sigma * own;
        let mut pace = vec![loading(later, self.later.shared_sigma, sigma)];
        for (campus, name) in known.iter().zip(names) {
            let law = self.class.waiting(campus);
            let first = [format!("{name}/X1/wait")];
            pace.push(loading(first, law.shared_sigma, law.sigma * own));
        }
        let common = |name: &str, input: &str, law: &Law, between_share: f64| {
            let between = law.sigma * between_share.sqrt();
            CommonFactor::new(name, [loading([input], law.shared_sigma, between)])
        };
        let size = self.class.size_between_share(&self.size);
        let density = self.class.hardware_between_share(&self.hardware);
        Correlations::new().factors([
            CommonFactor::new("pace", pace),
            common("size", "*/scale", &self.size, size),
            common("hardware", "*/density", &self.hardware, density),
        ])
    }
}

fn loading(inputs: impl IntoIterator<Item = impl Into<String>>, shared: f64, of: f64) -> Loading {
    Loading::new(inputs, (shared / of).min(MOST_LOADING))
}

fn lognormal(law: &Law) -> Uncertain {
    Uncertain::Lognormal {
        median: law.ln_median.exp(),
        sigma: law.sigma,
    }
}

/// The value that stands where `value` stands within another law.
fn same_score(value: f64, law: &Law, other: &Law) -> f64 {
    let score = (value.ln() - law.ln_median) / law.sigma;
    (other.ln_median + other.sigma * score).exp()
}

/// Years and values of the waves so far that have one.
fn past_values(known: &Known, value: impl Fn(&Wave) -> Option<f64>) -> Vec<(f64, f64)> {
    let of = |wave: &Wave| Some((wave.years, value(wave)?));
    known.waves.iter().filter_map(of).collect()
}
