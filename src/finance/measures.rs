//! What cash flows are worth: present values, rates of return, payback.
//!
//! A list of flows has one number a month. A flow of month m (from 0) falls at the end of that
//! month, (m + 1)/12 years after the start. Rates are effective rates a year.

/// The months of a year.
const YEAR: f64 = 12.0;
/// The least and the greatest rate of return a year that is looked for: -99 % and 10,000 %.
const RATES: (f64, f64) = (-0.99, 100.0);
/// Into how many equal steps of ln(1 + rate) that range is divided in the search for roots.
const STEPS: usize = 448;
/// How many present values are computed side by side.
const LANES: usize = 16;

/// What a unit of money at the end of month `month` is worth at the start:
/// (1 + rate)^(-(month + 1)/12).
pub fn discount_factor(rate_per_year: f64, month: usize) -> f64 {
    libm::pow(1.0 + rate_per_year, -(month as f64 + 1.0) / YEAR)
}

/// The net present value: the sum of flow x [`discount_factor`].
///
/// The rate is above -1; the result is in the money of the flows. Computed by Horner's rule, so
/// its rounding is within some n 2^-53 of the sum of the absolute discounted flows.
///
/// ```
/// use buildout::finance::net_present_value;
/// // 12 payments of 100 at 12.68 % a year, which is 1 % a month: 100 (1 - 1.01^-12)/0.01.
/// let rate = 1.01_f64.powi(12) - 1.0;
/// assert!((net_present_value(&[100.0; 12], rate) - 1_125.507_747).abs() < 1e-6);
/// ```
pub fn net_present_value(flows: &[f64], rate_per_year: f64) -> f64 {
    let factor = libm::pow(1.0 + rate_per_year, -1.0 / YEAR);
    factor * polynomial(flows, factor)
}

fn polynomial(flows: &[f64], factor: f64) -> f64 {
    flows
        .iter()
        .rev()
        .fold(0.0, |value, flow| value * factor + flow)
}

/// What 1 a month for this many months is worth at their start, at an effective rate a month:
/// (1 - (1 + rate)^-months)/rate, and the number of months at a rate of 0.
pub fn annuity_factor(rate_per_month: f64, months: u32) -> f64 {
    if rate_per_month == 0.0 {
        return f64::from(months);
    }
    -libm::expm1(-f64::from(months) * libm::log1p(rate_per_month)) / rate_per_month
}

/// The rates a year at which the net present value is 0.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InternalRate {
    /// There is none from -99 % to 10,000 % a year, as where flows never change sign.
    Missing,
    /// There is one.
    Single(f64),
    /// There are several, so that no one of them is the rate of return.
    Several(usize),
}

impl InternalRate {
    /// The rate, if there is a single one.
    pub fn single(self) -> Option<f64> {
        match self {
            Self::Single(rate) => Some(rate),
            _ => None,
        }
    }

    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Single(_) => 1,
            Self::Several(count) => count,
        }
    }
}

/// The internal rate of return a year, looked for from -99 % to 10,000 %.
///
/// Flows that change their sign once have one at most (Descartes' rule of signs). For others the
/// roots are counted by the sign changes of the net present value between 449 rates that are
/// equally spaced in ln(1 + rate), 2 % apart near 0; two roots nearer to each other than that may
/// be missed. The rate is found by bisection to 1e-12 of 1 + rate.
pub fn internal_rate_of_return(flows: &[f64]) -> InternalRate {
    let changes = sign_changes(flows);
    if changes == 0 {
        return InternalRate::Missing;
    }
    let (low, high) = (libm::log1p(RATES.0), libm::log1p(RATES.1));
    let value = |log: f64| polynomial(flows, libm::exp(-log / YEAR));
    if changes == 1 {
        return match bracketed(&value, low, high) {
            true => InternalRate::Single(libm::expm1(bisect(&value, low, high))),
            false => InternalRate::Missing,
        };
    }
    let step = (high - low) / STEPS as f64;
    let mut last_sign = 0.0;
    let mut roots = 0;
    let mut bracket = (low, high);
    let mut last_log = low;
    for first in (0..=STEPS).step_by(LANES) {
        let mut logs = [0.0; LANES];
        let mut factors = [0.0; LANES];
        for lane in 0..LANES {
            logs[lane] = low + step * (first + lane).min(STEPS) as f64;
            factors[lane] = libm::exp(-logs[lane] / YEAR);
        }
        let mut values = [0.0; LANES];
        for flow in flows.iter().rev() {
            for (value, factor) in values.iter_mut().zip(&factors) {
                *value = *value * factor + flow;
            }
        }
        for (log, value) in logs.into_iter().zip(values) {
            if value == 0.0 {
                continue;
            }
            let sign = value.signum();
            if last_sign != 0.0 && sign != last_sign {
                roots += 1;
                bracket = (last_log, log);
            }
            (last_sign, last_log) = (sign, log);
        }
    }
    match roots {
        0 => InternalRate::Missing,
        1 => InternalRate::Single(libm::expm1(bisect(&value, bracket.0, bracket.1))),
        several => InternalRate::Several(several),
    }
}

fn sign_changes(flows: &[f64]) -> usize {
    let mut last = 0.0;
    let mut changes = 0;
    for flow in flows.iter().filter(|flow| **flow != 0.0) {
        if last != 0.0 && flow.signum() != last {
            changes += 1;
        }
        last = flow.signum();
    }
    changes
}

