//! The books of a trial: compiled prices, and the flows that follow from what happened.
//!
//! Flows are booked when the trial is over, from its moments, its monthly metrics and the leases
//! of its market. They are whole hundredths of the currency, so that sums are exact.

use std::ops::Range;

use super::layout::{self, Money, OUTCOMES};
use super::{
    Capex, CapexUnit, EnergyTariff, Finance, OpexUnit, Price, RATE, Tax, internal_rate_of_return,
    life, net_present_value, payback_months, peak_funding,
};
use crate::construction::network::NodeId;
use crate::date::HOURS_PER_MONTH;
use crate::metrics::{METRICS, MetricId};
use crate::monte_carlo::inputs::{Inputs, Quantity};
use crate::problem::{Path, Problems, name_help};
use crate::projection::{Layout, TrialRow};
use crate::tenants::market::{Market, MarketState};
use crate::uncertain::{Domain, Uncertain, UncertainError};

const KW_PER_MW: f64 = 1_000.0;
/// The months of a tax year.
const YEAR: usize = 12;

/// Money to whole hundredths.
fn hundredths(money: f64) -> i64 {
    (money * 100.0).round() as i64
}

fn money(hundredths: i64) -> f64 {
    hundredths as f64 / 100.0
}

/// Where the buildings of a scenario are, to resolve what capex refers to.
pub(crate) struct Places<'a> {
    pub(crate) campuses: &'a [String],
    /// By campus: whether it settles its energy, and whether it states what the import costs.
    pub(crate) settles_energy: Vec<bool>,
    pub(crate) states_energy: Vec<bool>,
    pub(crate) buildings: Vec<BuildingPlace<'a>>,
    /// Looks a name up in a scope and those around it.
    pub(crate) find: &'a dyn Fn(&str, &str) -> Option<NodeId>,
}

pub(crate) struct BuildingPlace<'a> {
    pub(crate) campus: usize,
    /// Its full name.
    pub(crate) scope: String,
    /// What it may be called: its name, that of its series, that of its template.
    pub(crate) names: Vec<&'a str>,
    pub(crate) halls: Vec<HallPlace>,
}

pub(crate) struct HallPlace {
    /// Its position among the halls of the model.
    pub(crate) hall: usize,
    pub(crate) scope: String,
    pub(crate) handover: NodeId,
    pub(crate) ordered: NodeId,
}

/// What of a hall the books need to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HallFacts {
    /// Power and rack positions for which it is made.
    pub(crate) design_kw: f64,
    pub(crate) positions: f64,
}

/// Hardware that was delivered to a hall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeliveryFact {
    pub(crate) hall: usize,
    /// When, in months; negative infinity where tenants bring their own.
    pub(crate) arrives: f64,
    pub(crate) power_kw: f64,
    pub(crate) racks: f64,
    pub(crate) campus: usize,
    /// What its generation says that it costs.
    pub(crate) price: f64,
}

/// A hall that was rebuilt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetrofitFact {
    pub(crate) campus: usize,
    /// When the work began, in months.
    pub(crate) begins: f64,
    /// What it costs in prices of the start.
    pub(crate) price: f64,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Start,
    Node(NodeId),
    Delivered(usize),
}

#[derive(Clone, Copy, Debug)]
enum Count {
    One,
    Kw(usize),
    Racks(usize),
}

#[derive(Clone, Debug)]
struct Outlay {
    campus: usize,
    amount: Quantity,
    when: When,
    count: Count,
    instalments: u32,
    life_months: f64,
}

#[derive(Clone, Debug)]
struct Running {
    campus: usize,
    amount: Quantity,
    unit: OpexUnit,
}

#[derive(Clone, Debug)]
struct Tariff {
    /// Prices of a kWh and the share of the energy to which each applies.
    prices: Vec<(f64, Quantity)>,
    growth: Quantity,
    demand_charge: Quantity,
    peak_to_mean: f64,
    minimum_take: f64,
    passed_on: f64,
}

#[derive(Clone, Debug)]
struct Rent {
    per_kw_month: Quantity,
    per_pflops_hour: Quantity,
    rent_growth: Quantity,
    compute_growth: Quantity,
    age_discount: Quantity,
    fixed: bool,
    indexation: Quantity,
}

