//! Hardware generations: stated, from the catalogue, or by a trend.

use std::collections::BTreeMap;

use super::{CATALOGUE, NEWEST, Reliability, catalogue};
use crate::date::Date;
use crate::field::{
    CARBON_TONNES, COUNT, GROWTH, KILOWATTS, MONEY_PER_KW, MONTHS, NUMBER, PFLOPS, plan,
};
use crate::power::Cooling;
use crate::problem::{Path, Problems, check_known, check_list, check_name, name_help};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// A generation of hardware, by the rack.
    pub struct Generation in "hardware/GENERATION" {
        /// Its name.
        pub name: String,
        /// Critical IT power of one rack of it, in kW, above 0. Drawn once a trial.
        pub rack_power_kw: Uncertain => KILOWATTS.input("rack power"),
        /// Compute of one rack in PFLOPS, by named precision (`fp16_dense`, say), 0 or more. Drawn once a trial.
        pub rack_pflops: (BTreeMap<String, Uncertain>) => PFLOPS.input("PFLOPS per rack"),
        /// When it can first be delivered; left out, it always could.
        pub available_from: Option<Date>,
        /// Time from order to delivery, in months, 0 or more. Drawn for each hall.
        pub lead_time_months: Uncertain = Uncertain::zero() => MONTHS,
        /// Growth of PFLOPS per rack a year, as a share, from `available_from` (or the start of the scenario) to the delivery: a trend that stands for hardware not yet announced. -1 or more.
        pub growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("growth").usually(-1.0, FASTEST_GROWTH, "a share: 0.3 stands for 30 % a year; accelerators grow by far less than 150 %"),
        /// How much later than `available_from` it is released, in months, 0 or more. Drawn once a trial.
        pub release_slip_months: Uncertain [= Uncertain::zero()] => MONTHS.input("slip"),
        /// Rack positions that one rack of it takes, 1 or more.
        pub rack_positions: u32 [= 1] => COUNT,
        /// The cooling that it needs; left out, any will do.
        pub cooling: Option<Cooling>,
        /// Accelerators in one rack, 1 or more.
        pub rack_accelerators: Option<u32> => COUNT,
        /// The most accelerators that can be had in three months, for all campuses together, above 0; left out, no limit. Halls are served in the order of their orders, first orders before replacements; what is not used lapses. Drawn once a trial.
        pub accelerators_per_quarter: Option<Uncertain> => NUMBER.within(1e-3, f64::INFINITY).input("supply"),
        /// Failures and spares; left out, it never fails.
        pub reliability: Option<Reliability>,
        /// Price of a rack of it with its share of hosts and network, in money per kW of the rack, 0 or more. Where the scenario has `finance`, it is paid as capex when the hardware is delivered, at every replacement too. Large AI campuses cost 29.2 M$ per facility MW with compute and 11.8 M$ per IT MW without, which at a PUE of 1.3 leaves about 26,000 $ per kW (derived). Drawn once a trial.
        pub price_per_kw: Uncertain [= Uncertain::zero()] => MONEY_PER_KW.input("price"),
        /// CO2 emitted in making one rack of it, in t, 0 or more.
        pub rack_embodied_carbon_t: f64 [= 0.0] => CARBON_TONNES,
    }
    fn with_pflops;
}

plan! {
    /// Generations of the catalogue of published hardware that a scenario takes over.
    pub struct CatalogueUse {
        /// The names of the entries.
        pub include: Vec<String>,
        /// Time from order to delivery of each, in months, 0 or more. Drawn for each hall.
        pub lead_time_months: Uncertain = Uncertain::zero() => MONTHS,
        /// Price of each; see [`Generation::price_per_kw`]. Drawn once a trial for each.
        pub price_per_kw: Uncertain [= Uncertain::zero()] => MONEY_PER_KW,
    }
    /// These entries, delivered at once and without a price.
    pub fn new;
}

