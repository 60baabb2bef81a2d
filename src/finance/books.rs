//! The books of a trial: compiled prices, and the flows that follow from what happened.
//!
//! Flows are booked when the trial is over, from its moments, its monthly metrics and the leases
//! of its market. They are whole hundredths of the currency, so that sums are exact.

mod compiled;
mod costs;
mod income;
mod places;
mod rows;
mod tax;

use crate::finance::layout::Money;
use crate::projection::TrialRow;
use crate::tenants::market::{Market, MarketState};

pub(crate) use compiled::{AmountTerm, CompiledFinance, PolicyTerms, Renters};
pub(crate) use places::{BuildingPlace, HallPlace, Places};

const KW_PER_MW: f64 = 1_000.0;

/// Money to whole hundredths.
fn hundredths(money: f64) -> i64 {
    ((money * 100.0).round() as i64).max(-i64::MAX)
}

/// The sum of two amounts; about 9 x 10^16 of the currency stand for more.
fn sum(one: i64, other: i64) -> i64 {
    one.saturating_add(other).max(-i64::MAX)
}

fn money(hundredths: i64) -> f64 {
    hundredths as f64 / 100.0
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
    /// Where less is there than tenants use: the pool, the month and the share that is there.
    shortfalls: Vec<(usize, usize, f64)>,
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

impl Books {
    /// Notes that in a month only a share of what tenants use of a pool is there.
    pub(crate) fn note_shortfall(&mut self, pool: usize, month: usize, there: f64) {
        self.shortfalls.push((pool, month, there));
    }
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
        books.shortfalls.clear();
        zero(&mut books.served_kw, self.rents.len() * campuses * months);
        zero(&mut books.paid_pflops, self.rents.len() * campuses * months);
        zero(&mut books.written_off, campuses * (months + 1));
        zero(&mut books.book_value, campuses);
    }

    fn flow_at(&self, campus: usize, kind: Money, month: usize) -> usize {
        (campus * Money::KINDS + kind as usize) * self.months + month
    }

    fn book(&self, books: &mut Books, campus: usize, kind: Money, month: usize, amount: f64) {
        self.book_hundredths(books, campus, kind, month, hundredths(amount));
    }

    fn book_hundredths(
        &self,
        books: &mut Books,
        campus: usize,
        kind: Money,
        month: usize,
        amount: i64,
    ) {
        let flow = &mut books.flows[self.flow_at(campus, kind, month)];
        *flow = sum(*flow, amount);
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
}
