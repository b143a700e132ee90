#!/usr/bin/env bash
# load.sh ARCHIVE... loads images into the node of the cluster, which has no registry.
set -euo pipefail
# shellcheck source=hack/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
pid=$(node_pid) || die "the cluster is not running; start it with: make cluster"
for archive in "$@"; do
  nsenter --target "$pid" --mount --net ctr --namespace k8s.io images import - <"$archive"
done