plan! {
    /// Generations not yet announced, each so much later, denser and better than the one before.
    pub struct GenerationTrend in "hardware/trend" {
        /// The generation that they follow; the k-th is called by its name and " +k".
        pub from: String,
        /// How many, 1 to 40.
        pub count: u32 => COUNT.within(1.0, MOST_FUTURE as f64),
        /// Time from one to the next, in months, above 0. Drawn once a trial.
        pub every_months: Uncertain => MONTHS.within(0.01, 1_200.0).input("every_months"),
        /// Growth of PFLOPS per kW a year, as a share, above -1. Drawn once a trial. Energy efficiency of accelerators has grown by 26 to 40 % a year (Epoch AI).
        pub efficiency_growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("efficiency_growth_per_year"),
        /// Growth of the power of a rack a year, as a share, above -1. Drawn once a trial.
        pub rack_power_growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("rack_power_growth_per_year"),
        /// Growth of the price of a kW a year, as a share, above -1. Compute per money grows by (1 + efficiency growth) / (1 + this) - 1; it has grown by 30 % a year (Epoch AI), as much as the efficiency, so that 0 continues the trend. Drawn once a trial.
        pub price_per_kw_growth_per_year: Uncertain [= Uncertain::zero()] => GROWTH.input("price_per_kw_growth_per_year"),
    }
    /// That many generations after the one of that name, at that distance in months, without growth.
    pub fn new;
}

/// Performance of AI supercomputers grew by 150 % a year, that of chips by far less.
const FASTEST_GROWTH: f64 = 1.5;
/// A rack of 72 GB200 has 1.24 PFLOPS a kW at FP16. Bounds far beyond: (assumption)
const PFLOPS_PER_KW: std::ops::RangeInclusive<f64> = 0.005..=10.0;
const MOST_FUTURE: u32 = 40;

/// A generation of a scenario, stated, from the catalogue, or `steps` after the one it follows.
#[derive(Clone, Debug)]
pub(crate) struct PlannedGeneration {
    pub(crate) generation: Generation,
    pub(super) steps: u32,
}

/// All that a scenario says of generations.
#[derive(Clone, Copy)]
pub(crate) struct HardwarePlans<'a> {
    pub(crate) stated: &'a [Generation],
    pub(crate) catalogue: Option<&'a CatalogueUse>,
    pub(crate) trend: Option<&'a GenerationTrend>,
}

impl HardwarePlans<'_> {
    /// All generations: those stated, those of the catalogue, and future ones.
    pub(crate) fn all(self) -> Vec<PlannedGeneration> {
        let plain = |generation| PlannedGeneration {
            generation,
            steps: 0,
        };
        let mut planned: Vec<_> = self.stated.iter().cloned().map(plain).collect();
        if let Some(taken) = self.catalogue {
            let entries = taken.include.iter().filter_map(|name| catalogue(name));
            planned.extend(entries.map(|mut generation| {
                generation.lead_time_months = taken.lead_time_months.clone();
                generation.price_per_kw = taken.price_per_kw.clone();
                plain(generation)
            }));
        }
        if let Some(trend) = self.trend
            && let Some(base) = planned
                .iter()
                .find(|known| known.generation.name == trend.from)
        {
            let base = base.generation.clone();
            planned.extend((1..=trend.count.min(MOST_FUTURE)).map(|steps| {
                let mut generation = base.clone();
                generation.name = format!("{} +{steps}", trend.from);
                PlannedGeneration { generation, steps }
            }));
        }
        planned
    }

    /// Notes what is wrong with them, at `root`, the place of the scenario.
    pub(crate) fn check(self, precision: &str, root: &Path, problems: &mut Problems) {
        let stated = self.stated.iter().map(|known| known.name.as_str());
        check_list(
            "generation",
            self.stated,
            |generation| &generation.name,
            &root.key("generations"),
            problems,
            |generation, at, problems| generation.check(precision, at, problems),
        );
        if let Some(taken) = self.catalogue {
            let at = root.key("hardware_catalogue");
            taken.check(stated.clone(), precision, &at, problems);
        }
        if let Some(trend) = self.trend {
            let taken = self.catalogue.iter().flat_map(|taken| &taken.include);
            let known = stated.chain(taken.map(String::as_str));
            let at = root.key("generation_trend");
            let from = &at.key("from");
            check_known("hardware generation", &trend.from, known, from, problems);
            trend.check_fields(&at, problems);
        }
    }
}

