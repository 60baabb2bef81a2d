//! A building, or a series of like buildings, and how templates and series are resolved.

use super::hall::check_halls;
use super::{BuildingTemplate, Hall};
use crate::compute::Oversubscription;
use crate::date::Date;
use crate::field::{CARBON_TONNES, COUNT, KILOWATTS, MONTHS, NUMBER, plan};
use crate::power::ElectricalChain;
use crate::problem::{Path, Problems, check_known, check_name};
use crate::schedule::{Activity, Dependency, Override, check_activities, check_dependencies};

plan! {
    /// A building, or a series of like buildings.
    #[derive(Default)]
    pub struct Building {
        /// Its name, unique on its campus. In a series, `{n}` stands for the number of the building.
        pub name: String,
        /// The template that provides what is not given here.
        pub template: Option<String>,
        /// When its first activity may start; left out, at the start of the scenario.
        pub starts: Option<Date>,
        /// What must have finished before its first activity starts, such as "A1/shell".
        pub after: Vec<Dependency> = [],
        /// The substation that feeds it; left out, it hangs on the campus grid directly.
        pub substation: Option<String>,
        /// Critical IT power that its own electrical chain can carry, in kW; left out, as much as its halls take.
        pub power_kw: Option<f64> => KILOWATTS,
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
    }
    /// A building of which all is still to be set on its fields.
    pub fn new;
}

plan! {
    /// How a series of like buildings is numbered and spaced.
    pub struct Series {
        /// How many buildings, 1 to 1,000.
        pub count: u32 => COUNT.within(1.0, MOST_IN_A_SERIES as f64),
        /// The number of the first.
        pub first: u32 = 1 => NUMBER,
        /// Time from the start of one building to the start of the next, in months, 0 or more.
        pub every_months: f64 => MONTHS,
    }
}

/// One building of a campus after templates and series are resolved.
#[derive(Clone, Debug)]
pub(crate) struct PlannedBuilding<'a> {
    pub(crate) name: String,
    /// Months from the start date of its series to its own.
    pub(crate) offset_months: f64,
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

/// Resolves templates and series; what a template does not provide is reported by [`check_building`].
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
        let (count, first, every) = match &plan.series {
            Some(series) => (
                series.count.min(MOST_IN_A_SERIES),
                series.first,
                series.every_months,
            ),
            None => (1, 1, 0.0),
        };
        for number in 0..count {
            let name = match &plan.series {
                Some(_) => plan
                    .name
                    .replace("{n}", &first.saturating_add(number).to_string()),
                None => plan.name.clone(),
            };
            planned.push(PlannedBuilding {
                name,
                offset_months: f64::from(number) * every,
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
        let at = at.key("series");
        series.check_fields(&at, problems);
        if series.count > 1 && !building.name.contains("{n}") {
            problems.error(
                &at.key("count"),
                format!(
                    "all {} buildings of the series would be named \"{}\"",
                    series.count, building.name
                ),
                format!(
                    "put {{n}} into the name, such as \"{}{{n}}\"",
                    building.name
                ),
            );
        }
    }
}
