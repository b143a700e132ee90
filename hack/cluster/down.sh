#!/usr/bin/env bash
# Ends the cluster of up.sh, whatever state it is in, and fails naming what is left of it.
set -euo pipefail
# shellcheck source=hack/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH="$PATH:/usr/sbin:/sbin"

# With the first process of a process table the kernel ends all the others.
if pid=$(node_pid); then kill -KILL "$pid"; fi
# Connections that nobody closed would hold the node's network, and with it the cable, for another minute.
ip link delete "$link" 2>/dev/null || true

no_cgroups() { cgroups | tac | xargs -r rmdir && [ -z "$(cgroups)" ]; } # not as long as a process is in one
eventually no_cgroups || true
rm -rf --one-file-system "$state"
eventually "$here/check.sh" || true
exec "$here/check.sh"
