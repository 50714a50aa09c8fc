#!/bin/sh
# Judges the sites that gather.sh left in snapshots/, all together and once, and ends with the gate's code.
#
#     judge.sh berlin frankfurt
#
# Every site is named: one whose snapshot is missing or damaged is a mistake (exit code 4), never one that is left out.
set -eu

if [ $# -eq 0 ]; then
    echo "usage: judge.sh SITE..." >&2
    exit 4
fi
rm -rf reports
for site do
    if ! (cd snapshots && sha256sum --check --quiet "$site.jsonl.gz.sha256"); then
        echo "judge.sh: snapshots/$site.jsonl.gz is missing, or is not what was gathered" >&2
        exit 4
    fi
    shift
    set -- "$@" --snapshot "snapshots/$site.jsonl.gz"
done

# Policy and waivers count here: add --hv-policy and --hv-waivers to this line, and to no inventory of a site.
exec hyperv-compliance audit "$@" --hv-report-dir reports --junitxml reports/junit.xml --hv-oldest-snapshot 24
