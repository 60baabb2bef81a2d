//! When what is planned begins, whether it does at all, and how large it is then: dates with their delays, series,
//! waves of an expansion, and the classes of plans.

use super::Size;
use super::sites::{AT_ONCE, NO_DATE, Sites, earliest_months};
use crate::date::Date;
use crate::problem::Path;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::scenario::Scenario;
use crate::schedule::network::{NodeId, Presence};
use crate::schedule::{Dependency, draw};
use crate::site::expansion::{CampusExpansion, Wave, Waves};
use crate::site::{Beginning, PlannedBuilding};
use crate::uncertain::{Domain, Uncertain};

/// How a thing begins in a model.
pub(super) struct Begun {
    /// The moment at which it may start.
    pub(super) start: NodeId,
    /// What must hold for it to happen.
    pub(super) presence: Vec<Presence>,
    /// What its power is multiplied by.
    pub(super) size: Size,
    /// What the PFLOPS of its hardware are multiplied by.
    pub(super) compute_factor: Quantity,
}

/// What a plan says of its own beginning.
pub(super) struct Plan<'a> {
    pub(super) starts: Option<Date>,
    pub(super) after: &'a [Dependency],
    pub(super) delay_months: &'a Uncertain,
    pub(super) probability: Option<f64>,
    pub(super) class: Option<&'a str>,
    /// Its full name.
    pub(super) name: &'a str,
    /// Where names in `after` are looked up.
    pub(super) scope: &'a str,
    pub(super) at: &'a Path,
}

/// What the class of a plan makes of it.
pub(super) struct Fate {
    pub(super) slip: Quantity,
    pub(super) delay: Quantity,
    pub(super) size: Quantity,
    pub(super) probability: Option<f64>,
}

/// The buildings of an entry so far, while they are laid out one after the other.
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
}

impl Plan<'_> {
    fn delay(&self, inputs: &mut Option<Inputs>) -> Quantity {
        let name = format!("{}/delay", self.name);
        draw(inputs, &name, self.delay_months, Domain::ANY)
    }
}

const ONCE: Quantity = Quantity::Fixed(1.0);

impl<'a> Sites<'a> {
    pub(super) fn fate(
        &self,
        scenario: &Scenario,
        name: &str,
        class: Option<&str>,
        probability: Option<f64>,
        inputs: &mut Option<Inputs>,
    ) -> Fate {
        let mut classes = scenario.plan_classes.iter();
        let class = class.and_then(|wanted| classes.find(|class| class.name == wanted));
        let Some(class) = class else {
            return Fate {
                slip: ONCE,
                delay: AT_ONCE,
                size: ONCE,
                probability,
            };
        };
        let mut of = |what: &str, quantity: &Uncertain, domain| {
            draw(inputs, &format!("{name}/{what}"), quantity, domain)
        };
        Fate {
            slip: of("plan slip", &class.slip_factor, Domain::NON_NEGATIVE),
            delay: of("plan delay", &class.delay_months, Domain::ANY),
            size: of("plan size", &class.size_factor, Domain::POSITIVE),
            probability: probability.or(class.probability),
        }
    }

    /// Lays out the beginning of something that is planned once: a node named `node` that starts at its date, after
    /// what it waits for, with its delays.
    pub(super) fn begin(
        &mut self,
        scenario: &Scenario,
        plan: &Plan<'_>,
        node: String,
        inputs: &mut Option<Inputs>,
    ) -> Begun {
        let fate = self.fate(scenario, plan.name, plan.class, plan.probability, inputs);
        let earliest = earliest_months(scenario, plan.starts, plan.after);
        let delay = plan.delay(inputs);
        let is_plain = (fate.slip, fate.delay, delay) == (ONCE, AT_ONCE, AT_ONCE);
        let start = if is_plain {
            let start = self.network.add(node, AT_ONCE, earliest);
            self.link(start, plan.scope, plan.after, plan.at);
            start
        } else {
            let due = self.due(&node, earliest, plan, fate.slip);
            self.delayed(node, due, NO_DATE, [delay, fate.delay])
        };
        let presence = self.may_happen(start, plan.name, fate.probability, inputs);
        Begun {
            start,
            presence,
            size: Size::of_class(fate.size),
            compute_factor: ONCE,
        }
    }

    /// The moment for which something is announced, after what it waits for, with the time to it multiplied by `slip`.
    fn due(&mut self, node: &str, earliest: f64, plan: &Plan<'_>, slip: Quantity) -> NodeId {
        let name = format!("{node}/due");
        let due = match slip.times(Quantity::Fixed(earliest)) {
            Some(until) if earliest > 0.0 => self.network.add(name, until, 0.0),
            _ => self.network.add(name, AT_ONCE, earliest),
        };
        self.link(due, plan.scope, plan.after, plan.at);
        due
    }

    /// The start of what is due at some moment, with its delays.
    fn delayed(
        &mut self,
        node: String,
        due: NodeId,
        earliest: f64,
        delays: [Quantity; 2],
    ) -> NodeId {
        let start = self.network.add(node, delays[0], earliest);
        self.network.depend(start, due, delays[1]);
        start
    }

