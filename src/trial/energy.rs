//! What power the facility takes and where its energy comes from.

use super::KW_PER_MW;
use super::binding::Tally;
use super::state::CampusState;
use crate::metrics::MetricId;
use crate::model::CompiledCampus;
use crate::power::energy::MonthOfUse;
use crate::power::grid::HOURS_PER_YEAR;

const HOURS_PER_MONTH: f64 = HOURS_PER_YEAR / 12.0;
const LITRES_PER_M3: f64 = 1_000.0;

/// What of the month's power the facility takes beside its IT, what of it is curtailed, and
/// where its energy comes from.
pub(super) fn settle_power(
    state: &mut CampusState,
    campus: &CompiledCampus,
    month: usize,
    drawn: &[f64],
    tally: &mut Tally,
) {
    if let Some(efficiency) = &campus.efficiency {
        let heat = efficiency.mechanical_share(month);
        let it_draw = tally.get(MetricId::ItDraw);
        let facility = state
            .losses
            .facility(it_draw, tally.get(MetricId::ItPower), heat);
        tally.values[MetricId::FacilityDraw as usize] = facility.total();
        tally.add(MetricId::ElectricalLosses, facility.electrical_losses);
        tally.add(MetricId::CoolingPower, facility.cooling);
        let it_kwh = it_draw * KW_PER_MW * HOURS_PER_MONTH;
        let litres = it_kwh * heat * state.water_litres_per_kwh;
        tally.add(MetricId::WaterUse, litres / LITRES_PER_M3);
    }
    let draw_mw = tally.get(MetricId::FacilityDraw);
    let mut supplied = state.supplied;
    // What existed at the start has power of its own beside the grid steps.
    let own_kw = campus
        .existing
        .as_ref()
        .map_or(0.0, |own| own.power_kw * state.pue);
    supplied.grid_kw += own_kw;
    let mut served_mw = draw_mw;
    if campus.curtailment.is_some() {
        let (share_of_year, depth) = state.curtailed;
        let lost = share_of_year * supplied.unserved_share(draw_mw * KW_PER_MW, depth);
        served_mw *= 1.0 - lost;
        tally.values[MetricId::EffectivePflops as usize] *= 1.0 - lost;
        tally.add(MetricId::CurtailedEnergy, draw_mw * lost * HOURS_PER_MONTH);
    }
    let Some(energy) = &campus.energy else {
        return;
    };
    let generation_kw = supplied.bridge_kw + supplied.permanent_kw;
    let of_bridge = |sum: f64| {
        if generation_kw > 0.0 {
            sum / generation_kw
        } else {
            0.0
        }
    };
    // The import serves first; where there is no generation to serve the rest, it serves all.
    let grid_mw = if generation_kw > 0.0 {
        supplied.grid_kw / KW_PER_MW
    } else {
        f64::INFINITY
    };
    let use_of = MonthOfUse {
        month,
        served_mw,
        grid_mw,
        bridge_carbon_g_per_kwh: of_bridge(state.bridge_carbon),
        bridge_price_per_mwh: of_bridge(state.bridge_price),
        hours: HOURS_PER_MONTH,
    };
    let settled = energy.settle(&mut state.energy, &use_of, drawn);
    for (metric, value) in [
        (MetricId::FacilityEnergy, settled.facility_mwh),
        (MetricId::GridEnergy, settled.grid_mwh),
        (MetricId::BridgeEnergy, settled.bridge_mwh),
        (MetricId::OnSiteEnergy, settled.on_site_mwh),
        (MetricId::EnergyCost, settled.cost),
        (MetricId::LocationCarbon, settled.location_t),
        (MetricId::MarketCarbon, settled.market_t),
    ] {
        tally.add(metric, value);
    }
    tally.renewable_year_mwh += settled.renewable_year_mwh;
    tally.facility_year_mwh += settled.facility_year_mwh;
    tally.matched_mwh += settled.matched_mwh;
}
