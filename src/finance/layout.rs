//! Which numbers of money a trial yields.

use crate::projection::Metric;
use crate::projection::metrics::MetricLabel;

macro_rules! money {
    ($($id:ident = $name:literal, $meaning:literal;)*) => {
        /// A monthly number of money, in the order of results.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Money { $($id),* }

        /// All of them: name and meaning.
        const LABELS: &[(&str, &str)] = &[$(($name, $meaning)),*];
    };
}

money! {
    Revenue = "revenue", "Rent by kW and compute by PFLOPS-hour in the month";
    PassedOn = "energy_passed_on", "Energy cost of the month that tenants refund";
    Fees = "fees", "Fees of tenants that leave early and forfeited deposits, in the month";
    Deposits = "deposits", "Deposits taken in the month on the way to a signature, less those paid back, credited or forfeited";
    Capex = "capex", "Paid in the month for building, power and hardware";
    Opex = "opex", "Paid in the month to run the campus, apart from energy";
    Energy = "energy_paid", "Paid in the month for energy, its demand charge and its minimum take";
    Damages = "damages", "Liquidated damages of the month for capacity that comes late";
    Vouchers = "vouchers_paid", "Vouchers that the operator pays itself, in the month";
    Tax = "tax", "Taxes paid in the month";
    Residual = "residual_value", "What the assets are worth at the end of the horizon, in the last month";
    Cash = "cash_flow", "What comes in less what goes out in the month";
    Cumulated = "cumulated_cash", "What has come in less what has gone out since the start";
}

impl Money {
    /// The kinds of flows, of which the cash flow is the sum.
    pub(crate) const KINDS: usize = Self::Cash as usize;
    /// All monthly numbers.
    pub(crate) const COUNT: usize = LABELS.len();
    /// Whether what goes out is reported as a positive number.
    pub(crate) fn is_expense(kind: usize) -> bool {
        (Self::Capex as usize..=Self::Tax as usize).contains(&kind)
    }
}

/// The monthly numbers of money in a currency, and the revenue of each segment.
pub(crate) fn metrics<'a>(
    currency: &'a str,
    segments: impl Iterator<Item = &'a str> + 'a,
) -> impl Iterator<Item = Metric> + 'a {
    let money = LABELS
        .iter()
        .map(|(name, meaning)| (name.to_string(), meaning.to_string()));
    let revenue = segments.map(|segment| {
        (
            revenue_metric_name(segment),
            format!("Rent and compute that segment \"{segment}\" pays in the month"),
        )
    });
    money.chain(revenue).map(|(name, meaning)| Metric {
        name,
        unit: currency.to_owned(),
        meaning,
    })
}

/// The names of all monthly numbers of money.
pub(crate) fn metric_names<'a>(
    segments: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = String> {
    let money = LABELS.iter().map(|(name, _)| (*name).to_owned());
    money.chain(segments.map(revenue_metric_name))
}

/// The metric of a segment's revenue.
fn revenue_metric_name(segment: &str) -> String {
    format!("revenue from {segment}")
}

/// What a trial yields once; the unit "currency" stands for the scenario's own.
pub(super) const OUTCOMES: [MetricLabel; 8] = [
    outcome(
        "npv",
        CURRENCY,
        "Net present value of the cash flows at the scenario's rate of discount",
    ),
    outcome(
        "irr_per_year",
        "share",
        "Internal rate of return a year, in the trials that have a single one",
    ),
    outcome(
        "irr_roots",
        "rates",
        "How many rates of return there are from -99 % to 10,000 % a year",
    ),
    outcome(
        "payback_months",
        "months",
        "From the start until the cumulated cash flow, without the residual value, is never negative again",
    ),
    outcome(
        "peak_funding",
        CURRENCY,
        "The most that has to be put in at any time",
    ),
    outcome(
        "profit",
        CURRENCY,
        "The sum of the cash flows, not discounted",
    ),
    outcome(
        "damages_total",
        CURRENCY,
        "Liquidated damages for capacity that comes late, over the horizon",
    ),
    outcome(
        "levelised_cost_per_pflops_hour",
        CURRENCY,
        "Present value of capex, opex and energy less the residual value / that of the effective PFLOPS-hours",
    ),
];

const CURRENCY: &str = "currency";

const fn outcome(name: &'static str, unit: &'static str, meaning: &'static str) -> MetricLabel {
    MetricLabel {
        name,
        unit,
        meaning,
    }
}

/// The outcomes in a currency, and with several campuses the net present value of each.
pub(crate) fn outcome_labels(currency: &str, campuses: &[String]) -> Vec<Metric> {
    let common = OUTCOMES.iter().map(|label| Metric {
        name: label.name.to_owned(),
        unit: match label.unit {
            CURRENCY => currency.to_owned(),
            unit => unit.to_owned(),
        },
        meaning: label.meaning.to_owned(),
    });
    let several = campuses.len() > 1;
    let values = campuses.iter().filter(|_| several).map(|campus| Metric {
        name: format!("npv of {campus}"),
        unit: currency.to_owned(),
        meaning: format!("Net present value of the cash flows of {campus}"),
    });
    common.chain(values).collect()
}
