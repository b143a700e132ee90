# Shared by the scripts in this directory. Requires bash -euo pipefail.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

# All files of the cluster are below this directory. It must not be below /var/lib, /var/log or /run, because the node mounts
# its own directories there.
state=${LIMPET_CLUSTER:-/var/tmp/limpet-cluster}
node=limpet-node
link=limpet-node     # the host's end of the veth pair
host_ip=10.251.0.1   # address of the host on it
node_ip=10.251.0.2   # address of the node: API server, NodePorts and hostPorts
pods=10.244.0.0/24
cgroup=limpet-cluster

# Required Debian packages, as COMMAND:PACKAGE for hack/packages.sh.
needs='containerd:containerd crun:crun /usr/lib/cni/bridge:containernetworking-plugins ip:iproute2 iptables:iptables
  openssl:openssl unshare:util-linux'

die() { echo "$(basename "$0"): $*" >&2; exit 1; }

# node_pid prints the PID of the node's first process, and fails if it is not running.
node_pid() {
  local pid
  pid=$(cat "$state/pid" 2>/dev/null) && grep -qs node.sh "/proc/$pid/cmdline" && echo "$pid"
}

# cgroups prints the node's cgroup directories on the host, parents first, for cgroup v1 and v2.
cgroups() {
  local top
  for top in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
    [ ! -d "$top" ] || find "$top" -type d
  done
}

# eventually CHECK... repeats CHECK until it succeeds, for at most 2 minutes.
eventually() {
  local deadline=$((SECONDS + 120))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}
