//! What many trials say: distributions of every metric, month, milestone and target.
//!
//! A [`Projection`] absorbs trials and merges with other projections of the same run.
//! Merging is exact: whatever the order in which parts meet, the result is the same to the
//! bit. Its memory does not grow with the number of trials.
//!
//! - Sums are kept without rounding, so means and standard errors do not depend on order.
//! - While a number takes at most 256 distinct values they are counted one by one and its quantiles
//!   are exact. From there on they come from a histogram with a relative error of at
//!   most 0.39 %, or 0.049 % for milestones and outcomes.
//! - A value that many trials share, such as all the racks of a plan, is reported as it is, however many other values
//!   there are: a sample of 128 trials tells which values of a bucket are shared and by about how many of its trials. (So
//!   a quantile at the edge of such trials may be that value or one beside it, from the same bucket.)
//!
//! ```
//! use std::sync::Arc;
//! use buildout::date::Date;
//! use buildout::projection::{Layout, Metric, Projection, Provenance, TrialRow};
//!
//! let mut layout = Layout::new(Date::month(2024, 1)?, 12);
//! layout.metrics.push(Metric {
//!     name: "installed_pflops".into(),
//!     unit: "PFLOPS".into(),
//!     meaning: "Compute installed at the end of the month.".into(),
//! });
//! let layout = Arc::new(layout);
//! let mut projection = Projection::new(layout.clone(), Provenance::default())?;
//! let mut row = TrialRow::new(layout);
//! for trial in 0..101 {
//!     row.clear();
//!     row.monthly_mut(0, 0).fill(f64::from(trial));
//!     projection.absorb(std::slice::from_ref(&row))?;
//! }
//! let installed = projection.metric("installed_pflops").expect("it is in the layout");
//! assert_eq!(installed.quantile(0.5), [50.0; 12]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod buckets;
mod exact_sum;
mod few;
mod layout;
mod measure;
pub mod metrics;
mod names;
mod output;
mod provenance;
mod row;
mod row_block;
mod samples;
mod selection;
mod series;
mod state;
mod trial_sample;
mod views;

use std::hint::black_box;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};

pub use layout::{Layout, LayoutError, Metric, TargetLabel};
pub use measure::{Measure, MeasureError, MeasureKind, MeasureLabel, MetricTime};
pub(crate) use measure::{RowPlace, SHARE, split_by};
pub use names::MetricName;
pub use output::{PERCENTILES, write_csv};
#[cfg(feature = "parquet")]
pub(crate) use output::{TidyRow, for_each_row};
pub(crate) use output::{number, quoted};
pub use provenance::Provenance;
pub use row::{NO_CAUSE, TrialRow};
pub(crate) use row_block::{RowBlock, TILE};
pub use samples::{InputColumn, MeasureColumn, Samples};
pub use selection::{Selection, UnknownMetric};
pub use views::{Distribution, MetricView, ScopeView, TargetView};

use row_block::Tile;
use series::{BLOCK, Fineness, Series, SeriesState};
use trial_sample::TrialSample;

/// What many trials say.
#[derive(Clone, Debug)]
pub struct Projection {
    layout: Arc<Layout>,
    provenance: Provenance,
    trials: u64,
    /// By [`Layout::series_index`].
    monthly: Vec<Series>,
    milestones: Vec<Series>,
    outcomes: Vec<Series>,
    sample: TrialSample,
    /// Trials that met each target.
    targets: Vec<u64>,
    /// Trials in which each cause was binding: [scope][month][cause].
    binding: Vec<u64>,
    /// The independent replicates of the design, if it has several; together they are all trials.
    replicates: Vec<Projection>,
}

/// Why a projection did not take something in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// A trial's row or another projection is of another layout.
    #[error("what is to be added has another layout: other metrics, months, campuses or targets")]
    OtherLayout,
    /// Another projection is of another run.
    #[error("projections of different runs cannot be merged: {ours} and {theirs}")]
    OtherRun {
        /// The run of the projection that was to take the other in.
        ours: Box<Provenance>,
        /// The run of the other.
        theirs: Box<Provenance>,
    },
}