impl CatalogueUse {
    /// Notes entries that there are not, or whose names are taken by the `stated` generations.
    fn check<'a>(
        &self,
        stated: impl Iterator<Item = &'a str> + Clone,
        precision: &str,
        at: &Path,
        problems: &mut Problems,
    ) {
        self.check_fields(at, problems);
        let entries = CATALOGUE.iter().map(|entry| entry.name);
        for (position, name) in self.include.iter().enumerate() {
            let at = at.key("include").index(position);
            let what = "entry of the catalogue";
            check_known(what, name, entries.clone(), &at, problems);
            if stated.clone().any(|known| known == name) || self.include[..position].contains(name)
            {
                problems.error(
                    &at,
                    format!("there is already a generation \"{name}\""),
                    "each needs a name of its own",
                );
            }
            let entry = CATALOGUE.iter().find(|entry| entry.name == name);
            if let Some(entry) = entry
                && !entry.rack_pflops().contains_key(precision)
            {
                problems.error(
                    &at,
                    format!("\"{name}\" has no PFLOPS at the precision \"{precision}\""),
                    "take \"fp16_dense\", or state the generation yourself",
                );
            }
        }
    }
}

impl Generation {
    /// A generation that is available at once, of a given compute at one precision.
    pub fn new(
        name: impl Into<String>,
        rack_power_kw: impl Into<Uncertain>,
        precision: impl Into<String>,
        pflops: impl Into<Uncertain>,
    ) -> Self {
        let rack_pflops = BTreeMap::from([(precision.into(), pflops.into())]);
        Self::with_pflops(name, rack_power_kw, rack_pflops)
    }

    fn check(&self, precision: &str, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        if self.name == NEWEST {
            problems.error(
                &at.key("name"),
                format!("a generation is named \"{NEWEST}\""),
                format!("\"{NEWEST}\" stands for whatever is the newest; use another name"),
            );
        }
        self.check_fields(at, problems);
        self.check_efficiency(precision, at, problems);
        if !self.rack_pflops.contains_key(precision) {
            problems.error(
                &at.key("rack_pflops"),
                format!(
                    "generation \"{}\" has no PFLOPS at the scenario's precision \"{precision}\"",
                    self.name
                ),
                name_help(precision, self.rack_pflops.keys().map(String::as_str)),
            );
        }
        if self.accelerators_per_quarter.is_some() && self.rack_accelerators.is_none() {
            problems.error(
                &at.key("accelerators_per_quarter"),
                "the supply is limited, but how many accelerators a rack holds is not said",
                "give `rack_accelerators` too",
            );
        }
        if let Some(reliability) = &self.reliability {
            reliability.check_fields(&at.key("reliability"), problems);
        }
    }

    /// Warns of a compute that no hardware has at such a power.
    fn check_efficiency(&self, precision: &str, at: &Path, problems: &mut Problems) {
        let Some(pflops) = self.rack_pflops.get(precision) else {
            return;
        };
        let pflops = pflops.median(Domain::NON_NEGATIVE).unwrap_or(0.0);
        let power_kw = self.rack_power_kw.median(Domain::POSITIVE).unwrap_or(0.0);
        if pflops > 0.0 && power_kw > 0.0 && !PFLOPS_PER_KW.contains(&(pflops / power_kw)) {
            problems.warning(
                &at.key("rack_pflops").key(precision),
                format!("{pflops} PFLOPS in {power_kw} kW is far from all known hardware"),
                "a rack of 72 GB200 has 180 PFLOPS dense BF16 in 145 kW; give PFLOPS of a whole rack",
            );
        }
    }
}
