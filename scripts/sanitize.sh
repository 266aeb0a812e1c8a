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

# What the tests start has no options of its own; Tests/CSanitizerOptions says what these are for. A program that is
# started without a PATH finds no symbolizer, and names are what is suppressed.
suppressions=$(mktemp)
trap 'rm -f "$suppressions"' EXIT
echo 'race:s10Subprocess' > "$suppressions"
# Some tests start programs as nobody.
chmod a+r "$suppressions"
symbolizer=$(command -v llvm-symbolizer || command -v "$(dirname "$(readlink -f "$(command -v swift)")")/llvm-symbolizer")
export ASAN_OPTIONS=detect_leaks=0
export TSAN_OPTIONS="suppressions=$suppressions external_symbolizer_path=$symbolizer"

swift build --build-tests "${options[@]}"
swift test --skip-build "${options[@]}" --skip "$sockets"
swift test --skip-build "${options[@]}" --filter "$sockets" --no-parallel
