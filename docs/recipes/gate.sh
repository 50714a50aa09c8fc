#!/bin/sh
# A gate before a change: reads the servers now, tells what closes the gate, and ends with the code to act on.
#
#     gate.sh site.yaml && start-the-change     # 0: go on; anything else: stop
#     gate.sh site.yaml --hv-waivers waivers.yaml --hv-server 'hv0[12]'
#
# What follows the inventory is handed to pytest. The reports go to a new folder below gate-reports (or
# $HV_GATE_REPORTS), so that no earlier answer can be taken for this one's, and stay as the change's evidence.
set -u

if [ -z "${1:-}" ]; then
    echo "usage: gate.sh INVENTORY [OPTION...]" >&2
    exit 4
fi
inventory=$1
shift

above=${HV_GATE_REPORTS:-gate-reports}
reports=$above/$(date -u +%Y%m%dT%H%M%SZ)-$$
mkdir -p "$above" && mkdir "$reports" || exit 4

pytest -q --tb=no --inventory "$inventory" --hv-report-dir "$reports" --junitxml "$reports/junit.xml" "$@"
code=$?

# Options from elsewhere (PYTEST_ADDOPTS, a pytest.ini) can make a run of it that judges nothing and ends with 0, such as
# --collect-only. gate.json says open only after all was judged.
if [ "$code" -eq 0 ] && ! grep -qs '^  "open": true,$' "$reports/gate.json"; then
    echo "gate.sh: exit code 0, but $reports/gate.json does not say that the gate is open" >&2
    code=3
fi

echo "gate.sh: exit code $code, reports in $reports"
exit "$code"
