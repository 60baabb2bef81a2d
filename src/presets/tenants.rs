//! Groups of tenants.

use super::{Part, Preset, Source, assumption, published, unverified};
use crate::tenants::Segment;
use crate::uncertain::Uncertain;

const DRAW: Source = published(
    "Tenants draw under 60 % of the power that they lease (operator's report; title, publisher and year unverified)",
);
const CHURN: Source = unverified(
    "Colocation churn of about 2 to 2.5 % a quarter (second-hand; title, publisher and year unverified)",
);
const FUNNEL: Source = assumption(
    "Outreach, probability and lag of signing, contract sizes, ramps and terms: a funnel differs from place to place, so replace these first",
);

/// What all have in common: churn after the term, and a draw below the lease.
fn segment(name: &str) -> Segment {
    let mut segment = Segment::new(name);
    // 2 to 2.5 % a quarter is 0.67 to 0.84 % a month.
    segment.churn_per_month = Uncertain::pert(0.004, 0.0075, 0.012);
    segment.draw_share = Uncertain::pert(0.4, 0.55, 0.7);
    segment.patience_months = Some(Uncertain::pert(9.0, 18.0, 36.0));
    segment
}

fn hyperscaler() -> Part {
    let mut segment = segment("hyperscaler");
    segment.outreach_per_month = Uncertain::pert(0.1, 0.2, 0.4);
    segment.sign_probability = Uncertain::pert(0.1, 0.3, 0.5);
    segment.sign_lag_months = Uncertain::pert(6.0, 9.0, 18.0);
    segment.contract_power_kw = Some(Uncertain::lognormal(20_000.0, 0.7));
    segment.largest_contract_kw = Some(100_000.0);
    segment.ramp_months = Uncertain::discrete([(12.0, 0.3), (24.0, 0.4), (48.0, 0.3)]);
    segment.term_months = Uncertain::discrete([(120.0, 0.5), (144.0, 0.5)]);
    Part::Segment(Box::new(segment))
}

fn ai() -> Part {
    let mut segment = segment("AI");
    segment.outreach_per_month = Uncertain::pert(1.0, 2.0, 4.0);
    segment.outreach_growth_per_year = Uncertain::pert(-0.1, 0.15, 0.4);
    segment.sign_probability = Uncertain::pert(0.1, 0.2, 0.35);
    segment.sign_lag_months = Uncertain::pert(2.0, 4.0, 9.0);
    segment.contract_power_kw = Some(Uncertain::lognormal(1_000.0, 1.2));
    segment.largest_contract_kw = Some(40_000.0);
    segment.ramp_months = Uncertain::discrete([(3.0, 0.5), (6.0, 0.5)]);
    segment.term_months = Uncertain::discrete([(24.0, 0.4), (36.0, 0.6)]);
    segment.draw_share = Uncertain::pert(0.5, 0.7, 0.9);
    segment.utilisation = Uncertain::pert(0.5, 0.7, 0.85);
    Part::Segment(Box::new(segment))
}

fn enterprise() -> Part {
    let mut segment = segment("enterprise");
    segment.outreach_per_month = Uncertain::pert(5.0, 10.0, 20.0);
    segment.sign_probability = Uncertain::pert(0.1, 0.2, 0.3);
    segment.sign_lag_months = Uncertain::pert(2.0, 5.0, 12.0);
    segment.contract_power_kw = Some(Uncertain::lognormal(100.0, 1.0));
    segment.largest_contract_kw = Some(2_000.0);
    segment.ramp_months = Uncertain::from(6.0);
    segment.term_months = Uncertain::discrete([(36.0, 0.6), (60.0, 0.4)]);
    segment.utilisation = Uncertain::pert(0.2, 0.35, 0.5);
    Part::Segment(Box::new(segment))
}

pub(super) const SEGMENTS: &[Preset] = &[
    Preset {
        name: "hyperscaler",
        list: "segments",
        summary: "A few tenants of tens of MW with long terms and ramps of up to four years",
        sources: &[
            published(
                "Terms of up to 12 years with a ramp of up to 4 years (AEP Ohio, Data Center Tariff, approved in 2025)",
            ),
            DRAW,
            CHURN,
            FUNNEL,
        ],
        make: hyperscaler,
    },
    Preset {
        name: "AI",
        list: "segments",
        summary: "AI firms that lease about a MW and draw most of it",
        sources: &[
            published(
                "Training leaves about 3 % of headroom, inference about 21 % (Patel and others, POLCA: Power Oversubscription in LLM Cloud Providers, 2023; figures unverified)",
            ),
            published(
                "A cluster at Qingyang ran at nearly 80 % (press report on the city's computing cluster, autumn 2024; title unverified)",
            ),
            CHURN,
            FUNNEL,
        ],
        make: ai,
    },
    Preset {
        name: "enterprise",
        list: "segments",
        summary: "Many small tenants",
        sources: &[DRAW, CHURN, FUNNEL],
        make: enterprise,
    },
];
