//! A building, or a series of like buildings, and how templates and series are resolved.

use super::hall::check_halls;
use super::{BuildingTemplate, CampusExpansion, Hall};
use crate::compute::Oversubscription;
use crate::date::Date;
use crate::field::{CARBON_TONNES, COUNT, KILOWATTS, MONTHS, NUMBER, SHARE, plan};
use crate::power::ElectricalChain;
use crate::problem::{Path, Problems, check_known, check_name, with_thousands};
use crate::schedule::{
    Activity, Dependency, Override, check_activities, check_dependencies, warn_of_unlikely,
};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// A building, or a series of like buildings.
    pub struct Building {
        /// Its name, unique on its campus. In a series, `{n}` stands for the number of the building.
        pub name: String,
        /// The template that provides what is not given here.
        pub template: Option<String>,
        /// When its first activity may start; left out, at the start of the scenario.
        pub starts: Option<Date>,
        /// How much later than its date, and than what it waits for, it may start, in months; negative: earlier. Drawn once a trial, of a series for each building.
        pub delay_months: Uncertain [= Uncertain::zero()] => MONTHS.any().input("delay"),
        /// The class of plans that it belongs to, which says how plans slip, grow and are dropped.
        pub plan_class: Option<String>,
        /// What must have finished before its first activity starts, such as "A1/shell".
        pub after: Vec<Dependency> = [],
        /// The probability that it is built at all, 0 to 1; in the other trials it never is, nor what waits for it. Of a series each building is drawn by itself.
        pub probability: Option<f64> => SHARE,
        /// The substation that feeds it; left out, it hangs on the campus grid directly.
        pub substation: Option<String>,
        /// Critical IT power that its own electrical chain can carry, in kW; left out, as much as its halls take. Drawn once a trial.
        pub power_kw: Option<Uncertain> => KILOWATTS.input("power"),
        /// Its electrical chain in modules and their redundancy, from which what it can carry and its availability follow; left out, `power_kw` alone is the limit, and the chain never fails.
        pub electrical: Option<ElectricalChain>,
        /// How much more its halls sell than they are fed, at which risk; left out, no more.
        pub oversubscription: Option<Oversubscription>,
        /// CO2 emitted in building it, in t, 0 or more; counted when its halls are handed over, each an equal part.
        pub embodied_carbon_t: Option<f64> => CARBON_TONNES.above_zero(),
        /// Its activities from start to hand-over; a list is a chain unless `after` says otherwise.
        pub activities: Option<Vec<Activity>>,
        /// Its halls.
        pub halls: Option<Vec<Hall>>,
        /// What differs from the template in single activities.
        pub overrides: Vec<Override> = [],
        /// Makes this a series of like buildings.
        pub series: Option<Series>,
        /// Makes this a process of further buildings that are not announced yet.
        pub expansion: Option<CampusExpansion>,
    }
    /// A building of which all is still to be set on its fields.
    pub fn new;
}

plan! {
    /// How a series of like buildings is numbered and spaced.
    pub struct Series {
        /// How many buildings, 1 to 1,000; if it is uncertain, 0 or more. Drawn once a trial, and rounded.
        pub count: Uncertain => NUMBER.input("count"),
        /// The number of the first.
        pub first: u32 = 1 => NUMBER,
        /// Time from the start of one building to the start of the next, in months, 0 or more. Drawn for each of them.
        pub every_months: Uncertain => MONTHS.input("gap"),
        /// Where the count is uncertain: the most buildings that are simulated, 1 to 1,000; left out, the greatest count.
        pub at_most: Option<u32> => COUNT,
    }
    /// A number of buildings, numbered from 1, at equal distances in months.
    pub fn new;
}

impl Series {
    /// The most buildings that there are in any trial.
    fn most(&self) -> f64 {
        let most = match self.count {
            Uncertain::Constant(count) => count,
            _ => self.count.range(Domain::NON_NEGATIVE).1.round(),
        };
        most.min(self.at_most.map_or(f64::INFINITY, f64::from))
    }