fn bracketed(value: &impl Fn(f64) -> f64, low: f64, high: f64) -> bool {
    value(low) * value(high) <= 0.0
}

fn bisect(value: &impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let sign = value(low).signum();
    while high - low > 1e-13 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if value(middle).signum() == sign {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Months from the start to the end of the month from which on the cumulated flows are never
/// below 0 again: 0 if they never are, infinity if they are at the end.
pub fn payback_months(flows: &[f64]) -> f64 {
    let mut cumulated = 0.0;
    let mut paid_back = 0.0;
    for (month, flow) in flows.iter().enumerate() {
        cumulated += flow;
        if cumulated < 0.0 {
            paid_back = month as f64 + 2.0;
        }
    }
    if cumulated < 0.0 {
        f64::INFINITY
    } else {
        paid_back
    }
}

/// The most money that has to be put in at any time: the depth of the cumulated flows, 0 or more.
pub fn peak_funding(flows: &[f64]) -> f64 {
    let mut cumulated = 0.0;
    flows.iter().fold(0.0, |deepest: f64, flow| {
        cumulated += flow;
        deepest.max(-cumulated)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn yearly(flows: &[f64]) -> Vec<f64> {
        let mut monthly = vec![0.0; 12 * (flows.len() - 1) + 1];
        for (year, flow) in flows.iter().enumerate() {
            monthly[12 * year] = *flow;
        }
        monthly
    }

    #[test]
    fn an_annuity_has_its_closed_form() {
        let monthly = 0.007;
        let yearly = libm::pow(1.0 + monthly, 12.0) - 1.0;
        let expected = 50.0 * annuity_factor(monthly, 240);
        let found = net_present_value(&[50.0; 240], yearly);
        assert!((found - expected).abs() < 1e-8 * expected, "{found}");
        assert_eq!(annuity_factor(0.0, 7), 7.0);
    }

    #[test]
    fn a_loan_returns_its_rate() {
        // 1,000 lent, repaid in 60 equal parts at 0.5 % a month.
        let mut flows = vec![1_000.0 / annuity_factor(0.005, 60); 61];
        flows[0] = -1_000.0;
        let rate = internal_rate_of_return(&flows).single().unwrap();
        assert!((rate - (libm::pow(1.005, 12.0) - 1.0)).abs() < 1e-11);
    }

    /// Lorie & Savage, "Three Problems in Rationing Capital", Journal of Business 28 (1955): the
    /// pump that costs 1,600, returns 10,000 and takes 10,000 from the year after has the rates
    /// 25 % and 400 %.
    #[test]
    fn the_pump_of_lorie_and_savage_has_two_rates() {
        let flows = yearly(&[-1_600.0, 10_000.0, -10_000.0]);
        assert_eq!(internal_rate_of_return(&flows), InternalRate::Several(2));
        for rate in [0.25, 4.0] {
            assert!(net_present_value(&flows, rate).abs() < 1e-9);
        }
    }

    #[test]
    fn without_a_change_of_sign_there_is_no_rate() {
        assert_eq!(
            internal_rate_of_return(&[-1.0, -2.0]),
            InternalRate::Missing
        );
        assert_eq!(internal_rate_of_return(&[]), InternalRate::Missing);
        // Changes twice but is negative at every rate: -1 + v - v^2.
        let flows = yearly(&[-1.0, 1.0, -1.0]);
        assert_eq!(internal_rate_of_return(&flows), InternalRate::Missing);
    }

    #[test]
    fn several_changes_of_sign_may_have_a_single_rate() {
        // Two phases of 100, each of which earns 10 a year for ever after.
        let mut flows = vec![0.0; 480];
        for (month, flow) in flows.iter_mut().enumerate() {
            *flow = match month {
                0 | 120 => -100.0,
                1..120 => 1.0,
                _ => 2.0,
            };
        }
        assert!(sign_changes(&flows) > 1);
        let rate = internal_rate_of_return(&flows).single().unwrap();
        assert!(net_present_value(&flows, rate).abs() < 1e-8);
        assert!((0.08..0.13).contains(&rate), "{rate}");
    }

    #[test]
    fn payback_and_peak_follow_the_cumulated_flows() {
        let flows = [-10.0, -5.0, 8.0, 8.0, -3.0, 9.0];
        assert_eq!(peak_funding(&flows), 15.0);
        // Below 0 for the last time at the end of month 4.
        assert_eq!(payback_months(&flows), 6.0);
        assert_eq!(payback_months(&[1.0, 2.0]), 0.0);
        assert_eq!(payback_months(&[-1.0, 0.5]), f64::INFINITY);
        assert_eq!(peak_funding(&[1.0, -0.5]), 0.0);
    }

    proptest! {
        #[test]
        fn a_single_rate_makes_the_value_zero(flows in prop::collection::vec(-100.0_f64..120.0, 2..90)) {
            if let InternalRate::Single(rate) = internal_rate_of_return(&flows) {
                let factor = libm::pow(1.0 + rate, -1.0 / 12.0);
                let scale: f64 = flows.iter().enumerate()
                    .map(|(month, flow)| flow.abs() * factor.powi(month as i32 + 1)).sum();
                prop_assert!(net_present_value(&flows, rate).abs() < 1e-9 * scale);
            }
        }
    }
}
