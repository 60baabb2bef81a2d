//! What a scenario becomes while it is compiled. Every concept compiles itself through the [`Compiler`]: it registers
//! inputs, adds nodes to the network, refers to others by name, and notes what is wrong at its place in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::calendars::{CONTINUOUS, Calendar};
use super::compile::Follower;
use super::crews::{Crew, CrewId};
use super::network::{self, Condition, Cycle, Network, NetworkBuilder, NodeId, Presence};
use super::plan_class::PlanClass;
use super::priority::CrewPriority;
use super::{Dependency, Status};
use crate::date::Date;
use crate::field::Stated;
use crate::problem::{Path, Problems, check_known};
use crate::sampling::inputs::{Drawn, Inputs, Quantity};
use crate::uncertain::{Domain, Uncertain, UncertainError};

/// No date: a node that starts when what it waits for has finished.
pub(crate) const NO_DATE: f64 = f64::NEG_INFINITY;
/// No time.
pub(crate) const AT_ONCE: Quantity = Quantity::Fixed(0.0);

/// What a schedule says of all its activities.
pub(crate) struct Terms<'a> {
    pub(crate) start: Date,
    pub(crate) horizon_months: u32,
    pub(crate) calendars: &'a [Calendar],
    pub(crate) crews: &'a [Crew],
    pub(crate) plan_classes: &'a [PlanClass],
}

/// A scenario under compilation.
pub(crate) struct Compiler<'a> {
    pub(super) terms: Terms<'a>,
    /// None if nothing is drawn, because the scenario has errors: then references and cycles alone are checked, and
    /// every quantity counts as 0.
    inputs: Option<Inputs>,
    pub(crate) network: NetworkBuilder,
    pub(crate) problems: Problems,
    /// The place in the file of what is being compiled.
    pub(crate) at: Path,
    calendars: BTreeMap<&'a str, u32>,
    pub(super) crews: Vec<(&'a str, CrewId, f64)>,
    /// Activities that run with a probability, and the inputs that say whether.
    pub(super) branches: BTreeMap<NodeId, Vec<Condition>>,
    /// Activities that run with or without others; resolved once all are known.
    pub(super) followers: Vec<Follower>,
    /// Activities and grid steps, which risks and the status may name.
    pub(super) works: Vec<(String, NodeId)>,
    /// Dependencies whose names are resolved once all nodes exist.
    links: Vec<Link>,
    /// Activities that are milestones themselves.
    marked: Vec<(String, NodeId)>,
    /// Where each activity is written.
    places: BTreeMap<String, Path>,
}

struct Link {
    node: NodeId,
    /// Where the name is looked up, the innermost first: `campus/building/hall`, `campus/building`, `campus`.
    scope: String,
    dependency: Dependency,
    at: Path,
}

impl<'a> Compiler<'a> {
    /// Adds what is compiled to the problems that are known already; with errors among these nothing is drawn.
    pub(crate) fn new(terms: Terms<'a>, problems: Problems) -> Self {
        let mut network = NetworkBuilder::default();
        let crews = terms.crews.iter().map(|crew| {
            let supply = crew.supply(terms.start);
            let most = supply.last();
            (crew.name.as_str(), network.add_crew(supply), most)
        });
        Self {
            crews: crews.collect(),
            inputs: (!problems.has_errors()).then(Inputs::default),
            network,
            problems,
            at: Path::root(),
            calendars: BTreeMap::new(),
            branches: BTreeMap::new(),
            followers: Vec::new(),
            works: Vec::new(),
            links: Vec::new(),
            marked: Vec::new(),
            places: BTreeMap::new(),
            terms,
        }
    }

    /// Whether inputs are drawn, so that there can be a model.
    pub(crate) fn draws(&self) -> bool {
        self.inputs.is_some()
    }

    /// The inputs that are registered so far.
    pub(crate) fn inputs(&self) -> Option<&Inputs> {
        self.inputs.as_ref()
    }

