//! What a sampler of a posterior needs of a model.

/// A model's trials, and what observations say of each.
pub(crate) trait Evidence: Sync {
    /// What a thread keeps from trial to trial.
    type Buffers: Send;

    /// Fresh buffers.
    fn buffers(&self) -> Self::Buffers;

    /// The point of a trial of the prior, and the trial number of its process noise.
    fn prior(&self, trial: u64) -> (Vec<f64>, u64);

    /// The log likelihood of the observations at a point with the process noise of a trial number: minus infinity if
    /// they are impossible there.
    fn log_likelihood(&self, buffers: &mut Self::Buffers, point: &[f64], noise: u64) -> f64;
}
