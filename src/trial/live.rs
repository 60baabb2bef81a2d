//! When a hall went live, and what it had waited for to the last.

use super::Workspace;
use super::timeline::What;
use crate::model::Model;
use crate::schedule::network::NodeId;

/// When the first racks of a hall went live, and the nodes of the network whose finish made them: what happened at
/// that very moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LiveDate {
    /// In months from the start of the scenario; infinite if not within the horizon.
    pub(crate) months: f64,
    /// The hand-over of the hall.
    pub(crate) works: Vec<NodeId>,
    /// Steps of the grid, bridge power, substations and modules.
    pub(crate) power: Vec<NodeId>,
    /// The node at whose finish the equipment was ordered that arrived then.
    pub(crate) equipment: Vec<NodeId>,
}

impl Model {
    /// When a hall went live in the trial that was simulated last, and what made it live then. Where power was shared
    /// out again for another reason, such as hardware taken out elsewhere, no node is named.
    pub(crate) fn live_date(&self, workspace: &Workspace, hall: usize) -> LiveDate {
        let mut date = LiveDate {
            months: workspace.halls[hall].live,
            ..LiveDate::default()
        };
        if date.months == f64::INFINITY {
            return date;
        }
        let campus = workspace.halls[hall].campus;
        let plan = &self.campuses[campus];
        let feed = self.halls[hall].feed;
        let first = (workspace.events).partition_point(|event| event.months < date.months);
        let same = workspace.events[first..].iter();
        for event in same.take_while(|event| event.months == date.months) {
            match event.what {
                What::HandedOver { hall: which } if which as usize == hall => {
                    date.works.push(self.halls[hall].handover);
                }
                What::Delivered { hall: which } if which as usize == hall => {
                    date.equipment.push(self.halls[hall].ordered);
                }
                What::GridStep {
                    campus: which,
                    step,
                } if which as usize == campus => {
                    date.power.push(plan.grid[step as usize].energised);
                }
                What::BridgePower {
                    campus: which,
                    bridge,
                } if which as usize == campus => {
                    date.power.push(plan.bridges[bridge as usize].works);
                }
                What::Energised {
                    campus: which,
                    substation,
                } if which as usize == campus && feed.substation == Some(substation as usize) => {
                    date.power.push(plan.substations[substation as usize].0);
                }
                What::Modules {
                    campus: which,
                    building,
                    stage,
                } if which as usize == campus && feed.building == building as usize => {
                    let chain = plan.buildings[building as usize].chain.as_ref();
                    date.power
                        .extend(chain.map(|chain| chain.stages[stage as usize].0));
                }
                _ => {}
            }
        }
        date
    }

    /// The nodes without which a hall is not live, each with the date by which it must be done for a hall to be live
    /// at `months`: its hand-over, its substation, and the order of its first equipment, a lead time earlier.
    pub(crate) fn needed_by(
        &self,
        workspace: &Workspace,
        hall: usize,
        months: f64,
    ) -> impl Iterator<Item = (NodeId, f64)> {
        let plan = &self.halls[hall];
        let state = &workspace.halls[hall];
        let substations = &self.campuses[state.campus].substations;
        let substation = plan.feed.substation.map(|position| substations[position].0);
        // The hall itself may have been refreshed since.
        let delivered = workspace.events.iter().find(
            |event| matches!(event.what, What::Delivered { hall: which } if which as usize == hall),
        );
        let arrives = delivered.map_or(f64::INFINITY, |event| event.months);
        let lead_months = arrives - workspace.finish[plan.ordered.index()];
        let equipment = (lead_months.is_finite() && lead_months > 0.0)
            .then_some((plan.ordered, months - lead_months));
        [(plan.handover, months)]
            .into_iter()
            .chain(substation.map(|node| (node, months)))
            .chain(equipment)
    }
}
