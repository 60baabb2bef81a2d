#!/usr/bin/env bash
# The yardstick in this crate, in NumPy and in SimPy: runs all three in one session, checks that their answers agree and
# prints by how much they differ in speed. See docs/yardstick.md.
#
#   benches/peers/run.sh [options of compare.py, such as --trials 200000]
#
# Needs a Rust toolchain and Python 3.11 or later with venv. The virtual environment is made beside the build, and kept.
set -euo pipefail
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
venv="$target/peers-venv"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement benches/peers/requirements.txt
cargo build --release --quiet
# A core chosen by hand for NumPy's linear algebra would slow it down.
exec env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "$venv/bin/python" benches/peers/compare.py \
    --buildout "$target/release/buildout" "$@"
