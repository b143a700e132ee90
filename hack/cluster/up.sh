#!/usr/bin/env bash
# Starts Kubernetes with one real node on this machine, and prints how to use it. Needs root. down.sh stops it.
#
# The node has its own network, PID and mount namespaces, and is connected to the host by a veth pair. node.sh is its first
# process. When it exits, the kernel removes everything except the state directory and the cgroups.
set -euo pipefail
# shellcheck source=hack/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH="$PATH:/usr/sbin:/sbin"

[ "$(id -u)" = 0 ] || die "must be run as root"
missing=()
for pair in $needs; do command -v "${pair%%:*}" >/dev/null || missing+=("$pair"); done
[ ${#missing[@]} = 0 ] || die "missing programs; on Debian run: hack/packages.sh ${missing[*]}"
! node_pid >/dev/null || die "already running: export KUBECONFIG=$state/kubeconfig (or make cluster-down)"

bin=$(KUBEBUILDER_ASSETS='' "$root/hack/controlplane/build.sh" node)
"$here/down.sh" # what a machine that went down has left
mkdir -m 700 "$state" || die "cannot create $state"
give_up() { # with the last words of each program
  tail -n 5 "$state"/{node,etcd,containerd,ku}*.log | cut -c -300 >&2 || true # some may not have begun
  "$here/down.sh"
}
trap '[ $? = 0 ] || give_up' EXIT
"$here/configure.sh" "$bin"

(cd "$root" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$state/pause" ./hack/cluster/pause &&
  go run ./hack/image -dockerfile hack/cluster/pause/Dockerfile -file pause="$state/pause" -tag limpet.dev/pause:1 \
    -arch "$(go env GOARCH)" -o "$state/pause.tar")

# Move the veth from inside the namespace, where the host's network can still be referenced.
export state bin here link
setsid unshare --net bash -euo pipefail -c '
  echo $$ >"$state/pid"
  ip link add eth0 type veth peer name "$link" netns "$PPID"
  exec unshare --mount --pid --fork --kill-child --mount-proc --propagation slave "$here/node.sh"' >"$state/node.log" 2>&1 </dev/null &
eventually ip link show "$link" || die "the node has no network"
ip addr add "$host_ip/30" dev "$link"
ip link set "$link" up
ip route add "$pods" via "$node_ip"

# await CHECK... repeats CHECK until it succeeds or the node exits.
await() { eventually succeeds_or_ended "$@" && node_pid >/dev/null; }
succeeds_or_ended() { "$@" || ! node_pid; }

export KUBECONFIG="$state/kubeconfig"
await "$bin/kubectl" get --raw /readyz || die "the API server is not ready"
await "$here/load.sh" "$state/pause.tar" || die "containerd does not accept images"
await "$bin/kubectl" wait --for=condition=Ready "node/$node" --timeout=5s || die "the node is not ready"
await "$bin/kubectl" get serviceaccount default || die "kube-controller-manager does not work"

cat <<END
Kubernetes $("$bin/kubectl" get node "$node" -o jsonpath='{.status.nodeInfo.kubeletVersion}') is up. Its node is at $node_ip.
  export KUBECONFIG=$KUBECONFIG
  export PATH=$bin:\$PATH                      # kubectl
  hack/cluster/load.sh IMAGE.tar            # load an image
  make cluster-down
END
