//! How long buildings and their equipment take, and what connects them.

use super::{Part, Preset, Source, assumption, published, unverified, weeks};
use crate::power::{GridStep, Substation};
use crate::schedule::{Activity, Dependency};
use crate::site::{BuildingTemplate, Hall};
use crate::uncertain::Uncertain;

const SPLIT: Source = assumption(
    "A fifth of the total is permits and site, two fifths the shell, three tenths fit-out, a tenth commissioning; PERT on the published range with its middle as the mode",
);

/// A building of one hall whose total of months lies between `least` and `most`.
fn building(name: &str, racks: u32, rack_type: &str, least: f64, most: f64) -> Part {
    let middle = (least + most) / 2.0;
    let activities = [
        ("permit", 0.2),
        ("shell", 0.4),
        ("fit-out", 0.3),
        ("commissioning", 0.1),
    ]
    .map(|(name, share)| {
        let duration = Uncertain::pert(least * share, middle * share, most * share);
        Activity::new(name, duration)
    });
    Part::BuildingTemplate(BuildingTemplate::new(
        name,
        activities.to_vec(),
        vec![Hall::new("hall", racks, rack_type)],
    ))
}

macro_rules! templates {
    ($($name:literal, $racks:literal of $rack_type:literal, $least:literal to $most:literal, $summary:literal, $source:literal;)*) => {
        const BY_SIZE: &[Preset] = &[$(Preset {
            name: $name,
            list: "building_templates",
            summary: $summary,
            sources: &[published($source), SPLIT],
            make: || building($name, $racks, $rack_type, $least, $most),
        }),*];
    };
}

templates! {
    "12 MW building", 1200 of "10 kW rack", 12.0 to 18.0, "12 MW of critical IT power; needs the rack type \"10 kW rack\"",
        "5 to 15 MW take 12 to 18 months in all (Cortex Construct, How Long Does It Take to Build a Data Center?, 2026)";
    "24 MW building", 600 of "40 kW rack", 18.0 to 24.0, "24 MW of critical IT power; needs the rack type \"40 kW rack\"",
        "15 to 30 MW take 18 to 24 months in all (Cortex Construct, How Long Does It Take to Build a Data Center?, 2026)";
    "48 MW building", 1200 of "40 kW rack", 20.0 to 30.0, "48 MW of critical IT power; needs the rack type \"40 kW rack\"",
        "30 to 60 MW take 20 to 30 months in all (Cortex Construct, How Long Does It Take to Build a Data Center?, 2026)";
    "116 MW AI building", 800 of "145 kW rack", 24.0 to 36.0, "116 MW of critical IT power; needs the rack type \"145 kW rack\"",
        "Over 100 MW takes 24 to 36 months and more in all (Cortex Construct, How Long Does It Take to Build a Data Center?, 2026)";
}

fn container_block() -> Part {
    Part::BuildingTemplate(BuildingTemplate::new(
        "container block",
        vec![Activity::new("containers", Uncertain::pert(3.0, 4.0, 6.0))],
        vec![Hall::new("containers", 300, "21 kW rack")],
    ))
}

fn ai_campus() -> Part {
    let duration = Uncertain::percentiles(15.5, 27.4, 44.2);
    Part::BuildingTemplate(BuildingTemplate::new(
        "AI campus",
        vec![Activity::new("land clearing to first power", duration)],
        vec![Hall::new("halls", 1_000, "145 kW rack")],
    ))
}

const OTHERS: [Preset; 2] = [
    Preset {
        name: "container block",
        list: "building_templates",
        summary: "300 racks in containers; needs the rack type \"21 kW rack\"",
        sources: &[
            published(
                "Containers took 4 months instead of 18 (China Mobile, announcement on Qingyang phase 1, 2024; title unverified)",
            ),
            assumption("3 months at least, 6 at most; 300 racks a block"),
        ],
        make: container_block,
    },
    Preset {
        name: "AI campus",
        list: "building_templates",
        summary: "145 MW from land clearing to first power as one activity; needs the rack type \"145 kW rack\"",
        sources: &[
            published(
                "42 energised AI campuses: median 27.4 months, P10 15.5, P90 44.2 (Epoch AI, data on AI campuses, CC BY; title and year unverified)",
            ),
            assumption("1,000 racks; change them to your plan"),
        ],
        make: ai_campus,
    },
];

