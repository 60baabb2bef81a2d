//! Cooling, PUE and water: what the facility takes beside its IT.
//!
//! With IT draw P, deployable IT power D, and the share m of full mechanical cooling, facility
//! power is
//!
//! ```text
//! F = P + fixed x D + proportional x P + square x P² / D + (fans + mechanical x m) x P
//!         └───────────── electrical losses ─────────────┘  └──────── cooling ────────┘
//! ```
//!
//! so that with the load share u = P / D
//!
//! ```text
//! PUE(u, m) = 1 + fixed / u + proportional + square x u + fans + mechanical x m
//! ```
//!
//! Losses in three terms (no-load, proportional, square-law): N. Rasmussen, "Electrical
//! efficiency modeling for data centers", Schneider Electric White Paper 113. PUE: The Green
//! Grid; ISO/IEC 30134-2. Water usage effectiveness (litres per kWh of IT): ISO/IEC 30134-9.
//!
//! Below one outdoor temperature cooling is free but for fans and pumps, above another it is
//! fully mechanical, and between them it grows in a straight line. Within a month the
//! temperature is normally distributed about its mean, and m is the mean over that distribution,
//! by closed form ([`mechanical_share`]).

use serde::{Deserialize, Serialize};

use crate::field::{CELSIUS, LITRES_PER_KWH, SHARE, plan};
use crate::problem::{Path, Problems};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::uncertain::{Uncertain, UncertainError, normal_cdf};

/// How heat leaves the racks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cooling {
    /// Air through the racks.
    Air,
    /// Liquid to the chips, air for the rest.
    DirectToChip,
    /// Boards in a bath.
    Immersion,
}

impl Cooling {
    /// Whether a position cooled so can take hardware that is made for `hardware`: its own kind,
    /// and air-cooled racks beside liquid-cooled ones.
    pub fn accepts(self, hardware: Self) -> bool {
        self == hardware || (self == Self::DirectToChip && hardware == Self::Air)
    }

    /// The densest rack that is usual with this cooling, in kW a rack. Assumptions, of which a
    /// scenario is warned only: air ends near the 40 kW of one hardware generation, and the 132 kW
    /// and 600 kW of the next ones are cooled by liquid to the chip; baths stand near 200 kW.
    pub fn usual_limit_kw(self) -> f64 {
        match self {
            Self::Air => 40.0,
            Self::DirectToChip => 600.0,
            Self::Immersion => 200.0,
        }
    }

    /// As it is written in a scenario.
    pub fn name(self) -> &'static str {
        match self {
            Self::Air => "air",
            Self::DirectToChip => "direct_to_chip",
            Self::Immersion => "immersion",
        }
    }
}

plan! {
    /// What the facility of a campus takes beside its IT, by load and outdoor temperature.
    ///
    /// The defaults are assumptions of the order of a modern air-cooled hall with free cooling.
    pub struct Efficiency in "CAMPUS" {
        /// Losses that are there without load (transformers, UPS, lighting), as a share of deployable critical IT power. Drawn once a trial.
        pub fixed_loss_share: Uncertain = Uncertain::Constant(0.02) => SHARE.within(0.0, MOST_LOSS).input("fixed_loss_share"),
        /// Losses in proportion to the IT draw, as a share of it. Drawn once a trial.
        pub proportional_loss_share: Uncertain = Uncertain::Constant(0.03) => SHARE.within(0.0, MOST_LOSS).input("proportional_loss_share"),
        /// Losses that grow with the square of the load (I²R), as a share of the IT draw at full load. Drawn once a trial.
        pub square_loss_share: Uncertain = Uncertain::Constant(0.02) => SHARE.within(0.0, MOST_LOSS).input("square_loss_share"),
        /// Fans and pumps, as a share of the IT draw. Drawn once a trial.
        pub fan_share: Uncertain = Uncertain::Constant(0.04) => SHARE.within(0.0, MOST_LOSS).input("fan_share"),
        /// Compressors when cooling is fully mechanical, as a share of the IT draw. Drawn once a trial.
        pub mechanical_share: Uncertain = Uncertain::Constant(0.20) => SHARE.within(0.0, MOST_LOSS).input("mechanical_share"),
        /// Outdoor temperature below which cooling is free, in °C.
        pub free_below_celsius: f64 = 12.0 => CELSIUS,
        /// Outdoor temperature above which cooling is fully mechanical, in °C, above `free_below_celsius`.
        pub mechanical_above_celsius: f64 = 26.0 => CELSIUS,
        /// Mean outdoor temperature of each month from January to December, in °C.
        pub temperatures_celsius: Vec<f64> => CELSIUS,
        /// Standard deviation of the outdoor temperature within a month (days and nights), in °C, 0 or more.
        pub temperature_spread_celsius: f64 = 5.0 => CELSIUS.within(0.0, 50.0),
        /// Water evaporated when cooling is fully mechanical, in litres per kWh of IT, 0 or more; in proportion below. Drawn once a trial. Fleets report 0.12 to 0.84 on average over the year.
        pub water_litres_per_kwh: Uncertain = Uncertain::zero() => LITRES_PER_KWH.input("water"),
    }
    fn of_temperatures;
}

