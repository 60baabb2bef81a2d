//! What may be wrong with a scenario as a whole; each part checks what it says of itself.

use super::targets::Asked;
use super::{FORMAT, LONGEST_HORIZON_MONTHS, Scenario};
use crate::compute::{CATALOGUE, Generation};
use crate::finance::metric_names;
use crate::policy::levers::{Known, check_levers};
use crate::problem::{Path, Problems, check_characters, check_known, check_unique};
use crate::schedule::calendars::check_calendars;
use crate::schedule::crews::check_crews;
use crate::schedule::risks::check_risks;
use crate::site::{Around, Seen};
use crate::tenants::market::{CONTACTED, stage_metric, voucher_metric};
use crate::uncertain::Domain;

impl Scenario {
    pub(crate) fn check_parts(&self, problems: &mut Problems) {
        let root = Path::root();
        if self.format != FORMAT {
            problems.error(
                &root.key("format"),
                format!("the scenario is of format {}", self.format),
                format!("this version of buildout reads format {FORMAT}"),
            );
        }
        check_label(&self.name, &root.key("name"), problems);
        if !(1..=LONGEST_HORIZON_MONTHS).contains(&self.horizon_months) {
            problems.error(
                &root.key("horizon_months"),
                format!("horizon_months is {}", self.horizon_months),
                format!("1 to {LONGEST_HORIZON_MONTHS} months"),
            );
        } else if (self.start.plus_months(f64::from(self.horizon_months))).is_none() {
            problems.error(
                &root.key("horizon_months"),
                format!(
                    "{} months after {} is beyond the year 9999",
                    self.horizon_months, self.start
                ),
                "an earlier start, or a shorter horizon",
            );
        }
        self.check_fields(&root, problems);
        self.check_equipment(&root, problems);
        self.check_schedule(&root, problems);
        self.check_sites(&root, problems);
        let at = root.key("segments");
        let generations = self.generations.iter().map(|known| known.name.as_str());
        for (position, segment) in self.segments.iter().enumerate() {
            segment.check(
                self.campus_names(),
                self.rack_type_names(),
                generations.clone(),
                &at.index(position),
                problems,
            );
        }
        self.check_market(problems);
        let segments = self.segments.iter().map(|segment| segment.name.as_str());
        check_unique("segment", segments, &at, problems);
        self.check_asked(&root, problems);
    }

    fn check_equipment(&self, root: &Path, problems: &mut Problems) {
        let at = root.key("rack_types");
        for (position, rack_type) in self.rack_types.iter().enumerate() {
            rack_type.check(&at.index(position), problems);
        }
        check_unique("rack type", self.rack_type_names(), &at, problems);
        let at = root.key("generations");
        for (position, generation) in self.generations.iter().enumerate() {
            generation.check(&self.precision, &at.index(position), problems);
        }
        let names = self.generations.iter().map(|known| known.name.as_str());
        check_unique("generation", names, &at, problems);
        self.check_hardware(root, problems);
    }

    fn check_schedule(&self, root: &Path, problems: &mut Problems) {
        let at = root.key("plan_classes");
        for (position, class) in self.plan_classes.iter().enumerate() {
            class.check(&at.index(position), problems);
        }
        let names = self.plan_classes.iter().map(|class| class.name.as_str());
        check_unique("plan class", names, &at, problems);
        check_calendars(&self.calendars, &root.key("calendars"), problems);
        check_crews(&self.crews, &root.key("crews"), problems);
        check_risks(&self.risks, &root.key("risks"), problems);
        if let Some(status) = &self.status {
            status.check(&root.key("status"), problems);
        }
    }

