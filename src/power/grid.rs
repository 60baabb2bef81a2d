//! The grid connection of a campus: applications, steps that may slip, ramps, bridge power and
//! curtailment.
//!
//! Import is granted in steps (tranches), each with its own wait after what it follows. Steps of
//! one application share its fate: the whole of it may be refused, or a share of its MW granted.
//! Each step may slip by itself, and may be released at a limited rate in MW a month.
//!
//! Until the grid comes, bridge power behind the meter may carry the campus. In kW of facility
//! power, with grid G, bridge B and what was applied for A:
//!
//! ```text
//! limit = max(G, min(G + B, A)) + permanent B
//! ```
//!
//! A battery is bridge power that runs empty: see [`battery`](super::battery).
//!
//! A bridge of n + k units of u kW is firm for n x u: with k units out it still carries that.

use super::battery::{Battery, Storage};
use crate::date::Date;
use crate::field::{COUNT, GRAMS_PER_KWH, MEGAWATTS, MONEY_PER_MWH, MONTHS, NUMBER, SHARE, plan};
use crate::problem::{Path, Problems, check_name};
use crate::schedule::{Dependency, LONGEST_USUAL_MONTHS, check_dependencies};
use crate::uncertain::{Domain, Uncertain};

plan! {
    /// A step (tranche) of the campus's grid connection: more import from a moment on.
    pub struct GridStep in "CAMPUS/STEP" {
        /// Its name, unique on its campus.
        pub name: String,
        /// What it adds to the import of the campus, in MW of facility power, above 0. Drawn once a trial.
        pub power_mw: Uncertain => MEGAWATTS.input("power"),
        /// The application that it belongs to; left out, it is granted for sure.
        pub application: Option<String>,
        /// When it is applied for (or works on it start); left out, at the start of the scenario.
        pub starts: Option<Date>,
        /// What must have finished before; a step of the same connection that comes first, say.
        pub after: Vec<Dependency> = [],
        /// The class of plans that it belongs to, which says how plans slip, grow and are dropped; its wait is multiplied by the slip factor.
        pub plan_class: Option<String>,
        /// The probability that it comes at all, 0 to 1; in the other trials it never does.
        pub probability: Option<f64> => SHARE,
        /// Time from then to its energisation, in months, 0 or more.
        pub wait_months: Uncertain = Uncertain::zero() => MONTHS.input("").usually(0.0, LONGEST_USUAL_MONTHS, "a plain number counts months; write \"40 weeks\" for weeks"),
        /// Probability that it slips, 0 to 1.
        pub slip_probability: f64 [= 0.0] => SHARE.input("slips"),
        /// How far it slips if it does, in months, 0 or more.
        pub slip_months: Uncertain [= Uncertain::zero()] => MONTHS.input("slip"),
        /// The most by which import may grow each month from its energisation on, in MW, above 0; left out, all at once.
        pub ramp_mw_per_month: Option<f64> => NUMBER.above_zero(),
    }
    fn plain;
}

plan! {
    /// An application for grid power, which one or more steps belong to.
    pub struct GridApplication in "CAMPUS/APPLICATION" {
        /// Its name, unique on its campus.
        pub name: String,
        /// Probability that it is refused, 0 to 1: none of its steps ever comes.
        pub refusal_probability: f64 [= 0.0] => SHARE.input("refused"),
        /// Share of its MW that is granted if it is not refused, 0 to 1. Drawn once a trial.
        pub granted_share: Uncertain = Uncertain::one() => SHARE.input("granted share"),
    }
    /// An application that is granted in full.
    pub fn new;
}

