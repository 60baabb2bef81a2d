//! What capex refers to: campuses, buildings, halls and what happens there.

use std::ops::Range;

use crate::finance::{Capex, CapexUnit};
use crate::problem::{Path, Problems, name_help};
use crate::sampling::inputs::Quantity;
use crate::schedule::network::NodeId;

/// Where the buildings of a scenario are, to resolve what capex refers to.
pub(crate) struct Places<'a> {
    pub(crate) campuses: &'a [String],
    /// By campus: whether it settles its energy, and whether it states what the import costs.
    pub(crate) settles_energy: Vec<bool>,
    pub(crate) states_energy: Vec<bool>,
    pub(crate) buildings: Vec<BuildingPlace<'a>>,
    /// Looks a name up in a scope and those around it.
    pub(crate) find: &'a dyn Fn(&str, &str) -> Option<NodeId>,
}

pub(crate) struct BuildingPlace<'a> {
    pub(crate) campus: usize,
    /// Its full name.
    pub(crate) scope: String,
    /// What it may be called: its name, that of its series, that of its template.
    pub(crate) names: Vec<&'a str>,
    pub(crate) halls: Vec<HallPlace>,
}

pub(crate) struct HallPlace {
    /// Its position among the halls of the model.
    pub(crate) hall: usize,
    pub(crate) scope: String,
    pub(crate) handover: NodeId,
    pub(crate) ordered: NodeId,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Start,
    Node(NodeId),
    Delivered(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    One,
    Kw(usize),
    Racks(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Outlay {
    /// Its position among the capex of the scenario.
    pub(super) capex: usize,
    pub(super) campus: usize,
    pub(super) amount: Quantity,
    pub(super) when: When,
    pub(super) count: Count,
    pub(super) instalments: u32,
    pub(super) life_months: f64,
    /// Factors of levers of policy.
    pub(super) terms: Vec<Quantity>,
}

impl Places<'_> {
    /// The campus of that name, or all.
    pub(super) fn campuses(&self, wanted: Option<&str>) -> Range<usize> {
        let found = wanted.and_then(|wanted| self.campuses.iter().position(|name| name == wanted));
        match found {
            Some(campus) => campus..campus + 1,
            None => 0..self.campuses.len(),
        }
    }

    pub(super) fn outlays(
        &self,
        capex: &Capex,
        amount: Quantity,
        at: &Path,
        outlays: &mut Vec<Outlay>,
        problems: &mut Problems,
    ) {
        let campuses = self.campuses(capex.campus.as_deref());
        let outlay = |campus, when, count| Outlay {
            capex: 0,
            campus,
            amount,
            when,
            count,
            instalments: capex.instalments,
            life_months: capex.life_months,
            terms: Vec::new(),
        };
        let unknown = |wanted: &str, problems: &mut Problems| {
            problems.error(
                &at.key("when"),
                format!(
                    "there is no \"{wanted}\" in what capex \"{}\" is for",
                    capex.name
                ),
                "an activity there, or start, complete, handover, ordered or delivered",
            );
        };
        if capex.each == CapexUnit::Project {
            match self.of_project(capex) {
                Some(when) => outlays.push(outlay(campuses.start, when, Count::One)),
                None => unknown(capex.when.as_deref().unwrap_or_default(), problems),
            }
            return;
        }
        self.check_buildings(capex, at, problems);
        let Some(wanted) = capex.when.as_deref() else {
            return;
        };
        let before = outlays.len();
        for building in &self.buildings {
            if !campuses.contains(&building.campus) || !Self::is_for(capex, building) {
                continue;
            }
            if capex.each == CapexUnit::Building {
                let when = self.of_building(&building.scope, wanted);
                outlays.extend(when.map(|when| outlay(building.campus, when, Count::One)));
                continue;
            }
            for hall in &building.halls {
                let when = self.of_hall(building, hall, wanted);
                let count = count_of(capex.each, hall.hall);
                outlays.extend(when.map(|when| outlay(building.campus, when, count)));
            }
        }
        if outlays.len() == before && !self.buildings.is_empty() {
            unknown(wanted, problems);
        }
    }

    /// When capex of the whole project is paid: at the start, or at what is named on one of its campuses.
    fn of_project(&self, capex: &Capex) -> Option<When> {
        let Some(wanted) = &capex.when else {
            return Some(When::Start);
        };
        let mut campuses = self.campuses(capex.campus.as_deref());
        let node = campuses.find_map(|campus| (self.find)(&self.campuses[campus], wanted));
        node.map(When::Node)
    }

    fn check_buildings(&self, capex: &Capex, at: &Path, problems: &mut Problems) {
        let places = self.buildings.iter();
        let known = places.flat_map(|place| place.names.iter().copied());
        for (position, wanted) in capex.buildings.iter().enumerate() {
            if !known.clone().any(|name| name == wanted) {
                problems.error(
                    &at.key("buildings").index(position),
                    format!("there is no building or template \"{wanted}\""),
                    name_help(wanted, known.clone()),
                );
            }
        }
    }

    /// When capex of a hall is paid.
    fn of_hall(
        &self,
        building: &BuildingPlace<'_>,
        hall: &HallPlace,
        wanted: &str,
    ) -> Option<When> {
        match wanted {
            "handover" => Some(When::Node(hall.handover)),
            "ordered" => Some(When::Node(hall.ordered)),
            "delivered" => Some(When::Delivered(hall.hall)),
            "start" | "complete" => self.of_building(&building.scope, wanted),
            activity => self.within(&building.scope, &hall.scope, activity),
        }
    }

    /// Whether capex is for a building.
    fn is_for(capex: &Capex, building: &BuildingPlace<'_>) -> bool {
        let named = |name: &&str| capex.buildings.iter().any(|wanted| wanted == name);
        capex.buildings.is_empty() || building.names.iter().any(named)
    }

    fn of_building(&self, scope: &str, wanted: &str) -> Option<When> {
        if wanted == "complete" {
            return (self.find)("", scope).map(When::Node);
        }
        self.within(scope, scope, wanted)
    }

    /// An activity of a building or its hall, but not one of another building or the campus.
    fn within(&self, building: &str, scope: &str, activity: &str) -> Option<When> {
        let own = |scope: &str| (self.find)("", &format!("{scope}/{activity}"));
        own(scope).or_else(|| own(building)).map(When::Node)
    }
}

/// What an amount for a hall is multiplied by.
fn count_of(each: CapexUnit, hall: usize) -> Count {
    match each {
        CapexUnit::Kw => Count::Kw(hall),
        CapexUnit::Rack => Count::Racks(hall),
        _ => Count::One,
    }
}
