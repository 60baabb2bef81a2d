//! What is reported for each month, for each campus and in total.

/// A metric that trials report for each month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricLabel {
    /// Its name in results and targets.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it says of the end of a month.
    pub meaning: &'static str,
}

macro_rules! metrics {
    // Name, unit and meaning of each, and what must be used for it to be reported, if not always.
    ($($id:ident = $name:literal, $unit:literal, $meaning:literal $(, if $feature:ident)?;)*) => {
        /// The position of a metric in [`METRICS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum MetricId { $($id),* }

        impl MetricId {
            /// All of them, in the order of [`METRICS`].
            pub(crate) const ALL: &[Self] = &[$(Self::$id),*];
        }

        /// All metrics, in the order of results.
        pub const METRICS: &[MetricLabel] = &[
            $(MetricLabel { name: $name, unit: $unit, meaning: $meaning }),*
        ];

        /// What must be used for each of [`METRICS`] to be reported.
        const FEATURES: &[Option<Feature>] = &[
            $(metrics!(@feature $($feature)?)),*
        ];
    };
    (@feature) => { None };
    (@feature $feature:ident) => { Some(Feature::$feature) };
}

metrics! {
    RacksBuilt = "racks_built", "racks", "Racks for which there is space that has been handed over";
    RacksEnergised = "racks_energised", "racks", "Racks with space and power";
    RacksDeployable = "racks_deployable", "racks", "Racks with space, power and equipment: live";
    RacksInService = "racks_in_service", "racks", "Live racks that tenants use";
    StandardRacks = "standard_racks", "standard racks", "Deployable critical IT power in standard racks";
    ItPower = "it_power_mw", "MW", "Deployable critical IT power";
    FacilityPower = "facility_power_mw", "MW", "Facility power of the deployable capacity: critical IT power x PUE";
    LeasedPower = "leased_power_mw", "MW", "Critical IT power leased by tenants that have moved in";
    InServicePower = "in_service_power_mw", "MW", "Critical IT power in service: leased and ramped up";
    ItDraw = "it_draw_mw", "MW", "Power drawn by the IT equipment in service";
    FacilityDraw = "facility_draw_mw", "MW", "Power drawn by the facility: IT draw x PUE";
    InstalledPflops = "installed_pflops", "PFLOPS", "Compute of the deployable racks";
    InServicePflops = "in_service_pflops", "PFLOPS", "Compute of the racks in service";
    EffectivePflops = "effective_pflops", "PFLOPS", "Compute in service x availability x utilisation";
    CompaniesContacted = "companies_contacted", "companies", "Companies contacted since outreach began";
    ContractsSigned = "contracts_signed", "contracts", "Contracts signed since outreach began";
    Subsidiaries = "subsidiaries", "companies", "Subsidiaries established since outreach began";
    ContractsInService = "contracts_in_service", "contracts", "Contracts that have moved in and not left";
    ContractsLost = "contracts_lost", "contracts", "Contracts lost for want of capacity since the start";
    WaitingDemand = "waiting_demand_mw", "MW", "Critical IT power that signed contracts wait for";
    CommittedPower = "committed_mw", "MW", "Critical IT power that signed contracts lease, wait for or will want", if Commitments;
    PreLeased = "pre_leased", "share", "Committed power / power of what is there and of the buildings that have been started", if Commitments;
    PreLeasedLatest = "pre_leased_of_latest", "share", "Share of the buildings started last that is let if commitments fill all that were started before them first", if Commitments;
    WaitingRacks = "waiting_standard_racks", "standard racks", "What signed contracts wait for, in standard racks", if Commitments;
    WaitingTime = "waiting_months", "months", "Mean time that the contracts which have moved in so far waited for room", if Commitments;
    EndedPower = "leases_ended_mw", "MW", "Critical IT power of the leases that ended in the month: churn", if Commitments;
    ContractsLeft = "contracts_left", "contracts", "Contracts that have moved in and left since the start", if Commitments;
    ContractsLeftEarly = "contracts_left_early", "contracts", "Of the contracts that left, those that did before the end of their term", if Commitments;
    LostWithoutRoom = "contracts_lost_without_room", "contracts", "Of the contracts lost, those for which no campus that they accept had live capacity, or enough for one that must not be split", if Commitments;
    CompaniesDeclined = "companies_declined", "companies", "Companies that have decided against signing since the start", if Commitments;
    TakeUp = "take_up", "share", "Power in service / deployable power";
    StrandedSpace = "stranded_space_without_power_mw", "MW", "Built space whose power has not come";
    StrandedPower = "stranded_power_without_space_mw", "MW", "Energised power for which no space is built yet";
    StrandedEquipment = "stranded_equipment_late_mw", "MW", "Space with power whose equipment has not arrived";
    BindingPower = "binding_constraint_mw", "MW", "Capacity in service held back by the binding constraint";
    StrandedRedundancy = "stranded_redundancy_not_complete_mw", "MW", "Built space whose electrical modules are there but wait for the redundancy to be complete", if ElectricalChain;
    UnavailableCompute = "unavailable_pflops", "PFLOPS", "Of the effective compute, what failures of power, hardware and the campus are expected to cost", if ElectricalChain;
    BuiltPower = "built_power_mw", "MW", "What the halls handed over are made for: positions x power of their rack type, within the power of the hall", if Density;
    StrandedDensity = "stranded_density_mw", "MW", "Of the built power, what the racks in the positions do not take because they are less dense, or larger, than the hall is made for", if Density;
    StrandedCooling = "stranded_cooling_mw", "MW", "Of the built power, what the cooling of the hall cannot take away", if Density;
    StrandedDelivery = "stranded_delivery_mw", "MW", "Of the built power, racks that find no room in the delivery tree in normal running or after a failure", if Density;
    ItPowerTo20 = "it_power_racks_to_20_kw_mw", "MW", "Deployable critical IT power of racks of up to 20 kW a position", if Density;
    ItPowerTo60 = "it_power_racks_20_to_60_kw_mw", "MW", "Deployable critical IT power of racks of more than 20, up to 60 kW a position", if Density;
    ItPowerTo200 = "it_power_racks_60_to_200_kw_mw", "MW", "Deployable critical IT power of racks of more than 60, up to 200 kW a position", if Density;
    ItPowerAbove200 = "it_power_racks_above_200_kw_mw", "MW", "Deployable critical IT power of racks of more than 200 kW a position", if Density;
    EmbodiedCarbon = "embodied_carbon_t", "t", "CO2 of making the hardware delivered and the buildings handed over since the start", if EmbodiedCarbon;
    EmbodiedCarbonReplaced = "embodied_carbon_replaced_t", "t", "Of the embodied carbon, what was spent on hardware that has been taken out since", if EmbodiedCarbon;
    ElectricalLosses = "electrical_losses_mw", "MW", "Power lost in the electrical chain", if Efficiency;
    CoolingPower = "cooling_power_mw", "MW", "Power taken by fans, pumps and compressors", if Efficiency;
    Pue = "pue", "ratio", "Facility draw / IT draw of the month", if Efficiency;
    WaterUse = "water_use_m3", "m³", "Water evaporated for cooling in the month", if Efficiency;
    CurtailedEnergy = "curtailed_energy_mwh", "MWh", "Facility energy of the month not served because import was curtailed", if Curtailment;
    OversubscribedPower = "oversubscribed_mw", "MW", "Of the deployable power, what is sold beyond what the feeds of oversubscribed buildings carry", if Oversubscription;
    ExceedanceProbability = "peak_exceedance_probability", "share", "Probability that an oversubscribed hall draws more at a moment than it was given: mean over the halls in use", if Oversubscription;
    ExceedanceHours = "peak_exceedance_hours", "hours", "Hours of the month in which an oversubscribed hall is expected to draw more than it was given, summed over halls", if Oversubscription;
    CappedEnergy = "capped_energy_mwh", "MWh", "IT energy of the month that is expected not to be drawn because oversubscribed halls are capped at what they were given", if Oversubscription;
    BatteryEnergy = "battery_energy_mwh", "MWh", "Energy of the month that came out of the battery, from what it had been charged with", if Battery;
    BatteryLosses = "battery_losses_mwh", "MWh", "Energy of the month lost in charging and discharging the battery", if Battery;
    UnservedEnergy = "unserved_energy_mwh", "MWh", "Facility energy of the month not served because the battery had run empty", if Battery;
    FacilityEnergy = "facility_energy_mwh", "MWh", "Energy that the facility used in the month, losses of a battery included", if Energy;
    GridEnergy = "grid_energy_mwh", "MWh", "Energy of the month imported from the grid", if Energy;
    BridgeEnergy = "bridge_energy_mwh", "MWh", "Energy of the month from bridge power", if Energy;
    OnSiteEnergy = "on_site_renewable_energy_mwh", "MWh", "Energy of the month used from renewables on the site", if Energy;
    EnergyCost = "energy_cost", "money", "Cost of the energy of the month", if Energy;
    LocationCarbon = "carbon_location_based_t", "t", "CO2 of the month's energy at the intensity of the grid, and of bridge power", if Energy;
    MarketCarbon = "carbon_market_based_t", "t", "As location-based, less what renewables match over twelve months", if Energy;
    AnnualMatching = "annual_matching_share", "share", "Renewable generation / facility energy of the last twelve months, at most 1", if Energy;
    HourlyMatching = "hourly_matching_share", "share", "Share of the month's facility energy that renewables match in the same hour, approximated", if Energy;
    BuildingsLive = "buildings_live", "buildings", "Buildings of which a hall has gone live since the start", if Buildings;
    ComputePerPower = "effective_pflops_per_facility_mw", "PFLOPS/MW", "Effective compute / facility draw, which is PFLOPS-hours per facility MWh", if Energy;
}

