"""The yardstick in NumPy: many trials at once, in batches that stay in cache and bound the memory.

    python yardstick_numpy.py --trials 100000 --seed 1 --out numpy.json

The model is that of examples/yardstick.toml; docs/yardstick.md states it in full.
"""

import argparse
import json
import math

import numpy as np

MONTHS = 120
BUILDINGS = 12
RACKS = 5_000
RAMP = 6
TERM = 12
CHURN = 0.01
LEADS = 25.0 * 1.01 ** np.arange(MONTHS)
METRICS = ("racks", "occupied", "pflops")
LEVELS = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


def pert(rng, least, mode, most, size):
    """The modified PERT: a beta distribution with lambda = 4."""
    width = most - least
    a = 1 + 4 * (mode - least) / width
    b = 1 + 4 * (most - mode) / width
    return least + width * rng.beta(a, b, size)


def live_times(rng, trials):
    """When each building goes live, in months: trials x buildings."""
    size = (trials, BUILDINGS)
    live = 6.0 * np.arange(BUILDINGS) + pert(rng, 2, 3, 6, size)
    live += pert(rng, 6, 8, 14, size)
    live += pert(rng, 4, 6, 10, size)
    live += rng.triangular(1, 1.5, 3, size)
    substations = 18.0 * np.arange(3) + rng.lognormal(math.log(14), 0.25, (trials, 3))
    return np.maximum(live, np.repeat(substations, 4, axis=1))


def demand_of(rng, trials):
    """Racks wanted at the end of each month: trials x months."""
    # Leads that sign are Poisson again: the others leave no trace in what is reported.
    sign = rng.beta(8, 24, (trials, 1))
    signed = rng.poisson(LEADS * sign).ravel()
    month = np.repeat(np.arange(trials * MONTHS), signed)
    # Single precision is enough for sizes up to 5,000 and twice as fast.
    size = rng.standard_normal(month.size, dtype=np.float32)
    np.exp(size, out=size)
    size *= 60
    np.clip(np.ceil(size, out=size), 1, RACKS, out=size)
    stay = rng.standard_exponential(month.size, dtype=np.float32)
    stay *= -1 / math.log1p(-CHURN)
    # The first month of absence: the term, then a geometric number of months, 1 or more. What stays
    # beyond the horizon leaves in a column of its own.
    leaves = month % MONTHS + TERM + 1 + stay.astype(np.int64)
    leaves = np.minimum(leaves, MONTHS) + month // MONTHS * (MONTHS + 1)
    came = np.bincount(month, size, trials * MONTHS).reshape(trials, MONTHS)
    left = np.bincount(leaves, size, trials * (MONTHS + 1)).reshape(trials, MONTHS + 1)
    total = np.cumsum(came, axis=1)
    # In the month of signing and the five after it each contract takes a sixth more.
    ramped = np.cumsum(total, axis=1)
    ramped[:, RAMP:] -= ramped[:, :-RAMP].copy()
    return ramped / RAMP - np.cumsum(left[:, :MONTHS], axis=1)


def simulate_batch(rng, trials):
    live = live_times(rng, trials)
    demand = demand_of(rng, trials)
    # A building counts from the first month on whose end comes no sooner.
    first = np.maximum(np.ceil(live).astype(np.int64) - 1, 0)
    row = np.arange(trials)[:, None] * (MONTHS + 1)
    starts = np.bincount((np.minimum(first, MONTHS) + row).ravel(), minlength=trials * (MONTHS + 1))
    buildings = np.cumsum(starts.reshape(trials, -1)[:, :MONTHS], axis=1)
    racks = buildings * float(RACKS)
    occupied = np.minimum(demand, racks)
    # Buildings fill in the order of going live: all full ones, and a part of the next.
    per_rack = 1.30 ** (np.sort(live, axis=1) / 12)
    per_rack = np.concatenate([per_rack, np.zeros((trials, 1))], axis=1)
    filled = np.zeros_like(per_rack)
    np.cumsum(per_rack[:, :-1] * RACKS, axis=1, out=filled[:, 1:])
    full = (occupied // RACKS).astype(np.int64)
    pflops = np.take_along_axis(filled, full, axis=1)
    pflops += (occupied - full * RACKS) * np.take_along_axis(per_rack, full, axis=1)
    return live, racks, occupied, pflops, demand > racks


def simulate(trials, seed, batch=256):
    """All samples: live times, the metrics (trials x months, single precision), and how often demand exceeded racks."""
    rng = np.random.Generator(np.random.SFC64(seed))
    samples = {name: np.empty((MONTHS, trials), np.float32) for name in METRICS}
    live = np.empty((BUILDINGS, trials))
    short = np.zeros(MONTHS, np.int64)
    for start in range(0, trials, batch):
        stop = min(start + batch, trials)
        times, *metrics, exceeds = simulate_batch(rng, stop - start)
        live[:, start:stop] = times.T
        for name, values in zip(METRICS, metrics):
            samples[name][:, start:stop] = values.T
        short += exceeds.sum(axis=0)
    return {"live": live, **samples, "short": short / trials}


def report(result):
    """What the yardstick asks for."""
    def quantiles(values):
        found = np.quantile(values, list(LEVELS.values()), axis=1, overwrite_input=True)
        return {name: row.tolist() for name, row in zip(LEVELS, found)}

    months = {
        name: {"mean": result[name].mean(axis=1, dtype=np.float64).tolist(), **quantiles(result[name])}
        for name in METRICS
    }
    return {"months": months, "live": quantiles(result["live"]), "short": result["short"].tolist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--out", required=True)
    given = parser.parse_args()
    with open(given.out, "w") as file:
        json.dump(report(simulate(given.trials, given.seed, given.batch)), file)


if __name__ == "__main__":
    main()
