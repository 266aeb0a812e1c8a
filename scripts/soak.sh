#!/usr/bin/env bash
# Has 1,000 connections open, reset, cancel and stall against mhq serve, and prints the server's memory over time:
# scripts/soak.sh [MINUTES] [OPTION...]
#
# Ten minutes by default; options are those of the program Soak (Benchmarks/README.md). Exit status 1 when the
# server's memory did not come back to what it was after the first round.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=10
if [[ ${1:-} =~ ^[0-9]+(\.[0-9]+)?$ ]]; then
    minutes=$1
    shift
fi
port=${GODWIT_SOAK_PORT:-14433}
build=${GODWIT_SOAK_BUILD:-.build/release}
if [[ $build == .build/release ]]; then
    for product in mhq Soak; do swift build -c release --product "$product" >&2; done
fi
# A socket for each connection of the clients.
ulimit -n 16384

"$build/mhq" serve --listen "127.0.0.1:$port" --no-tcp --log-level warning >/dev/null &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
sleep 1
"$build/Soak" --port "$port" --server "$server" --minutes "$minutes" "$@"