/// All prices, compiled.
#[derive(Clone, Debug)]
pub(crate) struct CompiledFinance {
    discount_rate: f64,
    capex_growth: Quantity,
    contingency: Quantity,
    opex_growth: Quantity,
    residual: Quantity,
    hardware_life: f64,
    outlays: Vec<Outlay>,
    running: Vec<Running>,
    tariffs: Vec<Option<Tariff>>,
    /// By segment of the market.
    rents: Vec<Option<Rent>>,
    /// Under which segment of the results each segment of the market is counted.
    reported_as: Vec<usize>,
    reported_segments: usize,
    tax: Option<Tax>,
    campuses: usize,
    months: usize,
    first_metric: usize,
    first_outcome: usize,
    /// Where the layout has the metrics of every scenario, and the cost of energy if the campuses
    /// state it.
    positions: Vec<usize>,
    energy_cost: Option<usize>,
}

/// Who rents: the names of the market's segments, and under which segment of the scenario each is
/// reported.
pub(crate) struct Renters<'a> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) reported_as: Vec<usize>,
    pub(crate) reported: Vec<&'a str>,
}

impl CompiledFinance {
    pub(crate) fn compile(
        finance: &Finance,
        places: &Places<'_>,
        renters: &Renters<'_>,
        months: usize,
        inputs: &mut Inputs,
        problems: &mut Problems,
    ) -> Result<Self, UncertainError> {
        let at = Path::root().key("finance");
        let mut outlays = Vec::new();
        for (position, capex) in finance.capex.iter().enumerate() {
            let name = format!("finance/capex/{}", capex.name);
            let amount = inputs.add(name, &capex.amount, Domain::NON_NEGATIVE)?;
            let at = at.key("capex").index(position);
            places.outlays(capex, amount, &at, &mut outlays, problems);
        }
        let mut running = Vec::new();
        for opex in &finance.opex {
            let name = format!("finance/opex/{}", opex.name);
            let amount = inputs.add(name, &opex.amount_per_year, Domain::NON_NEGATIVE)?;
            running.extend(
                places
                    .campuses(opex.campus.as_deref())
                    .map(|campus| Running {
                        campus,
                        amount,
                        unit: opex.each,
                    }),
            );
        }
        let mut tariffs = vec![None; places.campuses.len()];
        // What a campus states of its energy is paid for in any case.
        for (campus, _) in
            (places.settles_energy.iter().enumerate()).filter(|(_, settles)| **settles)
        {
            tariffs[campus] = Some(Tariff::stated());
        }
        // Tariffs of a campus of its own go before those of all campuses.
        let (all, own): (Vec<&EnergyTariff>, Vec<&EnergyTariff>) = finance
            .energy
            .iter()
            .partition(|energy| energy.campus.is_none());
        for energy in all.into_iter().chain(own) {
            let tariff = Tariff::compile(energy, inputs)?;
            for campus in places.campuses(energy.campus.as_deref()) {
                if places.states_energy[campus] && energy.has_price() {
                    problems.error(
                        &at.key("energy"),
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
        let mut prices: Vec<(&str, Rent)> = Vec::new();
        for (position, price) in finance.prices.iter().enumerate() {
            if prices.iter().any(|(segment, _)| *segment == price.segment) {
                problems.error(
                    &at.key("prices").index(position).key("segment"),
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
        let rents = renters
            .names
            .iter()
            .zip(&renters.reported_as)
            .map(|(name, reported)| {
                price_of(name).or_else(|| price_of(renters.reported[*reported]))
            })
            .collect();
        let mut rate = |what: &str, quantity: &Uncertain| {
            inputs.add(format!("finance/{what}"), quantity, RATE)
        };
        Ok(Self {
            discount_rate: finance.discount_rate_per_year,
            capex_growth: rate("capex growth", &finance.capex_growth_per_year)?,
            contingency: rate("contingency", &finance.contingency_share)?,
            opex_growth: rate("opex growth", &finance.opex_growth_per_year)?,
            residual: inputs.add(
                "finance/residual share".to_owned(),
                &finance.residual_share,
                Domain::NON_NEGATIVE,
            )?,
            hardware_life: finance.hardware_life_months,
            outlays,
            running,
            tariffs,
            rents,
            reported_as: renters.reported_as.clone(),
            reported_segments: renters.reported.len(),
            tax: finance.tax.clone(),
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

    /// By how much a PFLOPS-hour of a segment is cheaper for each year of the hardware's age.
    pub(crate) fn age_discount(&self, segment: usize, drawn: &[f64]) -> Option<f64> {
        let rent = self.rents[segment].as_ref()?;
        if rent.per_pflops_hour == Quantity::Fixed(0.0) {
            return None;
        }
        Some(rent.age_discount.value(drawn))
    }

    fn scope(&self, campus: usize) -> usize {
        if self.campuses > 1 { campus + 1 } else { 0 }
    }
}

impl Places<'_> {
    /// The campus of that name, or all.
    fn campuses(&self, wanted: Option<&str>) -> Range<usize> {
        let found = wanted.and_then(|wanted| self.campuses.iter().position(|name| name == wanted));
        match found {
            Some(campus) => campus..campus + 1,
            None => 0..self.campuses.len(),
        }
    }

    fn outlays(
        &self,
        capex: &Capex,
        amount: Quantity,
        at: &Path,
        outlays: &mut Vec<Outlay>,
        problems: &mut Problems,
    ) {
        let campuses = self.campuses(capex.campus.as_deref());
        let outlay = |campus, when, count| Outlay {
            campus,
            amount,
            when,
            count,
            instalments: capex.instalments,
            life_months: capex.life_months,
        };
        let unknown = |wanted: &str, problems: &mut Problems| {
            problems.error(
                &at.key("when"),
                format!(
                    "there is no \"{wanted}\" in what capex \"{}\" is for",
                    capex.name
                ),
                "an activity there, or start, complete, handover, ordered or delivered",
            );
        };
        if capex.each == CapexUnit::Project {
            let when = match &capex.when {
                None => Some(When::Start),
                Some(wanted) => campuses
                    .clone()
                    .find_map(|campus| (self.find)(&self.campuses[campus], wanted))
                    .map(When::Node),
            };
            match when {
                Some(when) => outlays.push(outlay(campuses.start, when, Count::One)),
                None => unknown(capex.when.as_deref().unwrap_or_default(), problems),
            }
            return;
        }
        for (position, wanted) in capex.buildings.iter().enumerate() {
            let known = self
                .buildings
                .iter()
                .flat_map(|place| place.names.iter().copied());
            if !known.clone().any(|name| name == wanted) {
                problems.error(
                    &at.key("buildings").index(position),
                    format!("there is no building or template \"{wanted}\""),
                    name_help(wanted, known),
                );
            }
        }
        let Some(wanted) = capex.when.as_deref() else {
            return;
        };
        let before = outlays.len();
        for building in &self.buildings {
            let named = |name: &&str| capex.buildings.iter().any(|wanted| wanted == name);
            if !campuses.contains(&building.campus)
                || !(capex.buildings.is_empty() || building.names.iter().any(named))
            {
                continue;
            }
            if capex.each == CapexUnit::Building {
                if let Some(when) = self.of_building(&building.scope, wanted) {
                    outlays.push(outlay(building.campus, when, Count::One));
                }
                continue;
            }
            for hall in &building.halls {
                let when = match wanted {
                    "handover" => Some(When::Node(hall.handover)),
                    "ordered" => Some(When::Node(hall.ordered)),
                    "delivered" => Some(When::Delivered(hall.hall)),
                    "start" | "complete" => self.of_building(&building.scope, wanted),
                    activity => self.within(&building.scope, &hall.scope, activity),
                };
                let count = match capex.each {
                    CapexUnit::Kw => Count::Kw(hall.hall),
                    CapexUnit::Rack => Count::Racks(hall.hall),
                    _ => Count::One,
                };
                if let Some(when) = when {
                    outlays.push(outlay(building.campus, when, count));
                }
            }
        }
        if outlays.len() == before && !self.buildings.is_empty() {
            unknown(wanted, problems);
        }
    }

    fn of_building(&self, scope: &str, wanted: &str) -> Option<When> {
        if wanted == "complete" {
            return (self.find)("", scope).map(When::Node);
        }
        self.within(scope, scope, wanted)
    }

    /// An activity of a building or its hall, but not one of another building or the campus.
    fn within(&self, building: &str, scope: &str, activity: &str) -> Option<When> {
        let own = |scope: &str| (self.find)("", &format!("{scope}/{activity}"));
        own(scope).or_else(|| own(building)).map(When::Node)
    }
}

impl Tariff {
    /// Nothing beyond what a campus states itself.
    fn stated() -> Self {
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

    fn compile(energy: &EnergyTariff, inputs: &mut Inputs) -> Result<Self, UncertainError> {
        let place = energy.campus.as_deref().unwrap_or("all campuses");
        let mut add = |what: &str, quantity: &Uncertain, domain| {
            inputs.add(format!("finance/energy/{place}/{what}"), quantity, domain)
        };
        let prices = match &energy.price_per_kwh {
            Some(price) => vec![(1.0, add("price", price, Domain::NON_NEGATIVE)?)],
            // The price is stated by the campus.
            None => (energy.times_of_use.iter().enumerate())
                .map(|(position, time)| {
                    let what = format!("price {}", position + 1);
                    let price = add(&what, &time.price_per_kwh, Domain::NON_NEGATIVE)?;
                    Ok((time.share, price))
                })
                .collect::<Result<_, UncertainError>>()?,
        };
        Ok(Self {
            prices,
            growth: add("growth", &energy.growth_per_year, RATE)?,
            demand_charge: add(
                "demand charge",
                &energy.demand_charge_per_kw_month,
                Domain::NON_NEGATIVE,
            )?,
            peak_to_mean: energy.peak_to_mean,
            minimum_take: energy.minimum_take_share,
            passed_on: energy.passed_on_share,
        })
    }

    /// What a month costs in prices of the start, with the facility's mean power and its
    /// contracted power in kW.
    fn month(&self, mean_kw: f64, contracted_kw: f64, drawn: &[f64]) -> f64 {
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
    fn compile(price: &Price, inputs: &mut Inputs) -> Result<Self, UncertainError> {
        let mut add = |what: &str, quantity: &Uncertain, domain| {
            inputs.add(
                format!("finance/prices/{}/{what}", price.segment),
                quantity,
                domain,
            )
        };
        Ok(Self {
            per_kw_month: add("rent", &price.per_kw_month, Domain::NON_NEGATIVE)?,
            per_pflops_hour: add("compute", &price.per_pflops_hour, Domain::NON_NEGATIVE)?,
            rent_growth: add("rent growth", &price.rent_growth_per_year, RATE)?,
            compute_growth: add("compute growth", &price.compute_growth_per_year, RATE)?,
            age_discount: add(
                "discount of age",
                &price.discount_per_year_of_age,
                Domain::SHARE,
            )?,
            fixed: price.fixed_at_signature,
            indexation: add("indexation", &price.indexation_per_year, RATE)?,
        })
    }
}

/// The books of one trial; reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    /// By campus, kind and month, in hundredths.
    flows: Vec<i64>,
    /// By campus, reported segment and month, in hundredths.
    revenue: Vec<i64>,
    /// By segment of the market, campus and month: kW in service.
    served_kw: Vec<f64>,
    /// By segment of the market, campus and month: PFLOPS that are paid for, at the price of new ones.
    paid_pflops: Vec<f64>,
    /// By campus and month: kW that are billed for one segment, by difference.
    billed: Vec<f64>,
    /// By campus and month: what is written off, by difference.
    written_off: Vec<f64>,
    /// By campus: what the assets are in the books at the end.
    book_value: Vec<f64>,
    index: Vec<f64>,
    second_index: Vec<f64>,
    cash: Vec<f64>,
    /// Losses of earlier years that are not used up: the year, and what is left.
    losses: Vec<(usize, f64)>,
}

/// What the books are closed from.
pub(crate) struct Happened<'a> {
    pub(crate) drawn: &'a [f64],
    /// When each node of the network has finished, in months.
    pub(crate) finish: &'a [f64],
    /// By hall.
    pub(crate) hall: &'a dyn Fn(usize) -> HallFacts,
    /// All hardware, replacements too.
    pub(crate) deliveries: &'a [DeliveryFact],
    pub(crate) retrofits: &'a [RetrofitFact],
    pub(crate) market: &'a Market,
    pub(crate) state: &'a MarketState,
}

/// The month in which something at `months` after the start counts; none if it is before.
fn month_of(months: f64) -> Option<usize> {
    if months < 0.0 || months.is_nan() || months == f64::INFINITY {
        return None;
    }
    Some((months.ceil() as usize).saturating_sub(1))
}

/// (1 + rate)^((m + 1)/12) for each month m.
fn fill_index(index: &mut Vec<f64>, rate: f64, months: usize) {
    index.clear();
    let factor = libm::pow(1.0 + rate, 1.0 / 12.0);
    let mut value = 1.0;
    for _ in 0..months {
        value *= factor;
        index.push(value);
    }
}

fn zero<T: Clone + Default>(list: &mut Vec<T>, length: usize) {
    list.clear();
    list.resize(length, T::default());
}

impl CompiledFinance {
    pub(crate) fn reset(&self, books: &mut Books) {
        let (campuses, months) = (self.campuses, self.months);
        zero(&mut books.flows, campuses * Money::KINDS * months);
        zero(
            &mut books.revenue,
            campuses * self.reported_segments * months,
        );
        zero(&mut books.served_kw, self.rents.len() * campuses * months);
        zero(&mut books.paid_pflops, self.rents.len() * campuses * months);
        zero(&mut books.written_off, campuses * (months + 1));
        zero(&mut books.book_value, campuses);
    }

    fn flow_at(&self, campus: usize, kind: Money, month: usize) -> usize {
        (campus * Money::KINDS + kind as usize) * self.months + month
    }

    fn book(&self, books: &mut Books, campus: usize, kind: Money, month: usize, amount: f64) {
        books.flows[self.flow_at(campus, kind, month)] += hundredths(amount);
    }

    fn sale_at(&self, segment: usize, campus: usize, month: usize) -> usize {
        (segment * self.campuses + campus) * self.months + month
    }

    /// Notes what a segment uses on a campus in a month: kW in service, and PFLOPS that are
    /// available, weighted by their price against that of new ones.
    pub(crate) fn note_sale(
        &self,
        books: &mut Books,
        segment: usize,
        campus: usize,
        month: usize,
        served_kw: f64,
        paid_pflops: f64,
    ) {
        let at = self.sale_at(segment, campus, month);
        books.served_kw[at] += served_kw;
        books.paid_pflops[at] += paid_pflops;
    }

    /// Books all flows of the trial and writes them to its row.
    pub(crate) fn close(&self, books: &mut Books, happened: &Happened<'_>, row: &mut TrialRow) {
        self.book_capex(books, happened);
        self.book_opex(books, happened, row);
        self.book_energy(books, happened, row);
        for (segment, rent) in self.rents.iter().enumerate() {
            if let Some(rent) = rent {
                self.book_segment(books, happened, segment, rent);
            }
        }
        self.book_damages(books, happened);
        self.book_tax(books);
        self.book_residual(books, happened);
        self.write(books, row);
    }

    fn book_capex(&self, books: &mut Books, happened: &Happened<'_>) {
        let drawn = happened.drawn;
        fill_index(
            &mut books.index,
            self.capex_growth.value(drawn),
            self.months,
        );
        let contingency = 1.0 + self.contingency.value(drawn);
        for outlay in &self.outlays {
            let amount = outlay.amount.value(drawn) * contingency;
            let due = match outlay.when {
                When::Start => 0.0,
                When::Node(node) => happened.finish[node.index()],
                When::Delivered(hall) => {
                    let deliveries = happened.deliveries.iter();
                    for delivery in deliveries.filter(|delivery| delivery.hall == hall) {
                        let count = match outlay.count {
                            Count::One => 1.0,
                            Count::Kw(_) => delivery.power_kw,
                            Count::Racks(_) => delivery.racks,
                        };
                        self.pay(books, outlay, delivery.arrives, amount * count);
                    }
                    continue;
                }
            };
            let count = match outlay.count {
                Count::One => 1.0,
                Count::Kw(hall) => (happened.hall)(hall).design_kw,
                Count::Racks(hall) => (happened.hall)(hall).positions,
            };
            self.pay(books, outlay, due, amount * count);
        }
        for retrofit in happened.retrofits {
            if let Some(month) = month_of(retrofit.begins).filter(|month| *month < self.months) {
                let paid = retrofit.price * contingency * books.index[month];
                self.spend(books, retrofit.campus, month, paid, life());
            }
        }
        for delivery in happened.deliveries {
            if let Some(month) = month_of(delivery.arrives).filter(|month| *month < self.months) {
                let life = self.hardware_life;
                self.spend(books, delivery.campus, month, delivery.price, life);
            }
        }
    }

    /// Pays an amount in prices of the start that falls due at `due` months.
    fn pay(&self, books: &mut Books, outlay: &Outlay, due: f64, amount: f64) {
        let Some(due) = month_of(due) else {
            return;
        };
        let part = amount / f64::from(outlay.instalments);
        for before in 0..outlay.instalments as usize {
            let Some(month) = due.checked_sub(before) else {
                break;
            };
            if month >= self.months {
                continue;
            }
            let paid = part * books.index[month];
            self.spend(books, outlay.campus, month, paid, outlay.life_months);
        }
    }

    /// Books capex that is paid in a month.
    fn spend(&self, books: &mut Books, campus: usize, month: usize, paid: f64, life: f64) {
        self.book(books, campus, Money::Capex, month, -paid);
        self.write_off(books, campus, month, paid, life);
    }

    /// Writes an asset off in equal parts from the month after its payment.
    fn write_off(&self, books: &mut Books, campus: usize, month: usize, paid: f64, life: f64) {
        let first = campus * (self.months + 1);
        // A life that is no whole number of months ends with the month in which it does.
        let life = life.ceil().max(1.0);
        let end = month as f64 + 1.0 + life;
        books.written_off[first + month + 1] += paid / life;
        if end <= self.months as f64 {
            books.written_off[first + end as usize] -= paid / life;
        }
        let age = (self.months - 1 - month) as f64;
        books.book_value[campus] += paid * (1.0 - age / life).max(0.0);
    }

    fn book_opex(&self, books: &mut Books, happened: &Happened<'_>, row: &TrialRow) {
        let drawn = happened.drawn;
        fill_index(&mut books.index, self.opex_growth.value(drawn), self.months);
        for running in &self.running {
            let scope = self.scope(running.campus);
            let monthly = running.amount.value(drawn) / 12.0;
            let metric = |metric: MetricId| row.monthly(scope, self.positions[metric as usize]);
            let mut capex = 0;
            for month in 0..self.months {
                capex -= books.flows[self.flow_at(running.campus, Money::Capex, month)];
                let count = match running.unit {
                    OpexUnit::Campus => 1.0,
                    OpexUnit::DeployableKw => metric(MetricId::ItPower)[month] * KW_PER_MW,
                    OpexUnit::InServiceKw => metric(MetricId::InServicePower)[month] * KW_PER_MW,
                    OpexUnit::BuiltRack => metric(MetricId::RacksBuilt)[month],
                    OpexUnit::Capex => money(capex),
                };
                let amount = -monthly * count * books.index[month];
                self.book(books, running.campus, Money::Opex, month, amount);
            }
        }
    }

    fn book_energy(&self, books: &mut Books, happened: &Happened<'_>, row: &TrialRow) {
        let drawn = happened.drawn;
        for (campus, tariff) in self.tariffs.iter().enumerate() {
            let Some(tariff) = tariff else {
                continue;
            };
            fill_index(&mut books.index, tariff.growth.value(drawn), self.months);
            let scope = self.scope(campus);
            let metric = |metric: MetricId| row.monthly(scope, self.positions[metric as usize]);
            let mean = metric(MetricId::FacilityDraw);
            let contracted = metric(MetricId::FacilityPower);
            let stated = self
                .energy_cost
                .map(|position| row.monthly(scope, position));
            for month in 0..self.months {
                let cost = tariff.month(
                    mean[month] * KW_PER_MW,
                    contracted[month] * KW_PER_MW,
                    drawn,
                );
                let cost = (cost + stated.map_or(0.0, |cost| cost[month])) * books.index[month];
                self.book(books, campus, Money::Energy, month, -cost);
                let passed_on = cost * tariff.passed_on;
                self.book(books, campus, Money::PassedOn, month, passed_on);
            }
        }
    }

    fn book_segment(
        &self,
        books: &mut Books,
        happened: &Happened<'_>,
        segment: usize,
        rent: &Rent,
    ) {
        let drawn = happened.drawn;
        let months = self.months;
        fill_index(&mut books.index, rent.rent_growth.value(drawn), months);
        let by_lease = happened.market.is_billed_by_lease(segment, rent.fixed);
        if rent.fixed {
            fill_index(
                &mut books.second_index,
                rent.indexation.value(drawn),
                months,
            );
        }
        let price = rent.per_kw_month.value(drawn);
        if by_lease {
            self.bill_leases(books, happened, segment, rent.fixed);
        }
        if happened.market.has_exit_fee(segment) {
            self.book_exit_fees(books, happened, segment, rent.fixed, price);
        }
        let compute = rent.per_pflops_hour.value(drawn) * HOURS_PER_MONTH;
        let growth = libm::pow(1.0 + rent.compute_growth.value(drawn), 1.0 / 12.0);
        let reported = self.reported_as[segment];
        for campus in 0..self.campuses {
            let mut compute = compute;
            let mut billed = 0.0;
            for month in 0..months {
                compute *= growth;
                let sale = self.sale_at(segment, campus, month);
                let kw = if by_lease {
                    billed += books.billed[campus * (months + 1) + month];
                    billed
                } else {
                    books.served_kw[sale]
                };
                let index = match rent.fixed {
                    true => books.second_index[month],
                    false => books.index[month],
                };
                let earned = (kw * price * index + books.paid_pflops[sale] * compute)
                    * happened.market.price_factor(happened.state, segment, month);
                let earned = hundredths(earned);
                let flow = self.flow_at(campus, Money::Revenue, month);
                books.flows[flow] += earned;
                let at = (campus * self.reported_segments + reported) * months + month;
                books.revenue[at] += earned;
            }
        }
    }

    /// The rent of a contract in its month of signature against its index in that month: what
    /// times the index of a later month is the rent then, as a multiple of the first month's.
    fn weight(books: &Books, fixed: bool, signed: usize) -> f64 {
        if fixed && signed < books.index.len() {
            books.index[signed] / books.second_index[signed]
        } else {
            1.0
        }
    }

    /// Fills `billed` with the kW that each campus bills, as differences from month to month: of
    /// each lease what is in service or its minimum take, whichever is more.
    fn bill_leases(&self, books: &mut Books, happened: &Happened<'_>, segment: usize, fixed: bool) {
        let months = self.months;
        zero(&mut books.billed, self.campuses * (months + 1));
        let minimum = happened.market.minimum_take(segment, happened.drawn);
        for lease in happened.market.leases(happened.state) {
            if lease.segment != segment {
                continue;
            }
            let weight = Self::weight(books, fixed, lease.signed);
            let first = happened.market.campus_of(lease.pool) * (months + 1);
            let least = minimum * lease.amount_kw;
            let end = lease.end.min(months);
            let mut before = 0.0;
            for age in 0..lease.ramp {
                let month = lease.month + age;
                if month >= end {
                    break;
                }
                let billed = (lease.step_kw * (age + 1) as f64).max(least) * weight;
                if billed != before {
                    books.billed[first + month] += billed - before;
                    before = billed;
                }
            }
            books.billed[first + end] -= before;
        }
    }

    fn book_exit_fees(
        &self,
        books: &mut Books,
        happened: &Happened<'_>,
        segment: usize,
        fixed: bool,
        price: f64,
    ) {
        let fee_months = happened.market.exit_fee_months(segment, happened.drawn);
        for lease in happened.market.leases(happened.state) {
            if lease.segment != segment || !lease.exits_early || lease.end >= self.months {
                continue;
            }
            let index = if fixed {
                Self::weight(books, fixed, lease.signed) * books.second_index[lease.end]
            } else {
                books.index[lease.end]
            };
            let fee = fee_months * price * index * lease.amount_kw;
            let campus = happened.market.campus_of(lease.pool);
            self.book(books, campus, Money::Fees, lease.end, fee);
        }
    }

    fn book_damages(&self, books: &mut Books, happened: &Happened<'_>) {
        happened
            .market
            .each_damage(happened.state, happened.drawn, |campus, month, amount| {
                self.book(books, campus, Money::Damages, month, -amount);
            });
        happened
            .market
            .each_voucher(happened.state, |campus, month, amount| {
                self.book(books, campus, Money::Vouchers, month, -amount);
            });
    }

    fn book_tax(&self, books: &mut Books) {
        let Some(tax) = &self.tax else {
            return;
        };
        for campus in 0..self.campuses {
            let mut losses = std::mem::take(&mut books.losses);
            losses.clear();
            let mut first_profit: Option<usize> = None;
            let mut written_off = 0.0;
            for first in (0..self.months).step_by(YEAR) {
                let year = first / YEAR;
                let last = (first + YEAR).min(self.months);
                let mut profit = 0.0;
                for month in first..last {
                    let revenue = books.flows[self.flow_at(campus, Money::Revenue, month)]
                        + books.flows[self.flow_at(campus, Money::PassedOn, month)];
                    let turnover = hundredths(money(revenue) * tax.revenue_share);
                    books.flows[self.flow_at(campus, Money::Tax, month)] -= turnover;
                    written_off += books.written_off[campus * (self.months + 1) + month];
                    profit -= written_off;
                    for kind in [
                        Money::Revenue,
                        Money::PassedOn,
                        Money::Fees,
                        Money::Opex,
                        Money::Energy,
                        Money::Damages,
                        Money::Vouchers,
                    ] {
                        profit += money(books.flows[self.flow_at(campus, kind, month)]);
                    }
                    profit -= money(turnover);
                }
                if profit <= 0.0 {
                    losses.push((year, -profit));
                    continue;
                }
                if let Some(years) = tax.loss_years {
                    losses.retain(|(made, _)| year - made <= years as usize);
                }
                for (_, loss) in &mut losses {
                    let used = loss.min(profit);
                    *loss -= used;
                    profit -= used;
                }
                losses.retain(|(_, loss)| *loss > 0.0);
                if profit <= 0.0 {
                    continue;
                }
                let since = year - *first_profit.get_or_insert(year);
                let (free, half) = (tax.free_years as usize, tax.half_rate_years as usize);
                let rate = if since < free {
                    0.0
                } else if since < free + half {
                    0.5 * tax.profit_share
                } else {
                    tax.profit_share
                };
                self.book(books, campus, Money::Tax, last - 1, -profit * rate);
            }
            books.losses = losses;
        }
    }

    fn book_residual(&self, books: &mut Books, happened: &Happened<'_>) {
        let share = self.residual.value(happened.drawn);
        for campus in 0..self.campuses {
            let value = books.book_value[campus] * share;
            self.book(books, campus, Money::Residual, self.months - 1, value);
        }
    }

    fn write(&self, books: &mut Books, row: &mut TrialRow) {
        let months = self.months;
        let scopes = if self.campuses > 1 {
            self.campuses + 1
        } else {
            1
        };
        for campus in 0..self.campuses {
            for month in 0..months {
                let mut cash = 0;
                for kind in 0..Money::KINDS {
                    let flow = books.flows[(campus * Money::KINDS + kind) * months + month];
                    cash += flow;
                    let reported = if Money::is_expense(kind) { -flow } else { flow };
                    self.add(row, campus, kind, month, reported);
                }
                self.add(row, campus, Money::Cash as usize, month, cash);
                for segment in 0..self.reported_segments {
                    let at = (campus * self.reported_segments + segment) * months + month;
                    self.add(
                        row,
                        campus,
                        Money::COUNT + segment,
                        month,
                        books.revenue[at],
                    );
                }
            }
        }
        for scope in 0..scopes {
            let mut sum = 0.0;
            for month in 0..months {
                sum += row.monthly(scope, self.first_metric + Money::Cash as usize)[month];
                row.set(
                    scope,
                    self.first_metric + Money::Cumulated as usize,
                    month,
                    sum,
                );
            }
        }
        for scope in 0..scopes {
            for metric in 0..Money::COUNT + self.reported_segments {
                for value in row.monthly_mut(scope, self.first_metric + metric) {
                    *value /= 100.0;
                }
            }
        }
        self.write_outcomes(books, row);
    }

    /// Adds hundredths to a metric of a campus and of the total; they are exact below 2^53.
    fn add(&self, row: &mut TrialRow, campus: usize, metric: usize, month: usize, amount: i64) {
        let metric = self.first_metric + metric;
        row.monthly_mut(0, metric)[month] += amount as f64;
        if self.campuses > 1 {
            row.monthly_mut(campus + 1, metric)[month] += amount as f64;
        }
    }

    fn write_outcomes(&self, books: &mut Books, row: &mut TrialRow) {
        let metric = |money: Money| self.first_metric + money as usize;
        let cash = row.monthly(0, metric(Money::Cash));
        let npv = net_present_value(cash, self.discount_rate);
        let rates = internal_rate_of_return(cash);
        let profit: f64 = cash.iter().sum();
        let peak = peak_funding(cash);
        let residual = row.monthly(0, metric(Money::Residual));
        books.cash.clear();
        books.cash.extend(
            cash.iter()
                .zip(residual)
                .map(|(cash, residual)| cash - residual),
        );
        let payback = payback_months(&books.cash);
        let damages: f64 = row.monthly(0, metric(Money::Damages)).iter().sum();
        let value =
            |money: Money| net_present_value(row.monthly(0, metric(money)), self.discount_rate);
        let costs = value(Money::Capex) + value(Money::Opex) + value(Money::Energy)
            - value(Money::Residual);
        let effective = row.monthly(0, self.positions[MetricId::EffectivePflops as usize]);
        let compute = net_present_value(effective, self.discount_rate) * HOURS_PER_MONTH;
        let levelised = if compute > 0.0 {
            costs / compute
        } else {
            f64::NAN
        };
        let values = [
            npv,
            rates.single().unwrap_or(f64::NAN),
            rates.count() as f64,
            payback,
            peak,
            profit,
            damages,
            levelised,
        ];
        let first = self.first_outcome;
        row.outcomes_mut()[first..first + OUTCOMES.len()].copy_from_slice(&values);
        if self.campuses > 1 {
            for campus in 0..self.campuses {
                let cash = row.monthly(campus + 1, metric(Money::Cash));
                let npv = net_present_value(cash, self.discount_rate);
                row.outcomes_mut()[first + OUTCOMES.len() + campus] = npv;
            }
        }
    }
}
