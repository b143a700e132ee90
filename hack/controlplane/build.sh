#!/usr/bin/env bash
# Builds etcd, kube-apiserver, kube-controller-manager and kubectl if they are missing, and prints their directory.
# With the argument `node`, it also builds kube-scheduler, kubelet and kube-proxy.
#
# If KUBEBUILDER_ASSETS is set, it prints that and builds nothing. Otherwise the programs are kept in a per-user cache
# directory named by version, which is shared by all clones. The first build takes about 8 minutes on two cores, and 2 more
# for the node.
set -euo pipefail

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  echo "$KUBEBUILDER_ASSETS"
  exit 0
fi

cd "$(dirname "${BASH_SOURCE[0]}")"
export GOFLAGS=-mod=readonly
kubernetes=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
etcd=$(go list -m -f '{{.Version}}' go.etcd.io/etcd/server/v3)
dir="${LIMPET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/limpet}/controlplane/kubernetes-$kubernetes-etcd-$etcd"
mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9

# kubectl and Helm parse the server's version, which is invalid unless it is set here.
stamp="-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes"

build() { # build NAME PACKAGE: through a temporary name, so that an interrupted build leaves nothing half made.
  [ -x "$dir/$1" ] && return
  echo "building $1 (kept in $dir)" >&2
  go build -trimpath -ldflags "$stamp" -o "$dir/.$1.new" "$2" >&2
  mv "$dir/.$1.new" "$dir/$1"
}

build etcd go.etcd.io/etcd/server/v3
for name in kube-apiserver kube-controller-manager kubectl; do build "$name" "k8s.io/kubernetes/cmd/$name"; done
if [ "${1:-}" = node ]; then
  for name in kube-scheduler kubelet kube-proxy; do build "$name" "k8s.io/kubernetes/cmd/$name"; done
fi
echo "$dir"
