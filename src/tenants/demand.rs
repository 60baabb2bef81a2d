//! All that a scenario says of its tenants, checked as a whole.

use super::{NamedTenant, Regime, Segment, Voucher};
use crate::compute::PlannedGeneration;
use crate::problem::{Path, Problems, check_list};

/// The demand of a scenario.
#[derive(Clone, Copy)]
pub(crate) struct Demand<'a> {
    pub(crate) segments: &'a [Segment],
    pub(crate) tenants: &'a [NamedTenant],
    pub(crate) regimes: &'a [Regime],
    pub(crate) vouchers: &'a [Voucher],
}

/// What demand refers to.
pub(crate) struct Around<'a> {
    pub(crate) campuses: Vec<&'a str>,
    pub(crate) rack_types: Vec<&'a str>,
    pub(crate) generations: &'a [PlannedGeneration],
    /// The precision in which PFLOPS are counted.
    pub(crate) precision: &'a str,
}

impl<'a> Demand<'a> {
    /// The names of segments.
    pub(crate) fn segment_names(self) -> impl Iterator<Item = &'a str> + Clone {
        self.segments.iter().map(|segment| segment.name.as_str())
    }

    /// The names of segments, and of tenants known by name.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a str> + Clone {
        let tenants = self.tenants.iter().map(|tenant| tenant.name.as_str());
        self.segment_names().chain(tenants)
    }

    /// Notes what is wrong with it, at `root`, the place of the scenario.
    pub(crate) fn check(self, around: &Around<'_>, root: &Path, problems: &mut Problems) {
        let segments = self.segment_names();
        let campuses = around.campuses.iter().copied();
        check_list(
            "segment",
            self.segments,
            |segment| &segment.name,
            &root.key("segments"),
            problems,
            |segment, at, problems| segment.check(around, at, problems),
        );
        check_list(
            "tenant",
            self.tenants,
            |tenant| &tenant.name,
            &root.key("tenants"),
            problems,
            |one, at, problems| one.check(segments.clone(), campuses.clone(), at, problems),
        );
        check_list(
            "regime",
            self.regimes,
            |regime| &regime.name,
            &root.key("regimes"),
            problems,
            |regime, at, problems| regime.check(self.names(), at, problems),
        );
        check_list(
            "voucher",
            self.vouchers,
            |voucher| &voucher.name,
            &root.key("vouchers"),
            problems,
            |voucher, at, problems| voucher.check(self.names(), at, problems),
        );
    }
}
