//! The electrical chain of a building: modules, their redundancy, and when they are complete.

use super::availability::{GroupAvailability, Part, failure_to_repair, plant_availability};
use super::delivery::{Delivery, DeliveryError, DeliveryTree};
use super::redundancy::Redundancy;
use crate::field::{KILOWATTS, MONTHS, NUMBER, SHARE, plan};
use crate::problem::{Path, Problems, check_name, check_unique};
use crate::schedule::Dependency;
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// The electrical chain of a building: like modules (line-ups of transformer, UPS and generator)
    /// in some redundancy. What it may carry follows from the modules that are installed, by
    /// [`Redundancy::usable_modules`]; how available it is, by [`ElectricalChain::availability`].
    pub struct ElectricalChain in "CAMPUS/BUILDING" {
        /// How the modules stand in for one another: "N", "N+1", "2N", "3N/2", "4N/3", any "xN/y", or "block 4N/3".
        pub redundancy: Redundancy,
        /// What one module carries, in kW of critical IT power, above 0.
        pub module_power_kw: f64 => KILOWATTS,
        /// Modules that are there when the building is complete, 0 or more. Drawn once a trial, and rounded.
        pub modules: Uncertain => NUMBER.input("modules"),
        /// Modules that follow later.
        pub stages: Vec<ModuleStage> = [],
        /// What each module consists of, in series.
        pub parts: Vec<Part> = [],
        /// What all modules share, in series: the utility (with generators covering it), cooling.
        pub shared_parts: Vec<Part> = [],
        /// Share of the failures of modules that take down all modules of a group at once, 0 to 1 (β-factor; 0.01 to 0.1 is usual, IEC 61508-6).
        pub common_cause_share: f64 [= 0.0] => SHARE,
        /// The rows below the modules, in which racks are placed; left out, any rack finds room as long as there is power.
        pub delivery: Option<Delivery>,
    }
    /// A chain that is complete with its building and never fails.
    pub fn new;
}

plan! {
    /// Modules that come after the building is complete.
    pub struct ModuleStage in "CAMPUS/BUILDING/STAGE" {
        /// Its name, unique within its building.
        pub name: String,
        /// How many modules it adds, 1 or more; if it is uncertain, 0 or more. Drawn once a trial, and rounded.
        pub modules: Uncertain => NUMBER.input("modules"),
        /// What must have finished before; left out, the building.
        pub after: Vec<Dependency> = [],
        /// Time from then to its energisation, in months, 0 or more.
        pub wait_months: Uncertain = Uncertain::zero() => MONTHS.input(""),
    }
    /// That many modules, when the building is complete.
    pub fn new;
}

impl ElectricalChain {
    /// The delivery tree of the complete chain, if its rows are stated.
    pub fn delivery_tree(&self) -> Option<Result<DeliveryTree, DeliveryError>> {
        let delivery = self.delivery.as_ref()?;
        let modules = self.modules_in_the_end();
        Some(DeliveryTree::new(
            self.redundancy,
            modules,
            self.module_power_kw,
            delivery,
        ))
    }

    /// Modules when all stages have come, as planned: by the median where their number is uncertain.
    pub fn modules_in_the_end(&self) -> u32 {
        self.sum_of_modules(|modules| modules.median(Domain::NON_NEGATIVE).unwrap_or(0.0))
    }

    /// The sum over the building and its stages of whole numbers of modules.
    fn sum_of_modules(&self, number: impl Fn(&Uncertain) -> f64) -> u32 {
        let stages = self.stages.iter().map(|stage| &stage.modules);
        // What is more than any number of modules is refused as such.
        let sum = |sum: u32, modules| sum.saturating_add(number(modules).round() as u32);
        std::iter::once(&self.modules).chain(stages).fold(0, sum)
    }

    /// Whether the number of its modules is known.
    pub(super) fn is_certain(&self) -> bool {
        let mut stages = self.stages.iter();
        self.modules.constant().is_some() && stages.all(|stage| stage.modules.constant().is_some())
    }

    /// Critical IT power that `installed` modules may carry, in kW.
    pub fn usable_kw(&self, installed: u32) -> f64 {
        f64::from(self.redundancy.usable_modules(installed)) * self.module_power_kw
    }

    /// What `installed` modules would carry at the share of the whole chain of `all` modules, beyond what they may
    /// carry while their groups are not complete, in kW.
    pub fn waiting_for_redundancy_kw(&self, installed: u32, all: u32) -> f64 {
        let share = self.redundancy.usable_share(all);
        let at_share = share * f64::from(installed) * self.module_power_kw;
        (at_share - self.usable_kw(installed)).max(0.0)
    }

    /// What the complete chain delivers in the long run, by closed form; a chain without parts
    /// always delivers. `None` if no module carries load.
    pub fn availability(&self) -> Option<GroupAvailability> {
        self.availability_of(self.modules_in_the_end())
    }

