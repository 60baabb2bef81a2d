//! What is known of a campus at a date, by rows up to that date alone.

use jiff::civil::Date;
use regex_lite::Regex;
use std::sync::LazyLock;

use crate::vintages::{Campus, Row, months, years};

/// A wave that went live: one or more buildings, or more power in those that stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wave {
    /// When, in years from 2024.
    pub(crate) years: f64,
    /// By how much MW of critical IT power, H100 equivalents and buildings grew.
    pub(crate) gain: [f64; 3],
}

/// A wait between two waves, or from the first sight of a campus to its first wave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    /// How long, or how long so far.
    pub(crate) months: f64,
    /// When it began, in years from 2024.
    pub(crate) begun: f64,
    /// The day on which it began.
    pub(crate) since: Date,
    /// Whether nothing was live before.
    pub(crate) first: bool,
}

/// A campus at a date.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Its name.
    pub(crate) name: String,
    /// What is live: MW of critical IT power, H100 equivalents, buildings.
    pub(crate) live: [f64; 3],
    /// The waves so far.
    pub(crate) waves: Vec<Wave>,
    /// The waits that are over.
    pub(crate) waits: Vec<Wait>,
    /// The wait that goes on.
    pub(crate) waiting: Wait,
    /// The highest number of a building that is spoken of.
    pub(crate) buildings_seen: f64,
}

impl Known {
    /// A campus by its rows up to `origin`; `None` if there are none.
    pub(crate) fn of(campus: &Campus, origin: Date) -> Option<Self> {
        let end = campus.rows.partition_point(|row| row.day <= origin);
        let rows = &campus.rows[..end];
        let first_seen = rows.first()?.day;
        let mut known = Self {
            name: campus.name.clone(),
            live: [0.0; 3],
            waves: Vec::new(),
            waits: Vec::new(),
            waiting: Wait {
                months: 0.0,
                begun: 0.0,
                since: first_seen,
                first: true,
            },
            buildings_seen: buildings_seen(rows),
        };
        let mut since = first_seen;
        for (index, row) in rows.iter().enumerate() {
            let before = known.live;
            for (live, seen) in known.live.iter_mut().zip(row.live) {
                *live = seen.unwrap_or(*live);
            }
            let last_of_day = rows.get(index + 1).is_none_or(|next| next.day > row.day);
            if last_of_day && known.live[0] > before[0] {
                known.wave(before, since, row.day, row.day == first_seen);
                since = row.day;
            }
        }
        known.waiting = Wait {
            months: months(since, origin),
            begun: years(since),
            since,
            first: known.live[0] == 0.0,
        };
        Some(known)
    }

    /// Notes a wave, and the wait for it unless it was live when the campus was first seen.
    fn wave(&mut self, before: [f64; 3], since: Date, day: Date, live_when_first_seen: bool) {
        const SHORTEST: f64 = 0.25;
        self.waves.push(Wave {
            years: years(day),
            gain: std::array::from_fn(|q| self.live[q] - before[q]),
        });
        if !live_when_first_seen {
            self.waits.push(Wait {
                months: months(since, day).max(SHORTEST),
                begun: years(since),
                since,
                first: before[0] == 0.0,
            });
        }
    }
}

/// The highest building number that the rows mention, or what is live, if that is more.
fn buildings_seen(rows: &[Row]) -> f64 {
    /// More is not a number of buildings but of something else.
    const MOST: u32 = 40;
    static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[Bb]uildings?\s+(\d{1,2})(?:\s*(?:-|–|to|and|,|&)\s*(\d{1,2}))?")
            .expect("a fixed pattern")
    });
    static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(\d{1,2})\s+(?:AI\s+)?(?:data cent\w+\s+)?buildings").expect("a fixed pattern")
    });
    let live = rows
        .iter()
        .filter_map(|row| row.live[2])
        .fold(0.0, f64::max);
    let spoken_of = rows.iter().flat_map(|row| {
        let numbered = NUMBERED.captures_iter(&row.text);
        let found = numbered.chain(COUNTED.captures_iter(&row.text));
        found.flat_map(|captures| {
            let groups: Vec<u32> = (captures.iter().skip(1).flatten())
                .filter_map(|group| group.as_str().parse().ok())
                .collect();
            groups
        })
    });
    let most = spoken_of.filter(|&number| number <= MOST).max();
    live.max(f64::from(most.unwrap_or(0))).floor()
}
