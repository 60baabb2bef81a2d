use crate::date::Date;

/// What was observed of a quantity of a subject: a step function, each value holding until the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    points: Vec<(Date, f64)>,
}

impl Series {
    /// From days and values in any order; of one day the last counts.
    pub fn new(mut points: Vec<(Date, f64)>) -> Self {
        points.sort_by_key(|&(day, _)| day);
        Self { points }
    }

    /// The value on a day: that of the last observation not after it; 0 before the first.
    pub fn at(&self, day: Date) -> f64 {
        let past = self
            .points
            .partition_point(|&(observed, _)| observed <= day);
        past.checked_sub(1).map_or(0.0, |last| self.points[last].1)
    }

    /// The first day on which there is an observation.
    pub fn first(&self) -> Option<Date> {
        self.points.first().map(|&(day, _)| day)
    }
}