/// What a scenario must use for some metrics to be reported, so that results hold no columns of
/// zeros and a trial costs what its scenario asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    ElectricalChain,
    Density,
    EmbodiedCarbon,
    Efficiency,
    Oversubscription,
    Battery,
    Curtailment,
    Energy,
    Commitments,
    Buildings,
}

impl Feature {
    /// When metrics of it are reported.
    #[cfg(feature = "files")]
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::ElectricalChain => "with an electrical chain",
            Self::Density => {
                "where halls, rack types or generations state more of density than the power of a rack"
            }
            Self::EmbodiedCarbon => {
                "where generations or buildings state the carbon of making them"
            }
            Self::Efficiency => "with `efficiency` of a campus",
            Self::Oversubscription => "with `oversubscription` of a building",
            Self::Battery => "with a battery",
            Self::Curtailment => "with `curtailment` of a campus",
            Self::Energy => "with `energy` of a campus",
            Self::Buildings => "where it is uncertain how many buildings there will be",
            Self::Commitments => {
                "with named tenants, stages or `finance`, or where a target or a phase asks for one of them"
            }
        }
    }
}

/// What is stranded, on either side, by cause: the metrics whose sums over the horizon are reported as
/// outcomes in MW-months where halls say more of density than the power of a rack.
pub(crate) const STRANDED: [MetricId; 7] = [
    MetricId::StrandedSpace,
    MetricId::StrandedPower,
    MetricId::StrandedEquipment,
    MetricId::StrandedRedundancy,
    MetricId::StrandedDensity,
    MetricId::StrandedCooling,
    MetricId::StrandedDelivery,
];

