#!/usr/bin/env bash
# How long it takes until 50 clients of a server with 4 event loops, over real sockets, are ready for a move by Explicit.
# Fails when the median is more than 10 ms, a round trip on the loopback interface being nothing. Give the machine
# nothing else to do.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product mhq
exec python3 scripts/barrier.py --limit "${1:-10}"