plan! {
    /// Power behind the meter (gas turbines, engines, fuel cells, batteries) that carries the campus until
    /// the grid does, or permanently.
    pub struct BridgePower in "CAMPUS/BRIDGE" {
        /// Its name, unique on its campus.
        pub name: String,
        /// What one unit gives, in MW of facility power, above 0.
        pub unit_power_mw: f64 => MEGAWATTS,
        /// Units, 1 or more.
        pub units: u32 => COUNT,
        /// How many of the units are spare: n + k with k spare, fewer than `units`.
        pub spare_units: u32 [= 0] => NUMBER,
        /// When it is ordered; left out, at the start of the scenario.
        pub starts: Option<Date>,
        /// What must have finished before it is ordered.
        pub after: Vec<Dependency> = [],
        /// Time from order to operation, in months, 0 or more.
        pub wait_months: Uncertain = Uncertain::zero() => MONTHS.input(""),
        /// Adds to the grid permanently, rather than standing in for what of the grid has not come.
        pub permanent: bool [= false],
        /// CO2 of what it generates, in g/kWh, 0 or more; counted where the campus states `energy`. A battery has the carbon of what charges it.
        pub carbon_g_per_kwh: f64 [= 0.0] => GRAMS_PER_KWH,
        /// Cost of what it generates (fuel and upkeep), in money per MWh, without the power that charges a battery; counted where the campus states `energy`. What it costs to buy is `[[finance.capex]]` with its name in `when`. Drawn once a trial.
        pub price_per_mwh: Uncertain [= Uncertain::zero()] => MONEY_PER_MWH.input("price"),
        /// Makes it a battery, of which a campus has one at most; left out, it generates.
        pub storage: Option<Storage>,
    }
    fn plain;
}

plan! {
    /// Hours in which the utility takes back a share of the import.
    pub struct Curtailment in "CAMPUS" {
        /// How many hours a year, 0 to 8,766. Drawn once a trial.
        pub hours_per_year: Uncertain => NUMBER.within(0.0, HOURS_PER_YEAR).input("curtailed hours"),
        /// Share of the import that is taken back in those hours, 0 to 1. Drawn once a trial.
        pub depth_share: Uncertain = Uncertain::one() => SHARE.input("curtailed share"),
        /// How many of them come in one go, above 0 to 8,766 (assumption if left out: 4); it matters to batteries only.
        pub event_hours: f64 [= 4.0] => NUMBER.within(f64::MIN_POSITIVE, HOURS_PER_YEAR),
    }
    /// Hours in which all of the import is taken back.
    pub fn new;
}

/// Hours of a year of 365.25 days.
pub const HOURS_PER_YEAR: f64 = 8_766.0;

impl GridStep {
    /// A step that comes so long after the start of the scenario.
    pub fn new(
        name: impl Into<String>,
        power_mw: impl Into<Uncertain>,
        wait_months: impl Into<Uncertain>,
    ) -> Self {
        Self::plain(name, power_mw).wait_months(wait_months)
    }

    /// The parts in which it is released, as many as its greatest power takes.
    pub(crate) fn parts(&self) -> Vec<StepPart> {
        let Some(ramp) = self.ramp_mw_per_month else {
            return vec![StepPart {
                delay_months: 0.0,
                before_kw: 0.0,
                most_kw: f64::INFINITY,
            }];
        };
        let each = ramp * 1_000.0;
        let power_kw = self.power_mw.range(Domain::POSITIVE).1 * 1_000.0;
        let count = (power_kw / each).ceil().clamp(1.0, MOST_PARTS) as u32;
        let parts = (0..count).map(|part| StepPart {
            delay_months: f64::from(part),
            before_kw: f64::from(part) * each,
            most_kw: if part + 1 == count {
                f64::INFINITY
            } else {
                each
            },
        });
        parts.collect()
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        check_dependencies(Some(&self.after), at, problems);
        let usual_mw = self.power_mw.median(Domain::POSITIVE).unwrap_or(0.0);
        if let Some(ramp) = self.ramp_mw_per_month
            && ramp > 0.0
            && usual_mw / ramp > MOST_PARTS
        {
            problems.error(
                &at.key("ramp_mw_per_month"),
                format!("at {ramp} MW a month it takes {} months", usual_mw / ramp),
                format!("{MOST_PARTS} months or fewer"),
            );
        }
    }
}

/// A part of a step of the grid: what of its power lies beyond `before_kw`, up to `most_kw`, this many months after
/// its energisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StepPart {
    pub(crate) delay_months: f64,
    pub(crate) before_kw: f64,
    pub(crate) most_kw: f64,
}

impl StepPart {
    /// What it adds where the whole step has `power_kw`, in kW.
    pub(crate) fn kw(&self, power_kw: f64) -> f64 {
        (power_kw - self.before_kw).clamp(0.0, self.most_kw)
    }
}

/// A ramp ends within the longest horizon.
const MOST_PARTS: f64 = 1_200.0;

impl GridApplication {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
    }
}

impl BridgePower {
    /// Bridge power that is ordered at the start of the scenario.
    pub fn new(
        name: impl Into<String>,
        unit_power_mw: f64,
        units: u32,
        spare_units: u32,
        wait_months: impl Into<Uncertain>,
    ) -> Self {
        Self::plain(name, unit_power_mw, units)
            .spare_units(spare_units)
            .wait_months(wait_months)
    }

