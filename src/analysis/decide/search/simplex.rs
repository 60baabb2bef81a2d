//! Search of a box by a simplex.

use std::cell::RefCell;

use argmin::core::{CostFunction, Error, Executor, State as _};
use argmin::solver::neldermead::NelderMead;

/// How far from its start the first simplex reaches, as a share of each range. (an assumption)
const REACH: f64 = 0.2;
/// A simplex whose costs differ by less has nothing more to say.
const SMALLEST_SPREAD: f64 = 1e-12;

/// A cost over the unit cube, beyond which it goes on as its mirror image: a simplex does not lie flat on an edge, as it would where
/// the cost stayed the same beyond it.
struct Boxed<F> {
    cost: RefCell<F>,
}

impl<F: FnMut(&[f64]) -> Option<f64>> CostFunction for Boxed<F> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, Error> {
        let within: Vec<f64> = point.iter().map(|x| folded(*x)).collect();
        let cost = (self.cost.borrow_mut())(&within);
        cost.ok_or_else(|| Error::msg("the search is over"))
    }
}

/// A coordinate within 0 to 1, mirrored at both ends as often as it takes.
fn folded(x: f64) -> f64 {
    let x = x.rem_euclid(2.0);
    if x > 1.0 { 2.0 - x } else { x }
}

/// Seeks the least cost in the unit cube by the method of Nelder & Mead ("A Simplex Method for Function Minimization",
/// Computer Journal 7, 1965), which compares costs and needs no derivative, from `start` until the simplex
/// does not change or `cost` says that it is over (`None`). What is found is what `cost` has seen.
pub(super) fn descend(start: &[f64], most_steps: u64, cost: impl FnMut(&[f64]) -> Option<f64>) {
    let corner = |axis: Option<usize>| {
        let mut point = start.to_vec();
        if let Some(axis) = axis {
            // Into the cube, on whichever side there is more room.
            let reach = if point[axis] > 0.5 { -REACH } else { REACH };
            point[axis] += reach;
        }
        point
    };
    let simplex =
        std::iter::once(corner(None)).chain((0..start.len()).map(|axis| corner(Some(axis))));
    let Ok(solver) = NelderMead::new(simplex.collect()).with_sd_tolerance(SMALLEST_SPREAD) else {
        return;
    };
    let problem = Boxed {
        cost: RefCell::new(cost),
    };
    // An error is the end that `cost` asked for.
    let _ = Executor::new(problem, solver)
        .configure(|state| state.max_iters(most_steps))
        .timer(false)
        .run()
        .map(|done| done.state().get_iter());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_a_curved_valley_is_found_within_the_box() {
        // Rosenbrock's function with its least value at (0.5, 0.25), on the unit square.
        let mut best = (f64::INFINITY, Vec::new());
        descend(&[0.1, 0.9], 400, |x| {
            let cost = 100.0 * (x[1] - x[0] * x[0]).powi(2) + (0.5 - x[0]).powi(2);
            if cost < best.0 {
                best = (cost, x.to_vec());
            }
            Some(cost)
        });
        assert!(
            (best.1[0] - 0.5).abs() < 1e-3 && (best.1[1] - 0.25).abs() < 1e-3,
            "{best:?}"
        );
    }

    #[test]
    fn a_least_value_on_the_edge_and_an_end_are_respected() {
        let mut seen = 0;
        let mut best = f64::INFINITY;
        descend(&[0.5, 0.5], 1_000, |x| {
            seen += 1;
            assert!(x.iter().all(|x| (0.0..=1.0).contains(x)));
            best = best.min(x[0] + x[1]);
            (seen < 60).then_some(x[0] + x[1])
        });
        assert!(best < 0.01 && seen <= 60, "{best} {seen}");
    }
}
