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
        workspace.campuses[campus].is_stale = true;
        for place in 0..workspace.campuses[campus].order.len() {
            let hall = workspace.campuses[campus].order[place];
            let state = &mut workspace.halls[hall];
            let lacking = state.space_kw - state.given_kw;
            if lacking <= 0.0 {
                continue;
            }
            let headroom = &mut workspace.campuses[campus].headroom;
            let sold = state.fit.sold_per_fed;
            let wanted = lacking / sold;
            let given = headroom.give(self.halls[hall].feed, wanted);
            // All of the space exactly, not the space but for a rounding.
            state.given_kw = if given == wanted {
                state.space_kw
            } else {
                state.given_kw + given * sold
            };
            self.note_if_live(workspace, hall, months, drawn);
        }
    }

    /// Of what the halls of a campus lack, what modules that are installed would give them were
    /// the redundancy of their building complete. Counted where the building's own chain is what
    /// limits it.
    pub(super) fn waiting_for_redundancy_kw(
        &self,
        workspace: &mut Workspace,
        position: usize,
        campus: &CompiledCampus,
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
                let waiting = chain
                    .chain
                    .waiting_for_redundancy_kw(state.modules[building]);
                let waiting = waiting * campus.buildings[building].sold_per_fed;
                waiting.min(state.lacking_kw[building])
            })
            .sum()
    }
}
