//! What of a whole plan is worth a second look: parts that do not fit one another, or that say nothing.
//!
//! The bounds are assumptions: a plan beyond them may be meant, but mostly is a slip.

use super::Scenario;
use crate::power::GridStep;
use crate::problem::{Path, Problems};
use crate::site::{Building, Campus, Hall};
use crate::uncertain::{Domain, Uncertain};

/// Buildings that may draw this many times what they are fed have too little power (assumption).
const MUCH_MORE: f64 = 2.0;
/// From this many uncertain inputs on, a plan without any correlation is warned of (assumption).
const MANY_INPUTS: usize = 8;

fn median(of: &Uncertain) -> f64 {
    of.median(Domain::NON_NEGATIVE).unwrap_or(0.0)
}

impl Scenario {
    /// What is worth a second look before a run: contracts larger than all that is built, buildings without tenants or with
    /// hardly any power, power that comes after the horizon, and inputs of which none depends on another.
    /// `inputs` is how many uncertain inputs the compiled scenario has.
    pub fn second_look(&self, inputs: usize) -> Problems {
        let mut problems = Problems::new();
        let root = Path::root();
        for (position, campus) in self.campuses.iter().enumerate() {
            let at = root.key("campuses").index(position);
            self.look_at_power(campus, &at, &mut problems);
            self.look_at_dates(campus, &at, &mut problems);
        }
        self.look_at_tenants(&mut problems);
        self.look_at_contracts(&mut problems);
        self.look_at_independence(inputs, &mut problems);
        problems
    }

    /// The critical IT power of all that is planned on a campus at the medians, in kW; none where more may come.
    fn planned_kw(&self, campus: &Campus) -> Option<f64> {
        let buildings = campus.buildings.iter();
        if buildings
            .clone()
            .any(|building| building.expansion.is_some())
        {
            return None;
        }
        let existing: f64 = campus
            .existing
            .iter()
            .map(|existing| existing.power_kw)
            .sum();
        Some(
            existing
                + buildings
                    .map(|building| self.building_kw(building))
                    .sum::<f64>(),
        )
    }

    fn building_kw(&self, building: &Building) -> f64 {
        let template = (self.building_templates.iter())
            .find(|template| Some(&template.name) == building.template.as_ref());
        let halls = (building.halls.as_deref()).or(template.map(|template| &*template.halls));
        let of_halls: f64 = halls
            .into_iter()
            .flatten()
            .map(|hall| self.hall_kw(hall))
            .sum();
        let count = building
            .series
            .as_ref()
            .map_or(1.0, |series| median(&series.count));
        count * (building.power_kw.as_ref()).map_or(of_halls, |power| of_halls.min(median(power)))
    }

    fn hall_kw(&self, hall: &Hall) -> f64 {
        let rack = (self.rack_types.iter()).find(|rack| rack.name == hall.rack_type);
        let of_racks = rack.map_or(0.0, |rack| median(&rack.power_kw)) * median(&hall.racks);
        (hall.power_kw.as_ref()).map_or(of_racks, |power| of_racks.min(median(power)))
    }

    /// Buildings behind hardly any grid, or behind a substation that is much too small.
    fn look_at_power(&self, campus: &Campus, at: &Path, problems: &mut Problems) {
        let step = |step: &GridStep| median(&step.power_mw) * 1e3;
        let grid: f64 = campus.grid.iter().map(step).sum();
        let permanent = campus.bridge_power.iter().filter(|power| power.permanent);
        let own: f64 = permanent
            .map(|power| power.unit_power_mw * f64::from(power.units) * 1e3)
            .sum();
        let pue = median(&campus.pue).max(1.0);
        let planned: f64 = campus
            .buildings
            .iter()
            .map(|building| self.building_kw(building))
            .sum();
        if !campus.grid.is_empty() && planned * pue > MUCH_MORE * (grid + own) {
            problems.warning(
                &at.key("grid"),
                format!(
                    "{} MW of buildings on \"{}\" draw up to {} MW, but all steps of its grid and its permanent power bring {} MW",
                    megawatts(planned),
                    campus.name,
                    megawatts(planned * pue),
                    megawatts(grid + own)
                ),
                "the grid's power is facility power in MW: check its unit, or add the steps that are missing",
            );
        }
        for (position, substation) in campus.substations.iter().enumerate() {
            let fed = (campus.buildings.iter())
                .filter(|building| building.substation.as_ref() == Some(&substation.name));
            let fed: f64 = fed.map(|building| self.building_kw(building)).sum();
            let power = median(&substation.power_mw) * 1e3;
            if fed * pue > MUCH_MORE * power {
                problems.warning(
                    &at.key("substations").index(position).key("power_mw"),
                    format!(
                        "substation \"{}\" brings {} MW to buildings that draw up to {} MW",
                        substation.name,
                        megawatts(power),
                        megawatts(fed * pue)
                    ),
                    "a substation's power is facility power in MW: check its unit, or name another substation in some buildings",
                );
            }
        }
    }

