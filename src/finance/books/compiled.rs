//! All prices of a scenario, compiled.

use super::costs::month_of;
use super::places::{Outlay, Places, When};
use crate::date::HOURS_PER_MONTH;
use crate::finance::layout;
use crate::finance::{Capex, EnergyTariff, Finance, OpexUnit, Price, Tax};
use crate::problem::{Path, Problems};
use crate::projection::Layout;
use crate::projection::metrics::{METRICS, MetricId};
use crate::sampling::inputs::{Inputs, Quantity};
use crate::uncertain::{Domain, Uncertain, UncertainError};

#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) campus: usize,
    pub(super) amount: Quantity,
    pub(super) unit: OpexUnit,
}

#[derive(Clone, Debug)]
pub(super) struct Tariff {
    /// Prices of a kWh and the share of the energy to which each applies.
    pub(super) prices: Vec<(f64, Quantity)>,
    pub(super) growth: Quantity,
    pub(super) demand_charge: Quantity,
    pub(super) peak_to_mean: f64,
    pub(super) minimum_take: f64,
    pub(super) passed_on: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Rent {
    pub(super) per_kw_month: Quantity,
    pub(super) per_pflops_hour: Quantity,
    pub(super) rent_growth: Quantity,
    pub(super) compute_growth: Quantity,
    pub(super) age_discount: Quantity,
    pub(super) fixed: bool,
    pub(super) indexation: Quantity,
}

/// All prices, compiled.
#[derive(Clone, Debug)]
pub(crate) struct CompiledFinance {
    pub(super) discount_rate: f64,
    pub(super) capex_growth: Quantity,
    pub(super) contingency: Quantity,
    pub(super) opex_growth: Quantity,
    pub(super) residual: Quantity,
    pub(super) hardware_life: f64,
    pub(super) outlays: Vec<Outlay>,
    pub(super) running: Vec<Running>,
    pub(super) tariffs: Vec<Option<Tariff>>,
    /// By segment of the market.
    pub(super) rents: Vec<Option<Rent>>,
    /// Under which segment of the results each segment of the market is counted.
    pub(super) reported_as: Vec<usize>,
    pub(super) reported_segments: usize,
    pub(super) tax: Option<Tax>,
    pub(super) campuses: usize,
    pub(super) months: usize,
    pub(super) first_metric: usize,
    pub(super) first_outcome: usize,
    /// Where the layout has the metrics of every scenario, and the cost of energy if the campuses
    /// state it.
    pub(super) positions: Vec<usize>,
    pub(super) energy_cost: Option<usize>,
}

/// Who rents: the names of the market's segments, and under which segment of the scenario each is
/// reported.
pub(crate) struct Renters<'a> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) reported_as: Vec<usize>,
    pub(crate) reported: Vec<&'a str>,
}

/// What policy changes of money.
#[derive(Default)]
pub(crate) struct PolicyTerms<'a> {
    /// Taxes in place of those stated.
    pub(crate) tax: Option<&'a Tax>,
    pub(crate) amounts: Vec<AmountTerm<'a>>,
}

/// A factor on the amounts of some capex.
pub(crate) struct AmountTerm<'a> {
    pub(crate) name: &'a str,
    pub(crate) capex: &'a [String],
    pub(crate) factor: &'a Uncertain,
}

impl CompiledFinance {
    pub(crate) fn compile(
        finance: &Finance,
        policy: &PolicyTerms<'_>,
        places: &Places<'_>,
        renters: &Renters<'_>,
        months: usize,
        inputs: &mut Inputs,
        problems: &mut Problems,
    ) -> Result<Self, UncertainError> {
        let outlays = compile_outlays(finance, policy, places, inputs, problems)?;
        let running = compile_running(finance, places, inputs)?;
        let tariffs = compile_tariffs(finance, places, inputs, problems)?;
        let rents = compile_rents(finance, renters, inputs, problems)?;
        let (name, fields) = ("finance", finance.fields());
        Ok(Self {
            discount_rate: finance.discount_rate_per_year,
            capex_growth: inputs.register(name, fields.capex_growth_per_year())?,
            contingency: inputs.register(name, fields.contingency_share())?,
            opex_growth: inputs.register(name, fields.opex_growth_per_year())?,
            residual: inputs.register(name, fields.residual_share())?,
            hardware_life: finance.hardware_life_months,
            outlays,
            running,
            tariffs,
            rents,
            reported_as: renters.reported_as.clone(),
            reported_segments: renters.reported.len(),
            tax: policy.tax.or(finance.tax.as_ref()).cloned(),
            campuses: places.campuses.len(),
            months,
            first_metric: 0,
            first_outcome: 0,
            positions: Vec::new(),
            energy_cost: None,
        })
    }

