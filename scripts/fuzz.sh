#!/usr/bin/env bash
# Fuzzes one target for some minutes, going on from its corpus: scripts/fuzz.sh TARGET MINUTES
#
# Adds a line to Fuzz/LOG.csv. A finding's input goes to Fuzz/Regressions, where the tests replay it, and the exit
# status is 1. What was learned is kept in .build/fuzz/corpus; a small part that covers the most, in Fuzz/Corpus.
set -euo pipefail
cd "$(dirname "$0")/.."

targets="packets frames parameters server client migration http3 qpack"
target=${1:-}
minutes=${2:-10}
if [[ " $targets " != *" $target "* || ! $minutes =~ ^[0-9]+(\.[0-9]+)?$ ]]; then
    echo "usage: scripts/fuzz.sh TARGET MINUTES, with a target of: $targets" >&2
    exit 2
fi

fuzz=.build/fuzz/release/fuzz
committed=Fuzz/Corpus/$target
learned=.build/fuzz/corpus/$target
findings=Fuzz/Findings
regressions=Fuzz/Regressions/$target
log=Fuzz/LOG.csv
# The most that is committed of a corpus, in bytes.
corpus_limit=${GODWIT_FUZZ_CORPUS_LIMIT:-24576}

case $target in
    packets | frames | parameters | migration) max_length=1500 ;;
    *) max_length=2048 ;;
esac
export GODWIT_FUZZ_TARGET=$target
# Swift's own handler of traps would keep them from the fuzzer, and with them the input.
export SWIFT_BACKTRACE=enable=no
# Inputs that grow, hang or take memory by leaps are findings as crashes are.
limits=(-rss_limit_mb=512 -malloc_limit_mb=128 -timeout=10 -max_len=$max_length -detect_leaks=0)

build() {
    # lld, because gold crashes on the fuzzer's sections.
    swift build --package-path Fuzz --scratch-path .build/fuzz -c release --product fuzz \
        -Xswiftc -sanitize=fuzzer -Xswiftc -parse-as-library -Xswiftc -use-ld=lld -Xswiftc -DFUZZING
    commit_name >.build/fuzz/commit
}

commit_name() {
    local name
    name=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
    [[ -z $(git status --porcelain -- Sources Package.swift 2>/dev/null) ]] || name+="+"
    echo "$name"
}

# Keeps, of everything learned, the fewest and smallest inputs that cover as much.
distill() {
    local fresh=$learned.fresh
    rm -rf "$fresh" && mkdir -p "$fresh"
    "$fuzz" -merge=1 -rss_limit_mb=1024 -timeout=10 -max_len=$max_length "$fresh" "$committed" "$learned" \
        >"$output.merge" 2>&1 || return 0
    rm -rf "$learned" && mv "$fresh" "$learned"
    commit_some
}

# Of the fewest inputs that cover all code, as many as fit, small and large.
commit_some() {
    local cover=$learned.cover total=0 stride
    rm -rf "$cover" && mkdir -p "$cover"
    "$fuzz" -set_cover_merge=1 -rss_limit_mb=1024 -timeout=10 -max_len=$max_length "$cover" "$learned" \
        >>"$output.merge" 2>&1 || return 0
    total=$(find "$cover" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
    [[ $total -gt 0 ]] || return 0
    stride=$(((total + corpus_limit - 1) / corpus_limit))
    rm -f "$committed"/*
    find "$cover" -type f -printf '%s %p\n' | sort -n | awk -v stride="$stride" 'NR % stride == 0 { print $2 }' |
        xargs -r cp -t "$committed"
    rm -rf "$cover"
}

last_of() { grep -oE "$1" "$output" | tail -1 | grep -oE '[0-9]+$' || echo 0; }

# Minutes since the last finding, and what is missing to an hour.
summary() {
    awk -F, 'NR > 1 { if ($8 == "ok") clean[$3] += $4; else clean[$3] = 0 }
        END { for (target in clean) printf "%-10s %6.1f min without a finding%s\n", target, clean[target],
              clean[target] < 60 ? sprintf(", %.1f to go", 60 - clean[target]) : "" }' "$log" | sort
}

if [[ ${GODWIT_FUZZ_SKIP_BUILD:-0} != 1 ]]; then build; fi
mkdir -p "$committed" "$learned" "$findings" "$regressions"
output=.build/fuzz/$target.out
seconds=$(awk -v minutes="$minutes" 'BEGIN { printf "%d", minutes * 60 }')
marker=$(mktemp)
started=$(date +%s)
status=0
"$fuzz" "${limits[@]}" -max_total_time="$seconds" -artifact_prefix="$findings/$target-" -print_final_stats=1 \
    "$learned" "$committed" "$regressions" >"$output" 2>&1 || status=$?
elapsed=$(awk -v seconds=$(($(date +%s) - started)) 'BEGIN { printf "%.1f", seconds / 60 }')

finding=$(find "$findings" -type f -name "$target-*" ! -name "*slow-unit*" -newer "$marker" | head -1)
rm -f "$marker"
result=ok
if [[ -n $finding ]]; then
    result=$(basename "$finding" | sed "s/^$target-//; s/-[0-9a-f]*$//")
elif [[ $status -ne 0 ]]; then
    result=failed
fi
[[ $result != ok ]] || distill

[[ -s $log ]] || echo "date,commit,target,minutes,executions,coverage,corpus,result" >"$log"
echo "$(date -u +%Y-%m-%dT%H:%MZ),$(cat .build/fuzz/commit),$target,$elapsed,$(last_of 'number_of_executed_units: +[0-9]+'),$(
    last_of 'cov: [0-9]+'),$(find "$learned" -type f | wc -l),$result" >>"$log"
tail -1 "$log"
summary

if [[ -n $finding ]]; then
    grep -m3 -E "Fatal error|deadly signal|ERROR: libFuzzer|out-of-memory" "$output" >&2 || true
    cp "$finding" "$regressions/"
    echo "$result in $target; reproduce it with: $fuzz run $target $regressions/$(basename "$finding")" >&2
    exit 1
elif [[ $status -ne 0 ]]; then
    echo "the fuzzer of $target ended with status $status; its last words are in $output" >&2
    exit 1
fi
