//! Energy of a campus, where it comes from, and its carbon.
//!
//! Location-based carbon counts the import at the intensity of the grid; market-based carbon
//! takes off what contracts for renewables cover (GHG Protocol Scope 2 Guidance, 2015). Matching is
//! distinguished by how fine it is:
//!
//! - **annual**: generation of the last twelve months / consumption of the last twelve months, at
//!   most 1;
//! - **hourly**, approximated: a source of capacity factor c that produces in a share s of the
//!   hours gives c / s of its power in them and nothing otherwise; sources are on and off
//!   independently of one another and the load is flat within the month. Then
//!   `E[min(load, Σ generation)] / load`, over all states, by closed form ([`matched_mw`]).
//!
//! On-site renewables serve the campus hour by hour and lower its import; contracts do not.

use crate::date::Date;
use crate::field::{GRAMS_PER_KWH, GROWTH, MEGAWATTS, MONEY_PER_MWH, MONTHS, SHARE, plan};
use crate::problem::{Path, Problems, check_name, check_unique};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::uncertain::{Uncertain, UncertainError};

plan! {
    /// What energy costs and emits.
    pub struct Energy in "CAMPUS" {
        /// CO2 of the grid's electricity at the start, in g/kWh, 0 or more. In 2023: China 582, India 713, Germany 381, France 56. Drawn once a trial.
        pub grid_carbon_g_per_kwh: Uncertain => GRAMS_PER_KWH.input("grid carbon"),
        /// Growth of that a year, as a share, above -1; below 0 where the grid gets cleaner. Drawn once a trial.
        pub grid_carbon_growth_per_year: Uncertain = Uncertain::zero() => GROWTH.input("grid carbon growth"),
        /// Price of imported electricity, in money per MWh. Drawn once a trial.
        pub price_per_mwh: Uncertain = Uncertain::zero() => MONEY_PER_MWH.any().input("price of electricity"),
        /// Renewables by contract or on the site, at most 8.
        pub renewables: Vec<Renewable> = [],
    }
    /// Energy from the grid alone, at an intensity in g/kWh.
    pub fn new;
}

plan! {
    /// A source of renewable electricity: a power purchase agreement, or a plant on the site.
    pub struct Renewable in "CAMPUS/SOURCE" {
        /// Its name, unique on its campus.
        pub name: String,
        /// Its nameplate power, in MW, above 0.
        pub power_mw: f64 => MEGAWATTS,
        /// Capacity factor of each month from January to December, 0 to 1.
        pub capacity_factors: Vec<f64> => SHARE,
        /// Share of the hours in which it produces at all, above 0 to 1, no less than any capacity factor: about 0.5 for the sun, 0.8 for wind.
        pub producing_share: f64 => SHARE.within(f64::MIN_POSITIVE, 1.0),
        /// Stands on the site, behind the meter.
        pub on_site: bool [= false],
        /// From when it delivers; left out, from the start of the scenario.
        pub starts: Option<Date>,
        /// How much later than that, in months, 0 or more. Drawn once a trial.
        pub delay_months: Uncertain = Uncertain::zero() => MONTHS.input("delay"),
        /// Price of what it generates, in money per MWh; under a contract, paid beside (and less) the price of the import. Drawn once a trial.
        pub price_per_mwh: Uncertain = Uncertain::zero() => MONEY_PER_MWH.any().input("price"),
    }
    /// A contract from the start on, without a price: its power in MW, the capacity factor of each month and the share of hours with production.
    pub fn new;
}

/// States of n sources are 2^n.
const MOST_RENEWABLES: usize = 8;

impl Energy {
    pub(crate) fn check(&self, at: &Path, problems: &mut Problems) {
        self.check_fields(at, problems);
        let at = at.key("renewables");
        for (position, renewable) in self.renewables.iter().enumerate() {
            renewable.check(&at.index(position), problems);
        }
        let names = self
            .renewables
            .iter()
            .map(|renewable| renewable.name.as_str());
        check_unique("renewable source", names, &at, problems);
        if self.renewables.len() > MOST_RENEWABLES {
            problems.error(
                &at,
                format!("the campus has {} renewable sources", self.renewables.len()),
                format!("{MOST_RENEWABLES} or fewer; put like sources together"),
            );
        }
    }
}

