//! Who gets the power of a campus, and what waits for it.

use super::Workspace;
use crate::model::{CompiledCampus, Model};

impl Model {
    /// Gives what power is left to halls that lack it, in the order in which they were handed over.
    /// What a hall has been given it keeps.
    pub(super) fn share_out(
        &self,
        workspace: &mut Workspace,
        campus: usize,
        months: f64,
        drawn: &[f64],
    ) {
        let state = &mut workspace.campuses[campus];
        state.is_stale = true;
        state.claims_grew = false;
        let mut lacking = std::mem::take(&mut state.lacking);
        lacking.retain(|&hall| self.give_power(workspace, hall, months, drawn));
        workspace.campuses[campus].lacking = lacking;
    }

    /// A hall that is handed over claims its power. All that the others could have they have been given when they
    /// claimed it or it came, so that none of them need be asked.
    pub(super) fn claim_power(
        &self,
        workspace: &mut Workspace,
        hall: usize,
        months: f64,
        drawn: &[f64],
    ) {
        let campus = workspace.halls[hall].campus;
        let state = &mut workspace.campuses[campus];
        state.handed_over += 1;
        workspace.halls[hall].handed_over_as = state.handed_over;
        workspace.changed[hall] = true;
        if state.claims_grew {
            state.lacking.push(hall);
            self.share_out(workspace, campus, months, drawn);
            return;
        }
        state.is_stale = true;
        if self.give_power(workspace, hall, months, drawn) {
            workspace.campuses[campus].lacking.push(hall);
        }
    }

    /// The space of a hall has changed: what it may lack now is shared out with the next power that comes.
    pub(super) fn note_claim(&self, workspace: &mut Workspace, hall: usize) {
        let state = &workspace.halls[hall];
        if !state.handed_over || state.space_kw <= state.given_kw {
            return;
        }
        let campus = &mut workspace.campuses[state.campus];
        campus.claims_grew = true;
        let halls = &workspace.halls;
        let before = |other: &usize| halls[*other].handed_over_as < state.handed_over_as;
        let place = campus.lacking.partition_point(before);
        if campus.lacking.get(place) != Some(&hall) {
            campus.lacking.insert(place, hall);
        }
    }

    /// Gives a hall what it lacks, as far as there is power; whether it lacks some still.
    fn give_power(
        &self,
        workspace: &mut Workspace,
        hall: usize,
        months: f64,
        drawn: &[f64],
    ) -> bool {
        let state = &mut workspace.halls[hall];
        let lacking = state.space_kw - state.given_kw;
        if lacking <= 0.0 {
            return false;
        }
        let headroom = &mut workspace.campuses[state.campus].headroom;
        let sold = state.fit.sold_per_fed;
        let wanted = lacking / sold;
        let given = headroom.give(self.halls[hall].feed, wanted);
        workspace.changed[hall] = true;
        // All of the space exactly, not the space but for a rounding.
        state.given_kw = if given == wanted {
            state.space_kw
        } else {
            state.given_kw + given * sold
        };
        let lacks = state.given_kw < state.space_kw;
        self.note_if_live(workspace, hall, months, drawn);
        lacks
    }

    /// Of what the halls of a campus lack, what modules that are installed would give them were
    /// the redundancy of their building complete. Counted where the building's own chain is what
    /// limits it.
    pub(super) fn waiting_for_redundancy_kw(
        &self,
        workspace: &mut Workspace,
        position: usize,
        campus: &CompiledCampus,
        drawn: &[f64],
    ) -> f64 {
        if campus.chains().next().is_none() {
            return 0.0;
        }
        let state = &mut workspace.campuses[position];
        state.lacking_kw.clear();
        state.lacking_kw.resize(campus.buildings.len(), 0.0);
        for hall in campus.halls.clone() {
            let building = self.halls[hall].feed.building;
            let hall = &workspace.halls[hall];
            if hall.handed_over {
                state.lacking_kw[building] += hall.space_kw - hall.given_kw;
            }
        }
        campus
            .chains()
            .filter(|(building, _)| state.headroom.is_building_full(*building))
            .map(|(building, chain)| {
                let waiting = chain.chain.waiting_for_redundancy_kw(
                    state.modules[building],
                    chain.modules_in_the_end(drawn),
                );
                let waiting = waiting * campus.buildings[building].sold_per_fed;
                waiting.min(state.lacking_kw[building])
            })
            .sum()
    }
}
