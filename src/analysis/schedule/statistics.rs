//! Statistics of dates: percentiles with dates that never come, spread, and rank correlation.

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

pub(super) fn sd(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    let variance = squares.sum::<f64>() / (values.len().max(2) - 1) as f64;
    if variance.is_finite() {
        variance.sqrt()
    } else {
        0.0
    }
}

/// P10, P50 and P90: the least value that so large a share does not exceed.
pub(super) fn percentiles(mut values: Vec<f64>) -> [Option<f64>; 3] {
    values.sort_by(f64::total_cmp);
    [0.1, 0.5, 0.9].map(|share| {
        let rank = (share * values.len() as f64).ceil() as usize;
        values
            .get(rank.max(1) - 1)
            .copied()
            .filter(|value| value.is_finite())
    })
}

/// Spearman's rank correlation, equal values having their mean rank.
pub(super) fn rank_correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let pairs = a.iter().zip(&b);
    let covariance: f64 = pairs.map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let spread = sd(&a) * sd(&b) * (a.len().max(2) - 1) as f64;
    (spread > 0.0).then(|| covariance / spread)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let mut last = first;
        while last + 1 < order.len() && values[order[last + 1]] == values[order[first]] {
            last += 1;
        }
        for &position in &order[first..=last] {
            ranks[position] = (first + last) as f64 / 2.0;
        }
        first = last + 1;
    }
    ranks
}
