//! Campuses, buildings and halls as a model has them.

use std::ops::Range;

use super::Retrofit;
use super::fit::{HallPlan, Kind};
use super::layout::{CampusNodes, HallNodes, Sites};
use crate::compute::{Hardware, PlannedGeneration, RackType};
use crate::power::cooling::CompiledEfficiency;
use crate::power::energy::CompiledEnergy;
use crate::power::{Capacity, CompiledBridge, CompiledChain, CompiledCurtailment, CompiledStep};
use crate::power::{Feed, Size};
use crate::sampling::inputs::Quantity;
use crate::schedule::compiler::Compiler;
use crate::schedule::network::{NodeId, Presence};

pub(super) const NO_LIMIT: Quantity = Quantity::Fixed(f64::INFINITY);

#[derive(Clone, Debug)]
pub(crate) struct CompiledCampus {
    pub(crate) pue: Quantity,
    pub(crate) availability: Quantity,
    /// Parts of the grid connection; none: the grid is no limit.
    pub(crate) grid: Vec<CompiledStep>,
    /// Steps of import that are applied for.
    pub(crate) applied: Vec<Capacity>,
    pub(crate) bridges: Vec<CompiledBridge>,
    pub(crate) curtailment: Option<CompiledCurtailment>,
    pub(crate) efficiency: Option<CompiledEfficiency>,
    pub(crate) energy: Option<CompiledEnergy>,
    pub(crate) substations: Vec<(NodeId, Capacity)>,
    pub(crate) buildings: Vec<CompiledBuilding>,
    /// Whether any of them states an oversubscription.
    pub(crate) is_oversubscribed: bool,
    /// Its halls among those of the model.
    pub(crate) halls: Range<usize>,
    /// Its pools among those of the model.
    pub(crate) pools: Range<usize>,
    pub(crate) existing: Option<CompiledExisting>,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledBuilding {
    /// What it carries at most, in kW of critical IT power before the size, infinite without a limit.
    pub(crate) power_kw: Quantity,
    /// What the power that it carries is multiplied by.
    pub(crate) size: Size,
    /// Its halls among those of the model.
    pub(crate) halls: Range<usize>,
    pub(crate) chain: Option<CompiledChain>,
    /// How much more its halls sell than they are fed, 1 or more.
    pub(crate) sold_per_fed: f64,
    /// Where that is stated: standard deviation of the draw of a hall as a share of what is in service.
    pub(crate) relative_sd: Option<f64>,
}

impl CompiledCampus {
    /// The electrical chains of its buildings, with the positions of these.
    pub(crate) fn chains(&self) -> impl Iterator<Item = (usize, &CompiledChain)> {
        let buildings = self.buildings.iter().enumerate();
        buildings.filter_map(|(position, building)| Some((position, building.chain.as_ref()?)))
    }
}

impl CompiledBuilding {
    /// What it carries with this many modules installed, in kW of critical IT power.
    pub(crate) fn carries_kw(&self, modules: u32, drawn: &[f64]) -> f64 {
        let power_kw = self.power_kw.value(drawn) * self.size.factor(drawn);
        match &self.chain {
            Some(compiled) => power_kw.min(compiled.chain.usable_kw(modules)),
            None => power_kw,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledExisting {
    pub(crate) pool: usize,
    pub(crate) racks: f64,
    pub(crate) power_kw: f64,
    pub(crate) pflops: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledHall {
    pub(crate) pool: usize,
    /// When its building may start.
    pub(crate) started: NodeId,
    /// What must hold in a trial for its building to be built.
    pub(crate) presence: Vec<Presence>,
    /// Whether it is planned from the beginning, rather than a wave of an expansion.
    pub(crate) is_announced: bool,
    /// What the PFLOPS of its hardware are multiplied by.
    pub(crate) compute_factor: Quantity,
    pub(crate) handover: NodeId,
    pub(crate) ordered: NodeId,
    pub(crate) hardware: Hardware,
    pub(crate) plan: HallPlan,
    pub(crate) life: Option<Quantity>,
    pub(crate) refresh: Quantity,
    pub(crate) retrofit: Option<CompiledRetrofit>,
    /// CO2 of its part of the building, in t.
    pub(crate) embodied_t: f64,
    pub(crate) feed: Feed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledRetrofit {
    pub(crate) pool: usize,
    pub(crate) plan: HallPlan,
    pub(crate) downtime: Quantity,
    pub(crate) capex_per_kw: Quantity,
    pub(crate) embodied_t: f64,
}

/// What halls are equipped with: rack types with the power of their positions, and generations of hardware.
pub(crate) struct Equipment<'a> {
    rack_types: &'a [RackType],
    kinds: Vec<Kind>,
    generations: &'a [PlannedGeneration],
}

impl<'a> Equipment<'a> {
    pub(crate) fn compile(
        rack_types: &'a [RackType],
        generations: &'a [PlannedGeneration],
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let kinds = rack_types.iter();
        Self {
            rack_types,
            kinds: kinds.map(|kind| Kind::compile(kind, compiler)).collect(),
            generations,
        }
    }

    fn kind(&self, name: &str) -> usize {
        let mut known = self.rack_types.iter();
        known.position(|kind| kind.name == name).unwrap_or(0)
    }

    /// The pool of a rack type on a campus: those of one campus stand together.
    fn pool(&self, campus: usize, rack_type: usize) -> usize {
        campus * self.rack_types.len() + rack_type
    }
}

impl Sites<'_> {
    /// Compiles the quantities of all halls and campuses, campus by campus.
    pub(crate) fn finish(
        self,
        equipment: &Equipment<'_>,
        compiler: &mut Compiler<'_>,
    ) -> (Vec<CompiledCampus>, Vec<CompiledHall>) {
        let mut halls = Vec::with_capacity(self.halls.len());
        let mut campuses = Vec::with_capacity(self.campuses.len());
        for (position, nodes) in self.campuses.into_iter().enumerate() {
            for hall in &self.halls[nodes.halls.clone()] {
                let building = &self.buildings[hall.building];
                let embodied_t = building.planned.plan.embodied_carbon_t.unwrap_or(0.0);
                let embodied_t = embodied_t / building.halls.len() as f64;
                let around = &nodes.buildings[hall.feed.building];
                let mut compiled = hall.compile(position, around, equipment, compiler);
                compiled.embodied_t = embodied_t;
                halls.push(compiled);
            }
            campuses.push(nodes.finish(position, equipment, compiler));
        }
        (campuses, halls)
    }
}

impl HallNodes<'_> {
    fn compile(
        &self,
        campus: usize,
        building: &CompiledBuilding,
        equipment: &Equipment<'_>,
        compiler: &mut Compiler<'_>,
    ) -> CompiledHall {
        let fields = self.plan.fields();
        let kind = equipment.kind(&self.plan.rack_type);
        let plan = HallPlan::compile(
            self.plan,
            &self.name,
            equipment.kinds[kind],
            (building.size, building.sold_per_fed),
            compiler,
        );
        let life = compiler.register(&self.name, fields.hardware_life_months());
        let refresh = compiler.register(&self.name, fields.refresh_months());
        let retrofit = self.plan.retrofit.as_ref();
        let retrofit = retrofit
            .map(|retrofit| self.compile_retrofit(retrofit, &plan, campus, equipment, compiler));
        CompiledHall {
            pool: equipment.pool(campus, kind),
            started: self.started,
            presence: self.presence.clone(),
            is_announced: self.is_announced,
            compute_factor: self.compute_factor,
            handover: self.handover,
            ordered: self.ordered,
            hardware: self.compile_hardware(equipment, compiler),
            plan,
            life,
            refresh,
            retrofit,
            embodied_t: 0.0,
            feed: self.feed,
        }
    }

    fn compile_retrofit(
        &self,
        retrofit: &Retrofit,
        before: &HallPlan,
        campus: usize,
        equipment: &Equipment<'_>,
        compiler: &mut Compiler<'_>,
    ) -> CompiledRetrofit {
        let (kind, fields) = (equipment.kind(&retrofit.rack_type), retrofit.fields());
        CompiledRetrofit {
            pool: equipment.pool(campus, kind),
            plan: before.rebuilt(retrofit, &self.name, equipment.kinds[kind], compiler),
            downtime: compiler.register(&self.name, fields.downtime_months()),
            capex_per_kw: compiler.register(&self.name, fields.capex_per_kw()),
            embodied_t: retrofit.embodied_carbon_t,
        }
    }

    fn compile_hardware(&self, equipment: &Equipment<'_>, compiler: &mut Compiler<'_>) -> Hardware {
        let Some(wanted) = &self.plan.hardware else {
            return Hardware::Tenants;
        };
        // The rack types that the hall has in its life.
        let retrofit = self.plan.retrofit.as_ref();
        let names = [Some(&self.plan.rack_type), retrofit.map(|to| &to.rack_type)];
        let types = names.into_iter().flatten();
        let types: Vec<&RackType> = types
            .filter_map(|name| equipment.rack_types.iter().find(|kind| &kind.name == name))
            .collect();
        Hardware::compile(wanted, &self.name, &types, equipment.generations, compiler)
    }
}

impl CampusNodes<'_> {
    fn finish(
        self,
        position: usize,
        equipment: &Equipment<'_>,
        compiler: &mut Compiler<'_>,
    ) -> CompiledCampus {
        let (campus, name) = (self.campus, &self.campus.name);
        let start = compiler.start();
        CompiledCampus {
            pue: compiler.register(name, campus.fields().pue()),
            availability: compiler.register(name, campus.fields().availability()),
            grid: self.connection.grid,
            applied: self.connection.applied,
            bridges: self.bridges,
            curtailment: (campus.curtailment.as_ref())
                .map(|curtailment| curtailment.compile(name, compiler)),
            efficiency: campus.efficiency.as_ref().and_then(|efficiency| {
                let first_month = (start.month_of_year() - 1) as usize;
                compiler.with_inputs(|inputs| {
                    CompiledEfficiency::compile(efficiency, name, first_month, inputs)
                })
            }),
            energy: campus.energy.as_ref().and_then(|energy| {
                compiler.with_inputs(|inputs| CompiledEnergy::compile(energy, name, start, inputs))
            }),
            substations: self.substations,
            is_oversubscribed: (self.buildings.iter())
                .any(|building| building.relative_sd.is_some()),
            buildings: self.buildings,
            halls: self.halls,
            pools: equipment.pool(position, 0)..equipment.pool(position + 1, 0),
            existing: campus.existing.as_ref().map(|existing| CompiledExisting {
                pool: equipment.pool(position, equipment.kind(&existing.rack_type)),
                racks: f64::from(existing.racks),
                power_kw: existing.power_kw,
                pflops: existing.compute_pflops,
            }),
        }
    }
}
