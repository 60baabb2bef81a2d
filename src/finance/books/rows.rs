//! The books of a trial in its row: monthly numbers and outcomes.

use super::{Books, CompiledFinance, sum};
use crate::date::HOURS_PER_MONTH;
use crate::finance::layout::{Money, OUTCOMES};
use crate::finance::{internal_rate_of_return, net_present_value, payback_months, peak_funding};
use crate::projection::TrialRow;
use crate::projection::metrics::MetricId;

impl CompiledFinance {
    pub(super) fn write(&self, books: &mut Books, row: &mut TrialRow) {
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
                    cash = sum(cash, flow);
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