    fn check_sites(&self, root: &Path, problems: &mut Problems) {
        let around = Around {
            start: self.start,
            campuses: self.campus_names().collect(),
            templates: &self.building_templates,
            plan_classes: &self.plan_classes,
            rack_types: &self.rack_types,
            generations: &self.all_generations(),
            seen: Seen {
                market: &self.market_metrics(),
                money: &self.money_metrics(),
            },
        };
        let at = root.key("building_templates");
        for (position, template) in self.building_templates.iter().enumerate() {
            let at = at.index(position);
            template.check(&at, problems);
            around.check_halls(&template.halls, &at.key("halls"), problems);
        }
        let names = self.building_templates.iter();
        let names = names.map(|template| template.name.as_str());
        check_unique("building template", names, &at, problems);
        let at = root.key("campuses");
        if self.campuses.is_empty() {
            problems.error(
                &at,
                "the scenario has no campus",
                "a scenario has one campus or more",
            );
        }
        for (position, campus) in self.campuses.iter().enumerate() {
            campus.check(&around, &at.index(position), problems);
        }
        check_unique("campus", self.campus_names(), &at, problems);
    }

    /// Milestones and targets.
    fn check_asked(&self, root: &Path, problems: &mut Problems) {
        let at = root.key("milestones");
        for (position, milestone) in self.milestones.iter().enumerate() {
            milestone.check(&at.index(position), problems);
        }
        let names = self.milestones.iter().map(|known| known.name.as_str());
        check_unique("milestone", names, &at, problems);
        let asked = Asked {
            start: self.start,
            horizon_months: self.horizon_months,
            campuses: self.campus_names().collect(),
            more_metrics: &self.more_metrics(),
        };
        let at = root.key("targets");
        let names = self.targets.iter().map(|target| target.name.as_str());
        check_unique("target", names, &at, problems);
        for (position, target) in self.targets.iter().enumerate() {
            target.check(&asked, &at.index(position), problems);
        }
    }

    /// What is about all segments: named tenants, regimes, vouchers, money.
    fn check_market(&self, problems: &mut Problems) {
        let segments = self.segments.iter().map(|segment| segment.name.as_str());
        let at = Path::root().key("tenants");
        for (position, tenant) in self.tenants.iter().enumerate() {
            let at = at.index(position);
            tenant.check(segments.clone(), self.campus_names(), &at, problems);
        }
        let tenants = self.tenants.iter().map(|tenant| tenant.name.as_str());
        check_unique("tenant", tenants.clone(), &at, problems);
        let everyone = segments.chain(tenants);
        let at = Path::root().key("regimes");
        for (position, regime) in self.regimes.iter().enumerate() {
            regime.check(everyone.clone(), &at.index(position), problems);
        }
        let names = self.regimes.iter().map(|regime| regime.name.as_str());
        check_unique("regime", names, &at, problems);
        let at = Path::root().key("vouchers");
        for (position, voucher) in self.vouchers.iter().enumerate() {
            voucher.check(everyone.clone(), &at.index(position), problems);
        }
        let names = self.vouchers.iter().map(|voucher| voucher.name.as_str());
        check_unique("voucher", names.clone(), &at, problems);
        let capex = self.finance.iter().flat_map(|finance| &finance.capex);
        let known = Known {
            segments: self.segments.iter().map(|s| s.name.as_str()).collect(),
            capex: capex.map(|capex| capex.name.as_str()).collect(),
            has_money: self.finance.is_some(),
        };
        let at = Path::root().key("levers");
        check_levers(&self.levers, &known, &at, problems);
        let levers = self.levers.iter().map(|lever| lever.name.as_str());
        check_unique("lever", levers.clone(), &at, problems);
        for (position, name) in levers.enumerate() {
            if names.clone().any(|voucher| voucher == name) {
                problems.error(
                    &at.index(position).key("name"),
                    format!("\"{name}\" is the name of a voucher"),
                    "levers and vouchers need names of their own",
                );
            }
        }
        let at = Path::root().key("decisions");
        for (position, variable) in self.decisions.iter().enumerate() {
            variable.check(&at.index(position), problems);
        }
        let decisions = self.decisions.iter().map(|variable| variable.name.as_str());
        check_unique("decision", decisions, &at, problems);
        self.check_contract_hardware(problems);
        if let Some(finance) = &self.finance {
            let at = Path::root().key("finance");
            finance.check(self.campus_names(), everyone, &at, problems);
        }
    }

