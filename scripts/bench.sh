#!/usr/bin/env bash
# Compares mhq with ngtcp2 in one run; the argument is the MTU of the loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product mhq
scripts/install-peers.sh ngtcp2
exec python3 Benchmarks/compare.py --mtu "${1:-1500}"
