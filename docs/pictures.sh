#!/bin/sh
# Draws the pictures of the README and the guide anew. The same version gives the same bytes.
set -eu
cd "$(dirname "$0")/.."
run() { cargo run --release --quiet -- "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run run examples/qingyang.toml --quiet --out "$work/plan" >/dev/null
cp "$work/plan/racks.svg" docs/qingyang-standard-racks.svg
cp "$work/plan/pflops.svg" docs/pictures/plan-pflops.svg
