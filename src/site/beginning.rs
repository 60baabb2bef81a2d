//! When the buildings of an entry begin, whether they do at all, and how large they are then: alone, in a series, or
//! as waves of an expansion.

use super::expansion::{CampusExpansion, Wave, Waves};
use super::{BuildingBegins, PlannedBuilding};
use crate::power::Size;
use crate::sampling::inputs::Quantity;
use crate::schedule::compiler::{AT_ONCE, Compiler, NO_DATE};
use crate::schedule::network::{NodeId, Presence};
use crate::schedule::{Beginning, ONCE, delayed};
use crate::uncertain::{Domain, Uncertain};

/// How a building begins in a model.
pub(super) struct BegunBuilding {
    /// The moment at which it may start.
    pub(super) start: NodeId,
    /// What must hold for it to happen.
    pub(super) presence: Vec<Presence>,
    /// What its racks and power are multiplied by.
    pub(super) size: Size,
    /// What the PFLOPS of its hardware are multiplied by.
    pub(super) compute_factor: Quantity,
}

/// The buildings of an entry so far, while they are compiled one after the other.
pub(super) struct Run {
    /// When the last of them is due.
    due: NodeId,
    waves: Option<Waves>,
    /// How many there are, where that is drawn.
    count: Quantity,
    /// What must hold for the last of them to come.
    presence: Vec<Presence>,
}

impl Run {
    fn at(due: NodeId) -> Self {
        Self {
            due,
            waves: None,
            count: Quantity::Fixed(f64::INFINITY),
            presence: Vec::new(),
        }
    }

    /// Makes the next building due some time after the one before it.
    fn come_after(&mut self, node: &str, wait: Quantity, compiler: &mut Compiler<'_>) {
        let due = compiler.network.add(format!("{node}/due"), wait, NO_DATE);
        compiler.network.depend(due, self.due, AT_ONCE);
        self.due = due;
    }

    /// Lets the building of that number, from 0, happen only if this many are drawn.
    fn count_in(&mut self, number: u32, compiler: &mut Compiler<'_>) {
        if let Quantity::Fixed(_) = self.count {
            return;
        }
        // What is drawn is rounded.
        let counted = Presence {
            of: self.count,
            at_least: f64::from(number) + 0.5,
        };
        compiler.network.require(self.due, counted);
        self.presence = vec![counted];
    }
}

