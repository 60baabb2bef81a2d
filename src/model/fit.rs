//! What halls are made for: as planners state it, and as it is in one trial.

use crate::compute::{Positions, RackType};
use crate::power::Cooling;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::site::{Hall, Retrofit};
use crate::uncertain::UncertainError;

/// What a hall is made for in a trial.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HallFit {
    pub(crate) positions: Positions,
    /// What the hall takes, and what its cooling takes away, in kW.
    pub(crate) power_kw: f64,
    pub(crate) cooling_kw: f64,
    /// How much more is sold than is fed, 1 or more.
    pub(crate) sold_per_fed: f64,
}

impl HallFit {
    /// Power for which it is made, in kW: all positions at their most, or what may be sold of what the
    /// hall takes.
    pub(crate) fn design_kw(&self) -> f64 {
        (self.positions.count * self.positions.power_kw).min(self.power_kw * self.sold_per_fed)
    }

    /// Power that its feeds carry for that, in kW.
    pub(crate) fn feed_kw(&self) -> f64 {
        self.design_kw() / self.sold_per_fed
    }
}

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

/// What a hall is made for, before a trial draws it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HallPlan {
    racks: Quantity,
    /// Of one position, in kW.
    position_kw: Quantity,
    cooling: Option<Cooling>,
    /// In kW, infinite without a limit.
    power_kw: Quantity,
    cooling_kw: Quantity,
    size: Size,
    sold_per_fed: f64,
}

const NO_LIMIT: Quantity = Quantity::Fixed(f64::INFINITY);

/// A rack type with the power of its positions.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    position_kw: Quantity,
    cooling: Option<Cooling>,
}

impl Kind {
    pub(super) fn compile(kind: &RackType, inputs: &mut Inputs) -> Result<Self, UncertainError> {
        let name = format!("rack types/{}", kind.name);
        Ok(Self {
            position_kw: inputs.register(&name, kind.fields().power_kw())?,
            cooling: kind.cooling,
        })
    }
}

impl HallPlan {
    /// Registers what of a hall is uncertain, under its full name.
    pub(super) fn compile(
        hall: &Hall,
        name: &str,
        kind: Kind,
        size: Size,
        sold_per_fed: f64,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let fields = hall.fields();
        let power_kw = inputs.register(name, fields.power_kw())?;
        let cooling_kw = inputs.register(name, fields.cooling_power_kw())?;
        Ok(Self {
            racks: inputs.register(name, fields.racks())?,
            position_kw: kind.position_kw,
            cooling: kind.cooling,
            power_kw: power_kw.unwrap_or(NO_LIMIT),
            cooling_kw: cooling_kw.unwrap_or(NO_LIMIT),
            size,
            sold_per_fed,
        })
    }

    /// What becomes of it by a retrofit.
    pub(super) fn rebuilt(
        &self,
        retrofit: &Retrofit,
        name: &str,
        kind: Kind,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let fields = retrofit.fields();
        let racks = inputs.register(name, fields.racks())?;
        let power_kw = inputs.register(name, fields.power_kw())?;
        let cooling_kw = inputs.register(name, fields.cooling_power_kw())?;
        Ok(Self {
            racks: racks.unwrap_or(self.racks),
            position_kw: kind.position_kw,
            cooling: kind.cooling,
            power_kw: power_kw.unwrap_or(self.power_kw),
            cooling_kw: cooling_kw.unwrap_or(NO_LIMIT),
            ..*self
        })
    }

    /// What it is made for in the trial with these inputs: whole racks, one at least.
    pub(crate) fn draw(&self, drawn: &[f64]) -> HallFit {
        let size = self.size.factor(drawn);
        HallFit {
            positions: Positions {
                count: (self.racks.value(drawn) * size).round().max(1.0),
                power_kw: self.position_kw.value(drawn),
                cooling: self.cooling,
            },
            power_kw: self.power_kw.value(drawn) * size,
            cooling_kw: self.cooling_kw.value(drawn) * size,
            sold_per_fed: self.sold_per_fed,
        }
    }
}
