//! What comes in from tenants, and what is owed to them.

use super::compiled::Rent;
use super::{Books, CompiledFinance, Happened, fill_index, hundredths, sum, zero};
use crate::date::HOURS_PER_MONTH;
use crate::finance::layout::Money;

impl CompiledFinance {
    pub(super) fn book_segment(
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
                let market = happened.market.price_factor(happened.state, segment, month);
                // What was fixed at the signature has the market of then in its weight.
                let market_of_rent = if rent.fixed && by_lease { 1.0 } else { market };
                let rents = kw * price * index * market_of_rent;
                let earned = hundredths(rents + books.paid_pflops[sale] * compute * market);
                self.book_hundredths(books, campus, Money::Revenue, month, earned);
                let at = (campus * self.reported_segments + reported) * months + month;
                books.revenue[at] = sum(books.revenue[at], earned);
            }
        }
    }

    /// The rent of a contract in its month of signature, with the market of then, against its index
    /// in that month: what times the index of a later month is the rent then, as a multiple of the
    /// first month's. 1 for a rent that is not fixed.
    fn weight(
        books: &Books,
        happened: &Happened<'_>,
        segment: usize,
        fixed: bool,
        signed: usize,
    ) -> f64 {
        if fixed && signed < books.index.len() {
            let market = (happened.market).price_factor(happened.state, segment, signed);
            market * books.index[signed] / books.second_index[signed]
        } else {
            1.0
        }
    }

    /// Fills `billed` with the kW that each campus bills, as differences from month to month: of
    /// each lease what is in service or its minimum take, whichever is more, as far as it is there.
    fn bill_leases(&self, books: &mut Books, happened: &Happened<'_>, segment: usize, fixed: bool) {
        let months = self.months;
        zero(&mut books.billed, self.campuses * (months + 1));
        let minimum = happened.market.minimum_take(segment, happened.drawn);
        for lease in happened.market.leases(happened.state) {
            if lease.segment != segment {
                continue;
            }
            let weight = Self::weight(books, happened, segment, fixed, lease.signed);
            let first = happened.market.campus_of(lease.pool) * (months + 1);
            let least = minimum * lease.amount_kw;
            let end = lease.end.min(months);
            let billed_at = |age: usize| {
                let ramped = (age + 1).min(lease.ramp) as f64;
                (lease.step_kw * ramped).max(least) * weight
            };
            let mut before = 0.0;
            for age in 0..lease.ramp {
                let month = lease.month + age;
                if month >= end {
                    break;
                }
                let billed = billed_at(age);
                if billed != before {
                    books.billed[first + month] += billed - before;
                    before = billed;
                }
            }
            for &(pool, month, there) in &books.shortfalls {
                if pool == lease.pool && (lease.month..end).contains(&month) {
                    let missing = billed_at(month - lease.month) * (1.0 - there);
                    books.billed[first + month] -= missing;
                    books.billed[first + month + 1] += missing;
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
                Self::weight(books, happened, segment, fixed, lease.signed)
                    * books.second_index[lease.end]
            } else {
                let market = (happened.market).price_factor(happened.state, segment, lease.end);
                market * books.index[lease.end]
            };
            let fee = fee_months * price * index * lease.amount_kw;
            let campus = happened.market.campus_of(lease.pool);
            self.book(books, campus, Money::Fees, lease.end, fee);
        }
    }

    pub(super) fn book_damages(&self, books: &mut Books, happened: &Happened<'_>) {
        happened
            .market
            .each_damage(happened.state, happened.drawn, |campus, month, amount| {
                self.book(books, campus, Money::Damages, month, -amount);
            });
        happened
            .market
            .each_deposit(happened.state, |campus, month, deposits| {
                // What is forfeited leaves the deposits held and becomes a fee: in hundredths,
                // so that nothing is lost to rounding.
                let change = sum(hundredths(deposits.taken), -hundredths(deposits.released));
                self.book_hundredths(books, campus, Money::Deposits, month, change);
                self.book(books, campus, Money::Fees, month, deposits.forfeited);
            });
        happened
            .market
            .each_voucher(happened.state, |campus, month, amount| {
                self.book(books, campus, Money::Vouchers, month, -amount);
            });
    }
}
