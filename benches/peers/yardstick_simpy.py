"""The yardstick in SimPy: one process for each building, substation and contract.

    python yardstick_simpy.py --trials 200 --seed 1 --out simpy.json

The model is that of examples/yardstick.toml; docs/yardstick.md states it in full.
"""

import argparse
import json
import math
import random

import numpy as np
import simpy

from yardstick_numpy import BUILDINGS, CHURN, LEADS, METRICS, MONTHS, RACKS, RAMP, TERM, report

LOG_STAY = math.log1p(-CHURN)
# The state is looked at just before a month ends, so that what the next month brings comes after it.
MOMENT = 1e-9


def pert(rng, least, mode, most):
    width = most - least
    a = 1 + 4 * (mode - least) / width
    b = 1 + 4 * (most - mode) / width
    return least + width * rng.betavariate(a, b)


class Hub:
    """One trial."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.arrivals = np.random.default_rng(seed)
        self.env = simpy.Environment()
        self.demand = 0.0
        self.live = []
        self.live_times = [math.inf] * BUILDINGS
        self.sign = self.rng.betavariate(8, 24)
        self.months = {name: [] for name in METRICS}
        self.short = []
        substations = [self.env.process(self.substation(18 * s)) for s in range(3)]
        for k in range(BUILDINGS):
            self.env.process(self.building(k, substations[k // 4]))
        self.env.process(self.outreach())
        self.env.process(self.observe())

    def substation(self, start):
        yield self.env.timeout(start + self.rng.lognormvariate(math.log(14), 0.25))

    def building(self, number, substation):
        rng = self.rng
        yield self.env.timeout(6 * number)
        yield self.env.timeout(pert(rng, 2, 3, 6))
        yield self.env.timeout(pert(rng, 6, 8, 14))
        yield self.env.timeout(pert(rng, 4, 6, 10))
        yield self.env.timeout(rng.triangular(1, 3, 1.5))
        yield substation
        self.live.append(1.30 ** (self.env.now / 12))
        self.live_times[number] = self.env.now

    def outreach(self):
        for month in range(MONTHS):
            for _ in range(self.arrivals.poisson(LEADS[month])):
                if self.rng.random() < self.sign:
                    self.env.process(self.contract())
            yield self.env.timeout(1)

    def contract(self):
        size = min(max(math.ceil(self.rng.lognormvariate(math.log(60), 1.0)), 1), RACKS)
        stay = 1 + int(math.log(1 - self.rng.random()) / LOG_STAY)
        for _ in range(RAMP):
            self.demand += size / RAMP
            yield self.env.timeout(1)
        yield self.env.timeout(TERM + stay - RAMP)
        self.demand -= size

    def observe(self):
        yield self.env.timeout(1 - MOMENT)
        for _ in range(MONTHS):
            racks = RACKS * len(self.live)
            occupied = left = min(self.demand, racks)
            pflops = 0.0
            for per_rack in self.live:
                used = min(left, RACKS)
                pflops += used * per_rack
                left -= used
            for name, value in zip(METRICS, (racks, occupied, pflops)):
                self.months[name].append(value)
            self.short.append(self.demand > racks)
            yield self.env.timeout(1)

    def run(self):
        self.env.run(until=MONTHS)
        # Buildings that are late are still waited for; nothing else matters any more.
        while math.inf in self.live_times:
            self.env.step()
        return self


def simulate(trials, seed):
    """All samples, as those of the program in NumPy."""
    hubs = [Hub(seed * 1_000_003 + trial).run() for trial in range(trials)]
    samples = {
        name: np.array([hub.months[name] for hub in hubs], np.float32).T.copy() for name in METRICS
    }
    live = np.array([hub.live_times for hub in hubs]).T.copy()
    return {"live": live, **samples, "short": np.mean([hub.short for hub in hubs], axis=0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    given = parser.parse_args()
    with open(given.out, "w") as file:
        json.dump(report(simulate(given.trials, given.seed)), file)


if __name__ == "__main__":
    main()
