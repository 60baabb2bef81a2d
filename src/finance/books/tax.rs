//! Taxes on revenue and on profit.

use super::{Books, CompiledFinance, hundredths, money, sum};
use crate::finance::Tax;
use crate::finance::layout::Money;

/// The months of a tax year.
const YEAR: usize = 12;
/// What makes up a profit, before what is written off and the tax on revenue.
const EARNED: [Money; 7] = [
    Money::Revenue,
    Money::PassedOn,
    Money::Fees,
    Money::Opex,
    Money::Energy,
    Money::Damages,
    Money::Vouchers,
];

impl CompiledFinance {
    pub(super) fn book_tax(&self, books: &mut Books) {
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
                let mut profit = self.profit_of_year(books, campus, first..last, &mut written_off);
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
                let rate = tax.rate_of_year(since);
                self.book(books, campus, Money::Tax, last - 1, -profit * rate);
            }
            books.losses = losses;
        }
    }

    /// Books the tax on the revenue of a year of a campus; what it earned after that. `written_off` is what is written off
    /// each month.
    fn profit_of_year(
        &self,
        books: &mut Books,
        campus: usize,
        months: std::ops::Range<usize>,
        written_off: &mut f64,
    ) -> f64 {
        let share = self.tax.as_ref().map_or(0.0, |tax| tax.revenue_share);
        let mut profit = 0.0;
        for month in months {
            let revenue = sum(
                books.flows[self.flow_at(campus, Money::Revenue, month)],
                books.flows[self.flow_at(campus, Money::PassedOn, month)],
            );
            let turnover = hundredths(money(revenue) * share);
            self.book_hundredths(books, campus, Money::Tax, month, -turnover);
            *written_off += books.written_off[campus * (self.months + 1) + month];
            profit -= *written_off;
            for kind in EARNED {
                profit += money(books.flows[self.flow_at(campus, kind, month)]);
            }
            profit -= money(turnover);
        }
        profit
    }
}

impl Tax {
    /// The rate on profit, this many years after the first year with one.
    fn rate_of_year(&self, since: usize) -> f64 {
        let (free, half) = (self.free_years as usize, self.half_rate_years as usize);
        if since < free {
            0.0
        } else if since < free + half {
            0.5 * self.profit_share
        } else {
            self.profit_share
        }
    }
}