/// Losses stay below ten times the IT draw.
const MOST_LOSS: f64 = 10.0;

/// Mean share of full mechanical cooling, 0 to 1, at an outdoor temperature that is normally
/// distributed with `mean` and `spread` (all in °C):
/// (E[(T - a)⁺] - E[(T - b)⁺]) / (b - a), where E[(T - a)⁺] = s φ(z) + (mean - a) Φ(z) and
/// z = (mean - a) / s; `a` is the end of free cooling and `b` the start of full mechanical cooling.
///
/// ```
/// use buildout::power::mechanical_share;
/// assert_eq!(mechanical_share(20.0, 0.0, 10.0, 30.0), 0.5);
/// assert_eq!(mechanical_share(-5.0, 0.0, 10.0, 30.0), 0.0);
/// ```
pub fn mechanical_share(mean: f64, spread: f64, free_below: f64, mechanical_above: f64) -> f64 {
    let excess = |threshold: f64| {
        let above = mean - threshold;
        if spread <= 0.0 {
            return above.max(0.0);
        }
        let z = above / spread;
        let density = libm::exp(-0.5 * z * z) / libm::sqrt(2.0 * std::f64::consts::PI);
        spread * density + above * normal_cdf(z)
    };
    let range = mechanical_above - free_below;
    ((excess(free_below) - excess(mechanical_above)) / range).clamp(0.0, 1.0)
}

/// Where facility power goes, in the unit of the IT draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FacilityPower {
    /// Drawn by the IT.
    pub it: f64,
    /// Lost in the electrical chain.
    pub electrical_losses: f64,
    /// Taken by fans, pumps and compressors.
    pub cooling: f64,
}

impl FacilityPower {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.it + self.electrical_losses + self.cooling
    }
}

/// The losses of one trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    /// Share of deployable IT power that is lost without load.
    pub fixed: f64,
    /// Share of the IT draw.
    pub proportional: f64,
    /// Share of the IT draw at full load, growing with the square of the load.
    pub square: f64,
    /// Fans and pumps, as a share of the IT draw.
    pub fans: f64,
    /// Compressors at full mechanical cooling, as a share of the IT draw.
    pub mechanical: f64,
}

impl Losses {
    /// Where facility power goes at an IT draw, with so much deployable and this share of full
    /// mechanical cooling. `draw` and `deployable` are in one unit of power, 0 or more.
    pub fn facility(&self, draw: f64, deployable: f64, mechanical_share: f64) -> FacilityPower {
        let square = if deployable > 0.0 {
            self.square * draw * draw / deployable
        } else {
            0.0
        };
        FacilityPower {
            it: draw,
            electrical_losses: self.fixed * deployable + self.proportional * draw + square,
            cooling: (self.fans + self.mechanical * mechanical_share) * draw,
        }
    }

    /// PUE at a load share above 0 and this share of full mechanical cooling.
    ///
    /// ```
    /// use buildout::power::Losses;
    /// let losses = Losses { fixed: 0.04, proportional: 0.03, square: 0.02, fans: 0.05, mechanical: 0.2 };
    /// assert!((losses.pue(1.0, 0.0) - 1.14).abs() < 1e-15);
    /// assert!((losses.pue(0.5, 0.5) - 1.27).abs() < 1e-15);
    /// ```
    pub fn pue(&self, load_share: f64, mechanical_share: f64) -> f64 {
        self.facility(load_share, 1.0, mechanical_share).total() / load_share
    }
}