    /// What it gives with its spare units out, in kW; a battery, for the hours for which it is counted on.
    pub fn firm_kw(&self) -> f64 {
        match self.battery() {
            Some(battery) => battery.firm_kw(),
            None => self.working_units() * self.unit_power_mw * 1_000.0,
        }
    }

    fn working_units(&self) -> f64 {
        f64::from(self.units.saturating_sub(self.spare_units))
    }

    /// The battery that it is, with its spare units out; none if it generates.
    pub fn battery(&self) -> Option<Battery> {
        let storage = self.storage.as_ref()?;
        Some(Battery {
            power_kw: self.working_units() * self.unit_power_mw * 1_000.0,
            energy_kwh: self.working_units() * storage.energy_mwh * 1_000.0,
            hours_per_day: storage.hours_per_day,
            returned_share: storage.returned_share,
        })
    }

    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        if self.units <= self.spare_units {
            problems.error(
                &at.key("spare_units"),
                format!("{} of {} units are spare", self.spare_units, self.units),
                "fewer spare units than units",
            );
        }
        check_dependencies(Some(&self.after), at, problems);
        if let Some(storage) = &self.storage {
            storage.check(&at.key("storage"), problems);
            if self.carbon_g_per_kwh > 0.0 {
                problems.error(
                    &at.key("carbon_g_per_kwh"),
                    format!("battery \"{}\" states carbon of its own", self.name),
                    "leave it out: it has the carbon of what charges it",
                );
            }
        }
    }
}

/// What a campus may import and generate, in kW of facility power.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Supplied {
    /// Import granted and energised.
    pub(crate) grid_kw: f64,
    /// Import applied for, whether it comes or not.
    pub(crate) applied_kw: f64,
    /// Bridge power until the grid comes.
    pub(crate) bridge_kw: f64,
    /// Permanent generation.
    pub(crate) permanent_kw: f64,
    /// The battery that works, and whether it is permanent.
    pub(crate) battery: Option<(Battery, bool)>,
}

impl Supplied {
    /// What the campus may draw.
    pub(crate) fn limit_kw(&self) -> f64 {
        let (until_grid, for_good) = match self.battery {
            Some((battery, permanent)) => {
                let kw = battery.rechargeable_kw(self.sustained_kw());
                if permanent { (0.0, kw) } else { (kw, 0.0) }
            }
            None => (0.0, 0.0),
        };
        let bridged = (self.grid_kw + self.bridge_kw + until_grid).min(self.applied_kw);
        self.grid_kw.max(bridged) + self.permanent_kw + for_good
    }

    /// What grid and generation give for as long as it takes: all but the battery.
    pub(crate) fn sustained_kw(&self) -> f64 {
        self.grid_kw + self.bridge_kw + self.permanent_kw
    }