    /// Adds what it reports to a layout, and remembers where that is.
    pub(crate) fn extend_layout<'a>(
        &mut self,
        currency: &'a str,
        segments: impl Iterator<Item = &'a str> + 'a,
        layout: &mut Layout,
    ) {
        let position = |metric: &MetricId| layout.metric_index(METRICS[*metric as usize].name);
        self.positions = (MetricId::ALL.iter())
            .map(|metric| position(metric).unwrap_or(0))
            .collect();
        self.energy_cost = position(&MetricId::EnergyCost);
        self.first_metric = layout.metrics.len();
        layout.metrics.extend(layout::metrics(currency, segments));
        self.first_outcome = layout.outcomes.len();
        let outcomes = layout::outcome_labels(currency, &layout.scopes[1..]);
        layout.outcomes.extend(outcomes);
    }

    /// Warns of capex of which a part falls before the start of the scenario, at the finishes of a typical trial: it is not
    /// counted.
    pub(crate) fn warn_of_sunk(&self, capex: &[Capex], finish: &[f64], problems: &mut Problems) {
        let at = Path::root().key("finance").key("capex");
        for (position, capex) in capex.iter().enumerate() {
            let mut most = 0;
            for outlay in self.outlays.iter().filter(|one| one.capex == position) {
                let due = match outlay.when {
                    When::Start => 0.0,
                    When::Node(node) => finish[node.index()],
                    When::Delivered(_) => continue,
                };
                // What is past altogether is known to be: only a part of it may be a surprise.
                let Some(due) = month_of(due) else {
                    continue;
                };
                let before = (outlay.instalments as usize).saturating_sub(due + 1);
                most = most.max(before);
            }
            if most > 0 {
                problems.warning(
                    &at.index(position),
                    format!(
                        "{most} of {} payments of capex \"{}\" fall before the start of the scenario and are not counted",
                        capex.instalments, capex.name
                    ),
                    "an earlier start, or only what is still to be paid",
                );
            }
        }
    }

    /// By how much a PFLOPS-hour of a segment is cheaper for each year of the hardware's age.
    pub(crate) fn age_discount(&self, segment: usize, drawn: &[f64]) -> Option<f64> {
        let rent = self.rents[segment].as_ref()?;
        if rent.per_pflops_hour == Quantity::Fixed(0.0) {
            return None;
        }
        Some(rent.age_discount.value(drawn))
    }

    pub(super) fn scope(&self, campus: usize) -> usize {
        if self.campuses > 1 { campus + 1 } else { 0 }
    }
}

fn compile_outlays(
    finance: &Finance,
    policy: &PolicyTerms<'_>,
    places: &Places<'_>,
    inputs: &mut Inputs,
    problems: &mut Problems,
) -> Result<Vec<Outlay>, UncertainError> {
    let mut terms: Vec<(&[String], Quantity)> = Vec::new();
    for term in &policy.amounts {
        let name = format!("levers/{}/amount factor", term.name);
        let factor = inputs.add(name, term.factor, Domain::NON_NEGATIVE)?;
        terms.push((term.capex, factor));
    }
    let at = Path::root().key("finance").key("capex");
    let mut outlays = Vec::new();
    for (position, capex) in finance.capex.iter().enumerate() {
        let name = format!("finance/capex/{}", capex.name);
        let amount = inputs.register(&name, capex.fields().amount())?;
        let first = outlays.len();
        places.outlays(capex, amount, &at.index(position), &mut outlays, problems);
        for outlay in &mut outlays[first..] {
            outlay.capex = position;
            let touching = (terms.iter()).filter(|(names, _)| names.contains(&capex.name));
            outlay.terms.extend(touching.map(|(_, factor)| *factor));
        }
    }
    Ok(outlays)
}

fn compile_running(
    finance: &Finance,
    places: &Places<'_>,
    inputs: &mut Inputs,
) -> Result<Vec<Running>, UncertainError> {
    let mut running = Vec::new();
    for opex in &finance.opex {
        let name = format!("finance/opex/{}", opex.name);
        let amount = inputs.register(&name, opex.fields().amount_per_year())?;
        let campuses = places.campuses(opex.campus.as_deref());
        running.extend(campuses.map(|campus| Running {
            campus,
            amount,
            unit: opex.each,
        }));
    }
    Ok(running)
}

