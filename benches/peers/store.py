"""Stores what NumPy says of the yardstick, for the test in tests/suite/yardstick.rs.

    python store.py --trials 400000 --seed 3 --out ../../tests/data/yardstick-numpy.csv

One line for each number: its mean, standard deviation and range over all trials, and for each of P10, P50 and P90 the
range in which the quantile of a sample of 4,000 trials lies but for 5 standard errors: the quantiles at the levels
p - d and p + d with d = 5 sqrt(p (1 - p) (1 / 4,000 + 1 / trials)).
"""

import argparse
import csv
import math

import numpy as np

from yardstick_numpy import BUILDINGS, LEVELS, METRICS, MONTHS, simulate

SAMPLE = 4_000
Z = 5.0
NAMES = {"racks": "racks_deployable", "occupied": "racks_in_service", "pflops": "in_service_pflops"}


def statistics(values, trials):
    levels = []
    for p in LEVELS.values():
        d = Z * math.sqrt(p * (1 - p) * (1 / SAMPLE + 1 / trials))
        levels += [p - d, p + d]
    # Without interpolation, so that what is never reached stays apart.
    quantiles = np.quantile(values, levels, method="inverted_cdf")
    finite = values[np.isfinite(values)].astype(np.float64)
    spread = [finite.mean(), finite.std(), finite.max() - finite.min()]
    return [f"{x:.9g}" for x in [*spread, *quantiles]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", required=True)
    given = parser.parse_args()
    result = simulate(given.trials, given.seed)
    with open(given.out, "w", newline="") as file:
        file.write(
            f"# The yardstick by benches/peers/store.py: numpy {np.__version__}, "
            f"{given.trials} trials, seed {given.seed}\n"
        )
        rows = csv.writer(file, lineterminator="\n")
        ends = [f"{level}_{end}" for level in LEVELS for end in ("low", "high")]
        rows.writerow(["number", "month", "trials", "mean", "sd", "range", *ends])
        for name in METRICS:
            for month in range(MONTHS):
                row = statistics(result[name][month], given.trials)
                rows.writerow([NAMES[name], month, given.trials, *row])
        for building in range(BUILDINGS):
            # What goes live beyond the horizon is never, for buildout.
            live = result["live"][building]
            row = statistics(np.where(live <= MONTHS, live, np.inf), given.trials)
            rows.writerow([f"B{building + 1} live", "", given.trials, *row])
        for month in range(MONTHS):
            p = result["short"][month]
            row = [f"{x:.9g}" for x in (p, math.sqrt(p * (1 - p)), 1)]
            rows.writerow(["demand exceeds live racks", month, given.trials, *row, *[""] * 6])


if __name__ == "__main__":
    main()