    /// Where each building has a fixed distance from the first: the months from one to the next.
    fn fixed_gap(&self) -> Option<f64> {
        self.count.constant()?;
        self.every_months.constant()
    }

    fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        let at = at.key("count");
        self.count.check_whole(&at, problems);
        let least = f64::from(u8::from(self.count.constant().is_some()));
        if !(least..=f64::from(MOST_IN_A_SERIES)).contains(&self.most()) {
            problems.error(
                &at,
                format!("count is {}", self.most()),
                format!(
                    "a series has 1 to {} buildings; `at_most` limits an uncertain count",
                    with_thousands(&MOST_IN_A_SERIES.to_string())
                ),
            );
        }
    }
}

/// One building of a campus after templates and series are resolved.
#[derive(Clone, Debug)]
pub(crate) struct PlannedBuilding<'a> {
    pub(crate) name: String,
    /// Its number among those of its entry, from 0.
    pub(crate) number: u32,
    pub(crate) begins: BuildingBegins<'a>,
    pub(crate) plan: &'a Building,
    pub(crate) activities: &'a [Activity],
    pub(crate) activities_at: Path,
    pub(crate) halls: &'a [Hall],
    pub(crate) halls_at: Path,
    pub(crate) electrical: Option<&'a ElectricalChain>,
    pub(crate) electrical_at: Path,
    pub(crate) oversubscription: Option<&'a Oversubscription>,
    pub(crate) at: Path,
}

/// When a building of an entry is due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BuildingBegins<'a> {
    /// At the date of the entry, which has no other.
    Alone,
    /// Months after the first of its series.
    Offset(f64),
    /// Some time after the one before it in its series.
    Gap,
    /// As a wave of an expansion.
    Wave(&'a CampusExpansion),
}

/// Resolves templates, series and expansions; what a template does not provide is reported by [`check_building`].
pub(crate) fn plan_buildings<'a>(
    buildings: &'a [Building],
    templates: &'a [BuildingTemplate],
    at: &Path,
) -> Vec<PlannedBuilding<'a>> {
    let mut planned = Vec::new();
    for (position, plan) in buildings.iter().enumerate() {
        let at = at.index(position);
        let template = plan.template.as_ref().and_then(|wanted| {
            let position = templates
                .iter()
                .position(|template| &template.name == wanted)?;
            let at = Path::root().key("building_templates").index(position);
            Some((&templates[position], at))
        });
        let (activities, activities_at) = match (&plan.activities, &template) {
            (Some(own), _) => (own.as_slice(), at.key("activities")),
            (None, Some((template, at))) => (template.activities.as_slice(), at.key("activities")),
            (None, None) => (&[][..], at.key("activities")),
        };
        let (halls, halls_at) = match (&plan.halls, &template) {
            (Some(own), _) => (own.as_slice(), at.key("halls")),
            (None, Some((template, at))) => (template.halls.as_slice(), at.key("halls")),
            (None, None) => (&[][..], at.key("halls")),
        };
        let (electrical, electrical_at) = match (&plan.electrical, &template) {
            (None, Some((template, at))) => (template.electrical.as_ref(), at.key("electrical")),
            (own, _) => (own.as_ref(), at.key("electrical")),
        };
        let of_template = template.as_ref().map(|(template, _)| *template);
        let of_template = of_template.and_then(|template| template.oversubscription.as_ref());
        let oversubscription = plan.oversubscription.as_ref().or(of_template);
        let first = plan.series.as_ref().map_or(1, |series| series.first);
        for number in 0..plan.most().min(MOST_IN_A_SERIES) {
            let begins = plan.begins(number);
            let name = match begins {
                BuildingBegins::Alone => plan.name.clone(),
                _ => {
                    let name = first.saturating_add(number).to_string();
                    plan.name.replace("{n}", &name)
                }
            };
            planned.push(PlannedBuilding {
                name,
                number,
                begins,
                plan,
                activities,
                activities_at: activities_at.clone(),
                halls,
                halls_at: halls_at.clone(),
                electrical,
                electrical_at: electrical_at.clone(),
                oversubscription,
                at: at.clone(),
            });
        }
    }
    planned
}

const MOST_IN_A_SERIES: u32 = 1_000;

