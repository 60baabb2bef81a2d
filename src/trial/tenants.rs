//! What tenants use of the halls, and what they pay for it.

use super::Workspace;
use super::state::LivePart;
use crate::finance::books::{HallFacts, Happened};
use crate::model::Model;
use crate::projection::TrialRow;

/// Available PFLOPS of `kw` in service, filled in the order of going live, each part times its weight.
fn occupied_pflops(live: &[LivePart], kw: f64, weight: impl Fn(&LivePart) -> f64) -> f64 {
    let (mut pflops, mut left) = (0.0, kw);
    for part in live {
        if left <= 0.0 {
            break;
        }
        let used = part.kw.min(left);
        pflops += used * part.pflops_per_kw * part.available_share * weight(part);
        left -= used;
    }
    pflops
}

/// The share of what tenants use that is there, in a month in which hardware may be being replaced.
fn there_of(room_kw: f64, in_service_kw: f64) -> f64 {
    if in_service_kw > room_kw {
        room_kw / in_service_kw
    } else {
        1.0
    }
}

/// What tenants use of a pool in a month.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PoolSales {
    in_service_kw: f64,
    /// The share of it that is there.
    there: f64,
    /// A discount for age, as a share a year, and what the available PFLOPS in service come to under it.
    aged: Option<(f64, f64)>,
}

impl PoolSales {
    /// Available PFLOPS in service, each hall's less by the discount for its age at the end of a month.
    fn aged_pflops(&mut self, live: &[LivePart], discount: f64, month: usize) -> f64 {
        match self.aged {
            // Mostly all segments have the same discount.
            Some((known, pflops)) if known == discount => pflops,
            _ => {
                let keeps = libm::log1p(-discount);
                let price = |part: &LivePart| match part.hall {
                    Some(_) if discount > 0.0 => {
                        let age = month as f64 + 1.0 - part.since_months;
                        libm::exp(keeps * age / 12.0)
                    }
                    _ => 1.0,
                };
                let pflops = occupied_pflops(live, self.in_service_kw, price);
                self.aged = Some((discount, pflops));
                pflops
            }
        }
    }
}

impl Model {
    /// Finds what tenants use of each pool, and notes where less is there.
    fn find_sales(&self, workspace: &mut Workspace, month: usize) {
        workspace.sales.clear();
        for pool in 0..self.pools {
            let in_service_kw = self.market.in_service_kw(&workspace.market, pool);
            let there = there_of(workspace.room_kw[pool], in_service_kw);
            if there < 1.0 {
                workspace.books.note_shortfall(pool, month, there);
            }
            workspace.sales.push(PoolSales {
                in_service_kw,
                there,
                aged: None,
            });
        }
    }

    /// Notes what segments use, where money is counted.
    pub(super) fn note_sales(&self, workspace: &mut Workspace, month: usize, drawn: &[f64]) {
        let Some(finance) = &self.finance else {
            return;
        };
        self.find_sales(workspace, month);
        for segment in 0..self.market.len() {
            let age_discount = finance.age_discount(segment, drawn);
            for (campus, compiled) in self.campuses.iter().enumerate() {
                let (mut served_kw, mut pflops) = (0.0, 0.0);
                for pool in compiled.pools.clone() {
                    let served = self.market.served_kw(&workspace.market, segment, pool);
                    let sales = &mut workspace.sales[pool];
                    served_kw += served * sales.there;
                    if let Some(discount) = age_discount
                        && served > 0.0
                    {
                        let live = &workspace.pools[pool].live;
                        let aged = sales.aged_pflops(live, discount, month);
                        pflops += served / sales.in_service_kw * aged;
                    }
                }
                let available = pflops * workspace.campuses[campus].availability;
                let books = &mut workspace.books;
                finance.note_sale(books, segment, campus, month, served_kw, available);
            }
        }
    }

    pub(super) fn close_books(&self, workspace: &mut Workspace, drawn: &[f64], row: &mut TrialRow) {
        let Some(finance) = &self.finance else {
            return;
        };
        let happened = Happened {
            drawn,
            finish: &workspace.finish,
            hall: &|hall| HallFacts {
                design_kw: workspace.halls[hall].built_as.feed_kw(),
                positions: workspace.halls[hall].built_as.positions.count,
            },
            deliveries: &workspace.deliveries,
            retrofits: &workspace.retrofits,
            market: &self.market,
            state: &workspace.market,
        };
        finance.close(&mut workspace.books, &happened, row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_discount_for_age_has_its_own_pflops() {
        let part = |hall, since_months| LivePart {
            hall,
            since_months,
            kw: 100.0,
            racks_per_kw: 0.05,
            pflops_per_kw: 2.0,
            available_share: 0.5,
        };
        // What existed at the start has no age; a hall is two years old, and the next one is used by half.
        let live = [part(None, 0.0), part(Some(0), 12.0), part(Some(1), 36.0)];
        let mut sales = PoolSales {
            in_service_kw: 250.0,
            there: 1.0,
            aged: None,
        };
        for discount in [0.2, 0.2, 0.0, 0.5, 0.2] {
            let keeps: f64 = 1.0 - discount;
            let expected = 100.0 + 100.0 * keeps.powi(2) + 50.0;
            let found = sales.aged_pflops(&live, discount, 35);
            assert!((found - expected).abs() < 1e-12 * expected, "{discount}");
        }
    }
}
