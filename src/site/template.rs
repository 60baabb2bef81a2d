//! What many buildings have in common.

use super::hall::check_halls;
use super::{Around, Hall};
use crate::compute::Oversubscription;
use crate::field::plan;
use crate::power::ElectricalChain;
use crate::problem::{Path, Problems, check_list, check_name};
use crate::schedule::{Activity, check_activities, warn_of_unlikely};

plan! {
    /// What a building is made of, shared by all buildings that name it as their template.
    pub struct BuildingTemplate {
        /// Its name, unique in the scenario.
        pub name: String,
        /// The building's activities; see [`Building::activities`](super::Building::activities).
        pub activities: Vec<Activity>,
        /// The building's halls; see [`Building::halls`](super::Building::halls).
        pub halls: Vec<Hall>,
        /// The building's electrical chain; see [`Building::electrical`](super::Building::electrical).
        pub electrical: Option<ElectricalChain>,
        /// How much more the building sells than it is fed; see [`Building::oversubscription`](super::Building::oversubscription).
        pub oversubscription: Option<Oversubscription>,
    }
    /// A template of these activities and halls; all else is set on its fields.
    pub fn new;
}

impl BuildingTemplate {
    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        check_activities(&self.activities, &at.key("activities"), problems);
        warn_of_unlikely(&self.activities, &at.key("activities"), problems);
        for (position, hall) in self.halls.iter().enumerate() {
            let at = at.key("halls").index(position).key("activities");
            warn_of_unlikely(&hall.activities, &at, problems);
        }
        check_halls(&self.halls, &at.key("halls"), problems);
        if let Some(oversubscription) = &self.oversubscription {
            oversubscription.check(&at.key("oversubscription"), problems);
        }
        if let Some(electrical) = &self.electrical {
            electrical.check(&at.key("electrical"), problems);
        }
    }
}

pub(crate) fn check_templates(
    templates: &[BuildingTemplate],
    around: &Around<'_>,
    at: &Path,
    problems: &mut Problems,
) {
    check_list(
        "building template",
        templates,
        |template| &template.name,
        at,
        problems,
        |template, at, problems| {
            template.check(at, problems);
            around.check_halls(&template.halls, &at.key("halls"), problems);
        },
    );
}
