//! What anybody can forecast without a model, from what was observed up to the origin.

use super::Series;
use crate::date::Date;

/// The name of the forecast that nothing changes.
pub const LAST_VALUE: &str = "last value";
/// The name of the forecast that growth goes on as it was.
pub const STRAIGHT_LINE: &str = "straight line";
/// The name of the forecast that the rate of growth goes on as it was.
pub const EXPONENTIAL: &str = "exponential";

/// Names and values of the point forecasts `months` after `origin`, the end of a month: the last value; growth of the last 12
/// months that goes on (a fall does not); its rate that goes on, at most tenfold, or
/// the straight line where nothing was there 12 months before.
pub fn points(series: &Series, origin: Date, months: f64) -> [(&'static str, f64); 3] {
    const MOST: f64 = 10.0;
    let now = series.at(origin);
    // 12 months before the end of a month is the beginning of the month 11 months before.
    let before = origin.plus_months(-11.0).map_or(0.0, |day| series.at(day));
    let line = now + (now - before).max(0.0) * months / 12.0;
    let exponential = if before > 0.0 {
        now * libm::pow(now / before, months / 12.0).min(MOST)
    } else {
        line
    };
    [
        (LAST_VALUE, now),
        (STRAIGHT_LINE, line),
        (EXPONENTIAL, exponential),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_rates_go_on() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let series = Series::new(vec![(day("2023-06-01"), 50.0), (day("2024-10-01"), 100.0)]);
        let [last, line, exponential] = points(&series, day("2024-12-31"), 24.0);
        assert_eq!(last, (LAST_VALUE, 100.0));
        assert_eq!(line, (STRAIGHT_LINE, 200.0));
        assert_eq!(exponential, (EXPONENTIAL, 400.0));
        assert_eq!(points(&series, day("2023-01-31"), 12.0)[2].1, 0.0);
    }
}