impl Projection {
    /// A projection of no trials yet; an error if no projection can have that layout.
    pub fn new(layout: Arc<Layout>, provenance: Provenance) -> Result<Self, LayoutError> {
        let mut whole = Self::part(layout, provenance)?;
        let replicates = whole.provenance.design.replicates();
        if replicates > 1 {
            whole.replicates = vec![whole.clone(); replicates as usize];
        }
        Ok(whole)
    }

    /// A projection of trials of one replicate.
    pub(crate) fn part(layout: Arc<Layout>, provenance: Provenance) -> Result<Self, LayoutError> {
        layout.check()?;
        Ok(Self {
            monthly: vec![Series::new(Fineness::Monthly); layout.monthly_len()],
            milestones: vec![Series::new(Fineness::Fine); layout.milestones.len()],
            outcomes: vec![Series::new(Fineness::Fine); layout.outcomes.len()],
            sample: TrialSample::default(),
            targets: vec![0; layout.targets.len()],
            binding: vec![0; layout.scopes.len() * layout.months * layout.causes.len()],
            trials: 0,
            replicates: Vec::new(),
            provenance,
            layout,
        })
    }

    /// The projection of all trials of a run whose replicates these are; a single one is all of it.
    /// `None` if there are none.
    pub(crate) fn of_parts(mut parts: Vec<Self>) -> Result<Option<Self>, ProjectionError> {
        if parts.len() < 2 {
            return Ok(parts.pop());
        }
        let mut whole = parts[0].clone();
        for part in &parts[1..] {
            whole.merge(part)?;
        }
        whole.replicates = parts;
        Ok(Some(whole))
    }

    /// Back to no trial, keeping as little memory as a new one.
    pub(crate) fn forget(&mut self) {
        for list in [&mut self.monthly, &mut self.milestones, &mut self.outcomes] {
            list.iter_mut().for_each(Series::forget);
        }
        self.sample.forget();
        self.targets.fill(0);
        self.binding.fill(0);
        self.trials = 0;
        self.replicates.iter_mut().for_each(Self::forget);
    }

    /// What it is of.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// How many trials it has taken in.
    pub fn trials(&self) -> u64 {
        self.trials
    }

    /// Takes in the results of trials that belong to one replicate of the design:
    /// [`Design::replicate`](crate::sampling::design::Design::replicate). Under independent trials there is but one.
    ///
    /// An error, with nothing taken in, if a row is of another layout.
    ///
    /// # Panics
    /// If there is no such replicate.
    pub fn absorb_into(
        &mut self,
        replicate: usize,
        rows: &[TrialRow],
    ) -> Result<(), ProjectionError> {
        self.absorb_here(rows)?;
        if self.replicates.is_empty() {
            assert_eq!(replicate, 0, "independent trials are one replicate");
            return Ok(());
        }
        self.replicates[replicate].absorb_here(rows)
    }

    /// Takes in the results of independent trials. Some 256 at once are several times faster than one by one,
    /// and give the same bits.
    ///
    /// An error, with nothing taken in, if a row is of another layout.
    ///
    /// # Panics
    /// If the design has several replicates: see [`Self::absorb_into`].
    pub fn absorb(&mut self, rows: &[TrialRow]) -> Result<(), ProjectionError> {
        assert!(self.replicates.is_empty(), "say which replicate it is");
        self.absorb_here(rows)
    }

    fn absorb_here(&mut self, rows: &[TrialRow]) -> Result<(), ProjectionError> {
        if !(rows.iter()).all(|row| same_layout(row.layout(), &self.layout)) {
            return Err(ProjectionError::OtherLayout);
        }
        let mut block = RowBlock::new(Selection::all(self.layout.clone()));
        for rows in rows.chunks(BLOCK) {
            block.push(rows)?;
            self.absorb_block(&block)?;
            block.clear();
        }
        Ok(())
    }