    /// The same of a chain with this many modules.
    fn availability_of(&self, modules: u32) -> Option<GroupAvailability> {
        plant_availability(
            self.redundancy,
            modules,
            failure_to_repair(&self.parts),
            self.common_cause_share,
            &self.shared_parts,
        )
    }

    /// Share of the load that is fed in the long run with this many modules.
    pub(crate) fn served_share(&self, modules: u32) -> f64 {
        self.availability_of(modules)
            .map_or(0.0, |share| share.served)
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        for (list, key) in [(&self.parts, "parts"), (&self.shared_parts, "shared_parts")] {
            let at = at.key(key);
            for (position, part) in list.iter().enumerate() {
                part.check(&at.index(position), problems);
            }
            check_unique(
                "part",
                list.iter().map(|part| part.name.as_str()),
                &at,
                problems,
            );
        }
        let stages_at = at.key("stages");
        for (position, stage) in self.stages.iter().enumerate() {
            let at = stages_at.index(position);
            check_name(&stage.name, &at.key("name"), problems);
            stage.check(&at, problems);
            crate::schedule::check_dependencies(Some(&stage.after), &at, problems);
        }
        let names = self.stages.iter().map(|stage| stage.name.as_str());
        check_unique("stage", names, &stages_at, problems);
        self.modules.check_whole(&at.key("modules"), problems);
        let most = self.sum_of_modules(|modules| modules.range(Domain::NON_NEGATIVE).1);
        let modules = self.modules_in_the_end();
        if most > MOST_MODULES {
            problems.error(
                &at.key("modules"),
                format!("the chain may have {most} modules"),
                format!("{MOST_MODULES} modules or fewer"),
            );
        } else if self.redundancy.usable_modules(modules) == 0 {
            problems.error(
                &at.key("modules"),
                format!("{modules} modules in {} carry no load", self.redundancy),
                format!("{} modules or more", self.redundancy.tolerates() + 1),
            );
        } else if self.delivery.is_some() && !self.is_certain() {
            problems.error(
                &at.key("delivery"),
                "rows are laid out below a number of modules that is known, and here it is uncertain",
                "give `modules` as a number, or leave `delivery` out",
            );
        } else if let Some(delivery) = &self.delivery {
            let at = at.key("delivery");
            let before = problems.iter().count();
            delivery.check(&at, problems);
            if problems.iter().count() == before
                && self.module_power_kw > 0.0
                && let Some(Err(error)) = self.delivery_tree()
            {
                problems.error(
                    &at,
                    error.to_string(),
                    "\"N\", \"N+k\", \"2N\", \"xN/(x-1)\" or \"block xN/y\", in whole groups",
                );
            }
        }
    }
}

impl ModuleStage {
    fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        let at = at.key("modules");
        self.modules.check_whole(&at, problems);
        if self.modules.constant().is_some_and(|modules| modules < 1.0) {
            problems.error(
                &at,
                format!("stage \"{}\" adds no module", self.name),
                "1 module or more",
            );
        }
    }
}

/// More than any building has; it keeps closed forms cheap.
const MOST_MODULES: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_redundancy_is_measured_against_the_complete_chain() {
        let mut chain = ElectricalChain::new(Redundancy::Spare(1), 1_000.0, 1);
        chain.stages.push(ModuleStage {
            name: "second".to_owned(),
            modules: 4.into(),
            after: Vec::new(),
            wait_months: Uncertain::zero(),
        });
        assert_eq!(chain.modules_in_the_end(), 5);
        assert_eq!(chain.usable_kw(1), 0.0);
        assert_eq!(chain.waiting_for_redundancy_kw(1, 5), 800.0);
        assert_eq!(chain.usable_kw(5), 4_000.0);
        assert_eq!(chain.waiting_for_redundancy_kw(5, 5), 0.0);
    }

    #[test]
    fn two_paths_fail_together_as_the_square() {
        let mut chain = ElectricalChain::new(Redundancy::TWO_N, 1_000.0, 2);
        chain.parts.push(Part::new("UPS", 999.0, 1.0));
        let down = 1.0 - chain.availability().unwrap().full;
        assert!((down - 1e-6).abs() < 1e-15);
        chain.shared_parts.push(Part::new("switch", 99.0, 1.0));
        let both = chain.availability().unwrap().full;
        assert!((both - 0.99 * (1.0 - 1e-6)).abs() < 1e-12);
    }

    #[test]
    fn a_chain_that_carries_nothing_is_reported() {
        let chain = ElectricalChain::new("N+2".parse().unwrap(), 1_000.0, 2);
        let mut problems = Problems::new();
        chain.check(&Path::root(), &mut problems);
        assert!(
            problems
                .to_string()
                .contains("2 modules in N+2 carry no load"),
            "{problems}"
        );
    }
}