impl Renewable {
    fn check(&self, at: &Path, problems: &mut Problems) {
        check_name(&self.name, &at.key("name"), problems);
        self.check_fields(at, problems);
        let months = self.capacity_factors.len();
        let factors_at = at.key("capacity_factors");
        if months != 12 {
            problems.error(
                &factors_at,
                format!("capacity_factors has {months} months"),
                "12 shares, from January to December",
            );
        }
        for (position, factor) in self.capacity_factors.iter().enumerate() {
            if *factor <= 1.0 && *factor > self.producing_share {
                problems.error(
                    &factors_at.index(position),
                    format!("the capacity factor is {factor}"),
                    format!("at most the producing share, {}", self.producing_share),
                );
            }
        }
    }
}

/// A source in one month: what it gives in the hours in which it produces, in MW, and the share
/// of the hours in which it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnOff {
    /// Power while it produces, in MW.
    pub power_mw: f64,
    /// Share of the hours in which it produces, 0 to 1.
    pub share: f64,
}

/// Of a flat load, what independent on-off sources cover in the same hour, on average, in MW:
/// Σ over states of probability x min(load, Σ power of those that produce).
///
/// ```
/// use buildout::power::{OnOff, matched_mw};
/// // Sun of 50 MW in half of the hours, against 40 MW: 20 MW are covered, though 25 MW are made.
/// let sun = OnOff { power_mw: 50.0, share: 0.5 };
/// assert_eq!(matched_mw(40.0, &[sun]), 20.0);
/// ```
pub fn matched_mw(load_mw: f64, sources: &[OnOff]) -> f64 {
    match sources {
        [] => 0.0,
        [first, rest @ ..] => {
            let covered = first.power_mw.min(load_mw);
            let on = covered + matched_mw(load_mw - covered, rest);
            let off = if first.share < 1.0 {
                matched_mw(load_mw, rest)
            } else {
                0.0
            };
            first.share * on + (1.0 - first.share) * off
        }
    }
}

/// A compiled [`Energy`].
#[derive(Clone, Debug)]
pub(crate) struct CompiledEnergy {
    carbon: Quantity,
    carbon_growth: Quantity,
    price: Quantity,
    renewables: Vec<CompiledRenewable>,
    first_month: usize,
}

#[derive(Clone, Debug)]
struct CompiledRenewable {
    /// Power while it produces, by calendar month, in MW.
    producing_mw: [f64; 12],
    producing_share: f64,
    on_site: bool,
    starts: f64,
    delay: Quantity,
    price: Quantity,
}

impl CompiledEnergy {
    pub(crate) fn compile(
        energy: &Energy,
        campus: &str,
        start: Date,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let renewables = energy
            .renewables
            .iter()
            .map(|renewable| {
                let name = format!("{campus}/{}", renewable.name);
                let mut producing_mw = [0.0; 12];
                for (power, factor) in producing_mw.iter_mut().zip(&renewable.capacity_factors) {
                    *power = renewable.power_mw * factor / renewable.producing_share;
                }
                Ok(CompiledRenewable {
                    producing_mw,
                    producing_share: renewable.producing_share,
                    on_site: renewable.on_site,
                    starts: renewable
                        .starts
                        .map_or(0.0, |date| date.months_after(start)),
                    delay: inputs.register(&name, renewable.fields().delay_months())?,
                    price: inputs.register(&name, renewable.fields().price_per_mwh())?,
                })
            })
            .collect::<Result<_, UncertainError>>()?;
        let fields = energy.fields();
        Ok(Self {
            carbon: inputs.register(campus, fields.grid_carbon_g_per_kwh())?,
            carbon_growth: inputs.register(campus, fields.grid_carbon_growth_per_year())?,
            price: inputs.register(campus, fields.price_per_mwh())?,
            renewables,
            first_month: (start.month_of_year() - 1) as usize,
        })
    }
}

/// What a month is settled by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MonthOfUse {
    pub(crate) month: usize,
    /// Facility power that is served on average, in MW.
    pub(crate) served_mw: f64,
    /// Import at most, in MW; infinite where the grid is no limit.
    pub(crate) grid_mw: f64,
    /// What bridge power emits and costs, by the MWh.
    pub(crate) bridge_carbon_g_per_kwh: f64,
    pub(crate) bridge_price_per_mwh: f64,
    pub(crate) hours: f64,
}

