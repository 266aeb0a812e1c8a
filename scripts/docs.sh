#!/usr/bin/env bash
# Builds the documentation of the public modules into .build/docs.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .build/docs/symbols
swift build
for module in Godwit GodwitSimulator; do
    swift package dump-symbol-graph --minimum-access-level public >/dev/null
    catalog="Sources/$module/Documentation.docc"
    [ -d "$catalog" ] || continue
    docc convert "$catalog" --fallback-display-name "$module" --fallback-bundle-identifier "org.godwit.$module" \
        --additional-symbol-graph-dir "$(swift build --show-bin-path)/../symbolgraph" \
        --output-dir ".build/docs/$module.doccarchive"
done
echo "documentation is in .build/docs"
