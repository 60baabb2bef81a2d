//! Taxes on revenue and on profit.

use super::{Books, CompiledFinance, hundredths, money, sum};
use crate::finance::layout::Money;

/// The months of a tax year.
const YEAR: usize = 12;

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
                let mut profit = 0.0;
                for month in first..last {
                    let revenue = sum(
                        books.flows[self.flow_at(campus, Money::Revenue, month)],
                        books.flows[self.flow_at(campus, Money::PassedOn, month)],
                    );
                    let turnover = hundredths(money(revenue) * tax.revenue_share);
                    self.book_hundredths(books, campus, Money::Tax, month, -turnover);
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
}
