//! A list of contracts that are being signed, in columns.

use std::ops::Range;

use super::FOREVER;
use super::counts::MonthCounts;
use super::extras::ContractExtra;
use super::words::{Key, LANES};

/// As many contracts at most are drawn together, so that their columns stay in the nearest cache.
pub(super) const TOGETHER: usize = 256;
/// Two of them share a call of words.
const CALLS: usize = TOGETHER / 2;
/// How many calls are listed at a time. Mostly these are a few too many, over which the next are written; so most months take
/// one step, which processors foresee.
const LISTED_AT_ONCE: usize = 2 * LANES;
/// The time of contact of nobody: beyond all horizons.
pub(super) const NOBODY: f32 = 1e9;

/// What the two words of a contract decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    SizeAndStay = 0,
    Lags = 1,
    TermAndRamp = 2,
    PatienceAndConsent = 3,
    Subsidiary = 4,
    RenewalAndExit = 5,
    /// Whether it expands, and when.
    Expansion = 6,
    ExpansionSize = 7,
}

/// Where a list of contracts comes from: lists of different origins share no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Outreach = 0,
    /// Contracts that are there at the start, and companies that had not decided by then.
    Existing = 1,
    Negotiating = 2,
    /// A tenant known by name.
    Named = 3,
    /// Contracts of a program.
    Program = 4,
}

/// What is known of a contract, or of all of a list, beforehand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// When it wants to move in, in months; or how long after its signature.
    pub(super) ready: Option<f32>,
    pub(super) move_in_lag: Option<f32>,
    /// Units of power.
    pub(super) size: Option<i64>,
    /// Whether all of the ramp is in the first month.
    pub(super) is_ramped: bool,
    /// Whether the time of contact is that of the signature.
    pub(super) is_signed: bool,
}

/// Contracts with nothing known beforehand.
pub(super) const ALL_DRAWN: Terms = Terms {
    ready: None,
    move_in_lag: None,
    size: None,
    is_ramped: false,
    is_signed: false,
};

/// Where the words of a contract are.
#[derive(Clone, Copy, Debug)]
pub(super) struct WordPlace {
    pub(super) position: u32,
    pub(super) plane: u32,
    pub(super) is_second: bool,
}

impl WordPlace {
    pub(super) fn number(self) -> u32 {
        2 * self.position + u32::from(self.is_second)
    }

    /// The two words of a purpose beyond those of [`Pair`].
    pub(super) fn words(self, key: &Key, trial: u64, purpose: u32) -> [u32; 2] {
        let [a, b, c, d] = key.words(trial, self.position, self.plane | purpose << 24);
        if self.is_second { [c, d] } else { [a, b] }
    }
}

/// Neighbours in a list who are contacted in one month.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) month: u32,
    first: u32,
    end: u32,
}

impl Run {
    pub(super) fn numbers(self) -> Range<usize> {
        self.first as usize..self.end as usize
    }
}

/// A list of contracts that are being signed. Its length is a multiple of the lanes of processors; who is nobody has a
/// time of contact beyond all horizons.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) len: usize,
    /// Of each two neighbours the position and the plane of their words; with some room behind.
    pub(super) positions: [u32; CALLS + LISTED_AT_ONCE],
    pub(super) planes: [u32; CALLS + LISTED_AT_ONCE],
    pub(super) words: [[u32; TOGETHER]; 2],
    /// Who is contacted in which month, where no times are listed.
    pub(super) runs: Vec<Run>,
    /// In months: contact, and from [`Market::decide`] on what went before the lag of signing; then the signature.
    pub(super) signed: [f32; TOGETHER],
    /// When they want to move in.
    pub(super) ready: [f32; TOGETHER],
    pub(super) sign_lag: [f32; TOGETHER],
    /// Standard racks, kW or PFLOPS; what that is multiplied by; and in units a month of ramp.
    pub(super) amount: [f32; TOGETHER],
    pub(super) factor: [f32; TOGETHER],
    pub(super) step: [i64; TOGETHER],
    /// Where no times are listed: what the steps of all before each come to, and those of all.
    pub(super) steps_before: [i64; TOGETHER + 1],
    pub(super) drawn_ramp: [f32; TOGETHER],
    pub(super) ramp: [u32; TOGETHER],
    /// The months of the ramp, if all have the same.
    pub(super) common_ramp: Option<u32>,
    pub(super) term: [f32; TOGETHER],
    /// Minus the logarithm of a uniform number that decides how long they stay beyond their terms; and the stay.
    pub(super) beyond: [f32; TOGETHER],
    pub(super) stay: [u32; TOGETHER],
    /// The month of the signature, in which they want to move in (with some room behind), and in which they give up waiting.
    pub(super) signed_in: [u32; TOGETHER],
    pub(super) month: [u32; TOGETHER + 2 * LISTED_AT_ONCE],
    pub(super) gives_up: [u32; TOGETHER],
    /// The first month of absence of those who move in when they want to; and who of them leave within the horizon.
    pub(super) leaves: [u32; TOGETHER],
    pub(super) leaving: [u32; TOGETHER],
    pub(super) patience: [f32; TOGETHER],
    pub(super) consent: [u32; TOGETHER],
    /// Room for a quantity that is used at once.
    pub(super) other: [f32; TOGETHER],
    /// What is kept of each beside, where the market keeps extras.
    pub(super) extra: [ContractExtra; TOGETHER],
    pub(super) counts: MonthCounts,
    /// The probability with which a company that is contacted is listed.
    pub(super) listed_share: f64,
}