impl Efficiency {
    /// The assumed defaults at these mean temperatures, January to December, in °C.
    pub fn at(temperatures_celsius: [f64; 12]) -> Self {
        Self::of_temperatures(temperatures_celsius.to_vec())
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        let months = self.temperatures_celsius.len();
        if months != 12 {
            problems.error(
                &at.key("temperatures_celsius"),
                format!("temperatures_celsius has {months} months"),
                "12 mean temperatures, from January to December",
            );
        }
        let (low, high) = (self.free_below_celsius, self.mechanical_above_celsius);
        if low >= high {
            problems.error(
                &at.key("mechanical_above_celsius"),
                format!("cooling is free below {low} °C and mechanical above {high} °C"),
                "two temperatures, the first below the second",
            );
        }
    }

    /// Share of full mechanical cooling by calendar month, January first.
    pub fn mechanical_shares(&self) -> [f64; 12] {
        let mut shares = [0.0; 12];
        for (share, &mean) in shares.iter_mut().zip(&self.temperatures_celsius) {
            *share = mechanical_share(
                mean,
                self.temperature_spread_celsius,
                self.free_below_celsius,
                self.mechanical_above_celsius,
            );
        }
        shares
    }

    /// Share of full mechanical cooling for which power must be held ready: that at the mean of
    /// the hottest month and two standard deviations.
    pub fn design_mechanical_share(&self) -> f64 {
        let hottest = self
            .temperatures_celsius
            .iter()
            .fold(f64::NEG_INFINITY, |hottest, &mean| hottest.max(mean));
        mechanical_share(
            hottest + 2.0 * self.temperature_spread_celsius,
            0.0,
            self.free_below_celsius,
            self.mechanical_above_celsius,
        )
    }
}

/// A compiled [`Efficiency`].
#[derive(Clone, Debug)]
pub(crate) struct CompiledEfficiency {
    /// In the order of the fields of [`Losses`].
    losses: [Quantity; 5],
    water: Quantity,
    mechanical_shares: [f64; 12],
    design_mechanical_share: f64,
    /// The calendar month in which the scenario starts, 0 to 11.
    first_month: usize,
}

impl CompiledEfficiency {
    pub(crate) fn compile(
        efficiency: &Efficiency,
        campus: &str,
        first_month: usize,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let fields = efficiency.fields();
        Ok(Self {
            losses: [
                inputs.register(campus, fields.fixed_loss_share())?,
                inputs.register(campus, fields.proportional_loss_share())?,
                inputs.register(campus, fields.square_loss_share())?,
                inputs.register(campus, fields.fan_share())?,
                inputs.register(campus, fields.mechanical_share())?,
            ],
            water: inputs.register(campus, fields.water_litres_per_kwh())?,
            mechanical_shares: efficiency.mechanical_shares(),
            design_mechanical_share: efficiency.design_mechanical_share(),
            first_month,
        })
    }

    pub(crate) fn losses(&self, drawn: &[f64]) -> Losses {
        let [fixed, proportional, square, fans, mechanical] =
            self.losses.map(|loss| loss.value(drawn));
        Losses {
            fixed,
            proportional,
            square,
            fans,
            mechanical,
        }
    }

    pub(crate) fn water_litres_per_kwh(&self, drawn: &[f64]) -> f64 {
        self.water.value(drawn)
    }

    /// PUE for which grid power must be held ready: at full load, in the heat.
    pub(crate) fn design_pue(&self, losses: &Losses) -> f64 {
        losses.pue(1.0, self.design_mechanical_share)
    }

