//! What halls are made for: as planners state it, and as it is in one trial.

use super::compiled::NO_LIMIT;
use super::{Hall, Retrofit};
use crate::compute::{Positions, RackType};
use crate::power::{Cooling, Size};
use crate::sampling::inputs::Quantity;
use crate::schedule::compiler::Compiler;

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

/// A rack type with the power of its positions.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    position_kw: Quantity,
    cooling: Option<Cooling>,
}

impl Kind {
    pub(super) fn compile(kind: &RackType, compiler: &mut Compiler<'_>) -> Self {
        let name = format!("rack types/{}", kind.name);
        Self {
            position_kw: compiler.register(&name, kind.fields().power_kw()),
            cooling: kind.cooling,
        }
    }
}

impl HallPlan {
    /// Registers what of a hall is uncertain, under its full name.
    pub(super) fn compile(
        hall: &Hall,
        name: &str,
        kind: Kind,
        (size, sold_per_fed): (Size, f64),
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let fields = hall.fields();
        let power_kw = compiler.register(name, fields.power_kw());
        let cooling_kw = compiler.register(name, fields.cooling_power_kw());
        Self {
            racks: compiler.register(name, fields.racks()),
            position_kw: kind.position_kw,
            cooling: kind.cooling,
            power_kw: power_kw.unwrap_or(NO_LIMIT),
            cooling_kw: cooling_kw.unwrap_or(NO_LIMIT),
            size,
            sold_per_fed,
        }
    }

    /// What becomes of it by a retrofit.
    pub(super) fn rebuilt(
        &self,
        retrofit: &Retrofit,
        name: &str,
        kind: Kind,
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let fields = retrofit.fields();
        let racks = compiler.register(name, fields.racks());
        let power_kw = compiler.register(name, fields.power_kw());
        let cooling_kw = compiler.register(name, fields.cooling_power_kw());
        Self {
            racks: racks.unwrap_or(self.racks),
            position_kw: kind.position_kw,
            cooling: kind.cooling,
            power_kw: power_kw.unwrap_or(self.power_kw),
            cooling_kw: cooling_kw.unwrap_or(NO_LIMIT),
            ..*self
        }
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
