#!/bin/sh
# One site of several: reads the servers of SITE.yaml from a machine that reaches them, and leaves what they answered in
# snapshots/SITE.jsonl.gz, with its SHA-256 beside it. judge.sh judges all sites together, where no server is reached.
#
#     gather.sh berlin
#
# It ends with 0 whatever was found there: a site alone does not see its partners. Anything else: there is no snapshot.
set -eu

site=${1:-}
if [ -z "$site" ]; then
    echo "usage: gather.sh SITE" >&2
    exit 4
fi
mkdir -p snapshots
rm -f "snapshots/$site.jsonl.gz" "snapshots/$site.jsonl.gz.sha256"

code=0
hyperv-compliance audit "$site.yaml" -q --tb=no --hv-save "snapshots/$site.jsonl.gz" --hv-report-dir "reports/$site" || code=$?
case $code in
    0 | 1 | 10 | 11) ;; # what the gate says of this site alone
    *) exit "$code" ;;
esac

cd snapshots
sha256sum "$site.jsonl.gz" >"$site.jsonl.gz.sha256"
cat "$site.jsonl.gz.sha256" # in the log of the machine that reached the servers: the reports name the same digest
