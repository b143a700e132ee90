# What the scripts of this folder share. They are read by bash -euo pipefail.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

# Everything that the cluster writes is below this folder. It must not be below /var/lib, /var/log or /run: the node has its
# own there.
state=${LIMPET_CLUSTER:-/var/tmp/limpet-cluster}
node=limpet-node
link=limpet-node     # the host's end of the cable to the node
host_ip=10.251.0.1   # at that end
node_ip=10.251.0.2   # at the other one: the API server, NodePorts and hostPorts are here
pods=10.244.0.0/24
cgroup=limpet-cluster

# What it needs of Debian: COMMAND:PACKAGE, as hack/packages.sh takes it.
needs='containerd:containerd crun:crun /usr/lib/cni/bridge:containernetworking-plugins ip:iproute2 iptables:iptables
  openssl:openssl unshare:util-linux'

die() { echo "$(basename "$0"): $*" >&2; exit 1; }

# node_pid gives the process that the node ends with, and fails when it is not there.
node_pid() {
  local pid
  pid=$(cat "$state/pid" 2>/dev/null) && grep -qs node.sh "/proc/$pid/cmdline" && echo "$pid"
}

# cgroups prints the node's folders of the host's control groups, parents first, in either layout.
cgroups() {
  local top
  for top in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
    [ ! -d "$top" ] || find "$top" -type d
  done
}

# eventually CHECK...: until it succeeds, for 2 minutes.
eventually() {
  local deadline=$((SECONDS + 120))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.2
  done
}
