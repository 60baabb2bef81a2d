//! Results of some trials, column by column, before they are gathered.

use std::array;

use pulp::{Arch, Simd, WithSimd};

use super::ProjectionError;
use super::row::TrialRow;
use super::same_layout;
use super::selection::{Columns, Selection};
use super::series::BLOCK;
use super::trial_sample;

/// How many rows are put into columns together: their numbers of one column are a line of the cache.
pub(crate) const TILE: usize = 8;

/// The numbers of up to [`TILE`] trials, column by column.
pub(super) type Tile = Vec<[f64; TILE]>;

/// Results of up to [`BLOCK`] trials of one replicate, column by column, as a projection takes them in.
///
/// Columns are those monthly numbers that are selected, then milestones, then outcomes. They are kept in tiles of a few
/// trials, so that rows are still in the cache when they are put into columns, and each write is a whole line.
#[derive(Clone, Debug)]
pub(crate) struct RowBlock {
    selection: Selection,
    count: usize,
    tiles: Vec<Tile>,
    /// The trials' keys in a sample of trials.
    pub(super) keys: Vec<u64>,
    /// Trials that met each target.
    pub(super) targets: Vec<u64>,
    /// Trials in which each cause was binding: [scope][month][cause].
    pub(super) binding: Vec<u64>,
}

impl RowBlock {
    /// How many trials it may have.
    pub(crate) const MOST: usize = BLOCK;

    /// No trial yet.
    pub(crate) fn new(selection: Selection) -> Self {
        let layout = selection.gathered();
        Self {
            count: 0,
            tiles: Vec::new(),
            keys: Vec::with_capacity(BLOCK),
            targets: vec![0; layout.targets.len()],
            binding: vec![0; layout.scopes.len() * layout.months * layout.causes.len()],
            selection,
        }
    }

    /// How many trials it has.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// How many more trials it has room for.
    pub(crate) fn room(&self) -> usize {
        Self::MOST - self.count
    }

    pub(super) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Back to no trial, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.keys.clear();
        self.targets.fill(0);
        self.binding.fill(0);
    }

    /// Adds rows, at most as many as there is [room](Self::room) for; an error, with nothing added, if one is of another layout.
    pub(crate) fn push(&mut self, rows: &[TrialRow]) -> Result<(), ProjectionError> {
        debug_assert!(rows.len() <= self.room());
        let whole = self.selection.whole();
        if !rows.iter().all(|row| same_layout(row.layout(), whole)) {
            return Err(ProjectionError::OtherLayout);
        }
        let mut left = rows;
        while !left.is_empty() {
            let place = self.count % TILE;
            let (now, later) = left.split_at(left.len().min(TILE - place));
            self.push_into_tile(now, place);
            left = later;
        }
        for row in rows {
            self.note(row);
        }
        Ok(())
    }

    /// Adds rows to the last tile, from a place of it on.
    fn push_into_tile(&mut self, rows: &[TrialRow], place: usize) {
        let number = self.count / TILE;
        if number == self.tiles.len() {
            let gathered = self.selection.gathered();
            let columns =
                gathered.monthly_len() + gathered.milestones.len() + gathered.outcomes.len();
            self.tiles.push(vec![[0.0; TILE]; columns]);
        }
        let tile = &mut self.tiles[number];
        let chosen = self.selection.columns();
        match rows.try_into() {
            Ok(rows) => Arch::new().dispatch(Transposing { rows, chosen, tile }),
            Err(_) => {
                for (row, place) in rows.iter().zip(place..) {
                    let rest = row.milestones().iter().chain(row.outcomes()).copied();
                    for (column, x) in tile.iter_mut().zip(chosen.numbers(row).chain(rest)) {
                        column[place] = x;
                    }
                }
            }
        }
        self.count += rows.len();
    }

    /// Notes what is not a number of a row.
    fn note(&mut self, row: &TrialRow) {
        (self.keys).push(trial_sample::key(row, self.selection.columns()));
        for (met, target) in self.targets.iter_mut().zip(row.targets()) {
            *met += u64::from(*target);
        }
        let causes = self.selection.gathered().causes.len();
        if causes > 0 {
            let months = self.binding.chunks_exact_mut(causes);
            for (counts, cause) in months.zip(row.all_binding()) {
                if let Some(count) = counts.get_mut(usize::from(*cause)) {
                    *count += 1;
                }
            }
        }
    }

    /// All numbers of a trial.
    pub(super) fn row(&self, trial: usize) -> impl Iterator<Item = f64> {
        let tile = &self.tiles[trial / TILE];
        tile.iter().map(move |column| column[trial % TILE])
    }

    /// The tiles that have trials.
    pub(super) fn tiles(&self) -> &[Tile] {
        &self.tiles[..self.count.div_ceil(TILE)]
    }
}

/// Puts rows into the columns of a tile, in a form that is compiled for each generation of processors.
struct Transposing<'a> {
    rows: &'a [TrialRow; TILE],
    chosen: &'a Columns,
    tile: &'a mut [[f64; TILE]],
}

impl WithSimd for Transposing<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, chosen, tile } = self;
        let months: [&[f64]; TILE] = array::from_fn(|row| rows[row].all_monthly());
        let mut rest = tile;
        for run in chosen.runs() {
            let (columns, later) = rest.split_at_mut(run.len());
            transpose(months.map(|months| &months[run.clone()]), columns);
            rest = later;
        }
        let (milestones, outcomes) = rest.split_at_mut(rows[0].milestones().len());
        transpose(array::from_fn(|row| rows[row].milestones()), milestones);
        transpose(array::from_fn(|row| rows[row].outcomes()), outcomes);
    }
}

/// Writes lists of equal lengths as columns.
#[inline(always)]
fn transpose(lists: [&[f64]; TILE], columns: &mut [[f64; TILE]]) {
    // Plain loops: the closures of `array::map` are not compiled for the processor at hand.
    let mut rest = columns;
    let mut at = 0;
    while rest.len() >= TILE {
        let (square, later) = rest.split_at_mut(TILE);
        for (trial, list) in lists.iter().enumerate() {
            for (column, x) in square.iter_mut().zip(&list[at..at + TILE]) {
                column[trial] = *x;
            }
        }
        (rest, at) = (later, at + TILE);
    }
    for (trial, list) in lists.iter().enumerate() {
        for (column, x) in rest.iter_mut().zip(&list[at..]) {
            column[trial] = *x;
        }
    }
}
