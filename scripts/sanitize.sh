#!/usr/bin/env bash
# Runs all tests under a sanitizer: scripts/sanitize.sh thread|address
#
# Those that use real sockets have a round of their own, and come one after the other: so slow is everything under a
# sanitizer that among others they would wait for minutes between two steps, and the other end would take them for
# dead.
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizer=${1:-}
if [[ $sanitizer != thread && $sanitizer != address ]]; then
    echo "usage: scripts/sanitize.sh thread|address" >&2
    exit 64
fi
options=(--sanitize="$sanitizer" --scratch-path ".build/$sanitizer")
sockets='^(GodwitTests|GodwitHTTP3Tests|MHQKitTests|InteropTests)\.'

# What the tests start has no options of its own; Tests/CSanitizerOptions says why.
export ASAN_OPTIONS=detect_leaks=0

swift build --build-tests "${options[@]}"
swift test --skip-build "${options[@]}" --skip "$sockets"
swift test --skip-build "${options[@]}" --filter "$sockets" --no-parallel
