//! Scenario files to begin from.

/// A commented scenario file to begin from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Starter {
    /// Its name.
    pub name: &'static str,
    /// What it is about, in a sentence.
    pub summary: &'static str,
    /// The file.
    pub text: &'static str,
}

/// All starters, the simplest first.
pub const STARTERS: &[Starter] = &[
    Starter {
        name: "campus",
        summary: "One campus of three phases with a grid connection in two steps, leased to tenants",
        text: include_str!("starters/campus.toml"),
    },
    Starter {
        name: "gpu-cloud",
        summary: "An AI campus whose halls are filled with the newest accelerators, waiting for transformers",
        text: include_str!("starters/gpu-cloud.toml"),
    },
    Starter {
        name: "hub",
        summary: "Two campuses that share their tenants",
        text: include_str!("starters/hub.toml"),
    },
];

#[cfg(all(test, feature = "files"))]
mod tests {
    use super::*;
    use crate::{Batch, Scenario};

    #[test]
    fn every_starter_is_without_errors_or_warnings_and_answers_its_targets() {
        for starter in STARTERS {
            let scenario = Scenario::from_toml(starter.text)
                .unwrap_or_else(|error| panic!("{}: {error}", starter.name));
            let problems = scenario.check();
            assert!(problems.is_empty(), "{}: {problems}", starter.name);
            assert!(!scenario.targets.is_empty(), "{}", starter.name);
            let projection = Batch::new(&scenario.compile().unwrap())
                .trials(200)
                .run()
                .unwrap();
            let live = projection.metric("it_power_mw").unwrap();
            let last = *live.quantile(0.5).last().unwrap();
            assert!(last > 0.0, "{}: nothing is live at the end", starter.name);
        }
    }
}