/// The energy of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EnergyMonth {
    pub(crate) facility_mwh: f64,
    pub(crate) grid_mwh: f64,
    pub(crate) bridge_mwh: f64,
    pub(crate) on_site_mwh: f64,
    pub(crate) cost: f64,
    /// Tonnes of CO2.
    pub(crate) location_t: f64,
    pub(crate) market_t: f64,
    /// Generated by all renewables, used here or not, in the last twelve months.
    pub(crate) renewable_year_mwh: f64,
    pub(crate) facility_year_mwh: f64,
    /// Covered in the same hour.
    pub(crate) matched_mwh: f64,
}

/// What the settlement of a campus carries from month to month in a trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct EnergyState {
    /// Facility energy and renewable generation of the last twelve months, in MWh.
    year: [(f64, f64); 12],
    sources: Vec<OnOff>,
}

impl EnergyState {
    pub(crate) fn reset(&mut self) {
        self.year = [(0.0, 0.0); 12];
    }
}

const G_PER_T: f64 = 1e6;
const KWH_PER_MWH: f64 = 1e3;
const TONNES: f64 = KWH_PER_MWH / G_PER_T;

/// What renewables make in a month, and what they cost.
#[derive(Clone, Copy, Default)]
struct RenewableMonth {
    generated_mwh: f64,
    cost: f64,
}

impl CompiledEnergy {
    /// Gathers the renewable sources of a month, all of them or those on site alone.
    fn renewables_of(
        &self,
        state: &mut EnergyState,
        use_of: &MonthOfUse,
        drawn: &[f64],
        all: bool,
    ) -> RenewableMonth {
        let calendar = (self.first_month + use_of.month) % 12;
        let mut made = RenewableMonth::default();
        state.sources.clear();
        for renewable in &self.renewables {
            let begins = renewable.starts + renewable.delay.value(drawn);
            let works = begins <= use_of.month as f64;
            if !works || !(all || renewable.on_site) {
                continue;
            }
            let power_mw = renewable.producing_mw[calendar];
            let share = renewable.producing_share;
            state.sources.push(OnOff { power_mw, share });
            if all {
                let energy = power_mw * share * use_of.hours;
                made.generated_mwh += energy;
                made.cost += energy
                    * if renewable.on_site {
                        renewable.price.value(drawn)
                    } else {
                        renewable.price.value(drawn) - self.price.value(drawn)
                    };
            }
        }
        made
    }

    /// Settles a month. On-site renewables serve first, then the grid, then bridge power; what
    /// on-site renewables make beyond the load is spilled.
    pub(crate) fn settle(
        &self,
        state: &mut EnergyState,
        use_of: &MonthOfUse,
        drawn: &[f64],
    ) -> EnergyMonth {
        let month = use_of.month;
        let hours = use_of.hours;
        let mut renewables = RenewableMonth::default();
        let mut covered = [0.0; 2];
        // On-site first, then all together.
        for (covered, all) in covered.iter_mut().zip([false, true]) {
            renewables = self.renewables_of(state, use_of, drawn, all);
            *covered = matched_mw(use_of.served_mw, &state.sources);
        }
        let RenewableMonth {
            generated_mwh,
            cost: renewables_cost,
        } = renewables;
        let [on_site_mw, matched] = covered;
        let left_mw = use_of.served_mw - on_site_mw;
        let grid_mw = left_mw.min(use_of.grid_mw);
        let bridge_mwh = (left_mw - grid_mw) * hours;
        let grid_mwh = grid_mw * hours;
        let facility_mwh = use_of.served_mw * hours;
        state.year[month % 12] = (facility_mwh, generated_mwh);
        let (facility_year_mwh, renewable_year_mwh) = state
            .year
            .iter()
            .fold((0.0, 0.0), |sum, month| (sum.0 + month.0, sum.1 + month.1));
        let annual_share = share_of(renewable_year_mwh, facility_year_mwh);
        let years = month as f64 / 12.0;
        let carbon =
            self.carbon.value(drawn) * libm::pow(1.0 + self.carbon_growth.value(drawn), years);
        let bridge_t = bridge_mwh * use_of.bridge_carbon_g_per_kwh * TONNES;
        // What is matched takes off import; on-site generation is in the matched already.
        let unmatched_mwh = ((1.0 - annual_share) * facility_mwh).min(grid_mwh);
        EnergyMonth {
            facility_mwh,
            grid_mwh,
            bridge_mwh,
            on_site_mwh: on_site_mw * hours,
            cost: grid_mwh * self.price.value(drawn)
                + bridge_mwh * use_of.bridge_price_per_mwh
                + renewables_cost,
            location_t: grid_mwh * carbon * TONNES + bridge_t,
            market_t: unmatched_mwh * carbon * TONNES + bridge_t,
            renewable_year_mwh,
            facility_year_mwh,
            matched_mwh: matched * hours,
        }
    }
}

