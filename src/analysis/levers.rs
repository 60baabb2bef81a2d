//! What levers of policy gain: the scenarios to compare on common random numbers.

use crate::problem::name_help;
use crate::scenario::Scenario;

/// The name of the scenario without any lever, with which the others are compared.
pub const NO_LEVERS: &str = "no levers";
/// The name of the scenario as it was stated, with all levers that are on.
pub const AS_STATED: &str = "as stated";

/// Why there is nothing to compare.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeverError {
    /// The scenario has none.
    #[error("the scenario has no levers\n  help: state some under `levers` or `vouchers`")]
    NoLevers,
    /// There is none of that name.
    #[error("there is no lever \"{wanted}\"\n  help: {help}")]
    Unknown {
        /// The name.
        wanted: String,
        /// Names that there are.
        help: String,
    },
}

/// The scenario without levers, with each of the wanted ones alone (all if none is named, vouchers
/// first, those that are off too), and, if several are on, as it was stated. With one seed they
/// have common random numbers, so that a [`Comparison`](super::compare::Comparison) shows what each gains.
///
/// ```
/// use buildout::analysis::levers::{NO_LEVERS, lever_cases};
/// use buildout::policy::{FasterApprovals, Lever};
/// use buildout::{Date, Scenario};
///
/// let mut scenario = Scenario::new("two levers", Date::month(2025, 1).unwrap(), 24);
/// for name in ["approvals", "land office"] {
///     let mut lever = Lever::new(name, "assumption");
///     lever.approvals = Some(FasterApprovals::new(vec!["*/permit".into()], 0.7));
///     scenario.levers.push(lever);
/// }
/// let cases = lever_cases(&scenario, &["approvals"]).unwrap();
/// let names: Vec<&str> = cases.iter().map(|(name, _)| name.as_str()).collect();
/// assert_eq!(names, [NO_LEVERS, "approvals", "as stated"]);
/// assert!(cases[1].1.levers[1].is_off);
/// assert!(lever_cases(&scenario, &["aprovals"]).unwrap_err().to_string().contains("approvals"));
/// ```
pub fn lever_cases<N: AsRef<str>>(
    scenario: &Scenario,
    wanted: &[N],
) -> Result<Vec<(String, Scenario)>, LeverError> {
    let known = || scenario.lever_states().map(|(name, _)| name);
    if known().next().is_none() {
        return Err(LeverError::NoLevers);
    }
    for name in wanted.iter().map(AsRef::as_ref) {
        if !known().any(|lever| lever == name) {
            return Err(LeverError::Unknown {
                wanted: name.to_owned(),
                help: name_help(name, known()),
            });
        }
    }
    let is_wanted =
        |name: &&str| wanted.is_empty() || wanted.iter().any(|wanted| wanted.as_ref() == *name);
    let mut cases = vec![(NO_LEVERS.to_owned(), scenario.with_levers(|_| false))];
    for name in known().filter(is_wanted) {
        let alone = scenario.with_levers(|other| other == name);
        cases.push((name.to_owned(), alone));
    }
    if scenario.lever_states().filter(|(_, is_on)| *is_on).count() > 1 {
        cases.push((AS_STATED.to_owned(), scenario.clone()));
    }
    Ok(cases)
}