    /// Share of full mechanical cooling in a month of the simulation.
    pub(crate) fn mechanical_share(&self, month: usize) -> f64 {
        self.mechanical_shares[(self.first_month + month) % 12]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_campus_is_reproduced() {
        // Colossus 1: 100,000 H100, 139 MW of IT and 181 MW of facility power: a PUE of 1.302.
        // The assumed losses with fully mechanical cooling at full load are 1.31.
        let losses = Losses {
            fixed: 0.02,
            proportional: 0.03,
            square: 0.02,
            fans: 0.04,
            mechanical: 0.20,
        };
        let facility = losses.facility(139.0, 139.0, 1.0).total();
        assert!((facility / 181.0 - 1.0).abs() < 0.01, "{facility}");
    }

    #[test]
    fn the_mean_over_a_month_is_that_of_the_normal_distribution() {
        // By the midpoint rule over 200,001 quantile-free points of the density.
        let (mean, spread, low, high) = (18.0, 5.0, 12.0, 26.0);
        let steps = 200_000;
        let mut sum = 0.0;
        for step in 0..steps {
            let z = -8.0 + 16.0 * (f64::from(step) + 0.5) / f64::from(steps);
            let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let share = ((mean + spread * z - low) / (high - low)).clamp(0.0, 1.0);
            sum += density * share * 16.0 / f64::from(steps);
        }
        assert!((mechanical_share(mean, spread, low, high) - sum).abs() < 1e-9);
    }

    #[test]
    fn air_cooled_racks_stand_beside_liquid_cooled_ones_only() {
        use Cooling::{Air, DirectToChip, Immersion};
        assert!(DirectToChip.accepts(Air) && Air.accepts(Air));
        assert!(!Air.accepts(DirectToChip) && !Immersion.accepts(Air));
        assert!(!DirectToChip.accepts(Immersion));
    }

    #[test]
    fn what_is_wrong_with_a_climate_is_reported() {
        let mut efficiency = Efficiency::at([10.0; 12]);
        efficiency.temperatures_celsius.pop();
        efficiency.free_below_celsius = 30.0;
        let mut problems = Problems::new();
        efficiency.check(&Path::root(), &mut problems);
        assert_eq!(problems.iter().count(), 2, "{problems}");
    }

    proptest! {
        #[test]
        fn pue_falls_with_load_and_rises_with_heat_where_losses_are_fixed(
            fixed in 0.0..0.3, fans in 0.0..0.2, mechanical in 0.0..0.5,
            load in 0.05..0.9, heat in 0.0..0.9,
        ) {
            let losses = Losses { fixed, proportional: 0.03, square: 0.0, fans, mechanical };
            prop_assert!(losses.pue(load + 0.1, heat) <= losses.pue(load, heat) + 1e-12);
            prop_assert!(losses.pue(load, heat + 0.1) >= losses.pue(load, heat) - 1e-12);
            prop_assert!(losses.pue(load, heat) >= 1.0);
        }

        #[test]
        fn warmer_is_never_cooler(mean in -40.0..45.0, spread in 0.0..15.0) {
            let at = |mean| mechanical_share(mean, spread, 10.0, 25.0);
            prop_assert!(at(mean) <= at(mean + 1.0) + 1e-12);
        }
    }

    #[test]
    fn cooling_is_held_ready_for_the_hottest_month_and_two_deviations() {
        let mut climate = Efficiency::at([
            0.0, 2.0, 5.0, 10.0, 16.0, 20.0, 22.0, 21.0, 16.0, 9.0, 4.0, 1.0,
        ]);
        (climate.free_below_celsius, climate.mechanical_above_celsius) = (12.0, 40.0);
        climate.temperature_spread_celsius = 2.0;
        // 22 + 2 x 2 = 26 is half of the way from 12 to 40.
        assert!((climate.design_mechanical_share() - 0.5).abs() < 1e-12);
        climate.temperature_spread_celsius = 9.0;
        assert_eq!(climate.design_mechanical_share(), 1.0);
    }

    /// 0.04 are lost without load, 0.03 of the draw and 0.02 with its square; fans take 0.05, compressors at most 0.2.
    #[test]
    fn facility_power_is_the_draw_and_what_goes_with_it() {
        let losses = Losses {
            fixed: 0.04,
            proportional: 0.03,
            square: 0.02,
            fans: 0.05,
            mechanical: 0.2,
        };
        let at = losses.facility(6.0, 10.0, 0.25);
        assert_eq!(at.it, 6.0);
        assert!((at.electrical_losses - (0.4 + 0.18 + 0.02 * 3.6)).abs() < 1e-12);
        assert!((at.cooling - (0.05 + 0.05) * 6.0).abs() < 1e-12);
        assert!((at.total() - (6.0 + 0.652 + 0.6)).abs() < 1e-12);
        assert!((losses.pue(0.6, 0.25) - at.total() / 6.0).abs() < 1e-12);
        assert!((losses.pue(1.0, 0.0) - 1.14).abs() < 1e-12);
        // Nothing is deployable: nothing is lost to load that is not there.
        assert_eq!(losses.facility(0.0, 0.0, 1.0).total(), 0.0);
    }
}
