#!/usr/bin/env bash
# usage: examples/forecast/run.sh FOLDER OUT.csv
# Forecasts every campus of the newest vintage in FOLDER (files YYYY-MM-DD*.csv), from each half-year's end,
# 3 to 24 months ahead, from rows up to that day alone. Needs Rust and nothing else.
set -euo pipefail
[ $# = 2 ] || { echo "usage: $0 FOLDER OUT.csv" >&2; exit 2; }
folder="$(cd "$1" && pwd)"
mkdir -p "$(dirname "$2")"
out="$(cd "$(dirname "$2")" && pwd)/$(basename "$2")"
cd "$(dirname "$0")/../.."
exec cargo run --locked --release --quiet --no-default-features --features files --example forecast -- "$folder" "$out"
