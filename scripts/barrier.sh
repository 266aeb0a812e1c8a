#!/usr/bin/env bash
# How long it takes until 50 clients on 4 event loops, over real sockets, are ready for a move by Explicit: 21 times.
# Fails when the median is more than a round trip and 10 ms. Give the machine nothing else to do.
set -euo pipefail
cd "$(dirname "$0")/.."
GODWIT_BARRIER_LIMIT="${1:-10}" swift test --filter BarrierTests