/// A share of a whole, at most 1; 0 of nothing.
pub(crate) fn share_of(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).min(1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOURS: f64 = 730.5;

    fn sun(on_site: bool) -> Renewable {
        Renewable {
            name: "sun".to_owned(),
            power_mw: 100.0,
            capacity_factors: vec![0.25; 12],
            producing_share: 0.5,
            on_site,
            starts: None,
            delay_months: Uncertain::zero(),
            price_per_mwh: Uncertain::Constant(30.0),
        }
    }

    fn settle(energy: &Energy, served_mw: f64, grid_mw: f64) -> EnergyMonth {
        let start = Date::month(2025, 1).unwrap();
        let mut inputs = Inputs::default();
        let compiled = CompiledEnergy::compile(energy, "campus", start, &mut inputs).unwrap();
        let use_of = MonthOfUse {
            month: 0,
            served_mw,
            grid_mw,
            bridge_carbon_g_per_kwh: 500.0,
            bridge_price_per_mwh: 120.0,
            hours: HOURS,
        };
        compiled.settle(&mut EnergyState::default(), &use_of, &[])
    }

    #[test]
    fn import_has_the_carbon_of_the_grid() {
        // 1 MW for a month at China's 582 g/kWh of 2023: 730.5 MWh, 425.151 t.
        let month = settle(&Energy::new(582.0), 1.0, f64::INFINITY);
        assert!((month.location_t - 425.151).abs() < 1e-9);
        assert_eq!(month.location_t, month.market_t);
    }

    #[test]
    fn annual_matching_claims_what_hourly_matching_does_not() {
        // 25 MW on average from the sun against a flat 25 MW: all of it over the year, half by the hour.
        let mut energy = Energy::new(500.0);
        energy.price_per_mwh = Uncertain::Constant(60.0);
        energy.renewables.push(sun(false));
        let month = settle(&energy, 25.0, f64::INFINITY);
        assert_eq!(month.market_t, 0.0);
        assert!((month.matched_mwh - 12.5 * HOURS).abs() < 1e-9);
        assert!((month.location_t - 25.0 * HOURS * 0.5).abs() < 1e-9);
        // Import at 60, and a contract that pays 30 less for as much.
        assert!((month.cost - 25.0 * HOURS * 30.0).abs() < 1e-6);
    }

    #[test]
    fn what_stands_on_the_site_lowers_the_import() {
        let mut energy = Energy::new(500.0);
        energy.renewables.push(sun(true));
        // 50 MW in half of the hours against 40 MW of which the grid gives 15 at most.
        let month = settle(&energy, 40.0, 15.0);
        assert!((month.on_site_mwh - 20.0 * HOURS).abs() < 1e-9);
        assert!((month.grid_mwh - 15.0 * HOURS).abs() < 1e-9);
        assert!((month.bridge_mwh - 5.0 * HOURS).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn what_is_fed_is_what_is_used(
            served in 0.0..200.0, grid in 0.0..200.0, power in 1.0..300.0, on_site: bool,
        ) {
            let mut energy = Energy::new(400.0);
            energy.renewables.push(Renewable { power_mw: power, ..sun(on_site) });
            energy.renewables.push(Renewable { name: "wind".to_owned(), power_mw: power / 2.0, ..sun(true) });
            let month = settle(&energy, served, grid);
            let fed = month.grid_mwh + month.bridge_mwh + month.on_site_mwh;
            prop_assert!((fed - month.facility_mwh).abs() <= 1e-9 * (1.0 + fed));
            prop_assert!(month.matched_mwh <= month.facility_mwh + 1e-9);
            prop_assert!(month.market_t <= month.location_t + 1e-9);
        }

        #[test]
        fn matching_by_the_hour_is_at_most_that_on_average(
            load in 0.1..100.0, a in 0.0..200.0, b in 0.0..200.0, p in 0.0..=1.0, q in 0.0..=1.0,
        ) {
            let sources = [OnOff { power_mw: a, share: p }, OnOff { power_mw: b, share: q }];
            let matched = matched_mw(load, &sources);
            prop_assert!(matched <= load + 1e-9 && matched <= a * p + b * q + 1e-9);
            let swapped = matched_mw(load, &[sources[1], sources[0]]);
            prop_assert!((matched - swapped).abs() < 1e-9);
        }
    }
}
