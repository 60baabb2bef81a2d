//! Risk events: what may happen to activities, with what probability, and what mitigates it.
//!
//! A risk happens once in a trial or not at all. If it happens, each activity that it hits takes
//!
//! ```text
//! duration' = duration x (product of the factors of what happens) + sum of the delays     months of working time
//! ```
//!
//! with one impact for all of them, so that one event makes several activities late together
//! (Hulett, "Integrated Cost-Schedule Risk Analysis", 2011: risk drivers). An activity of no
//! duration is delayed too, but no factor helps it.
//!
//! Whether it happens is drawn from a source of its own, so that a scenario with the mitigation and
//! one without it have common random numbers: what the mitigation prevents is a part of what would happen
//! without it. What a mitigation that is done costs is booked, where the scenario counts money, as
//! capex of its campus at the start of the scenario, with the contingency of all capex. See [`Scenario::with_mitigation`](crate::Scenario::with_mitigation).

use super::compiler::Compiler;
use super::network::{Effect, NodeId};
use crate::field::{MONEY, MONTHS, NUMBER, SHARE, plan};
use crate::pattern::matches;
use crate::problem::{Path, Problems, check_list, check_name};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// An event that may happen and makes activities longer.
    pub struct Risk in "risk/RISK" {
        /// Its name, unique in the scenario.
        pub name: String,
        /// The probability that it happens, 0 to 1.
        pub probability: f64 => SHARE.input(""),
        /// The activities (and grid steps) that it hits, such as "A1/shell" or, with * for any text, "*/fit-out".
        pub activities: Vec<String>,
        /// What it multiplies their durations by, 0 or more; 1.3 makes them 30 % longer.
        pub factor: Uncertain [= Uncertain::one()] => NUMBER.input("factor"),
        /// What it adds to each of their durations, in months of working time, 0 or more.
        pub delay_months: Uncertain [= Uncertain::zero()] => MONTHS.input("delay"),
        /// What could be done about it.
        pub mitigation: Option<Mitigation>,
        /// Whether it is done: then the mitigation's numbers count.
        pub mitigated: bool [= false],
    }
    fn plain;
}

plan! {
    /// What can be done about a risk, and what is left of it then.
    pub struct Mitigation {
        /// What it costs, in the scenario's currency, 0 or more. If it is done and the scenario has `finance`, it is capex at the start.
        pub cost: f64 => MONEY,
        /// The probability that is left, 0 to 1; left out, as before.
        pub probability: Option<f64> => SHARE,
        /// The factor that is left; left out, as before.
        pub factor: Option<Uncertain> => NUMBER,
        /// The delay that is left, in months; left out, as before.
        pub delay_months: Option<Uncertain> => MONTHS,
    }
    /// A mitigation of that cost, in the scenario's currency, which leaves all as it was; what is left is set on its fields.
    pub fn new;
}

/// A mitigation that costs nothing and changes nothing.
impl Default for Mitigation {
    fn default() -> Self {
        Self::new(0.0)
    }
}

impl Risk {
    /// A risk that hits some activities; its impact is set on its fields.
    pub fn new<'a>(
        name: impl Into<String>,
        probability: f64,
        activities: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let activities = activities.into_iter().map(str::to_owned);
        Self::plain(name, probability, activities.collect::<Vec<String>>())
    }

    fn applied(&self) -> Option<&Mitigation> {
        self.mitigation.as_ref().filter(|_| self.mitigated)
    }

    /// The probability that counts: with the mitigation if it is done.
    pub fn current_probability(&self) -> f64 {
        self.applied()
            .and_then(|mitigation| mitigation.probability)
            .unwrap_or(self.probability)
    }

    /// The factor that counts.
    pub fn current_factor(&self) -> &Uncertain {
        self.applied()
            .and_then(|mitigation| mitigation.factor.as_ref())
            .unwrap_or(&self.factor)
    }

    /// The delay that counts, in months.
    pub fn current_delay_months(&self) -> &Uncertain {
        self.applied()
            .and_then(|mitigation| mitigation.delay_months.as_ref())
            .unwrap_or(&self.delay_months)
    }

    /// What is spent on its mitigation, in the scenario's currency.
    pub fn cost(&self) -> f64 {
        self.applied().map_or(0.0, |mitigation| mitigation.cost)
    }

    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        if self.factor == Uncertain::one() && self.delay_months == Uncertain::zero() {
            problems.warning(
                at,
                format!("risk \"{}\" has no impact", self.name),
                "give it a `factor` or `delay_months`",
            );
        }
        if self.activities.is_empty() {
            problems.error(
                &at.key("activities"),
                format!("risk \"{}\" hits nothing", self.name),
                "name one activity or more, such as \"*/fit-out\"",
            );
        }
        let Some(mitigation) = &self.mitigation else {
            if self.mitigated {
                problems.error(
                    &at.key("mitigated"),
                    format!("risk \"{}\" is mitigated, but has no mitigation", self.name),
                    "say what is left of it in `mitigation`",
                );
            }
            return;
        };
        mitigation.check_fields(&at.key("mitigation"), problems);
    }
}