impl PlannedBuilding<'_> {
    /// Adds its beginning: alone, of a series, or a wave of an expansion.
    pub(super) fn begin(
        &self,
        beginning: &Beginning<'_>,
        run: &mut Option<Run>,
        compiler: &mut Compiler<'_>,
    ) -> BegunBuilding {
        let node = format!("{}/start", beginning.name);
        let is_plain =
            beginning.class.is_none() && *beginning.delay_months == Uncertain::Constant(0.0);
        match self.begins {
            BuildingBegins::Alone => {
                let begun = beginning.compile(node, compiler);
                BegunBuilding {
                    start: begun.start,
                    presence: begun.presence,
                    size: Size::of_class(begun.size),
                    compute_factor: ONCE,
                }
            }
            BuildingBegins::Offset(months) if is_plain => {
                // In a series each building starts at its own distance from the first.
                let earliest = beginning.earliest_months(compiler);
                let start = (compiler.network).add(node, Quantity::Fixed(months), earliest);
                compiler.link(start, beginning.scope, beginning.after);
                BegunBuilding {
                    start,
                    presence: compiler.may_happen(start, beginning.name, beginning.probability),
                    size: Size::of_class(ONCE),
                    compute_factor: ONCE,
                }
            }
            _ => self.begin_next(beginning, run, compiler),
        }
    }

    /// Adds the beginning of a building that is due some time after the one before it in its entry.
    fn begin_next(
        &self,
        beginning: &Beginning<'_>,
        run: &mut Option<Run>,
        compiler: &mut Compiler<'_>,
    ) -> BegunBuilding {
        let fate = beginning.fate(compiler);
        let node = format!("{}/start", beginning.name);
        let delay = beginning.delay(compiler);
        let before = run.take().filter(|_| self.number > 0);
        let (mut size, mut not_before) = (Size::of_class(fate.size), NO_DATE);
        let mut compute_factor = ONCE;
        let now = if let BuildingBegins::Wave(expansion) = self.begins {
            if let Some(date) = beginning.starts.filter(|_| expansion.since.is_some()) {
                not_before = compiler.months_until(date);
            }
            let (now, wave) = self.next_wave(expansion, beginning, before, compiler);
            (size.of_wave, size.buildings) = (wave.size, wave.buildings);
            compute_factor = wave.compute_factor;
            now
        } else {
            self.next_of_series(beginning, before, fate.slip, compiler)
        };
        let delays = [delay, fate.delay];
        let start = delayed(node, now.due, not_before, delays, compiler);
        let mut presence = now.presence.clone();
        presence.extend(compiler.may_happen(start, beginning.name, fate.probability));
        *run = Some(now);
        BegunBuilding {
            start,
            presence,
            size,
            compute_factor,
        }
    }

    /// The next building of a series whose number or spacing is uncertain, or whose dates are.
    fn next_of_series(
        &self,
        beginning: &Beginning<'_>,
        before: Option<Run>,
        slip: Quantity,
        compiler: &mut Compiler<'_>,
    ) -> Run {
        let node = format!("{}/start", beginning.name);
        let Some(series) = &self.plan.series else {
            return Run::at(beginning.due(&node, slip, compiler));
        };
        let Some(mut run) = before else {
            let mut run = Run::at(beginning.due(&node, slip, compiler));
            let count = format!("{}/{}/count", beginning.scope, self.plan.name);
            run.count = compiler.draw(&count, &series.count, Domain::NON_NEGATIVE);
            run.count_in(self.number, compiler);
            return run;
        };
        let gap = compiler.register(beginning.name, series.fields().every_months());
        run.come_after(&node, gap.times(slip).unwrap_or(gap), compiler);
        run.count_in(self.number, compiler);
        run
    }

    /// The next wave of an expansion.
    fn next_wave(
        &self,
        expansion: &CampusExpansion,
        beginning: &Beginning<'_>,
        before: Option<Run>,
        compiler: &mut Compiler<'_>,
    ) -> (Run, Wave) {
        debug_assert_eq!(before.is_none(), self.number == 0);
        let mut run = match before {
            Some(run) => run,
            None => self.first_wave(expansion, beginning, compiler),
        };
        let wave = run.waves.as_ref().and_then(|waves| {
            compiler.with_inputs(|inputs| Ok(waves.add(self.number, beginning.name, inputs)))
        });
        let wave = wave.unwrap_or_else(Wave::nothing);
        let node = format!("{}/start", beginning.name);
        run.come_after(&node, wave.wait, compiler);
        for presence in &wave.presence {
            compiler.network.require(run.due, *presence);
            run.presence.push(*presence);
        }
        (run, wave)
    }

    /// What all waves of an expansion have in common.
    fn first_wave(
        &self,
        expansion: &CampusExpansion,
        beginning: &Beginning<'_>,
        compiler: &mut Compiler<'_>,
    ) -> Run {
        let entry = format!("{}/{}", beginning.scope, self.plan.name);
        let since = expansion.since.map(|date| compiler.months_until(date));
        let earliest = since.unwrap_or_else(|| beginning.earliest_months(compiler));
        let since_node = format!("{entry}/since");
        let mut run = Run::at(compiler.network.add(since_node, AT_ONCE, earliest));
        compiler.link(run.due, beginning.scope, beginning.after);
        let waited = since.map(|months| (-months).max(0.0));
        run.waves = compiler.with_inputs(|inputs| expansion.compile(&entry, waited, inputs));
        run
    }
}

#[cfg(test)]
mod tests;