    /// The share of a draw that is not served in hours in which the grid takes back this share of
    /// the import, with all generation on the site running.
    pub(crate) fn unserved_share(&self, draw_kw: f64, depth: f64) -> f64 {
        let served = self.grid_kw * (1.0 - depth) + self.bridge_kw + self.permanent_kw;
        // Of an unlimited grid nothing is known but that it serves the draw; it is taken to be as
        // large as that.
        let served = if served.is_finite() {
            served
        } else {
            draw_kw * (1.0 - depth) + self.bridge_kw + self.permanent_kw
        };
        if draw_kw > 0.0 {
            (1.0 - served / draw_kw).max(0.0)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bridge_stands_in_for_what_was_applied_for() {
        let before = Supplied {
            grid_kw: 0.0,
            applied_kw: 100.0,
            bridge_kw: 60.0,
            permanent_kw: 0.0,
            battery: None,
        };
        assert_eq!(before.limit_kw(), 60.0);
        let half = Supplied {
            grid_kw: 70.0,
            ..before
        };
        assert_eq!(half.limit_kw(), 100.0);
        let all = Supplied {
            grid_kw: 100.0,
            ..before
        };
        assert_eq!(all.limit_kw(), 100.0);
        let lasting = Supplied {
            permanent_kw: 60.0,
            bridge_kw: 0.0,
            ..all
        };
        assert_eq!(lasting.limit_kw(), 160.0);
    }

    #[test]
    fn curtailed_hours_are_ridden_through_by_what_stands_on_the_site() {
        let campus = Supplied {
            grid_kw: 100.0,
            applied_kw: 100.0,
            bridge_kw: 30.0,
            permanent_kw: 0.0,
            battery: None,
        };
        assert_eq!(campus.unserved_share(80.0, 0.5), 0.0);
        assert_eq!(campus.unserved_share(100.0, 0.5), 0.19999999999999996);
        assert_eq!(campus.unserved_share(0.0, 1.0), 0.0);
        let unlimited = Supplied {
            grid_kw: f64::INFINITY,
            ..Supplied::default()
        };
        assert_eq!(unlimited.unserved_share(80.0, 0.25), 0.25);
    }

    #[test]
    fn a_ramp_releases_all_of_a_step_and_no_more() {
        let mut step = GridStep::new("line", 100.0, 0.0);
        let released = |step: &GridStep, power_kw: f64| -> Vec<(f64, f64)> {
            let parts = step.parts().into_iter();
            parts
                .map(|part| (part.delay_months, part.kw(power_kw)))
                .collect()
        };
        assert_eq!(released(&step, 100_000.0), [(0.0, 100_000.0)]);
        step.ramp_mw_per_month = Some(40.0);
        assert_eq!(
            released(&step, 100_000.0),
            [(0.0, 40_000.0), (1.0, 40_000.0), (2.0, 20_000.0)]
        );
        // A step of less than its greatest power comes in the first parts alone.
        step.power_mw = Uncertain::uniform(30.0, 100.0);
        assert_eq!(
            released(&step, 50_000.0),
            [(0.0, 40_000.0), (1.0, 10_000.0), (2.0, 0.0)]
        );
    }

    #[test]
    fn spare_units_carry_nothing_firm() {
        assert_eq!(
            BridgePower::new("turbines", 30.0, 5, 1, 12.0).firm_kw(),
            120_000.0
        );
    }

    proptest! {
        #[test]
        fn more_of_anything_never_lowers_the_limit(
            grid in 0.0..500.0, applied in 0.0..500.0, bridge in 0.0..500.0, more in 0.0..100.0,
        ) {
            let now = Supplied { grid_kw: grid, applied_kw: applied, bridge_kw: bridge, permanent_kw: 0.0, battery: None };
            let limit = now.limit_kw();
            prop_assert!(limit >= grid);
            let more_grid = Supplied { grid_kw: grid + more, ..now };
            let more_bridge = Supplied { bridge_kw: bridge + more, ..now };
            prop_assert!(more_grid.limit_kw() >= limit && more_bridge.limit_kw() >= limit);
        }
    }

    #[test]
    fn a_battery_has_the_power_and_energy_of_the_units_that_are_not_spare() {
        let mut bridge = BridgePower::new("battery", 2.0, 5, 1, 3.0);
        assert_eq!(bridge.firm_kw(), 8_000.0);
        assert_eq!(bridge.battery(), None);
        bridge.storage = Some(Storage::new(6.0, 4.0));
        let battery = bridge.battery().unwrap();
        assert_eq!((battery.power_kw, battery.energy_kwh), (8_000.0, 24_000.0));
        assert_eq!(battery.hours_per_day, 4.0);
    }

    /// A battery that bridges is bounded by what was applied for, a permanent one is not; neither gives more than the grid
    /// and generation can charge it with.
    #[test]
    fn a_battery_adds_what_can_be_recharged() {
        let battery = Battery {
            power_kw: 50.0,
            energy_kwh: 1e6,
            hours_per_day: 4.0,
            returned_share: 0.8,
        };
        let with = |grid_kw: f64, permanent: bool| Supplied {
            grid_kw,
            applied_kw: 120.0,
            bridge_kw: 1.0,
            permanent_kw: 2.0,
            battery: Some((battery, permanent)),
        };
        assert_eq!(with(100.0, false).sustained_kw(), 103.0);
        assert_eq!(with(100.0, false).limit_kw(), 122.0);
        assert_eq!(with(100.0, true).limit_kw(), 153.0);
        // 3 + 2.5 kW in 20 hours, of which 0.8 come back in 4: 22 kW.
        assert!((with(2.5, true).limit_kw() - (5.5 + 22.0)).abs() < 1e-12);
        assert!((with(2.5, false).limit_kw() - (5.5 + 22.0)).abs() < 1e-12);
        assert_eq!(with(130.0, false).limit_kw(), 132.0);
    }
}
