//! How many companies are contacted: curves, campaigns, seasons, and what scarcity does to signing.

use crate::date::Date;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::tenants::market::compiled::Supply;
use crate::tenants::market::{Market, MarketState, kw, refill, units};
use crate::tenants::outreach::ABOVE_ZERO;
use crate::tenants::{AdoptionCurve, Campaign, Segment, bass_share, logistic_share};
use crate::uncertain::{Domain, Uncertain, UncertainError};

/// How outreach departs from a plain trend.
#[derive(Clone, Debug)]
pub(in crate::tenants::market) struct Outreach {
    curve: Option<Curve>,
    campaigns: Vec<CompiledCampaign>,
    /// From the calendar month of the scenario's start on.
    seasons: Option<[f64; 12]>,
    pub(in crate::tenants::market) scarcity: Option<(f64, Quantity)>,
}

#[derive(Clone, Debug)]
struct Curve {
    companies: Quantity,
    starts: f64,
    kind: CurveKind,
}

#[derive(Clone, Copy, Debug)]
enum CurveKind {
    Bass {
        innovation: Quantity,
        imitation: Quantity,
    },
    Logistic {
        midpoint: Quantity,
        rise: Quantity,
    },
}

#[derive(Clone, Debug)]
struct CompiledCampaign {
    first: f64,
    end: f64,
    outreach: Quantity,
    sign: Quantity,
    extra: Quantity,
}

impl Outreach {
    /// That of a segment; none for a plain trend.
    pub(in crate::tenants::market) fn compile(
        segment: &Segment,
        supply: &Supply<'_>,
        inputs: &mut Inputs,
    ) -> Result<Option<Self>, UncertainError> {
        let name = &segment.name;
        let curve = match &segment.outreach_curve {
            Some(curve) => Some(Curve::compile(curve, name, supply.start, inputs)?),
            None => None,
        };
        let campaigns = (segment.campaigns.iter())
            .map(|campaign| CompiledCampaign::compile(campaign, name, supply.start, inputs))
            .collect::<Result<Vec<_>, UncertainError>>()?;
        let scarcity = match &segment.scarcity {
            Some(scarcity) => {
                let input = format!("tenants/{name}/scarcity");
                let factor = inputs.add(input, &scarcity.factor, Domain::SHARE)?;
                Some((scarcity.ample_kw, factor))
            }
            None => None,
        };
        let first = usize::try_from(supply.start.month_of_year() - 1).unwrap_or(0);
        let seasons = (segment.seasonality.len() == 12)
            .then(|| std::array::from_fn(|month| segment.seasonality[(first + month) % 12]));
        let outreach = Self {
            curve,
            campaigns,
            seasons,
            scarcity,
        };
        let is_needed = outreach.curve.is_some()
            || !outreach.campaigns.is_empty()
            || outreach.seasons.is_some()
            || outreach.scarcity.is_some();
        Ok(is_needed.then_some(outreach))
    }

    /// Companies to be contacted in a month, and the factor of signing, before regimes.
    fn plan(&self, month: usize, trend: f64, drawn: &[f64]) -> (f64, f64) {
        let at = month as f64;
        let mut mean = match &self.curve {
            Some(curve) => curve.between(at, at + 1.0, drawn),
            None => trend,
        };
        if let Some(seasons) = &self.seasons {
            mean *= seasons[month % 12];
        }
        let mut sign = 1.0;
        let on = |campaign: &&CompiledCampaign| campaign.first <= at && at < campaign.end;
        for campaign in self.campaigns.iter().filter(on) {
            mean *= campaign.outreach.value(drawn);
            sign *= campaign.sign.value(drawn);
        }
        for campaign in self.campaigns.iter().filter(on) {
            mean += campaign.extra.value(drawn);
        }
        (mean, sign)
    }
}

impl CompiledCampaign {
    fn compile(
        campaign: &Campaign,
        segment: &str,
        start: Date,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let first = campaign.starts.months_after(start).floor();
        let mut add = |what: &str, quantity: &Uncertain| {
            let name = format!("tenants/{segment}/campaign {}/{what}", campaign.name);
            inputs.add(name, quantity, Domain::NON_NEGATIVE)
        };
        Ok(Self {
            first,
            end: first + f64::from(campaign.duration_months),
            outreach: add("outreach factor", &campaign.outreach_factor)?,
            sign: add("sign factor", &campaign.sign_factor)?,
            extra: add("extra", &campaign.extra_per_month)?,
        })
    }
}

