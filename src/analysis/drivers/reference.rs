//! Functions whose indices are known, for tests.

use std::f64::consts::PI;

use crate::sampling::streams::Source;

/// First-order indices of Ishigami's function.
pub(crate) const ISHIGAMI_FIRST: [f64; 3] = [0.314, 0.442, 0.0];
/// Its total indices.
pub(crate) const ISHIGAMI_TOTAL: [f64; 3] = [0.558, 0.442, 0.244];
/// Its deltas.
pub(crate) const ISHIGAMI_DELTA: [f64; 3] = [0.210, 0.358, 0.155];

/// Ishigami's function of three numbers uniform in (0, 1), with a = 7 and b = 0.1.
pub(crate) fn ishigami(u: &[f64]) -> f64 {
    let x = |input: usize| PI * (2.0 * u[input] - 1.0);
    libm::sin(x(0)) + 7.0 * libm::sin(x(1)).powi(2) + 0.1 * x(2).powi(4) * libm::sin(x(0))
}

/// Sobol's G of eight numbers uniform in (0, 1), with a = 0, 1, 4.5, 9, 99, 99, 99, 99.
pub(crate) fn sobol_g(u: &[f64]) -> f64 {
    (u.iter().zip(SOBOL_G))
        .map(|(u, a)| ((4.0 * u - 2.0).abs() + a) / (1.0 + a))
        .product()
}

/// The coefficients of [`sobol_g`].
pub(crate) const SOBOL_G: [f64; 8] = [0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0];

/// The total indices of [`sobol_g`], by the closed form: with V_i = 1 / (3 (1 + a_i)^2),
/// S_Ti = V_i prod_{j != i} (1 + V_j) / (prod_j (1 + V_j) - 1).
pub(crate) fn sobol_g_totals() -> Vec<f64> {
    let v = SOBOL_G.map(|a| 1.0 / (3.0 * (1.0 + a) * (1.0 + a)));
    let product: f64 = v.iter().map(|v| 1.0 + v).product();
    v.iter()
        .map(|v| v * product / (1.0 + v) / (product - 1.0))
        .collect()
}

/// Columns of independent uniforms.
pub(crate) fn uniform_columns(inputs: usize, trials: u64) -> Vec<Vec<f64>> {
    (0..inputs)
        .map(|input| {
            let source = Source::named(&format!("input {input}"));
            (0..trials).map(|trial| source.uniform(1, trial)).collect()
        })
        .collect()
}

/// Inputs and results of [`ishigami`].
pub(crate) fn ishigami_trials(trials: u64) -> (Vec<Vec<f64>>, Vec<f64>) {
    let inputs = uniform_columns(3, trials);
    let result = results(&inputs, ishigami);
    (inputs, result)
}

/// A function's results of columns of inputs.
pub(crate) fn results(inputs: &[Vec<f64>], function: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    (0..inputs[0].len())
        .map(|trial| {
            function(
                &inputs
                    .iter()
                    .map(|input| input[trial])
                    .collect::<Vec<f64>>(),
            )
        })
        .collect()
}