impl Default for Draft {
    fn default() -> Self {
        const NOTHING: [f32; TOGETHER] = [0.0; TOGETHER];
        Self {
            len: 0,
            positions: [0; CALLS + LISTED_AT_ONCE],
            planes: [0; CALLS + LISTED_AT_ONCE],
            words: [[0; TOGETHER]; 2],
            runs: Vec::new(),
            signed: NOTHING,
            ready: NOTHING,
            sign_lag: NOTHING,
            amount: NOTHING,
            factor: [1.0; TOGETHER],
            step: [0; TOGETHER],
            steps_before: [0; TOGETHER + 1],
            drawn_ramp: NOTHING,
            ramp: [0; TOGETHER],
            common_ramp: None,
            term: NOTHING,
            beyond: NOTHING,
            stay: [0; TOGETHER],
            signed_in: [0; TOGETHER],
            month: [0; TOGETHER + 2 * LISTED_AT_ONCE],
            gives_up: [0; TOGETHER],
            leaves: [0; TOGETHER],
            leaving: [0; TOGETHER],
            patience: NOTHING,
            consent: [0; TOGETHER],
            other: NOTHING,
            extra: [ContractExtra::PLAIN; TOGETHER],
            counts: MonthCounts::default(),
            listed_share: 1.0,
        }
    }
}

impl Draft {
    /// Lists as many as there is room for of the companies of these numbers, the first of which is even, with their times
    /// of contact. How many these are.
    #[inline(always)]
    pub(super) fn list(
        &mut self,
        plane: u32,
        numbers: Range<u32>,
        time: impl Fn(u32) -> f32,
    ) -> u32 {
        let first = self.len;
        let count = self.list_places(plane, &numbers);
        let signed = &mut self.signed[first..self.len];
        for (number, signed) in (numbers.start..).zip(&mut *signed) {
            *signed = time(number);
        }
        if count % 2 == 1 {
            signed[count] = NOBODY;
        }
        count as u32
    }

    /// As [`Self::list`], of companies contacted in one month, without times but with that month.
    #[inline(always)]
    pub(super) fn list_run(&mut self, month: u32, numbers: Range<u32>) -> u32 {
        let first = self.len;
        let count = self.list_places(month, &numbers);
        for at in (first..self.len).step_by(2 * LISTED_AT_ONCE) {
            self.month[at..][..2 * LISTED_AT_ONCE].fill(month);
        }
        if count % 2 == 1 {
            self.month[first + count] = FOREVER;
        }
        self.runs.push(Run {
            month,
            first: first as u32,
            end: (first + count) as u32,
        });
        count as u32
    }

    /// Lists the places of the words of companies.
    #[inline(always)]
    fn list_places(&mut self, plane: u32, numbers: &Range<u32>) -> usize {
        let count = (numbers.len()).min(TOGETHER - self.len);
        let calls = count.div_ceil(2);
        let first = numbers.start / 2;
        let at = self.len / 2;
        for call in (0..calls).step_by(LISTED_AT_ONCE) {
            let positions = &mut self.positions[at + call..][..LISTED_AT_ONCE];
            for (lane, position) in positions.iter_mut().enumerate() {
                *position = first + (call + lane) as u32;
            }
            self.planes[at + call..][..LISTED_AT_ONCE].fill(plane);
        }
        self.len += 2 * calls;
        count
    }

    /// The place of one of the list among the words of its segment.
    pub(super) fn place(&self, number: usize) -> WordPlace {
        WordPlace {
            position: self.positions[number / 2],
            plane: self.planes[number / 2],
            is_second: number % 2 == 1,
        }
    }

    /// Units of power of one of the list.
    pub(super) fn size(&self, number: usize) -> i64 {
        self.step[number] * i64::from(self.ramp[number])
    }

    /// Units of power of some of the list.
    #[inline(always)]
    pub(super) fn sizes(&self, numbers: Range<usize>) -> impl Iterator<Item = i64> {
        let steps = self.step[numbers.clone()].iter();
        steps
            .zip(&self.ramp[numbers])
            .map(|(&step, &ramp)| step * i64::from(ramp))
    }

    /// Units of power of some of the list together.
    #[inline(always)]
    pub(super) fn size_of_all(&self, numbers: Range<usize>) -> i64 {
        match self.common_ramp {
            Some(ramp) => self.step[numbers].iter().sum::<i64>() * i64::from(ramp),
            None => self.sizes(numbers).sum(),
        }
    }

    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.len == TOGETHER
    }

    /// Fills it up to a multiple of the lanes with nobody.
    #[inline(always)]
    pub(super) fn pad(&mut self) {
        let full = self.len.next_multiple_of(2 * LANES);
        self.signed[self.len..full].fill(NOBODY);
        self.month[self.len..full].fill(FOREVER);
        self.positions[self.len / 2..full / 2].fill(0);
        self.planes[self.len / 2..full / 2].fill(0);
        self.len = full;
    }
}
