#!/usr/bin/env bash
# Stops the cluster of up.sh in any state. Fails and lists leftovers, if there are any.
set -euo pipefail
# shellcheck source=hack/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH="$PATH:/usr/sbin:/sbin"

# When PID 1 of a PID namespace exits, the kernel kills all its processes.
if pid=$(node_pid); then kill -KILL "$pid"; fi
# Open connections would keep the network namespace, and with it the veth pair, alive for another minute.
ip link delete "$link" 2>/dev/null || true

no_cgroups() { cgroups | tac | xargs -r rmdir && [ -z "$(cgroups)" ]; } # not as long as a process is in one
eventually no_cgroups || true
rm -rf --one-file-system "$state"
eventually "$here/check.sh" || true
exec "$here/check.sh"