    pub(super) fn inputs_mut(&mut self) -> Option<&mut Inputs> {
        self.inputs.as_mut()
    }

    /// Gives the inputs away, when all are registered.
    pub(crate) fn take_inputs(&mut self) -> Inputs {
        self.inputs.take().unwrap_or_default()
    }

    /// Compiles an item of a list: what it notes is at its place.
    pub(crate) fn item<T>(
        &mut self,
        list: &str,
        position: usize,
        compile: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let at = self.at.key(list).index(position);
        self.placed(at, compile)
    }

    /// Compiles what stands at some place of the file.
    pub(crate) fn placed<T>(&mut self, at: Path, compile: impl FnOnce(&mut Self) -> T) -> T {
        let around = std::mem::replace(&mut self.at, at);
        let compiled = compile(self);
        self.at = around;
        compiled
    }

    /// Notes an error at a key of what is being compiled.
    pub(crate) fn error(&mut self, key: &str, message: String, help: impl Into<String>) {
        let at = self.at.key(key);
        self.problems.error(&at, message, help);
    }

    /// Registers an input under a name.
    pub(crate) fn draw(&mut self, name: &str, quantity: &Uncertain, domain: Domain) -> Quantity {
        let name = name.to_owned();
        let drawn = self.with_inputs(|inputs| inputs.add(name, quantity, domain));
        drawn.unwrap_or(AT_ONCE)
    }

    /// Registers what a field of a plan states: its name is `scope`, that of the plan, and its own.
    pub(crate) fn register<T: Drawn>(&mut self, scope: &str, stated: Stated<'_, T>) -> T::Quantity {
        let undrawn = stated.value.undrawn();
        let drawn = self.with_inputs(|inputs| inputs.register(scope, stated));
        drawn.unwrap_or(undrawn)
    }

