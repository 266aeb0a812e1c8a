#!/usr/bin/env bash
# Builds the documentation of the public modules into .build/docs, one archive a module.
set -euo pipefail
cd "$(dirname "$0")/.."
graphs=.build/docs/symbols
rm -rf .build/docs && mkdir -p "$graphs"
swift package dump-symbol-graph --minimum-access-level public >/dev/null
for module in Godwit GodwitHTTP3 GodwitSimulator; do
    catalog="Sources/$module/Documentation.docc"
    [[ -d $catalog ]] || continue
    rm -rf "${graphs:?}"/* && cp "$(swift build --show-bin-path)/../symbolgraph/$module"[.@]*json "$graphs"
    docc convert "$catalog" --warnings-as-errors --fallback-display-name "$module" \
        --fallback-bundle-identifier "org.godwit.$module" \
        --additional-symbol-graph-dir "$graphs" --output-dir ".build/docs/$module.doccarchive"
done
echo "the documentation is in .build/docs; read it with: docc preview, or any web server"
