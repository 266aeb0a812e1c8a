#!/usr/bin/env bash
# Tests the analysis where it can run: says plainly that it is skipped without Python, or without its packages and a way
# to get them. Whatever else goes wrong is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "analysis: SKIPPED, $*"
    exit 0
}

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || skip "Python 3.11 is missing"
python3 -c 'import ensurepip, venv' 2>/dev/null || skip "Python's venv is missing"

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if ! PIP_RETRIES=1 PIP_TIMEOUT=10 make --no-print-directory .build/analysis/ready >"$log" 2>&1; then
    grep -qiE 'connection broken|connection error|connecttimeout|proxyerror|name resolution|unreachable' "$log" \
        && skip "its packages are not here and PyPI can't be reached"
    cat "$log" >&2
    exit 1
fi
make --no-print-directory test-analysis