    /// What a concept compiles of inputs alone. None if nothing is drawn, and if it failed, which is noted: quantities
    /// are checked before, so that this says that a check is missing.
    pub(crate) fn with_inputs<T>(
        &mut self,
        compile: impl FnOnce(&mut Inputs) -> Result<T, UncertainError>,
    ) -> Option<T> {
        match compile(self.inputs.as_mut()?) {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                self.problems.error(&self.at, error.to_string(), "");
                None
            }
        }
    }

    /// As [`Self::with_inputs`], for what refers to nodes by name and notes problems of its own.
    pub(crate) fn with_network<T>(
        &mut self,
        compile: impl FnOnce(&mut Inputs, &NetworkBuilder, &mut Problems) -> Result<T, UncertainError>,
    ) -> Option<T> {
        match compile(self.inputs.as_mut()?, &self.network, &mut self.problems) {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                self.problems.error(&self.at, error.to_string(), "");
                None
            }
        }
    }

    /// Registers whether something happens: 1 with the probability, 0 otherwise.
    pub(crate) fn chance(&mut self, name: &str, probability: f64) -> Quantity {
        self.draw(name, &Uncertain::happens(probability), Domain::SHARE)
    }

    /// Makes what starts at `node` happen with a probability, or never in a trial; what must hold for that.
    pub(crate) fn may_happen(
        &mut self,
        node: NodeId,
        name: &str,
        probability: Option<f64>,
    ) -> Vec<Presence> {
        let Some(probability) = probability.filter(|probability| *probability < 1.0) else {
            return Vec::new();
        };
        let presence = Presence {
            of: self.chance(&format!("{name}/built"), probability),
            at_least: 1.0,
        };
        self.network.require(node, presence);
        vec![presence]
    }

    /// Marks what is work though it is no activity of a list: a grid step, bridge power.
    pub(crate) fn mark_as_work(&mut self, node: NodeId, name: String) {
        self.network.mark_as_work(node);
        self.works.push((name, node));
    }

    pub(super) fn mark_as_milestone(&mut self, name: String, node: NodeId) {
        self.marked.push((name, node));
    }

    /// Activities that are milestones themselves.
    pub(crate) fn marked(&self) -> &[(String, NodeId)] {
        &self.marked
    }

    /// Notes that what is being compiled has this full name.
    pub(crate) fn note_place(&mut self, name: String) {
        self.places.insert(name, self.at.clone());
    }

    /// Months from the start of the scenario.
    pub(crate) fn months_until(&self, date: Date) -> f64 {
        date.months_after(self.terms.start)
    }

    /// The start of the scenario.
    pub(crate) fn start(&self) -> Date {
        self.terms.start
    }

    /// The date that is given; else the start of the scenario, unless there is something to wait for.
    pub(crate) fn earliest_months(&self, date: Option<Date>, after: &[Dependency]) -> f64 {
        match date {
            Some(date) => self.months_until(date),
            None if after.is_empty() => 0.0,
            None => NO_DATE,
        }
    }

    /// Warns of a date that is after the end of the horizon: what starts then never does in a trial.
    pub(crate) fn warn_of_late_start(&mut self, starts: Option<Date>) {
        let Some(starts) = starts else { return };
        if self.months_until(starts) >= f64::from(self.terms.horizon_months) {
            self.problems.warning(
                &self.at.key("starts"),
                format!("it starts in {starts}, after the end of the horizon"),
                "a longer horizon, or leave it out",
            );
        }
    }

    /// A moment at which all of `parts` have finished, and `start` too.
    pub(crate) fn complete(&mut self, name: String, start: NodeId, parts: &[NodeId]) -> NodeId {
        let node = self.network.add(name, AT_ONCE, NO_DATE);
        self.network.depend(node, start, AT_ONCE);
        for &part in parts {
            self.network.depend(node, part, AT_ONCE);
        }
        node
    }

    /// The number of a calendar that stands under a key; none for "continuous" and for one that is not known.
    pub(crate) fn calendar(&mut self, name: &str, key: &str) -> Option<u32> {
        let at = self.at.key(key);
        self.calendar_at(name, &at)
    }

    fn calendar_at(&mut self, name: &str, at: &Path) -> Option<u32> {
        if name == CONTINUOUS {
            return None;
        }
        let stated = self.terms.calendars;
        let known = stated.iter().map(|calendar| calendar.name.as_str());
        let known = known.chain([CONTINUOUS]);
        check_known("calendar", name, known, at, &mut self.problems);
        let calendar = stated.iter().find(|known| known.name == name)?;
        if let Some(number) = self.calendars.get(name) {
            return Some(*number);
        }
        let compiled = calendar.compile(self.terms.start, self.terms.horizon_months);
        let number = self.network.add_calendar(Arc::new(compiled));
        self.calendars.insert(&calendar.name, number);
        Some(number)
    }

    /// Makes a node wait for what is named in `after`, a key of what is being compiled.
    pub(crate) fn link(&mut self, node: NodeId, scope: &str, after: &[Dependency]) {
        for (position, dependency) in after.iter().enumerate() {
            self.links.push(Link {
                node,
                scope: scope.to_owned(),
                dependency: dependency.clone(),
                at: self.at.key("after").index(position),
            });
        }
    }

    /// Resolves all dependencies by name, once all nodes exist.
    pub(crate) fn connect(&mut self) {
        let mut lag_names = BTreeSet::new();
        for link in std::mem::take(&mut self.links) {
            self.connect_link(&link, &mut lag_names);
        }
    }

    fn connect_link(&mut self, link: &Link, lag_names: &mut BTreeSet<String>) {
        let wanted = link.dependency.activity();
        let Some(predecessor) = self.find(&link.scope, wanted) else {
            let at = match &link.dependency {
                Dependency::Finish(_) => link.at.clone(),
                Dependency::Lagged(_) => link.at.key("activity"),
            };
            self.unknown(&link.scope, wanted, &at);
            return;
        };
        let mut lag_name = format!("{}/lag after {wanted}", self.network.name(link.node));
        // A ladder links two activities by their starts and by their ends, with a lag each.
        while !lag_names.insert(lag_name.clone()) {
            lag_name.push_str(", further");
        }
        let lag = self.draw(&lag_name, &link.dependency.lag_months(), Domain::ANY);
        let lag_calendar = (link.dependency.lag_calendar())
            .and_then(|wanted| self.calendar_at(wanted, &link.at.key("lag_calendar")));
        self.network.add_link(
            link.node,
            network::Link {
                predecessor,
                kind: link.dependency.kind(),
                lag,
                lag_calendar,
            },
        );
    }

    /// Looks a name up in its scope, then in those around it.
    pub(crate) fn find(&self, scope: &str, wanted: &str) -> Option<NodeId> {
        find_in(&self.network, scope, wanted)
    }

    /// Notes that nothing has a name, with the nearest one that there is.
    pub(crate) fn unknown(&mut self, scope: &str, wanted: &str, at: &Path) {
        // Names as they would be written from there: without what the scopes around share.
        let names = self.network.names();
        let names = names.filter(|name| !name.ends_with("/start"));
        let known: Vec<String> = names.filter_map(|name| within(name, scope)).collect();
        let known = known.iter().map(String::as_str);
        let help = self.problems.name_help(wanted, known);
        self.problems.error(
            at,
            format!("there is no activity, building or substation \"{wanted}\""),
            help,
        );
    }

    /// Builds the network; none if activities wait for one another in a circle.
    pub(crate) fn build_network(&mut self, priority: CrewPriority) -> Option<Network> {
        if let Some(inputs) = &self.inputs {
            self.network.planned_inputs(inputs.medians());
        }
        self.network.prioritise(priority);
        match std::mem::take(&mut self.network).build() {
            Ok(network) => Some(network),
            Err(cycle) => {
                self.note_cycle(&cycle);
                None
            }
        }
    }

    /// Notes a circle at the first of its activities that the planner wrote.
    fn note_cycle(&mut self, cycle: &Cycle) {
        let mut members = cycle.members.iter();
        let written = members.find_map(|member| self.places.get(member));
        let anywhere = Path::root().key("campuses");
        self.problems.error(
            written.unwrap_or(&anywhere),
            cycle.to_string(),
            "take one of these dependencies away",
        );
    }

    /// Inputs are identified, and drawn, by their names: two of one name would have the same draws.
    pub(crate) fn check_input_names(&mut self) {
        let Some(inputs) = &self.inputs else { return };
        for name in inputs.repeated_names() {
            let place = self.places.get(name);
            let at = place.map_or_else(Path::root, |at| at.key("name"));
            self.problems.error(
                &at,
                format!("two uncertain quantities have the name \"{name}\", so that they would be drawn alike"),
                "give the activity (or whatever else has that name) another one",
            );
        }
    }

    /// Sets what is known of activities at the date of the status, if there is one.
    pub(crate) fn report(&mut self, status: Option<&Status>) {
        if let Some(status) = status {
            let at = self.at.key("status");
            self.placed(at, |compiler| status.compile(compiler));
        }
    }
}

/// Looks a name up in its scope, then in those around it.
pub(crate) fn find_in(network: &NetworkBuilder, scope: &str, wanted: &str) -> Option<NodeId> {
    let mut scope = Some(scope);
    while let Some(inner) = scope {
        if let Some(node) = network.find(&format!("{inner}/{wanted}")) {
            return Some(node);
        }
        scope = inner.rsplit_once('/').map(|(outer, _)| outer);
    }
    network.find(wanted)
}

/// A full name as it would be written in a scope: without the innermost scope that the two share.
fn within(name: &str, scope: &str) -> Option<String> {
    let mut inner = Some(scope);
    while let Some(prefix) = inner {
        let rest = name.strip_prefix(prefix);
        if let Some(rest) = rest.and_then(|rest| rest.strip_prefix('/')) {
            return Some(rest.to_owned());
        }
        inner = prefix.rsplit_once('/').map(|(outer, _)| outer);
    }
    None
}