impl Curve {
    fn compile(
        curve: &AdoptionCurve,
        segment: &str,
        start: Date,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let mut add = |what: &str, quantity: &Uncertain, domain| {
            inputs.add(format!("tenants/{segment}/{what}"), quantity, domain)
        };
        let parts = (
            &curve.innovation_per_year,
            &curve.imitation_per_year,
            &curve.midpoint_months,
            &curve.rise_months,
        );
        let kind = match parts {
            (Some(innovation), Some(imitation), ..) => CurveKind::Bass {
                innovation: add("innovation", innovation, ABOVE_ZERO)?,
                imitation: add("imitation", imitation, Domain::NON_NEGATIVE)?,
            },
            (_, _, Some(midpoint), Some(rise)) => CurveKind::Logistic {
                midpoint: add("midpoint", midpoint, Domain::NON_NEGATIVE)?,
                rise: add("rise", rise, ABOVE_ZERO)?,
            },
            // Refused by the check of the curve.
            _ => CurveKind::Logistic {
                midpoint: Quantity::Fixed(0.0),
                rise: Quantity::Fixed(1.0),
            },
        };
        Ok(Self {
            companies: add("companies", &curve.companies, Domain::NON_NEGATIVE)?,
            starts: curve.starts.map_or(0.0, |date| date.months_after(start)),
            kind,
        })
    }

    /// How many companies adopt between two times, in months after the start.
    fn between(&self, from: f64, to: f64, drawn: &[f64]) -> f64 {
        let share = |months: f64| {
            let since = months - self.starts;
            match self.kind {
                CurveKind::Bass {
                    innovation,
                    imitation,
                } => bass_share(
                    innovation.value(drawn),
                    imitation.value(drawn),
                    since / 12.0,
                ),
                CurveKind::Logistic { midpoint, rise } => {
                    logistic_share(midpoint.value(drawn), rise.value(drawn), since)
                }
            }
        };
        self.companies.value(drawn) * (share(to) - share(from)).max(0.0)
    }
}

impl Market {
    pub(in crate::tenants::market) fn reset_outreach(
        &self,
        state: &mut MarketState,
        drawn: &[f64],
    ) {
        let (segments, months) = (self.segments.len(), self.months);
        state.funnel.scarcity.clear();
        if !self.has_extras(|extras| extras.outreach.is_some()) {
            return;
        }
        refill(&mut state.funnel.planned, segments * months, (0.0, 1.0));
        refill(&mut state.funnel.scarcity, segments, (1.0, 1.0));
        for (position, segment) in self.segments.iter().enumerate() {
            let outreach = (segment.extras.as_ref()).and_then(|extras| extras.outreach.as_ref());
            let Some(outreach) = outreach else {
                continue;
            };
            let growth = libm::pow(1.0 + segment.outreach_growth.value(drawn), 1.0 / 12.0);
            let mut trend = segment.outreach.value(drawn);
            for month in 0..months {
                state.funnel.planned[position * months + month] =
                    outreach.plan(month, trend, drawn);
                trend *= growth;
            }
            if let Some((_, factor)) = &outreach.scarcity {
                state.funnel.scarcity[position] = (1.0, factor.value(drawn));
            }
        }
    }

    /// Companies of a segment to be contacted in a month, where that is not a plain trend.
    pub(in crate::tenants::market) fn wanted_outreach(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        trend: f64,
    ) -> f64 {
        let at = position * self.months + month;
        let outreach =
            (self.segments[position].extras.as_ref()).and_then(|extras| extras.outreach.as_ref());
        let (mut mean, mut sign) = match outreach {
            Some(_) => {
                let (mean, sign) = state.funnel.planned[at];
                (mean, sign * state.funnel.scarcity[position].0)
            }
            None => (trend, 1.0),
        };
        for (regime, current) in self.regimes.iter().zip(&state.funnel.regimes) {
            if regime.touches[position] {
                let [_, outreach, signing, price] = current.factors[current.states[month]];
                mean *= outreach;
                sign *= signing;
                state.funnel.price_factors[at] *= price;
            }
        }
        state.segments[position].sign_factors[month] = sign;
        mean
    }

    /// Notes how much is free for segments that care, for the month to come.
    pub(in crate::tenants::market) fn note_offer(&self, state: &mut MarketState, room_kw: &[f64]) {
        for (position, segment) in self.segments.iter().enumerate() {
            let outreach = (segment.extras.as_ref()).and_then(|extras| extras.outreach.as_ref());
            let Some((ample_kw, _)) = outreach.and_then(|outreach| outreach.scarcity) else {
                continue;
            };
            let free: i64 = (segment.pools.iter())
                .map(|&pool| (units(room_kw[pool]) - state.capacity.leased[pool]).max(0))
                .sum();
            let (factor, least) = &mut state.funnel.scarcity[position];
            *factor = *least + (1.0 - *least) * (kw(free) / ample_kw).min(1.0);
        }
    }
}