/// The tariff of each campus, if it has one.
fn compile_tariffs(
    finance: &Finance,
    places: &Places<'_>,
    inputs: &mut Inputs,
    problems: &mut Problems,
) -> Result<Vec<Option<Tariff>>, UncertainError> {
    // What a campus states of its energy is paid for in any case.
    let settled = places.settles_energy.iter();
    let mut tariffs: Vec<Option<Tariff>> = settled
        .map(|settles| settles.then(Tariff::stated))
        .collect();
    // Tariffs of a campus of its own go before those of all campuses.
    let (all, own): (Vec<&EnergyTariff>, Vec<&EnergyTariff>) =
        (finance.energy.iter()).partition(|energy| energy.campus.is_none());
    for energy in all.into_iter().chain(own) {
        let tariff = Tariff::compile(energy, inputs)?;
        for campus in places.campuses(energy.campus.as_deref()) {
            if places.states_energy[campus] && energy.has_price() {
                problems.error(
                    &Path::root().key("finance").key("energy"),
                    format!(
                        "campus \"{}\" states the price of its energy already",
                        places.campuses[campus]
                    ),
                    "leave the price and the minimum take out here, or `energy` of the campus",
                );
            }
            tariffs[campus] = Some(tariff.clone());
        }
    }
    Ok(tariffs)
}

/// What each segment of the market pays: by its own prices, or those of the segment under which it is reported.
fn compile_rents(
    finance: &Finance,
    renters: &Renters<'_>,
    inputs: &mut Inputs,
    problems: &mut Problems,
) -> Result<Vec<Option<Rent>>, UncertainError> {
    let mut prices: Vec<(&str, Rent)> = Vec::new();
    for (position, price) in finance.prices.iter().enumerate() {
        if prices.iter().any(|(segment, _)| *segment == price.segment) {
            let at = Path::root().key("finance").key("prices").index(position);
            problems.error(
                &at.key("segment"),
                format!("segment \"{}\" has prices already", price.segment),
                "state all its prices in one place",
            );
        }
        prices.push((&price.segment, Rent::compile(price, inputs)?));
    }
    let price_of = |name: &str| {
        let found = prices.iter().find(|(segment, _)| *segment == name);
        found.map(|(_, rent)| rent.clone())
    };
    let segments = renters.names.iter().zip(&renters.reported_as);
    Ok(segments
        .map(|(name, reported)| price_of(name).or_else(|| price_of(renters.reported[*reported])))
        .collect())
}

impl Tariff {
    /// Nothing beyond what a campus states itself.
    pub(super) fn stated() -> Self {
        let zero = Quantity::Fixed(0.0);
        Self {
            prices: Vec::new(),
            growth: zero,
            demand_charge: zero,
            peak_to_mean: 1.0,
            minimum_take: 0.0,
            passed_on: 0.0,
        }
    }

    pub(super) fn compile(
        energy: &EnergyTariff,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let place = energy.campus.as_deref().unwrap_or("all campuses");
        let (name, fields) = (format!("finance/energy/{place}"), energy.fields());
        let prices = match inputs.register(&name, fields.price_per_kwh())? {
            Some(price) => vec![(1.0, price)],
            // The price is stated by the campus.
            None => (energy.times_of_use.iter().enumerate())
                .map(|(position, time)| {
                    let name = format!("{name}/price {}", position + 1);
                    Ok((
                        time.share,
                        inputs.register(&name, time.fields().price_per_kwh())?,
                    ))
                })
                .collect::<Result<_, UncertainError>>()?,
        };
        Ok(Self {
            prices,
            growth: inputs.register(&name, fields.growth_per_year())?,
            demand_charge: inputs.register(&name, fields.demand_charge_per_kw_month())?,
            peak_to_mean: energy.peak_to_mean,
            minimum_take: energy.minimum_take_share,
            passed_on: energy.passed_on_share,
        })
    }

    /// What a month costs in prices of the start, with the facility's mean power and its
    /// contracted power in kW.
    pub(super) fn month(&self, mean_kw: f64, contracted_kw: f64, drawn: &[f64]) -> f64 {
        let price: f64 = self
            .prices
            .iter()
            .map(|(share, price)| share * price.value(drawn))
            .sum();
        let taken = mean_kw.max(self.minimum_take * contracted_kw);
        let peak = (self.peak_to_mean * mean_kw).min(contracted_kw.max(mean_kw));
        taken * HOURS_PER_MONTH * price + peak * self.demand_charge.value(drawn)
    }
}

impl Rent {
    pub(super) fn compile(price: &Price, inputs: &mut Inputs) -> Result<Self, UncertainError> {
        let (name, fields) = (format!("finance/prices/{}", price.segment), price.fields());
        Ok(Self {
            per_kw_month: inputs.register(&name, fields.per_kw_month())?,
            per_pflops_hour: inputs.register(&name, fields.per_pflops_hour())?,
            rent_growth: inputs.register(&name, fields.rent_growth_per_year())?,
            compute_growth: inputs.register(&name, fields.compute_growth_per_year())?,
            age_discount: inputs.register(&name, fields.discount_per_year_of_age())?,
            fixed: price.fixed_at_signature,
            indexation: inputs.register(&name, fields.indexation_per_year())?,
        })
    }
}