pub(super) const TEMPLATES: &[Preset] = &[
    BY_SIZE[0], BY_SIZE[1], BY_SIZE[2], BY_SIZE[3], OTHERS[0], OTHERS[1],
];

const LEAD_TIMES: &str = "Lead times as quoted (Cushman & Wakefield, Data Center Development Cost Guide, 2025; how many quotes, and how many orders came later, is not published)";
const TRANSFORMERS: &str = "Averages of makers' answers (Wood Mackenzie, survey of the second quarter of 2025, in POWER Magazine, Transformers in 2026, 2026); up to 4 years (pv magazine USA, 2026; title unverified)";
const BREAKERS: &str =
    "Lead times as quoted in 2024 and 2025 (industry survey; title and publisher unverified)";

macro_rules! activities {
    ($($name:literal, $duration:expr, $summary:literal, [$($source:expr),* $(,)?];)*) => {
        pub(super) const ACTIVITIES: &[Preset] = &[$(Preset {
            name: $name,
            list: "activities",
            summary: $summary,
            sources: &[$($source),*],
            make: || Part::Activity(Activity::new($name, $duration)),
        }),*];
    };
}

activities! {
    "planning", Uncertain::uniform(3.0, 6.0), "Planning of a data centre",
        [published("3 to 6 months (NTL Consulting, Data Center Construction, 2025, which names no survey)")];
    "design", Uncertain::uniform(6.0, 12.0), "Design of a data centre",
        [published("6 to 12 months (NTL Consulting, Data Center Construction, 2025, which names no survey)")];
    "permits", Uncertain::uniform(6.0, 18.0), "Permits for a data centre",
        [published("6 to 18 months (NTL Consulting, Data Center Construction, 2025, which names no survey)")];
    "construction", Uncertain::uniform(12.0, 36.0), "Construction of a data centre",
        [published("12 to 36 months (NTL Consulting, Data Center Construction, 2025, which names no survey)")];
    "AI campus to first power", Uncertain::percentiles(12.4, 27.3, 45.2), "From land clearing, or the first sight of a campus, to its first power",
        [
            published("40 AI campuses begun from 2018 to 2026: 29 have power, 11 go on and count as longer (Epoch AI, Frontier Data Centers, CC BY, as of August 2026)"),
            published("Weibull, scale 31.9 and shape 2.4, of the least AIC: `buildout fit examples/forecast/first-power.csv --as-of 2026-08-03`"),
            assumption("Not the time from an announcement, nor that of campuses that never grew to matter: they are not in the data"),
        ];
    "grid connection", Uncertain::pert(24.0, 48.0, 72.0), "Grid connection of a data centre in a hot US market, from application to power",
        [
            published("About 4 years on average in hot US markets (industry surveys of 2024 and 2025; titles and publishers unverified; how many, and what was withdrawn, is not published)"),
            assumption("24 months at least, 72 at most; not a connection elsewhere, nor one that is withdrawn"),
        ];
    "nuclear reactor", Uncertain::lognormal(75.6, 0.59), "A nuclear reactor, from the start of construction to the grid, as the extreme of what power may take",
        [
            unverified("Median 6.3 years and mean 7.5 of the reactors that came into operation up to March 2023 (International Atomic Energy Agency, Power Reactor Information System, 2023, as evaluated by others; how many is not stated)"),
            assumption("Lognormal of that median and mean; without permits, and without reactors that go on or were given up, so that it is too short"),
        ];
    "roof to operation", Uncertain::pert(3.0, 5.0, 8.0), "Fit-out of halls: from the finished roof to operation",
        [
            published("About 5 months (Epoch AI, survey of AI campuses by satellite pictures, CC BY; title and year unverified; those not finished are not in the figure)"),
            assumption("3 months at least, 8 at most; not the fit-out of a colocation hall, whose tenants come one by one"),
        ];
    "switchgear", Uncertain::uniform(weeks(46.0), weeks(48.0)), "Medium-voltage switchgear, from order to site",
        [published("46 to 48 weeks"), published(LEAD_TIMES)];
    "chillers", Uncertain::uniform(weeks(30.0), weeks(40.0)), "Chillers, from order to site",
        [published("30 to 40 weeks"), published(LEAD_TIMES)];
    "generators", Uncertain::pert(weeks(30.0), weeks(34.0), weeks(110.0)), "Standby generators, from order to site",
        [published("30 to 38 weeks, up to 110"), published(LEAD_TIMES), assumption("PERT with 34 weeks as its mode")];
    "UPS", Uncertain::uniform(weeks(28.0), weeks(36.0)), "Uninterruptible power supplies, from order to site",
        [published("28 to 36 weeks"), published(LEAD_TIMES)];
    "power transformer", Uncertain::pert(weeks(52.0), weeks(127.0), weeks(208.0)), "Power transformer, from order to site",
        [published("128 weeks on average, up to 4 years"), published(TRANSFORMERS), assumption("52 weeks at least; PERT of that mean")];
    "generator step-up transformer", Uncertain::pert(weeks(60.0), weeks(149.0), weeks(208.0)), "Generator step-up transformer, from order to site",
        [published("144 weeks on average, up to 4 years"), published(TRANSFORMERS), assumption("60 weeks at least; PERT of that mean")];
    "high-voltage breakers", Uncertain::uniform(24.0, 42.0), "High-voltage circuit breakers, from order to site",
        [published("24 to 42 months"), published(BREAKERS)];
}