impl Building {
    /// How the building of that number, from 0, begins.
    fn begins(&self, number: u32) -> BuildingBegins<'_> {
        match (&self.series, &self.expansion) {
            (Some(series), _) => match series.fixed_gap() {
                Some(every) => BuildingBegins::Offset(f64::from(number) * every),
                None => BuildingBegins::Gap,
            },
            (None, Some(expansion)) => BuildingBegins::Wave(expansion),
            (None, None) => BuildingBegins::Alone,
        }
    }

    fn check_series(&self, series: &Series, at: &Path, problems: &mut Problems) {
        series.check(at, problems);
        if series.most() > 1.0 && !self.name.contains("{n}") {
            problems.error(
                &at.key("count"),
                format!(
                    "all {} buildings of the series would be named \"{}\"",
                    series.most(),
                    self.name
                ),
                format!("put {{n}} into the name, such as \"{}{{n}}\"", self.name),
            );
        }
    }
}

/// Checks what a building says of itself; names that it refers to are checked where they are known.
pub(crate) fn check_building(
    building: &Building,
    templates: &[BuildingTemplate],
    at: &Path,
    problems: &mut Problems,
) {
    check_name(&building.name, &at.key("name"), problems);
    if let Some(wanted) = &building.template {
        check_known(
            "building template",
            wanted,
            templates.iter().map(|template| template.name.as_str()),
            &at.key("template"),
            problems,
        );
    } else {
        for (given, key) in [
            (building.activities.is_some(), "activities"),
            (building.halls.is_some(), "halls"),
        ] {
            if !given {
                problems.error(
                    at,
                    format!("building \"{}\" has no {key}", building.name),
                    format!("give it `{key}`, or a `template` that has them"),
                );
            }
        }
    }
    check_dependencies(Some(&building.after), at, problems);
    for (position, one) in building.overrides.iter().enumerate() {
        one.check(&at.key("overrides").index(position), problems);
    }
    building.check_fields(at, problems);
    if let Some(activities) = &building.activities {
        check_activities(activities, &at.key("activities"), problems);
        warn_of_unlikely(activities, &at.key("activities"), problems);
    }
    if let Some(halls) = &building.halls {
        check_halls(halls, &at.key("halls"), problems);
    }
    if let Some(oversubscription) = &building.oversubscription {
        oversubscription.check(&at.key("oversubscription"), problems);
    }
    if let Some(electrical) = &building.electrical {
        electrical.check(&at.key("electrical"), problems);
    }
    if let Some(series) = &building.series {
        building.check_series(series, &at.key("series"), problems);
    }
    if let Some(expansion) = &building.expansion {
        check_expansion(expansion, building, &at.key("expansion"), problems);
    }
}

fn check_expansion(
    expansion: &CampusExpansion,
    building: &Building,
    at: &Path,
    problems: &mut Problems,
) {
    expansion.check(at, problems);
    if building.series.is_some() {
        problems.error(
            at,
            format!("\"{}\" is a series and an expansion at once", building.name),
            "give those that are announced and those that are not an entry each",
        );
    }
    if expansion.most > 1 && !building.name.contains("{n}") {
        problems.error(
            &at.key("most"),
            format!(
                "all waves of the expansion would be named \"{}\"",
                building.name
            ),
            format!(
                "put {{n}} into the name, such as \"{}{{n}}\"",
                building.name
            ),
        );
    }
}

impl Building {
    /// The most buildings that the entry stands for in any trial.
    pub(crate) fn most(&self) -> u32 {
        match (&self.series, &self.expansion) {
            // What is more than any number of buildings is refused as such.
            (Some(series), _) => series.most().max(0.0) as u32,
            (None, Some(expansion)) => expansion.waves(),
            (None, None) => 1,
        }
    }

    /// Whether it is uncertain how many buildings the entry stands for.
    pub(crate) fn is_uncertain(&self) -> bool {
        let series = self.series.as_ref();
        self.expansion.is_some()
            || self.probability.is_some()
            || self.plan_class.is_some()
            || series.is_some_and(|series| series.count.constant().is_none())
    }
}
