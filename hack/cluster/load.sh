#!/usr/bin/env bash
# load.sh ARCHIVE...: gives images to the node of the cluster, which has no registry to fetch them from.
set -euo pipefail
# shellcheck source=hack/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pid=$(node_pid) || die "there is no cluster: make cluster"
for archive in "$@"; do
  nsenter --target "$pid" --mount --net ctr --namespace k8s.io images import - <"$archive"
done