    /// As [`Self::absorb`], of what was put into columns before.
    pub(crate) fn absorb_block(&mut self, block: &RowBlock) -> Result<(), ProjectionError> {
        if !same_layout(block.selection().gathered(), &self.layout) {
            return Err(ProjectionError::OtherLayout);
        }
        let mut first = 0;
        for series in [&mut self.monthly, &mut self.milestones, &mut self.outcomes] {
            let next = first + series.len();
            Arch::new().dispatch(Absorbing {
                series,
                tiles: block.tiles(),
                first,
                count: block.len(),
            });
            first = next;
        }
        for (trial, key) in block.keys.iter().enumerate() {
            self.sample.absorb(*key, || block.row(trial));
        }
        for (ours, theirs) in [
            (&mut self.targets, &block.targets),
            (&mut self.binding, &block.binding),
        ] {
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                *ours += theirs;
            }
        }
        self.trials += block.len() as u64;
        Ok(())
    }

    /// Takes in all trials of another part of the same run.
    ///
    /// That no trial is in both is up to the caller: a projection does not know its trials'
    /// numbers. An error, with nothing taken in, if layout or run differ.
    pub fn merge(&mut self, other: &Projection) -> Result<(), ProjectionError> {
        if !same_layout(&self.layout, &other.layout) {
            return Err(ProjectionError::OtherLayout);
        }
        if self.provenance != other.provenance {
            return Err(ProjectionError::OtherRun {
                ours: Box::new(self.provenance.clone()),
                theirs: Box::new(other.provenance.clone()),
            });
        }
        if self.replicates.len() != other.replicates.len() {
            return Err(ProjectionError::OtherLayout);
        }
        for (ours, theirs) in self.replicates.iter_mut().zip(&other.replicates) {
            ours.merge(theirs)?;
        }
        for (ours, theirs) in [
            (&mut self.monthly, &other.monthly),
            (&mut self.milestones, &other.milestones),
            (&mut self.outcomes, &other.outcomes),
        ] {
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                ours.merge(theirs);
            }
        }
        for (ours, theirs) in [
            (&mut self.targets, &other.targets),
            (&mut self.binding, &other.binding),
        ] {
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                *ours += theirs;
            }
        }
        self.sample.merge(&other.sample);
        self.trials += other.trials;
        Ok(())
    }

    /// The total of all campuses.
    pub fn total(&self) -> ScopeView<'_> {
        ScopeView::new(self, 0)
    }

    /// A campus by name. There are campuses beside the total only if there are several.
    pub fn campus(&self, name: &str) -> Option<ScopeView<'_>> {
        let scope = self.layout.scope_index(name)?;
        (scope > 0).then(|| ScopeView::new(self, scope))
    }

    /// The campuses, if there are several.
    pub fn campuses(&self) -> impl Iterator<Item = ScopeView<'_>> {
        (1..self.layout.scopes.len()).map(|scope| ScopeView::new(self, scope))
    }

    /// A metric of the total by name.
    pub fn metric(&self, name: &str) -> Option<MetricView<'_>> {
        self.total().metric(name)
    }

    /// When a milestone is reached, in months after the start.
    pub fn milestone(&self, name: &str) -> Option<Distribution<'_>> {
        let index = self.layout.milestone_index(name)?;
        Some(self.distribution(Place::Milestone(index)))
    }

    /// All milestones by name, in the layout's order.
    pub fn milestones(&self) -> impl Iterator<Item = (&str, Distribution<'_>)> {
        (self.layout.milestones.iter().enumerate())
            .map(|(index, name)| (name.as_str(), self.distribution(Place::Milestone(index))))
    }

    /// An outcome by name.
    pub fn outcome(&self, name: &str) -> Option<Distribution<'_>> {
        let index = self.layout.outcome_index(name)?;
        Some(self.distribution(Place::Outcome(index)))
    }

    /// All outcomes, in the layout's order.
    pub fn outcomes(&self) -> impl Iterator<Item = (&Metric, Distribution<'_>)> {
        (self.layout.outcomes.iter().enumerate())
            .map(|(index, metric)| (metric, self.distribution(Place::Outcome(index))))
    }

    /// A target by name.
    pub fn target(&self, name: &str) -> Option<TargetView<'_>> {
        let index = self.layout.target_index(name)?;
        self.targets().nth(index)
    }

    /// All targets, in the layout's order.
    pub fn targets(&self) -> impl Iterator<Item = TargetView<'_>> {
        (self.layout.targets.iter().enumerate()).map(|(index, label)| TargetView {
            label,
            projection: self,
            index,
        })
    }

    fn distribution(&self, place: Place) -> Distribution<'_> {
        Distribution::new(self, place)
    }

    fn series(&self, place: Place) -> &Series {
        match place {
            Place::Monthly(index) => &self.monthly[index],
            Place::Milestone(index) => &self.milestones[index],
            Place::Outcome(index) => &self.outcomes[index],
        }
    }

    /// The numbers there of the trials that were kept whole, in ascending order, where they are of use: while the numbers are
    /// not kept one by one.
    fn sampled(&self, place: Place) -> Vec<f64> {
        if self.series(place).is_exact() {
            return Vec::new();
        }
        let (monthly, milestones) = (self.monthly.len(), self.milestones.len());
        self.sample.sorted(match place {
            Place::Monthly(index) => index,
            Place::Milestone(index) => monthly + index,
            Place::Outcome(index) => monthly + milestones + index,
        })
    }

    /// How many independent replicates standard errors come from; 0 if all trials are independent.
    pub fn replicates(&self) -> usize {
        self.replicates.len()
    }

    /// The memory it holds, in bytes, without its layout.
    pub fn memory_bytes(&self) -> usize {
        let series = [&self.monthly, &self.milestones, &self.outcomes];
        let heap: usize = (series.iter().flat_map(|list| list.iter()))
            .map(|series| size_of::<Series>() + series.heap_bytes())
            .sum();
        let replicates: usize = self.replicates.iter().map(Self::memory_bytes).sum();
        size_of::<Self>()
            + heap
            + self.sample.heap_bytes()
            + replicates
            + (self.targets.len() + self.binding.len()) * size_of::<u64>()
    }
}

