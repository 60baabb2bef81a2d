"""Reads the results of a run with Polars, tells when a target is met, and draws the fan of a metric.

    buildout run examples/qingyang.toml --out out
    python examples/read_results.py out installed_pflops fan.png

Needs polars and, for the picture, matplotlib.
"""

import sys

import polars as pl


def main(folder, metric, picture=None):
    results = pl.read_parquet(f"{folder}/projection.parquet")
    targets = results.filter(pl.col("statistic") == "probability").select("metric", "value")
    for name, probability in targets.iter_rows():
        print(f"{name}: {probability:.1%}")
    months = results.filter((pl.col("metric") == metric) & (pl.col("scope") == "total") & pl.col("month").is_not_null())
    fan = months.pivot(on="statistic", index="month", values="value").sort("month")
    if fan.is_empty():
        sys.exit(f"there is no metric {metric} in {folder}")
    print(fan.select("month", "p10", "p50", "p90").tail(1))
    if picture:
        draw(fan, metric, picture)


def draw(fan, metric, picture):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5))
    months = range(fan.height)
    axes.fill_between(months, fan["p5"], fan["p95"], color="#d0e1f2", label="P5 to P95")
    axes.fill_between(months, fan["p10"], fan["p90"], color="#7cacd6", label="P10 to P90")
    axes.plot(months, fan["p50"], color="#08306b", label="P50")
    every = max(1, fan.height // 8)
    axes.set_xticks(list(months)[::every], fan["month"].to_list()[::every])
    axes.set_ylabel(metric)
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    figure.savefig(picture, dpi=150)
    print(f"wrote {picture}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:4])
