//! The power supply of a campus, compiled: grid steps with their applications, bridge power, curtailment, substations
//! and the chains of buildings, as moments of the network and amounts of power.

use super::grid::StepPart;
use super::{Battery, BridgePower, Curtailment, DeliveryTree, ElectricalChain};
use super::{GridApplication, GridStep, Substation};
use crate::problem::Path;
use crate::sampling::inputs::Quantity;
use crate::schedule::compiler::{AT_ONCE, Compiler, NO_DATE};
use crate::schedule::network::NodeId;
use crate::schedule::{ActivityList, Beginning, Fate};

/// Later than any horizon, in months.
const NEVER: f64 = 1e9;
/// Before anything starts, in months; what is added to it is not lost in an infinity.
const LONG_AGO: f64 = -1e6;

/// What racks and power are multiplied by: by the class of the plan, by the size of the wave, and by how many
/// buildings a wave consists of, which is rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    pub(crate) of_class: Quantity,
    pub(crate) of_wave: Quantity,
    pub(crate) buildings: Quantity,
}

impl Size {
    pub(crate) fn of_class(of_class: Quantity) -> Self {
        Self {
            of_class,
            of_wave: Quantity::Fixed(1.0),
            buildings: Quantity::Fixed(1.0),
        }
    }

    pub(crate) fn factor(&self, drawn: &[f64]) -> f64 {
        self.of_class.value(drawn) * self.of_wave.value(drawn) * self.buildings(drawn)
    }

    /// How many buildings it stands for.
    pub(crate) fn buildings(&self, drawn: &[f64]) -> f64 {
        self.buildings.value(drawn).round().max(1.0)
    }
}

/// Facility power of a step of the grid or a substation: stated in MW, and multiplied by a size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) mw: Quantity,
    pub(crate) size: Size,
}

impl Capacity {
    /// In the trial with these inputs, in kW.
    pub(crate) fn kw(&self, drawn: &[f64]) -> f64 {
        self.mw.value(drawn) * 1_000.0 * self.size.factor(drawn)
    }
}

/// A part of a step of the grid connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledStep {
    pub(crate) energised: NodeId,
    pub(crate) part: StepPart,
    /// Of the whole step.
    pub(crate) capacity: Capacity,
    pub(crate) granted_share: Quantity,
}