    /// Lays out the beginning of a building: alone, of a series, or a wave of an expansion.
    pub(super) fn begin_building(
        &mut self,
        scenario: &Scenario,
        planned: &PlannedBuilding<'_>,
        plan: &Plan<'_>,
        inputs: &mut Option<Inputs>,
    ) -> Begun {
        let node = format!("{}/start", plan.name);
        let is_plain = plan.class.is_none() && *plan.delay_months == Uncertain::Constant(0.0);
        match planned.begins {
            Beginning::Alone => self.begin(scenario, plan, node, inputs),
            Beginning::Offset(months) if is_plain => {
                // In a series each building starts at its own distance from the first.
                let earliest = earliest_months(scenario, plan.starts, plan.after);
                let start = self.network.add(node, Quantity::Fixed(months), earliest);
                self.link(start, plan.scope, plan.after, plan.at);
                Begun {
                    start,
                    presence: self.may_happen(start, plan.name, plan.probability, inputs),
                    size: Size::of_class(ONCE),
                    compute_factor: ONCE,
                }
            }
            _ => self.begin_next(scenario, planned, plan, inputs),
        }
    }

    /// Lays out a building that is due some time after the one before it in its entry.
    fn begin_next(
        &mut self,
        scenario: &Scenario,
        planned: &PlannedBuilding<'_>,
        plan: &Plan<'_>,
        inputs: &mut Option<Inputs>,
    ) -> Begun {
        let fate = self.fate(scenario, plan.name, plan.class, plan.probability, inputs);
        let node = format!("{}/start", plan.name);
        let delay = plan.delay(inputs);
        let before = self.run.take().filter(|_| planned.number > 0);
        let (mut size, mut not_before) = (Size::of_class(fate.size), NO_DATE);
        let mut compute_factor = ONCE;
        let run = if let Beginning::Wave(expansion) = planned.begins {
            if let Some(date) = plan.starts.filter(|_| expansion.since.is_some()) {
                not_before = date.months_after(scenario.start);
            }
            let (run, wave) = self.next_wave(scenario, expansion, planned, plan, before, inputs);
            (size.of_wave, size.buildings) = (wave.size, wave.buildings);
            compute_factor = wave.compute_factor;
            run
        } else {
            self.next_of_series(scenario, planned, plan, before, fate.slip, inputs)
        };
        let start = self.delayed(node, run.due, not_before, [delay, fate.delay]);
        let mut presence = run.presence.clone();
        presence.extend(self.may_happen(start, plan.name, fate.probability, inputs));
        self.run = Some(run);
        Begun {
            start,
            presence,
            size,
            compute_factor,
        }
    }

    /// The next building of a series whose number or spacing is uncertain, or whose dates are.
    fn next_of_series(
        &mut self,
        scenario: &Scenario,
        planned: &PlannedBuilding<'_>,
        plan: &Plan<'_>,
        before: Option<Run>,
        slip: Quantity,
        inputs: &mut Option<Inputs>,
    ) -> Run {
        let node = format!("{}/start", plan.name);
        let Some(series) = &planned.plan.series else {
            let earliest = earliest_months(scenario, plan.starts, plan.after);
            return Run::at(self.due(&node, earliest, plan, slip));
        };
        let Some(mut run) = before else {
            let earliest = earliest_months(scenario, plan.starts, plan.after);
            let mut run = Run::at(self.due(&node, earliest, plan, slip));
            let count = format!("{}/{}/count", plan.scope, planned.plan.name);
            run.count = draw(inputs, &count, &series.count, Domain::NON_NEGATIVE);
            self.count_in(&mut run, planned.number);
            return run;
        };
        let gap = format!("{}/gap", plan.name);
        let gap = draw(inputs, &gap, &series.every_months, Domain::NON_NEGATIVE);
        self.come_after(&mut run, node, gap.times(slip).unwrap_or(gap));
        self.count_in(&mut run, planned.number);
        run
    }

    /// Makes the next building due some time after the one before it.
    fn come_after(&mut self, run: &mut Run, node: String, wait: Quantity) {
        let due = self.network.add(format!("{node}/due"), wait, NO_DATE);
        self.network.depend(due, run.due, AT_ONCE);
        run.due = due;
    }

    /// Lets the building of that number, from 0, happen only if so many are drawn.
    fn count_in(&mut self, run: &mut Run, number: u32) {
        if let Quantity::Fixed(_) = run.count {
            return;
        }
        // What is drawn is rounded.
        let counted = Presence {
            of: run.count,
            at_least: f64::from(number) + 0.5,
        };
        self.network.require(run.due, counted);
        run.presence = vec![counted];
    }

    /// The next wave of an expansion.
    fn next_wave(
        &mut self,
        scenario: &Scenario,
        expansion: &CampusExpansion,
        planned: &PlannedBuilding<'_>,
        plan: &Plan<'_>,
        before: Option<Run>,
        inputs: &mut Option<Inputs>,
    ) -> (Run, Wave) {
        let node = format!("{}/start", plan.name);
        let since = expansion
            .since
            .map(|date| date.months_after(scenario.start));
        let entry = format!("{}/{}", plan.scope, planned.plan.name);
        let is_first = before.is_none();
        let mut run = before.unwrap_or_else(|| {
            let earliest =
                since.unwrap_or_else(|| earliest_months(scenario, plan.starts, plan.after));
            let mut run = Run::at(
                self.network
                    .add(format!("{entry}/since"), AT_ONCE, earliest),
            );
            self.link(run.due, plan.scope, plan.after, plan.at);
            let waited = since.map(|months| (-months).max(0.0));
            let waves = inputs.as_mut();
            run.waves = waves.and_then(|inputs| expansion.compile(&entry, waited, inputs).ok());
            run
        });
        debug_assert_eq!(is_first, planned.number == 0);
        let wave = match (&run.waves, inputs) {
            (Some(waves), Some(inputs)) => waves.add(planned.number, plan.name, inputs),
            _ => Wave::nothing(),
        };
        self.come_after(&mut run, node, wave.wait);
        for presence in &wave.presence {
            self.network.require(run.due, *presence);
            run.presence.push(*presence);
        }
        (run, wave)
    }
}

#[cfg(test)]
mod tests;
