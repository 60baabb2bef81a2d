"""Compares what two builds of the command say of the same scenarios, number by number.

    differences.py [--trials N] [--limit Z] ONE OTHER SCENARIO...

ONE and OTHER are two builds of `buildout`, such as that of an earlier commit and that of the present one. Each runs every
scenario with a seed of its own, so that the samples are independent. Compared are the means of metrics by month, of
milestones and of outcomes, and the probabilities of targets and binding constraints. Percentiles are not: where a
distribution has jumps, as racks have that come by the hall, their standard errors say nothing.

z is the difference over the root of the sum of both squared standard errors. A number that is less than five of its standard
errors away from 0 in both comes from so few trials that its error is not normal: it is counted, and not compared.

Of independent numbers, all right, one in 16,000 is beyond |z| = 4; neighbouring months are nearly the same number.
Ends with 1 if one is beyond the limit.
"""

import argparse
import json
import math
import subprocess
import sys

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
        if key == "binding":
            for cause, shares in value.items():
                yield (*path, key, cause), shares, of["binding_std_error"][cause]
        elif key in ("mean", "probability") and "std_error" in of:
            yield (*path, key), listed(value), listed(of["std_error"])
        elif isinstance(value, dict):
            yield from numbers(value, (*path, key))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for part in value:
                yield from numbers(part, (*path, key, str(part.get("name"))))


def z_of(one, other):
    """The z of two numbers with their errors; `None` where it would say nothing."""
    (a, s), (b, t) = one, other
    if None in (a, b, s, t):
        return None
    error = math.hypot(s, t)
    if error == 0:
        # The last digits of sums differ with their order.
        return 0.0 if math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) else math.inf
    if max(abs(a) / s if s else 0.0, abs(b) / t if t else 0.0) < FEWEST_ERRORS:
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
            z = z_of(ours, theirs)
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
