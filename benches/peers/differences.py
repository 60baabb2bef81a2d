"""Compares what two builds of the command say of the same scenarios, number by number.

    differences.py [--trials N] [--limit Z] ONE OTHER SCENARIO...

ONE and OTHER are two builds of `buildout`, such as that of an earlier commit and that of the present one. Each runs every
scenario with a seed of its own, so that the samples are independent. Compared are all numbers of a projection that come with
a standard error: means and percentiles of metrics by month, of milestones and of outcomes, and probabilities of targets and
binding constraints.

z is the difference over the root of the sum of both squared standard errors. A percentile may also be off by the width of a
bucket, 0.4 %, in either. A mean, or a probability, less than five of its standard errors away from 0 (or from 1) in both comes
from so few trials that its error is not normal: it is counted, and not compared. So are percentiles that lie where a
distribution has jumps: their error is 0, or too large to say anything.

Of independent numbers, all right, one in 16,000 is beyond |z| = 4; neighbouring months are nearly the same number.
Ends with 1 if one is beyond the limit.
"""

import argparse
import json
import math
import subprocess
import sys

BUCKET = 0.004
FEWEST_ERRORS = 5.0


def run(command, scenario, trials, seed):
    arguments = ["run", scenario, "--trials", str(trials), "--seed", str(seed), "--format", "json", "--quiet"]
    done = subprocess.run([command, *arguments], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def listed(value):
    return value if isinstance(value, list) else [value]


def numbers(of, path=()):
    """Paths of all numbers with a standard error, as lists, with these errors."""
    for key, value in of.items():
        error = of.get(f"{key}_std_error")
        if error is not None:
            yield (*path, key), listed(value), listed(error)
        elif key == "mean" and of.get("std_error") is not None:
            yield (*path, key), listed(value), listed(of["std_error"])
        elif key == "probability" and of.get("std_error") is not None:
            yield (*path, key), listed(value), listed(of["std_error"])
        elif key == "binding" and "binding_std_error" in of:
            continue
        elif isinstance(value, dict):
            yield from numbers(value, (*path, key))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for part in value:
                yield from numbers(part, (*path, key, part.get("name", "")))
    for cause, value in of.get("binding", {}).items() if "binding_std_error" in of else ():
        yield (*path, "binding", cause), listed(value), listed(of["binding_std_error"][cause])


def z_of(kind, one, other):
    """The z of two numbers with their errors; `None` where it would say nothing."""
    (a, s), (b, t) = one, other
    if None in (a, b, s, t):
        return None
    error = math.hypot(s, t)
    if kind.startswith("p") and kind[1:].isdigit():
        if s == 0 or t == 0:
            return None
        slack = BUCKET * max(abs(a), abs(b))
        return math.copysign(max(abs(a - b) - slack, 0.0), a - b) / error
    if error == 0:
        # The last digits of sums differ with their order.
        return 0.0 if math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) else None
    if max(abs(a) / s if s else math.inf, abs(b) / t if t else math.inf) < FEWEST_ERRORS:
        return None
    return (a - b) / error


def compare(scenario, one, other, worst):
    found = {path: list(zip(values, errors)) for path, values, errors in numbers(other)}
    compared = skipped = missing = 0
    for path, values, errors in numbers(one):
        if path not in found:
            missing += len(values)
            continue
        for month, (ours, theirs) in enumerate(zip(zip(values, errors), found[path])):
            z = z_of(path[-1], ours, theirs)
            if z is None:
                skipped += 1
                continue
            compared += 1
            worst.append((abs(z), z, "/".join(path), month, ours, theirs))
    print(f"{scenario}: {compared} compared, {skipped} with too few trials or no error, {missing} in one alone")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--limit", type=float, default=4.0)
    parser.add_argument("one")
    parser.add_argument("other")
    parser.add_argument("scenarios", nargs="+")
    options = parser.parse_args()
    largest = 0.0
    for scenario in options.scenarios:
        worst = []
        one = run(options.one, scenario, options.trials, 1)
        compare(scenario, one, run(options.other, scenario, options.trials, 2), worst)
        worst.sort(reverse=True)
        seen = set()
        for size, z, path, month, ours, theirs in worst:
            metric = path.rsplit("/", 1)
            if metric[0] in seen:
                continue
            seen.add(metric[0])
            print(f"  z {z:6.2f}  {path} [{month}]: {ours[0]:.6g} and {theirs[0]:.6g}")
            if len(seen) == 5:
                break
        largest = max(largest, worst[0][0] if worst else 0.0)
    print(f"largest |z| {largest:.2f}, limit {options.limit}")
    return int(largest > options.limit)


if __name__ == "__main__":
    sys.exit(main())