    /// The power of a contract in PFLOPS follows from hardware that has some.
    fn check_contract_hardware(&self, problems: &mut Problems) {
        let known = |generation: &&Generation, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|name| *name == generation.name)
        };
        let pflops = |generation: &Generation| {
            let pflops = generation.rack_pflops.get(&self.precision)?;
            Some(pflops.range(Domain::NON_NEGATIVE).0)
        };
        for (position, segment) in self.segments.iter().enumerate() {
            if segment.contract_pflops.is_none() {
                continue;
            }
            let mut meant = (self.generations.iter())
                .filter(|generation| known(generation, &segment.contract_hardware));
            if let Some(idle) = meant.find(|generation| pflops(generation) == Some(0.0)) {
                problems.error(
                    &Path::root()
                        .key("segments")
                        .index(position)
                        .key("contract_pflops"),
                    format!(
                        "a rack of \"{}\" has 0 PFLOPS, so that no power would be enough",
                        idle.name
                    ),
                    "name another generation in `contract_hardware`, or give the size in kW",
                );
            }
        }
    }

    fn check_hardware(&self, root: &Path, problems: &mut Problems) {
        let stated = self.generations.iter().map(|known| known.name.as_str());
        let mut taken: &[String] = &[];
        if let Some(catalogue) = &self.hardware_catalogue {
            taken = &catalogue.include;
            let at = root.key("hardware_catalogue");
            let entries = CATALOGUE.iter().map(|entry| entry.name);
            for (position, name) in taken.iter().enumerate() {
                let at = at.key("include").index(position);
                check_known(
                    "entry of the catalogue",
                    name,
                    entries.clone(),
                    &at,
                    problems,
                );
                if stated.clone().any(|known| known == name) || taken[..position].contains(name) {
                    problems.error(
                        &at,
                        format!("there is already a generation \"{name}\""),
                        "each needs a name of its own",
                    );
                }
                let entry = CATALOGUE.iter().find(|entry| entry.name == name);
                if let Some(entry) = entry
                    && !entry.rack_pflops().contains_key(&self.precision)
                {
                    problems.error(
                        &at,
                        format!(
                            "\"{name}\" has no PFLOPS at the precision \"{}\"",
                            self.precision
                        ),
                        "take \"fp16_dense\", or state the generation yourself",
                    );
                }
            }
            catalogue.check_fields(&at, problems);
        }
        if let Some(trend) = &self.generation_trend {
            let known = stated.chain(taken.iter().map(String::as_str));
            trend.check(known, &root.key("generation_trend"), problems);
        }
    }

    fn campus_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.campuses.iter().map(|campus| campus.name.as_str())
    }

    fn rack_type_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.rack_types
            .iter()
            .map(|rack_type| rack_type.name.as_str())
    }

    /// The metrics that it has beyond those of every scenario.
    fn more_metrics(&self) -> Vec<String> {
        let mut names = self.market_metrics();
        names.extend(self.money_metrics());
        names
    }

    fn money_metrics(&self) -> Vec<String> {
        let segments = self.segments.iter().map(|segment| segment.name.as_str());
        match &self.finance {
            Some(_) => metric_names(segments).collect(),
            None => Vec::new(),
        }
    }

    fn market_metrics(&self) -> Vec<String> {
        let segments = self.segments.iter();
        let stages = segments.flat_map(|segment| &segment.stages);
        let mut names: Vec<String> = stages.map(|stage| stage_metric(&stage.name)).collect();
        if !names.is_empty() {
            names.push(stage_metric(CONTACTED));
        }
        names.extend(
            self.vouchers
                .iter()
                .map(|voucher| voucher_metric(&voucher.name)),
        );
        names
    }
}

/// A name that is only shown, so that any character may be in it.
pub(super) fn check_label(name: &str, at: &Path, problems: &mut Problems) {
    if name.trim().is_empty() {
        problems.error(at, "the name is empty", "a name of one character or more");
    }
    check_characters(name, at, problems);
}

#[cfg(test)]
mod setters;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unlikely;