/// Where a series is in a projection.
#[derive(Clone, Copy, Debug)]
enum Place {
    Monthly(usize),
    Milestone(usize),
    Outcome(usize),
}

fn same_layout(left: &Arc<Layout>, right: &Arc<Layout>) -> bool {
    Arc::ptr_eq(left, right) || left == right
}

/// Takes in columns one after the other, in a form that is compiled for each generation of processors; all of them come
/// to the same bits.
struct Absorbing<'a> {
    series: &'a mut [Series],
    tiles: &'a [Tile],
    /// The column of the first series, and how many trials columns are of.
    first: usize,
    count: usize,
}

impl WithSimd for Absorbing<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // How many columns are looked up at once: they lie one after the other in each tile.
        const LANES: usize = 8;
        let mut columns = [[[0.0; TILE]; BLOCK / TILE]; LANES];
        for (chunk, series) in self.series.chunks_mut(LANES).enumerate() {
            let start = self.first + chunk * LANES;
            // What is far away is read first, so that all of it is waited for at once instead of one after the other.
            black_box(
                series
                    .iter()
                    .fold(0, |touched, series| touched ^ series.touch()),
            );
            for (number, tile) in self.tiles.iter().enumerate() {
                for (column, numbers) in columns.iter_mut().zip(&tile[start..]) {
                    column[number] = *numbers;
                }
            }
            for (series, column) in series.iter_mut().zip(&columns) {
                series.absorb(&column.as_flattened()[..self.count]);
            }
        }
    }
}

impl Projection {
    /// Whether all is equal but the replicates.
    fn same_numbers(&self, other: &Self) -> bool {
        fn series(projection: &Projection) -> impl Iterator<Item = SeriesState> {
            (projection.monthly.iter())
                .chain(&projection.milestones)
                .chain(&projection.outcomes)
                .map(Series::to_state)
        }
        same_layout(&self.layout, &other.layout)
            && self.provenance == other.provenance
            && self.trials == other.trials
            && self.sample == other.sample
            && self.targets == other.targets
            && self.binding == other.binding
            && series(self).eq(series(other))
    }
}

/// Equal in every bit of the state.
impl PartialEq for Projection {
    fn eq(&self, other: &Self) -> bool {
        self.same_numbers(other) && self.replicates == other.replicates
    }
}

#[cfg(test)]
mod tests;
