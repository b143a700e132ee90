#!/usr/bin/env bash
# Prints the folder that holds etcd, kube-apiserver, kube-controller-manager and kubectl, building what is missing.
# With the argument `node`, also what a node needs: kube-scheduler, kubelet and kube-proxy.
#
# KUBEBUILDER_ASSETS wins when it is set: nothing is built then. Otherwise the programs are kept in a per-user cache
# folder named by version, so that a fresh clone finds them. The first build takes about 8 minutes on two cores, and that of
# the node 2 more.
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

# kubectl and Helm parse the server's version; without the stamp it is not one.
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
