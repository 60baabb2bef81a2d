#!/bin/sh
# Draws the pictures of the README and the guide anew. The same version gives the same bytes, but for the screenshot, which is
# Chromium's.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
run() { cargo run --release --quiet -- "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run run examples/qingyang.toml --quiet --out "$work/plan" >/dev/null
cp "$work/plan/pflops.svg" docs/pictures/plan-pflops.svg

# The years of the first targets, with what is known of them.
cat >"$work/years.toml" <<END
extends = "$root/examples/qingyang.toml"
horizon = "5 years"
targets = [{ name = "800,000 standard racks by the end of 2032, the plan of 2022", remove = true }]
END
run run "$work/years.toml" --quiet --out "$work/years" --known examples/actuals/qingyang.csv >/dev/null
cp "$work/years/pflops.svg" docs/pictures/pflops.svg

chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1400,900 --user-data-dir="$work/profile" \
    --screenshot="$work/page.png" "file://$work/years/report.html" 2>/dev/null
cp "$work/page.png" docs/pictures/page.png
