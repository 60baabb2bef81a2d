//! Racks and what stands in them.

use super::{Part, Preset, Source, assumption, published, unverified};
use crate::compute::{Generation, RackType};
use crate::date::Date;
use crate::uncertain::Uncertain;

macro_rules! rack_types {
    ($($name:literal, $kw:literal, $summary:literal, [$($source:expr),* $(,)?];)*) => {
        pub(super) const RACK_TYPES: &[Preset] = &[$(Preset {
            name: $name,
            list: "rack_types",
            summary: $summary,
            sources: &[$($source),*],
            make: || Part::RackType(RackType::new($name, $kw)),
        }),*];
    };
}

const DENSITIES: Source = published(
    "Rack density went from 40 kW to 132 kW and on to 600 kW within three generations of hardware (vendors' road maps; titles and years unverified)",
);

rack_types! {
    "standard rack", 2.5, "The standard rack of Chinese statistics",
        [published("2.5 kW by definition (national statistics of China; title and year unverified)")];
    "10 kW rack", 10.0, "A dense air-cooled rack of general-purpose servers",
        [assumption("10 kW; a round figure between the standard rack and GPU racks")];
    "21 kW rack", 21.0, "Air-cooled racks as in China Mobile's phase 1 at Qingyang",
        [published("About 3,500 racks of about 21 kW (China Mobile, announcement on Qingyang phase 1, 2024; title unverified)")];
    "40 kW rack", 40.0, "An air-cooled GPU rack: four servers of eight accelerators", [DENSITIES];
    "145 kW rack", 145.0, "A liquid-cooled rack of 72 accelerators",
        [published("GB200 NVL72: 145 kW a rack (vendor's figures in Epoch AI, Machine Learning Hardware, CC BY, 2025)"), DENSITIES];
    "600 kW rack", 600.0, "The densest rack announced", [DENSITIES];
}

const EPOCH: Source = published(
    "Dense FP16/BF16 and FP8 TFLOPS and release date: Epoch AI, Machine Learning Hardware, CC BY, 2025",
);
const SERVERS: Source = unverified(
    "Four servers of eight in a rack; a server takes 10.2 kW (H100 class) or 14.3 kW (B200 class)",
);
const SCALED: Source = assumption(
    "Server power is scaled from a server of eight H100 (10.2 kW at 8 x 0.7 kW) by the chip's rated power",
);
const LEAD_TIME: Source =
    assumption("Lead time of 3, 5 and 10 months (PERT): no survey of accelerators was found");

struct Rack {
    name: &'static str,
    power_kw: f64,
    fp16: f64,
    fp8: Option<f64>,
    from: (i16, i8),
}

impl Rack {
    fn part(self) -> Part {
        let mut generation = Generation::new(self.name, self.power_kw, "fp16_dense", self.fp16);
        if let Some(fp8) = self.fp8 {
            let precision = "fp8_dense".to_owned();
            generation.rack_pflops.insert(precision, fp8.into());
        }
        generation.available_from = Date::month(self.from.0, self.from.1).ok();
        generation.lead_time_months = Uncertain::pert(3.0, 5.0, 10.0);
        if self.name == TREND {
            generation.growth_per_year = Uncertain::pert(0.26, 0.33, 0.40);
        }
        Part::Generation(generation)
    }
}

const TREND: &str = "liquid trend";

macro_rules! generations {
    ($($name:expr, $kw:expr, $fp16:expr, $fp8:expr, $from:expr, $summary:literal, [$($source:expr),* $(,)?];)*) => {
        pub(super) const GENERATIONS: &[Preset] = &[$(Preset {
            name: $name,
            list: "generations",
            summary: $summary,
            sources: &[$($source),*],
            make: || Rack { name: $name, power_kw: $kw, fp16: $fp16, fp8: $fp8, from: $from }.part(),
        }),*];
    };
}

// PFLOPS of a rack: chips x TFLOPS / 1,000.
generations! {
    "A100", 24.0, 32.0 * 0.312, None, (2020, 11), "32 A100 SXM 80 GB in four servers",
        [EPOCH, assumption("6 kW a server of eight"), LEAD_TIME];
    "H100", 40.8, 32.0 * 0.989, Some(32.0 * 1.979), (2022, 9), "32 H100 SXM in four servers",
        [EPOCH, SERVERS, LEAD_TIME];
    "H200", 40.8, 32.0 * 0.989, Some(32.0 * 1.979), (2024, 11), "32 H200 SXM in four servers",
        [EPOCH, SERVERS, LEAD_TIME];
    "H20", 23.3, 32.0 * 0.148, None, (2023, 11), "32 H20 in four servers",
        [EPOCH, SCALED, LEAD_TIME];
    "MI300X", 43.7, 32.0 * 1.307, Some(32.0 * 2.615), (2023, 12), "32 MI300X in four servers",
        [EPOCH, SCALED, LEAD_TIME];
    "B200", 57.2, 32.0 * 2.25, Some(32.0 * 4.5), (2024, 11), "32 B200 in four servers",
        [EPOCH, SERVERS, LEAD_TIME];
    "GB200 NVL72", 145.0, 180.0, Some(360.0), (2025, 2), "A rack of 72 GB200",
        [published("180 PFLOPS dense BF16 at 145 kW a rack (vendor's figures in Epoch AI, Machine Learning Hardware, CC BY, 2025)"), LEAD_TIME];
    "GB300 NVL72", 159.4, 180.0, Some(360.0), (2025, 8), "A rack of 72 GB300",
        [EPOCH, assumption("145 kW and 72 x 0.2 kW more than a rack of GB200, as the chips are rated"), LEAD_TIME];
    "910B", 21.0, 24.0 * 0.376, None, (2022, 3), "24 Ascend 910B in three servers",
        [published("376 TFLOPS dense FP16, 280 to 400 by variant (Epoch AI, Machine Learning Hardware, CC BY, 2025)"), assumption("Three servers of eight in a rack of 21 kW"), LEAD_TIME];
    "CloudMatrix 384", 35.0, 300.0 / 16.0, None, (2025, 4), "One of the sixteen racks of a CloudMatrix 384",
        [published("300 PFLOPS dense BF16 at about 560 kW for the whole (vendor's figures in the press, 2025; title unverified)"), unverified("Sixteen racks, over which power and compute are spread evenly"), LEAD_TIME];
    TREND, 145.0, 180.0, Some(360.0), (2025, 2), "Hardware not yet announced: a rack of 72 GB200 and then the trend",
        [published("Energy efficiency grows by 26 to 40 % a year, or doubles in three years (Epoch AI, trends, CC BY; TOP500 list; titles and years unverified)"), assumption("PERT with the middle as its mode, at constant rack power"), LEAD_TIME];
}
