#!/usr/bin/env bash
# usage: examples/forecast/run.sh FOLDER OUT.csv [SCENARIOS]
# Forecasts every campus of the newest vintage in FOLDER (files YYYY-MM-DD*.csv), from each half-year's end,
# 3 to 24 months ahead, from rows up to that day alone; the scenarios go to the folder SCENARIOS, if it is given.
# Needs Rust and nothing else.
set -euo pipefail
[ $# = 2 ] || [ $# = 3 ] || { echo "usage: $0 FOLDER OUT.csv [SCENARIOS]" >&2; exit 2; }
paths=("$(realpath "$1")" "$(realpath -m "$2")" ${3:+"$(realpath -m "$3")"})
mkdir -p "$(dirname "${paths[1]}")"
cd "$(dirname "$0")/../.."
exec cargo run --locked --release --quiet --no-default-features --features files --example forecast -- "${paths[@]}"
