//! When what is planned begins, and whether it does at all: dates, what it waits for, delays and the classes of plans.

use super::Dependency;
use super::compiler::{AT_ONCE, Compiler, NO_DATE};
use super::network::{NodeId, Presence};
use crate::date::Date;
use crate::sampling::inputs::Quantity;
use crate::uncertain::{Domain, Uncertain};

/// A factor of 1.
pub(crate) const ONCE: Quantity = Quantity::Fixed(1.0);

/// How a thing begins in a model.
pub(crate) struct Begun {
    /// The moment at which it may start.
    pub(crate) start: NodeId,
    /// What must hold for it to happen.
    pub(crate) presence: Vec<Presence>,
    /// What its class multiplies its size by.
    pub(crate) size: Quantity,
}

/// What a plan says of its own beginning.
pub(crate) struct Beginning<'a> {
    pub(crate) starts: Option<Date>,
    pub(crate) after: &'a [Dependency],
    pub(crate) delay_months: &'a Uncertain,
    pub(crate) probability: Option<f64>,
    pub(crate) class: Option<&'a str>,
    /// Its full name.
    pub(crate) name: &'a str,
    /// Where names in `after` are looked up.
    pub(crate) scope: &'a str,
}

/// What the class of a plan makes of it.
pub(crate) struct Fate {
    pub(crate) slip: Quantity,
    pub(crate) delay: Quantity,
    pub(crate) size: Quantity,
    pub(crate) probability: Option<f64>,
}

impl Compiler<'_> {
    /// What becomes of a plan of a class; its own probability counts before that of the class.
    pub(crate) fn fate(
        &mut self,
        name: &str,
        class: Option<&str>,
        probability: Option<f64>,
    ) -> Fate {
        let mut classes = self.terms.plan_classes.iter();
        let Some(class) = class.and_then(|wanted| classes.find(|class| class.name == wanted))
        else {
            return Fate {
                slip: ONCE,
                delay: AT_ONCE,
                size: ONCE,
                probability,
            };
        };
        let fields = class.fields();
        Fate {
            slip: self.register(name, fields.slip_factor()),
            delay: self.register(name, fields.delay_months()),
            size: self.register(name, fields.size_factor()),
            probability: probability.or(class.probability),
        }
    }
}

impl Beginning<'_> {
    /// How late it is by itself.
    pub(crate) fn delay(&self, compiler: &mut Compiler<'_>) -> Quantity {
        compiler.draw(
            &format!("{}/delay", self.name),
            self.delay_months,
            Domain::ANY,
        )
    }

    /// The first moment at which it may begin by its date, in months.
    pub(crate) fn earliest_months(&self, compiler: &Compiler<'_>) -> f64 {
        compiler.earliest_months(self.starts, self.after)
    }

    pub(crate) fn fate(&self, compiler: &mut Compiler<'_>) -> Fate {
        compiler.fate(self.name, self.class, self.probability)
    }

    /// Adds the beginning of something that is planned once: a node named `node` that starts at its date, after what it
    /// waits for, with its delays.
    pub(crate) fn compile(&self, node: String, compiler: &mut Compiler<'_>) -> Begun {
        let fate = self.fate(compiler);
        let delay = self.delay(compiler);
        let is_plain = (fate.slip, fate.delay, delay) == (ONCE, AT_ONCE, AT_ONCE);
        let start = if is_plain {
            let earliest = self.earliest_months(compiler);
            let start = compiler.network.add(node, AT_ONCE, earliest);
            compiler.link(start, self.scope, self.after);
            start
        } else {
            let due = self.due(&node, fate.slip, compiler);
            delayed(node, due, NO_DATE, [delay, fate.delay], compiler)
        };
        let presence = compiler.may_happen(start, self.name, fate.probability);
        Begun {
            start,
            presence,
            size: fate.size,
        }
    }

    /// The moment for which it is announced, after what it waits for, with the time to it multiplied by `slip`.
    pub(crate) fn due(&self, node: &str, slip: Quantity, compiler: &mut Compiler<'_>) -> NodeId {
        let earliest = self.earliest_months(compiler);
        let name = format!("{node}/due");
        let due = match slip.times(Quantity::Fixed(earliest)) {
            Some(until) if earliest > 0.0 => compiler.network.add(name, until, 0.0),
            _ => compiler.network.add(name, AT_ONCE, earliest),
        };
        compiler.link(due, self.scope, self.after);
        due
    }
}

/// The start of what is due at some moment, with its delays.
pub(crate) fn delayed(
    node: String,
    due: NodeId,
    earliest: f64,
    delays: [Quantity; 2],
    compiler: &mut Compiler<'_>,
) -> NodeId {
    let start = compiler.network.add(node, delays[0], earliest);
    compiler.network.depend(start, due, delays[1]);
    start
}