pub(super) const GRID: &[Preset] = &[Preset {
    name: "US grid connection",
    list: "grid",
    summary: "100 MW from the grid of a hot US market",
    sources: &[
        published(
            "About 4 years on average in hot US markets (industry survey; title, publisher and year unverified)",
        ),
        assumption("24 months at least, 72 at most; 100 MW"),
    ],
    make: || {
        Part::GridStep(GridStep::new(
            "US grid connection",
            100.0,
            Uncertain::pert(24.0, 48.0, 72.0),
        ))
    },
}];

fn substation() -> Part {
    let mut transformer = Activity::new(
        "power transformer",
        Uncertain::pert(weeks(52.0), weeks(127.0), weeks(208.0)),
    );
    let after = |name: &str| Dependency::from(name);
    transformer.after = Some(vec![after("design and permit")]);
    let mut breakers = Activity::new("high-voltage breakers", Uncertain::uniform(24.0, 42.0));
    breakers.after = Some(vec![after("design and permit")]);
    let mut energisation = Activity::new("energisation", Uncertain::triangular(1.0, 2.0, 4.0));
    energisation.after = Some(vec![
        after("power transformer"),
        after("high-voltage breakers"),
    ]);
    Part::Substation(Substation::new(
        "110 kV substation",
        120.0,
        vec![
            Activity::new("design and permit", Uncertain::pert(3.0, 6.0, 12.0)),
            transformer,
            breakers,
            energisation,
        ],
    ))
}

pub(super) const SUBSTATIONS: &[Preset] = &[Preset {
    name: "110 kV substation",
    list: "substations",
    summary: "120 MW: design and permit, then transformer and breakers side by side, then energisation",
    sources: &[
        published("Power transformer 128 weeks on average, up to 4 years"),
        published(TRANSFORMERS),
        published("High-voltage breakers 24 to 42 months"),
        published(BREAKERS),
        assumption(
            "120 MW; design and permit of 3, 6 and 12 months; energisation of 1, 2 and 4 months",
        ),
    ],
    make: substation,
}];
