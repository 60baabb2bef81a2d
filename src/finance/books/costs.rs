//! What goes out: capex, opex and energy; and what the assets are worth in the end.

use super::places::{Count, Outlay, When};
use super::{Books, CompiledFinance, Happened, KW_PER_MW, fill_index, money, sum};
use crate::finance::layout::Money;
use crate::finance::{LIFE_MONTHS, OpexUnit};
use crate::projection::TrialRow;
use crate::projection::metrics::MetricId;

impl CompiledFinance {
    pub(super) fn book_capex(&self, books: &mut Books, happened: &Happened<'_>) {
        let drawn = happened.drawn;
        fill_index(
            &mut books.index,
            self.capex_growth.value(drawn),
            self.months,
        );
        let contingency = 1.0 + self.contingency.value(drawn);
        for outlay in &self.outlays {
            let terms = outlay.terms.iter().map(|factor| factor.value(drawn));
            let amount = outlay.amount.value(drawn) * contingency * terms.product::<f64>();
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
                self.spend(books, retrofit.campus, month, paid, LIFE_MONTHS);
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

    pub(super) fn book_opex(&self, books: &mut Books, happened: &Happened<'_>, row: &TrialRow) {
        let drawn = happened.drawn;
        fill_index(&mut books.index, self.opex_growth.value(drawn), self.months);
        for running in &self.running {
            let scope = self.scope(running.campus);
            let monthly = running.amount.value(drawn) / 12.0;
            let metric = |metric: MetricId| row.monthly(scope, self.positions[metric as usize]);
            let mut capex = 0;
            for month in 0..self.months {
                capex = sum(
                    capex,
                    -books.flows[self.flow_at(running.campus, Money::Capex, month)],
                );
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

    pub(super) fn book_energy(&self, books: &mut Books, happened: &Happened<'_>, row: &TrialRow) {
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

    pub(super) fn book_residual(&self, books: &mut Books, happened: &Happened<'_>) {
        let share = self.residual.value(happened.drawn);
        for campus in 0..self.campuses {
            let value = books.book_value[campus] * share;
            self.book(books, campus, Money::Residual, self.months - 1, value);
        }
    }
}

/// The month in which something at `months` after the start counts; none if it is before.
pub(super) fn month_of(months: f64) -> Option<usize> {
    if months < 0.0 || months.is_nan() || months == f64::INFINITY {
        return None;
    }
    Some((months.ceil() as usize).saturating_sub(1))
}