/// The metrics that every scenario reports; the others are reported where it uses what they are of.
pub fn always_reported() -> impl Iterator<Item = &'static MetricLabel> {
    MetricId::ALL
        .iter()
        .filter(|metric| metric.feature().is_none())
        .map(|&metric| &METRICS[metric as usize])
}

impl MetricId {
    /// Whether it is a number of companies or contracts.
    pub(crate) fn is_count_of_tenants(self) -> bool {
        matches!(
            self,
            Self::CompaniesContacted
                | Self::CompaniesDeclined
                | Self::Subsidiaries
                | Self::ContractsSigned
                | Self::ContractsInService
                | Self::ContractsLost
                | Self::LostWithoutRoom
                | Self::ContractsLeft
                | Self::ContractsLeftEarly
        )
    }

    /// What must be used for this metric to be reported; `None`: it always is.
    pub(crate) fn feature(self) -> Option<Feature> {
        FEATURES[self as usize]
    }
}

/// How many metrics there are.
pub(crate) const METRIC_COUNT: usize = METRICS.len();

/// What can hold capacity in service down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Halls that are planned are not handed over yet.
    Construction,
    /// The grid connection, bridge power and substations.
    Grid,
    /// A building's own chain: what its modules may carry by their redundancy.
    Electrical,
    /// Racks find no room in the delivery tree.
    Delivery,
    /// All that is planned is built, and full.
    Space,
    /// Racks are less dense, or larger, than the positions are made for.
    Density,
    /// The halls' cooling.
    Cooling,
    /// Hardware has not come, or is being replaced.
    Equipment,
    /// Nobody waits.
    Demand,
}

/// The names of what can hold capacity in service down, by their number: construction (what is planned is not built yet), grid (connection, bridge power, substations), electrical (a building's own chain after redundancy), delivery (no room in the delivery tree), space (all that is planned is built and full), density, cooling, equipment and demand.
pub const CAUSES: [&str; 9] = [
    "construction",
    "grid",
    "electrical",
    "delivery",
    "space",
    "density",
    "cooling",
    "equipment",
    "demand",
];

/// How many of the causes are of supply: all but demand.
pub(crate) const SUPPLY_CAUSES: usize = CAUSES.len() - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_carry_their_unit_once() {
        let mut names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRIC_COUNT);
        for metric in METRICS.iter().filter(|metric| metric.unit == "MW") {
            assert_eq!(metric.name.matches("_mw").count(), 1, "{}", metric.name);
            assert!(metric.name.ends_with("_mw"), "{}", metric.name);
        }
    }
}