impl CompiledStep {
    /// What this part adds to the import in the trial with these inputs, in kW of facility power.
    pub(crate) fn kw(&self, drawn: &[f64]) -> f64 {
        self.part.kw(self.capacity.kw(drawn)) * self.granted_share.value(drawn)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledBridge {
    pub(crate) works: NodeId,
    pub(crate) firm_kw: f64,
    pub(crate) permanent: bool,
    pub(crate) carbon_g_per_kwh: f64,
    pub(crate) price_per_mwh: Quantity,
    pub(crate) battery: Option<Battery>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledCurtailment {
    pub(crate) hours_per_year: Quantity,
    pub(crate) depth_share: Quantity,
    pub(crate) event_hours: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledChain {
    pub(crate) chain: ElectricalChain,
    /// Energisation and number of modules; the first come with the building.
    pub(crate) stages: Vec<(NodeId, Quantity)>,
    /// Share of the load that is fed in the long run, where the number of modules is known.
    known_served_share: Option<f64>,
    /// The empty delivery tree.
    pub(crate) tree: Option<DeliveryTree>,
}

impl CompiledChain {
    /// How many modules a stage adds in the trial with these inputs.
    pub(crate) fn modules(&self, stage: usize, drawn: &[f64]) -> u32 {
        self.stages[stage].1.value(drawn).round() as u32
    }

    /// How many there are when all stages have come.
    pub(crate) fn modules_in_the_end(&self, drawn: &[f64]) -> u32 {
        (0..self.stages.len())
            .map(|stage| self.modules(stage, drawn))
            .sum()
    }

    /// Share of the load that the complete chain feeds in the long run.
    pub(crate) fn served_share(&self, drawn: &[f64]) -> f64 {
        self.known_served_share
            .unwrap_or_else(|| self.chain.served_share(self.modules_in_the_end(drawn)))
    }
}

/// The grid connection of a campus.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection {
    /// Parts of the grid connection; none: the grid is no limit.
    pub(crate) grid: Vec<CompiledStep>,
    /// By step, what it adds to the import.
    pub(crate) applied: Vec<Capacity>,
}

/// An application: the moment at which it is decided, or never, and the share that is granted.
struct Application<'a> {
    name: &'a str,
    decided: NodeId,
    granted_share: Quantity,
}

impl Connection {
    /// Compiles the steps of a campus's grid connection, with their applications.
    pub(crate) fn compile(
        applications: &[GridApplication],
        steps: &[GridStep],
        campus: &str,
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let applications = applications.iter();
        let applications: Vec<Application<'_>> = applications
            .map(|application| application.compile(campus, compiler))
            .collect();
        let mut connection = Self::default();
        for (position, step) in steps.iter().enumerate() {
            compiler.item("grid", position, |compiler| {
                step.compile(campus, &applications, &mut connection, compiler);
            });
        }
        connection
    }
}

impl GridApplication {
    fn compile(&self, campus: &str, compiler: &mut Compiler<'_>) -> Application<'_> {
        let name = format!("{campus}/{}", self.name);
        let refused = compiler.chance(&format!("{name}/refused"), self.refusal_probability);
        let refused = refused.times(Quantity::Fixed(NEVER)).unwrap_or(AT_ONCE);
        Application {
            name: &self.name,
            decided: compiler.network.add(name.clone(), refused, LONG_AGO),
            granted_share: compiler.register(&name, self.fields().granted_share()),
        }
    }
}

impl GridStep {
    fn compile(
        &self,
        campus: &str,
        applications: &[Application<'_>],
        connection: &mut Connection,
        compiler: &mut Compiler<'_>,
    ) {
        let name = format!("{campus}/{}", self.name);
        compiler.warn_of_late_start(self.starts);
        let wait = compiler.register(&name, self.fields().wait_months());
        let fate = compiler.fate(&name, self.plan_class.as_deref(), self.probability);
        let wait = wait.times(fate.slip).unwrap_or(wait);
        let earliest = compiler.earliest_months(self.starts, &self.after);
        let (due, energised) = self.compile_wait(&name, campus, wait, earliest, compiler);
        compiler.may_happen(due, &name, fate.probability);
        self.delay(&name, campus, &fate, earliest, due, compiler);
        let mut granted_share = Quantity::Fixed(1.0);
        let wanted = self.application.as_deref();
        let application = applications.iter().find(|one| Some(one.name) == wanted);
        if let Some(application) = application {
            compiler.network.depend(due, application.decided, AT_ONCE);
            granted_share = application.granted_share;
        }
        let capacity = Capacity {
            mw: compiler.register(&name, self.fields().power_mw()),
            size: Size::of_class(fate.size),
        };
        connection.applied.push(capacity);
        let parts = self.parts().into_iter().map(|part| CompiledStep {
            energised,
            part,
            capacity,
            granted_share,
        });
        connection.grid.extend(parts);
    }

    /// The moment for which it is due, and that of its energisation, which is later if it slips.
    fn compile_wait(
        &self,
        name: &str,
        campus: &str,
        wait: Quantity,
        earliest: f64,
        compiler: &mut Compiler<'_>,
    ) -> (NodeId, NodeId) {
        if self.slip_probability == 0.0 {
            let node = compiler.network.add(name.to_owned(), wait, earliest);
            compiler.mark_as_work(node, name.to_owned());
            compiler.link(node, campus, &self.after);
            return (node, node);
        }
        let due = (compiler.network).add(format!("{name}/due"), wait, earliest);
        let slips = compiler.chance(&format!("{name}/slips"), self.slip_probability);
        let slip = compiler.register(name, self.fields().slip_months());
        let slip = slips.times(slip).unwrap_or(AT_ONCE);
        let energised = compiler.network.add(name.to_owned(), slip, NO_DATE);
        compiler.network.depend(energised, due, AT_ONCE);
        compiler.link(due, campus, &self.after);
        compiler.mark_as_work(due, name.to_owned());
        (due, energised)
    }

    /// Delays it by what its class of plans adds, from the moment at which it is applied for.
    fn delay(
        &self,
        name: &str,
        campus: &str,
        fate: &Fate,
        earliest: f64,
        due: NodeId,
        compiler: &mut Compiler<'_>,
    ) {
        if fate.delay == AT_ONCE {
            return;
        }
        let applied = format!("{name}/due/applied");
        let applied = compiler.network.add(applied, AT_ONCE, earliest);
        compiler.link(applied, campus, &self.after);
        compiler.network.depend(due, applied, fate.delay);
    }
}

impl BridgePower {
    pub(crate) fn compile(&self, campus: &str, compiler: &mut Compiler<'_>) -> CompiledBridge {
        let name = format!("{campus}/{}", self.name);
        let wait = compiler.register(&name, self.fields().wait_months());
        let earliest = compiler.earliest_months(self.starts, &self.after);
        let price_per_mwh = compiler.register(&name, self.fields().price_per_mwh());
        let works = compiler.network.add(name.clone(), wait, earliest);
        compiler.mark_as_work(works, name);
        compiler.link(works, campus, &self.after);
        CompiledBridge {
            works,
            firm_kw: self.firm_kw(),
            permanent: self.permanent,
            carbon_g_per_kwh: self.carbon_g_per_kwh,
            price_per_mwh,
            battery: self.battery(),
        }
    }
}

impl Curtailment {
    pub(crate) fn compile(&self, campus: &str, compiler: &mut Compiler<'_>) -> CompiledCurtailment {
        CompiledCurtailment {
            hours_per_year: compiler.register(campus, self.fields().hours_per_year()),
            depth_share: compiler.register(campus, self.fields().depth_share()),
            event_hours: self.event_hours,
        }
    }
}

impl Substation {
    /// Its energisation, and what it carries then.
    pub(crate) fn compile(
        &self,
        campus: &str,
        calendar: Option<u32>,
        compiler: &mut Compiler<'_>,
    ) -> (NodeId, Capacity) {
        let name = format!("{campus}/{}", self.name);
        compiler.warn_of_late_start(self.starts);
        let beginning = Beginning {
            name: &name,
            starts: self.starts,
            after: &self.after,
            delay_months: &self.delay_months,
            probability: self.probability,
            class: self.plan_class.as_deref(),
            scope: campus,
        };
        let begun = beginning.compile(format!("{name}/start"), compiler);
        let list = ActivityList {
            prefix: &name,
            starts_after: begun.start,
            at: compiler.at.key("activities"),
            calendar,
            overrides: &[],
            within: String::new(),
        };
        let done = list.compile(&self.activities, compiler);
        let energised = compiler.complete(name.clone(), begun.start, &done);
        let capacity = Capacity {
            mw: compiler.register(&name, self.fields().power_mw()),
            size: Size::of_class(begun.size),
        };
        (energised, capacity)
    }
}

impl ElectricalChain {
    /// Adds the moments at which modules of a building's chain are energised. Stages are written below `at`.
    pub(crate) fn compile(
        &self,
        building: &str,
        complete: NodeId,
        at: &Path,
        compiler: &mut Compiler<'_>,
    ) -> CompiledChain {
        let modules = compiler.register(building, self.fields().modules());
        let mut stages = vec![(complete, modules)];
        compiler.placed(at.clone(), |compiler| {
            for (position, stage) in self.stages.iter().enumerate() {
                let node = compiler.item("stages", position, |compiler| {
                    let name = format!("{building}/{}", stage.name);
                    let modules = compiler.register(&name, stage.fields().modules());
                    let wait = compiler.register(&name, stage.fields().wait_months());
                    let node = compiler.network.add(name.clone(), wait, NO_DATE);
                    compiler.note_place(name);
                    if stage.after.is_empty() {
                        compiler.network.depend(node, complete, AT_ONCE);
                    }
                    compiler.link(node, building, &stage.after);
                    (node, modules)
                });
                stages.push(node);
            }
        });
        CompiledChain {
            stages,
            known_served_share: (self.is_certain())
                .then(|| self.served_share(self.modules_in_the_end())),
            tree: self.delivery_tree().and_then(Result::ok),
            chain: self.clone(),
        }
    }
}
