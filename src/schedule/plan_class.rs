//! What becomes of plans: announced buildings, substations and grid steps that are revised, delayed, enlarged or dropped.
//!
//! A plan names its class, and the class says how plans of its kind have turned out. For a plan that is announced for
//! the date t, in months from the start of the scenario,
//!
//! ```text
//! it is built with a probability, and else never
//! date   t' = slip factor x t + delay       for t > 0; what is due already is only delayed
//! size   racks, power and MW x size factor
//! ```
//!
//! Each is drawn for every plan by itself. A plan of many steps that slips as one is a common factor of loading 1
//! ([`CommonFactor`](crate::sampling::correlations::CommonFactor)) on the slips of its steps.

use crate::field::{MONTHS, NUMBER, SHARE, plan};
use crate::problem::{Path, Problems, check_list, check_name};
use crate::uncertain::Uncertain;

plan! {
    /// How plans of one kind turn out.
    pub struct PlanClass {
        /// Its name, unique in the scenario.
        pub name: String,
        /// The probability that such a plan is carried out at all, 0 to 1; left out, 1. A `probability` of the plan itself counts instead.
        pub probability: Option<f64> => SHARE,
        /// What the time from the start of the scenario to the announced date is multiplied by, 0 or more. Drawn once a trial for each plan.
        pub slip_factor: Uncertain [= Uncertain::one()] => NUMBER.input("plan slip"),
        /// What is added to that, in months. Drawn once a trial for each plan.
        pub delay_months: Uncertain [= Uncertain::zero()] => MONTHS.any().input("plan delay"),
        /// What the racks and power of a building, or the MW of a substation or grid step, are multiplied by, above 0. Drawn once a trial for each plan.
        pub size_factor: Uncertain [= Uncertain::one()] => NUMBER.above_zero().input("plan size"),
    }
    /// A class whose plans come as announced.
    pub fn new;
}

impl PlanClass {
    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
    }
}

pub(crate) fn check_plan_classes(classes: &[PlanClass], at: &Path, problems: &mut Problems) {
    check_list(
        "plan class",
        classes,
        |class| &class.name,
        at,
        problems,
        PlanClass::check,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_checked_one_by_one() {
        let said = |classes: &[PlanClass]| {
            let mut problems = Problems::new();
            check_plan_classes(classes, &Path::root(), &mut problems);
            problems.to_string()
        };
        let mut class = PlanClass::new("announced");
        assert_eq!(said(&[class.clone()]), Problems::new().to_string());
        assert!(said(&[class.clone(), class.clone()]).contains("announced"));
        class.probability = Some(1.5);
        assert!(
            said(&[class.clone()]).contains("probability is 1.5"),
            "{}",
            said(&[class])
        );
        assert!(said(&[PlanClass::new("a/b")]).contains("a/b"));
    }
}