    /// Power that comes after the end of the horizon, by its own waiting time.
    fn look_at_dates(&self, campus: &Campus, at: &Path, problems: &mut Problems) {
        let end = f64::from(self.horizon_months);
        let grid = campus
            .grid
            .iter()
            .map(|step| (&step.name, "grid", step.starts, &step.wait_months));
        let bridges = (campus.bridge_power.iter()).map(|power| {
            (
                &power.name,
                "bridge_power",
                power.starts,
                &power.wait_months,
            )
        });
        let (mut position, mut list) = (0, "");
        for (name, key, starts, wait) in grid.chain(bridges) {
            position = if key == list { position + 1 } else { 0 };
            list = key;
            let begins = starts.map_or(0.0, |date| date.months_after(self.start));
            // A start after the end is reported when the file is read.
            if begins < end && begins + median(wait) >= end {
                problems.warning(
                    &at.key(key).index(position).key("wait_months"),
                    format!("\"{name}\" comes after the end of the horizon in half of the trials or more"),
                    "a longer horizon, if it is to count",
                );
            }
        }
    }

    fn look_at_tenants(&self, problems: &mut Problems) {
        let has_buildings = self
            .campuses
            .iter()
            .any(|campus| !campus.buildings.is_empty());
        if has_buildings && self.segments.is_empty() && self.tenants.is_empty() {
            problems.warning(
                &Path::root().key("segments"),
                "there are buildings, but nobody leases them: nothing will ever be in service",
                "a [[segments]] entry for companies that come, or [[tenants]] that are known by name",
            );
        }
    }

    /// Tenants known by name that want more than all their campuses will ever have.
    fn look_at_contracts(&self, problems: &mut Problems) {
        for (position, tenant) in self.tenants.iter().enumerate() {
            let Some(wanted) = tenant.contract_power_kw.as_ref().map(median) else {
                continue;
            };
            let segment = (self.segments.iter()).find(|segment| segment.name == tenant.segment);
            let named = match &*tenant.campuses {
                [] => segment.map_or(&[][..], |segment| &*segment.campuses),
                named => named,
            };
            let open = (self.campuses.iter())
                .filter(|campus| named.is_empty() || named.contains(&campus.name));
            let planned = open
                .map(|campus| self.planned_kw(campus))
                .sum::<Option<f64>>();
            if let Some(planned) = planned.filter(|planned| wanted > *planned) {
                problems.warning(
                    &Path::root().key("tenants").index(position).key("contract_power_kw"),
                    format!(
                        "\"{}\" wants {} MW, but all that is ever built where it may go is {} MW",
                        tenant.name,
                        megawatts(wanted),
                        megawatts(planned)
                    ),
                    "contracts are critical IT power in kW: check the unit, or split it into contracts that fit",
                );
            }
        }
    }

