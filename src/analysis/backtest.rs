//! How good forecasts were: scores against what came, beside naive forecasts, with standard errors.
//!
//! A forecast is a set of equally likely values ([`Forecast`]), from trials or from quantiles. Proper
//! scores ([`crps`]) reward honest distributions, coverage shows whether they are too narrow, and both are
//! compared with what anybody can do without a model ([`naive`], [`rivals`]). Cases of one subject (a campus) depend on each other, so
//! standard errors come from resampling whole subjects ([`summarise`]). A [`TrackRecord`] has all of it.

pub mod naive;
mod record;
pub mod rivals;
mod score;
mod series;
mod summary;

pub use record::{HorizonRecord, QuantityRecord, TrackRecord};
pub use score::{Forecast, ForecastKey, Score, crps, fair_crps, from_quantiles, score};
pub use series::Series;
pub use summary::{LEVELS, Summary, summarise};
