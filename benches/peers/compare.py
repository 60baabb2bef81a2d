"""Runs the yardstick in buildout, NumPy and SimPy, checks that the answers agree, and prints the ratios of their speed.

Called by run.sh.

Agreement: every number is compared with what two independent samples of its size may differ by.

- A mean, or a probability: the difference d may be z s + z^2 r / (3 n), with s the standard error by the variance of both
  samples together, n the trials of the smaller one and r its range (Bernstein's inequality, so that what is rare
  is not taken for normal). The z that makes the two equal is shown.
- A quantile q of buildout at level p: the share of the other sample at or below q, and the share below it, must have p
  between them but for z standard errors sqrt(p (1 - p) (1/n + 1/m)). That holds for any distribution, also for racks,
  which come in steps of 5,000. As buildout states its quantiles with a relative error of at most 0.4 %, q is
  widened by as much.

About 1,700 numbers are compared, and those of neighbouring months go together. With independent ones, all right, the
largest |z| would exceed 4.5 once in 90 runs, and 5 once in 1,000. The limit is 5.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

import yardstick_numpy
import yardstick_simpy
from yardstick_numpy import BUILDINGS, LEVELS, MONTHS

Z_LIMIT = 5.0
QUANTILE_ERROR = 0.004
NAMES = {"racks": "racks_deployable", "occupied": "racks_in_service", "pflops": "in_service_pflops"}
HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIO = os.path.join(HERE, "..", "..", "examples", "yardstick.toml")


class Verdict:
    """The largest deviations of each kind."""

    def __init__(self):
        self.worst = {}
        self.count = 0

    def note(self, kind, what, z):
        self.count += 1
        if abs(z) > abs(self.worst.get(kind, (0.0, ""))[0]):
            self.worst[kind] = (z, what)

    def difference(self, kind, what, one, other, error, rare):
        """`rare` is r / (3 n)."""
        # Single precision may lie between them, too.
        size = max(abs(one - other) - 1e-6 * abs(other), 0.0)
        if rare > 0:
            z = (math.sqrt(error * error + 4 * rare * size) - error) / (2 * rare)
        elif error > 0:
            z = size / error
        else:
            z = math.inf if size > 1e-6 else 0.0
        self.note(kind, what, math.copysign(z, one - other))

    def quantile(self, kind, what, level, value, trials, sample):
        error = math.sqrt(level * (1 - level) * (1 / trials + 1 / sample.size))
        at_most = np.count_nonzero(sample <= value * (1 + QUANTILE_ERROR)) / sample.size
        below = np.count_nonzero(sample < value * (1 - QUANTILE_ERROR)) / sample.size
        # 0 where the level lies between the two shares.
        self.note(kind, what, max(below - level, 0.0) / error - max(level - at_most, 0.0) / error)

    def passed(self):
        return all(abs(z) <= Z_LIMIT for z, _ in self.worst.values())


def agree(ours, samples):
    """Compares the JSON of buildout with the samples of another program."""
    verdict = Verdict()
    trials = ours["trials"]
    count = samples["live"].shape[1]
    for name, called in NAMES.items():
        metric = ours["metrics"][called]
        for month in range(MONTHS):
            sample = samples[name][month].astype(np.float64)
            what = f"{called} in month {month}"
            # The variance of both together: a small sample may have missed what is rare.
            squares = metric["std_error"][month] ** 2 * trials * trials + sample.var() * count
            error = math.sqrt(squares / (trials + count) * (1 / trials + 1 / count))
            rare = (sample.max() - sample.min()) / (3 * min(trials, count))
            verdict.difference("means", what, metric["mean"][month], sample.mean(), error, rare)
            for level, p in LEVELS.items():
                value = metric[level][month]
                verdict.quantile("quantiles", f"{level} of {what}", p, value, trials, sample)
    for building in range(BUILDINGS):
        # What goes live beyond the horizon is never, for buildout.
        sample = np.where(samples["live"][building] <= MONTHS, samples["live"][building], np.inf)
        milestone = ours["milestones"][f"B{building + 1} live"]
        for level, p in LEVELS.items():
            value = math.inf if milestone[level] is None else milestone[level]
            verdict.quantile("live times", f"{level} of B{building + 1} live", p, value, trials, sample)
    # Demand binds where nothing waits.
    for month, bound in enumerate(ours["binding"]["demand"]):
        one, other = 1 - bound, samples["short"][month]
        pooled = (one * trials + other * count) / (trials + count)
        error = math.sqrt(pooled * (1 - pooled) * (1 / trials + 1 / count))
        what = f"P(demand exceeds live racks) in month {month}"
        verdict.difference("probabilities", what, one, other, error, 1 / (3 * min(trials, count)))
    return verdict


def timed(command, out=None):
    """Wall and processor seconds of a whole process, whose output goes to a file."""
    with open(out or os.devnull, "w") as file:
        start, before = time.perf_counter(), os.times()
        subprocess.run(command, check=True, stdout=file)
        wall, after = time.perf_counter() - start, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, spent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--buildout", required=True, help="the command, built with --release")
    parser.add_argument("--trials", type=int, default=100_000, help="of buildout and NumPy, for the ratio")
    parser.add_argument("--simpy-trials", type=int, default=300, help="of SimPy, whose time a trial does not depend on it")
    parser.add_argument("--rounds", type=int, default=3, help="each is run so often, in turn; the fastest counts")
    parser.add_argument("--check-trials", type=int, default=100_000, help="for the comparison of answers")
    parser.add_argument("--check-simpy-trials", type=int, default=1_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        def ours(trials, *more):
            command = [given.buildout, "run", SCENARIO, "--trials", str(trials), "--seed", "1", "--quiet"]
            return timed([*command, "--format", "json", *more], os.path.join(folder, "ours.json"))

        def peer(name, trials):
            return timed([sys.executable, os.path.join(HERE, f"yardstick_{name}.py"), "--trials", str(trials),
                          "--out", os.path.join(folder, f"{name}.json")])

        runs = {
            "buildout": (given.trials, lambda: ours(given.trials)),
            "buildout, one thread": (given.trials, lambda: ours(given.trials, "--threads", "1")),
            "NumPy": (given.trials, lambda: peer("numpy", given.trials)),
            "SimPy": (given.simpy_trials, lambda: peer("simpy", given.simpy_trials)),
        }
        best = {}
        for _ in range(given.rounds):
            for name, (_, run) in runs.items():
                wall, processor = run()
                best_wall, best_processor = best.get(name, (math.inf, math.inf))
                best[name] = (min(wall, best_wall), min(processor, best_processor))
        print(f"whole process, {os.cpu_count()} processors, the fastest of {given.rounds} rounds\n")
        print(f"{'':22}{'trials':>10}{'seconds':>10}{'µs a trial':>13}{'processor µs':>14}{'x buildout':>12}")
        base = best["buildout"][0] / given.trials
        for name, (trials, _) in runs.items():
            wall, processor = best[name]
            print(f"{name:22}{trials:10,}{wall:10.2f}{wall / trials * 1e6:13,.2f}"
                  f"{processor / trials * 1e6:14,.2f}{wall / trials / base:12,.1f}")
        ours(given.check_trials)
        with open(os.path.join(folder, "ours.json")) as file:
            result = json.load(file)
    passed = True
    for name, module, trials in [
        ("NumPy", yardstick_numpy, given.check_trials),
        ("SimPy", yardstick_simpy, given.check_simpy_trials),
    ]:
        verdict = agree(result, module.simulate(trials, 2))
        passed = passed and verdict.passed()
        print(f"\nbuildout ({given.check_trials:,} trials) and {name} ({trials:,}): "
              f"{'agree' if verdict.passed() else 'DISAGREE'}; "
              f"{verdict.count:,} numbers, |z| at most {Z_LIMIT:g} allowed")
        for kind, (z, what) in verdict.worst.items():
            print(f"  {kind:14} largest z {z:6.2f}: {what}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