pub(crate) fn check_risks(risks: &[Risk], at: &Path, problems: &mut Problems) {
    check_list("risk", risks, |risk| &risk.name, at, problems, Risk::check);
}

impl Risk {
    /// Sets what it does to the activities that it hits.
    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) {
        let source = format!("risk/{}", self.name);
        let effect = Effect {
            happens: compiler.chance(&source, self.current_probability()),
            factor: compiler.draw(
                &format!("{source}/factor"),
                self.current_factor(),
                Domain::NON_NEGATIVE,
            ),
            delay_months: compiler.draw(
                &format!("{source}/delay"),
                self.current_delay_months(),
                Domain::NON_NEGATIVE,
            ),
        };
        compiler.affect(&self.activities, effect);
    }
}

impl Compiler<'_> {
    /// Adds an effect to all activities that one of the patterns in `activities` means, a key of what is being compiled.
    pub(crate) fn affect(&mut self, patterns: &[String], effect: Effect) {
        let at = self.at.key("activities");
        let mut hit: Vec<NodeId> = Vec::new();
        for (item, pattern) in patterns.iter().enumerate() {
            let meant = self.meant(pattern);
            if meant.is_empty() {
                self.unknown_work(pattern, &at.index(item));
            }
            hit.extend(meant);
        }
        hit.sort_unstable();
        hit.dedup();
        for node in hit {
            self.network.node_mut(node).effects.push(effect);
        }
    }

    /// The activities and grid steps that a pattern means.
    pub(super) fn meant(&self, pattern: &str) -> Vec<NodeId> {
        self.works
            .iter()
            .filter(|(name, _)| matches(pattern, name))
            .map(|(_, node)| *node)
            .collect()
    }

    pub(super) fn unknown_work(&mut self, pattern: &str, at: &Path) {
        let known = self
            .works
            .iter()
            .map(|(name, _)| name.split_once('/').map_or(name.as_str(), |(_, rest)| rest));
        let help = self.problems.name_help(pattern, known);
        let message = format!("there is no one activity or grid step \"{pattern}\"");
        self.problems.error(at, message, help);
    }

    /// The campus of the first activity that a risk hits.
    pub(crate) fn campus_of(&self, risk: &Risk) -> Option<&str> {
        let mut works = self.works.iter();
        let (name, _) = works.find(|(name, _)| {
            let mut patterns = risk.activities.iter();
            patterns.any(|pattern| matches(pattern, name))
        })?;
        name.split_once('/').map(|(campus, _)| campus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mitigation_counts_only_if_it_is_done() {
        let mut risk = Risk::new("flood", 0.3, ["A"]);
        risk.factor = 1.5.into();
        risk.delay_months = 2.0.into();
        let mut wall = Mitigation::new(100.0);
        wall.probability = Some(0.1);
        wall.delay_months = Some(1.0.into());
        risk.mitigation = Some(wall);
        let current = |risk: &Risk| {
            (
                risk.current_probability(),
                risk.current_factor().constant(),
                risk.current_delay_months().constant(),
                risk.cost(),
            )
        };
        assert_eq!(current(&risk), (0.3, Some(1.5), Some(2.0), 0.0));
        risk.mitigated = true;
        // What the mitigation does not state stays as it was.
        assert_eq!(current(&risk), (0.1, Some(1.5), Some(1.0), 100.0));
    }
}
