#!/usr/bin/env bash
# Installs the peers that are missing and runs the interop matrix; arguments go to scripts/interop/run.py.
# Without arguments it also sends mhq the faults that clients must not send, and has a browser visit it.
# What cannot be installed is named, and what needs it is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

# 69: something is missing; the program has said what, and what it skipped for it.
unavailable=69
status=0
skipped=0

run() {
    local result=0
    "$@" || result=$?
    if [ "$result" -eq "$unavailable" ]; then
        skipped=$unavailable
    elif [ "$result" -ne 0 ]; then
        status=$result
    fi
}

peers=(aioquic nginx curl ngtcp2)
[ $# -gt 0 ] || peers+=(chromium iperf3)
scripts/install-peers.sh "${peers[@]}" || echo "some peers could not be installed; what needs them is skipped"
run python3 scripts/interop/run.py "$@"
if [ $# -eq 0 ]; then
    run python3 scripts/interop/faults.py --mhq .build/release/mhq
    run python3 scripts/interop/browser.py
fi
[ "$status" -ne 0 ] || [ "${INTEROP_MAY_SKIP:-1}" = 1 ] || status=$skipped
exit "$status"
