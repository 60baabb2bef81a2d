//! A catalogue of hardware generations, each with its source.
//!
//! Accelerator figures: Epoch AI, "Machine Learning Hardware" data (CC BY 4.0, epoch.ai),
//! dense TFLOPS without sparsity. What a rack takes is published only where it says so; elsewhere it
//! is an assumption, of accelerators x power of each with its share of host, network and fans.

use std::collections::BTreeMap;

use super::Generation;
use crate::date::Date;
use crate::power::Cooling;

/// A rack as it is sold or usually built.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CatalogueEntry {
    /// Its name, by which [`catalogue`] gives a [`Generation`].
    pub name: &'static str,
    /// Year and month of the release.
    pub released: (i16, i8),
    /// Accelerators in one rack.
    pub accelerators: u32,
    /// Dense FP16 or BF16 of one accelerator, in TFLOPS.
    pub fp16_tflops: f64,
    /// Dense FP8 of one accelerator, in TFLOPS; none where it has no FP8.
    pub fp8_tflops: Option<f64>,
    /// Critical IT power of the rack, in kW.
    pub rack_power_kw: f64,
    /// Rack positions that it takes.
    pub positions: u32,
    /// The cooling that it needs.
    pub cooling: Cooling,
    /// Where the figures of the rack come from.
    pub source: &'static str,
}

const fn rack(
    name: &'static str,
    released: (i16, i8),
    accelerators: u32,
    tflops: (f64, Option<f64>),
    rack_power_kw: f64,
    cooling: Cooling,
    source: &'static str,
) -> CatalogueEntry {
    CatalogueEntry {
        name,
        released,
        accelerators,
        fp16_tflops: tflops.0,
        fp8_tflops: tflops.1,
        rack_power_kw,
        positions: 1,
        cooling,
        source,
    }
}

/// All entries, the oldest first.
pub const CATALOGUE: &[CatalogueEntry] = &[
    rack(
        "A100 4x8",
        (2020, 11),
        32,
        (312.0, None),
        26.0,
        Cooling::Air,
        "Epoch AI (chip); four servers of 6.5 kW, an assumption",
    ),
    rack(
        "Ascend 910B 3x8",
        (2022, 3),
        24,
        (376.0, None),
        21.0,
        Cooling::Air,
        "Epoch AI (chip); racks of about 21 kW at Qingyang, the servers in them an assumption",
    ),
    rack(
        "H100 4x8",
        (2022, 9),
        32,
        (989.0, Some(1_979.0)),
        40.8,
        Cooling::Air,
        "Epoch AI (chip); DGX H100 of 10.2 kW, unverified",
    ),
    rack(
        "H20 4x8",
        (2023, 11),
        32,
        (148.0, None),
        26.0,
        Cooling::Air,
        "Epoch AI (chip); four servers of 6.5 kW, an assumption",
    ),
    rack(
        "MI300X 4x8",
        (2023, 12),
        32,
        (1_307.0, Some(2_615.0)),
        42.0,
        Cooling::Air,
        "Epoch AI (chip); four servers of 10.5 kW, an assumption",
    ),
    CatalogueEntry {
        positions: 16,
        ..rack(
            "CloudMatrix 384",
            (2024, 10),
            384,
            (781.25, None),
            560.0,
            Cooling::DirectToChip,
            "300 PFLOPS at about 560 kW in 16 racks; 910C of 752 to 800 TFLOPS",
        )
    },
    rack(
        "B200 4x8",
        (2024, 11),
        32,
        (2_250.0, Some(4_500.0)),
        57.2,
        Cooling::DirectToChip,
        "Epoch AI (chip); DGX B200 of 14.3 kW, unverified",
    ),
    rack(
        "Trainium2 2x16",
        (2024, 12),
        32,
        (667.0, Some(1_299.0)),
        27.0,
        Cooling::Air,
        "Epoch AI (chip); the rack's power is an assumption",
    ),
    rack(
        "GB200 NVL72",
        (2025, 2),
        72,
        (2_500.0, Some(5_000.0)),
        145.0,
        Cooling::DirectToChip,
        "180 PFLOPS dense BF16 at 145 kW",
    ),
    rack(
        "GB300 NVL72",
        (2025, 8),
        72,
        (2_500.0, Some(5_000.0)),
        150.0,
        Cooling::DirectToChip,
        "Epoch AI (chip); the rack's power is an assumption above that of the GB200 NVL72",
    ),
];

impl CatalogueEntry {
    /// Compute of the rack by precision, in PFLOPS.
    pub fn rack_pflops(&self) -> BTreeMap<String, f64> {
        let pflops = |tflops: f64| f64::from(self.accelerators) * tflops / 1_000.0;
        let mut by_precision =
            BTreeMap::from([("fp16_dense".to_owned(), pflops(self.fp16_tflops))]);
        if let Some(tflops) = self.fp8_tflops {
            by_precision.insert("fp8_dense".to_owned(), pflops(tflops));
        }
        by_precision
    }

    /// The generation of a scenario, available from its release, with no lead time yet.
    pub fn generation(&self) -> Generation {
        let mut generation = Generation::new(self.name, self.rack_power_kw, "fp16_dense", 0.0);
        let by_precision = self.rack_pflops().into_iter();
        generation.rack_pflops = by_precision
            .map(|(precision, pflops)| (precision, pflops.into()))
            .collect();
        generation.available_from = Date::month(self.released.0, self.released.1).ok();
        generation.rack_positions = self.positions;
        generation.cooling = Some(self.cooling);
        generation.rack_accelerators = Some(self.accelerators);
        generation
    }
}

/// The generation of that name in the [`CATALOGUE`].
///
/// ```
/// let rack = buildout::compute::catalogue("GB200 NVL72").expect("an entry");
/// assert_eq!(rack.rack_pflops["fp16_dense"].constant(), Some(180.0));
/// ```
pub fn catalogue(name: &str) -> Option<Generation> {
    CATALOGUE
        .iter()
        .find(|entry| entry.name == name)
        .map(CatalogueEntry::generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_racks_come_out() {
        let pflops = |name: &str| {
            let pflops = &catalogue(name).unwrap().rack_pflops["fp16_dense"];
            pflops.constant().unwrap()
        };
        assert_eq!(pflops("GB200 NVL72"), 180.0);
        assert_eq!(pflops("CloudMatrix 384"), 300.0);
        assert!((pflops("Ascend 910B 3x8") - 9.024).abs() < 1e-12);
    }

    #[test]
    fn a_hundred_thousand_h100_take_what_the_published_campus_takes() {
        // Colossus 1: 139 MW of IT; 10.2 kW for eight give 127.5 MW, the network the rest.
        let rack = catalogue("H100 4x8").unwrap();
        let it_mw = 100_000.0 / 32.0 * rack.rack_power_kw.constant().unwrap() / 1_000.0;
        assert!((it_mw / 139.0 - 1.0).abs() < 0.1, "{it_mw}");
    }

    #[test]
    fn entries_are_dated_in_order_and_within_what_their_cooling_takes() {
        assert!(CATALOGUE.is_sorted_by_key(|entry| entry.released));
        for entry in CATALOGUE {
            let per_position = entry.rack_power_kw / f64::from(entry.positions);
            assert!(
                per_position <= entry.cooling.usual_limit_kw() * 1.1,
                "{}",
                entry.name
            );
            assert!(entry.generation().available_from.is_some());
        }
    }
}
