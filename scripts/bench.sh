#!/usr/bin/env bash
# Measures what Godwit costs, beside ngtcp2 in the same run, and prints the ratios: scripts/bench.sh [MTU] [OPTION...]
#
# MTU is that of the loopback (1500); options are those of Benchmarks/compare.py, such as --json.
set -euo pipefail
cd "$(dirname "$0")/.."
mtu=1500
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    mtu=$1
    shift
fi
for product in mhq CoreBenchmark; do
    swift build -c release --product "$product" >&2
done
scripts/install-peers.sh ngtcp2 nginx >&2
exec python3 Benchmarks/compare.py --mtu "$mtu" "$@"
