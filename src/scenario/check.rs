//! What may be wrong with a scenario as a whole: its head, and the rooms that check what is stated of their own.

use super::targets::Asked;
use super::{FORMAT, LONGEST_HORIZON_MONTHS, Milestone, Scenario};
use crate::compute::{PlannedGeneration, check_rack_types};
use crate::finance::metric_names;
use crate::policy::check_decisions;
use crate::policy::levers::{Known, check_levers};
use crate::problem::{Path, Problems, check_characters, check_list};
use crate::schedule::calendars::check_calendars;
use crate::schedule::check_plan_classes;
use crate::schedule::crews::check_crews;
use crate::schedule::risks::check_risks;
use crate::site::{self, Seen, check_campuses, check_templates};
use crate::tenants::market::{CONTACTED, stage_metric, voucher_metric};
use crate::tenants::{self, Demand};

impl Scenario {
    /// Notes what is wrong with it, part by part; each room checks what is stated of its own.
    pub(crate) fn check_parts(&self, problems: &mut Problems) {
        let root = Path::root();
        self.check_head(&root, problems);
        self.check_fields(&root, problems);
        check_rack_types(&self.rack_types, &root.key("rack_types"), problems);
        (self.hardware_plans()).check(&self.precision, &root, problems);
        check_plan_classes(&self.plan_classes, &root.key("plan_classes"), problems);
        check_calendars(&self.calendars, &root.key("calendars"), problems);
        check_crews(&self.crews, &root.key("crews"), problems);
        check_risks(&self.risks, &root.key("risks"), problems);
        if let Some(status) = &self.status {
            status.check(&root.key("status"), problems);
        }
        let generations = self.all_generations();
        self.check_sites(&generations, &root, problems);
        let around = tenants::Around {
            campuses: self.campus_names().collect(),
            rack_types: (self.rack_types.iter())
                .map(|kind| kind.name.as_str())
                .collect(),
            generations: &generations,
            precision: &self.precision,
        };
        self.demand().check(&around, &root, problems);
        self.check_policy(&root, problems);
        if let Some(finance) = &self.finance {
            let tenants = self.demand().names();
            let at = root.key("finance");
            finance.check(self.campus_names(), tenants, &at, problems);
        }
        self.check_asked(&root, problems);
    }

    /// Format, name and horizon.
    fn check_head(&self, root: &Path, problems: &mut Problems) {
        if self.format != FORMAT {
            problems.error(
                &root.key("format"),
                format!("the scenario is of format {}", self.format),
                format!("this version of buildout reads format {FORMAT}"),
            );
        }
        check_label(&self.name, &root.key("name"), problems);
        let months = self.horizon_months.min(LONGEST_HORIZON_MONTHS);
        if (self.start.plus_months(f64::from(months))).is_none() {
            problems.error(
                &root.key("horizon_months"),
                format!(
                    "{months} months after {} is beyond the year 9999",
                    self.start
                ),
                "an earlier start, or a shorter horizon",
            );
        }
    }

    /// Templates and campuses.
    fn check_sites(&self, generations: &[PlannedGeneration], root: &Path, problems: &mut Problems) {
        let around = site::Around {
            start: self.start,
            campuses: self.campus_names().collect(),
            templates: &self.building_templates,
            plan_classes: &self.plan_classes,
            rack_types: &self.rack_types,
            generations,
            seen: Seen {
                market: &self.market_metrics(),
                money: &self.money_metrics(),
            },
        };
        let at = root.key("building_templates");
        check_templates(&self.building_templates, &around, &at, problems);
        check_campuses(&self.campuses, &around, &root.key("campuses"), problems);
    }

    /// Levers and decisions.
    fn check_policy(&self, root: &Path, problems: &mut Problems) {
        let capex = self.finance.iter().flat_map(|finance| &finance.capex);
        let known = Known {
            segments: self.demand().segment_names().collect(),
            vouchers: (self.vouchers.iter())
                .map(|voucher| voucher.name.as_str())
                .collect(),
            capex: capex.map(|capex| capex.name.as_str()).collect(),
            has_money: self.finance.is_some(),
        };
        check_levers(&self.levers, &known, &root.key("levers"), problems);
        check_decisions(&self.decisions, &root.key("decisions"), problems);
    }

    /// Milestones and targets.
    fn check_asked(&self, root: &Path, problems: &mut Problems) {
        check_list(
            "milestone",
            &self.milestones,
            |milestone| &milestone.name,
            &root.key("milestones"),
            problems,
            Milestone::check,
        );
        let asked = Asked {
            start: self.start,
            horizon_months: self.horizon_months,
            campuses: self.campus_names().collect(),
            more_metrics: &self.more_metrics(),
        };
        check_list(
            "target",
            &self.targets,
            |target| &target.name,
            &root.key("targets"),
            problems,
            |target, at, problems| target.check(&asked, at, problems),
        );
    }

    fn campus_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.campuses.iter().map(|campus| campus.name.as_str())
    }

    fn demand(&self) -> Demand<'_> {
        Demand {
            segments: &self.segments,
            tenants: &self.tenants,
            regimes: &self.regimes,
            vouchers: &self.vouchers,
        }
    }

    /// The metrics that it has beyond those of every scenario.
    fn more_metrics(&self) -> Vec<String> {
        let mut names = self.market_metrics();
        names.extend(self.money_metrics());
        names
    }

    fn money_metrics(&self) -> Vec<String> {
        match &self.finance {
            Some(_) => metric_names(self.demand().segment_names()).collect(),
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

#[cfg(all(test, feature = "files"))]
mod fields;
#[cfg(test)]
mod setters;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unlikely;