    fn look_at_independence(&self, inputs: usize, problems: &mut Problems) {
        let linked = self.correlations.as_ref().is_some_and(|links| {
            !(links.groups.is_empty() && links.pairs.is_empty() && links.factors.is_empty())
        });
        let shared =
            !(self.risks.is_empty() && self.plan_classes.is_empty() && self.regimes.is_empty());
        if inputs >= MANY_INPUTS && !linked && !shared && !self.fixed_plan {
            problems.warning(
                &Path::root().key("correlations"),
                format!("all {inputs} uncertain inputs are independent of one another, so what they add up to is too sure"),
                "a common factor of all works, such as factors = [{ name = \"pace of works\", loadings = [{ inputs = [\"*\"], \
                 loading = 0.5 }] }], or [[risks]] that several share",
            );
        }
    }
}

/// A power in kW as MW with three digits.
fn megawatts(kw: f64) -> f64 {
    let mw = kw / 1e3;
    let digits = 10_f64.powf(2.0 - mw.abs().max(1e-9).log10().floor());
    (mw * digits).round() / digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Date;
    use crate::tenants::{NamedTenant, Segment};

    /// A building of 25 MW with a tenant and enough power.
    fn scenario() -> Scenario {
        let mut scenario = Scenario::new("one", Date::month(2025, 1).unwrap(), 36);
        scenario
            .rack_types
            .push(crate::compute::RackType::new("liquid", 100.0));
        let mut building = Building::new("A1");
        building.halls = Some(vec![Hall::new("hall", 250, "liquid")]);
        let mut campus = Campus::new("north");
        campus.buildings.push(building);
        campus.grid.push(GridStep::new("grid", 30.0, 0.0));
        scenario.campuses.push(campus);
        scenario.segments.push(Segment::new("laboratories"));
        scenario
    }

    fn tenant(kw: f64) -> NamedTenant {
        let mut tenant = NamedTenant::new("anchor", "laboratories", Date::month(2025, 6).unwrap());
        tenant.contract_power_kw = Some(kw.into());
        tenant
    }

    #[test]
    fn a_plan_that_fits_is_not_warned_of() {
        let mut scenario = scenario();
        scenario.tenants.push(tenant(20_000.0));
        assert!(
            scenario.second_look(3).is_empty(),
            "{}",
            scenario.second_look(3)
        );
    }

    #[test]
    fn what_does_not_fit_is_reported_with_its_place() {
        type Change = fn(&mut Scenario);
        let cases: [(&str, &str, Change); 6] = [
            ("campuses[0].grid", "25 MW of buildings", |s| {
                s.campuses[0].grid[0].power_mw = 1.0.into();
            }),
            (
                "campuses[0].grid[0].wait_months",
                "after the end of the horizon",
                |s| {
                    s.campuses[0].grid[0].wait_months = 40.0.into();
                },
            ),
            ("segments", "nobody leases", |s| s.segments.clear()),
            (
                "tenants[0].contract_power_kw",
                "wants 40 MW, but all that is ever built",
                |s| {
                    s.tenants.push(tenant(40_000.0));
                },
            ),
            (
                "correlations",
                "all 9 uncertain inputs are independent",
                |_| {},
            ),
            ("campuses[0].grid", "draw up to 100 MW", |s| {
                s.campuses[0].buildings[0].series = Some(crate::site::Series::new(4.0, 1.0));
            }),
        ];
        for (path, words, change) in cases {
            let mut scenario = scenario();
            change(&mut scenario);
            let inputs = if path == "correlations" { 9 } else { 0 };
            let problems = scenario.second_look(inputs);
            assert_eq!(problems.len(), 1, "{words}: {problems}");
            let problem = problems.iter().next().unwrap();
            assert_eq!(problem.path.to_string(), path);
            assert!(problem.message.contains(words), "{problem}");
        }
    }

    #[test]
    fn a_campus_that_may_expand_may_hold_any_contract() {
        let mut scenario = scenario();
        scenario.tenants.push(tenant(40_000.0));
        let series = Some(crate::site::Series::new(1.0, 1.0));
        scenario.campuses[0].buildings[0].series = series;
        assert_eq!(scenario.second_look(0).len(), 1);
        let risk = crate::schedule::risks::Risk::new("strike", 0.1, ["*"]);
        scenario.risks.push(risk);
        assert_eq!(scenario.second_look(9).len(), 1);
    }
}
