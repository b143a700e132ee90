#!/usr/bin/env bash
# Brings up the hack cluster, gives it the images, runs test/e2e on it, and ends it, whatever came of it.
# With KUBECONFIG set, the suite runs on that cluster instead, which must have the images limpet:e2e, cart:e2e and busybox:e2e.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

images() {
  CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/cart ./test/cart
  go run ./hack/image -dockerfile test/cart/Dockerfile -arch "$arch" -tag cart:e2e -file cart=bin/cart -o bin/cart.tar
  go run ./hack/image -dockerfile test/e2e/busybox/Dockerfile -arch "$arch" -tag busybox:e2e -o bin/busybox.tar
  VERSION=e2e hack/archive.sh limpet:e2e "$arch" bin/limpet.tar
  hack/cluster/load.sh bin/cart.tar bin/busybox.tar bin/limpet.tar
}

if [ -z "${KUBECONFIG:-}" ]; then
  [ -x /bin/busybox ] || { echo "$0: /bin/busybox is missing; on Debian: hack/packages.sh busybox:busybox-static" >&2; exit 1; }
  arch=$(go env GOARCH)
  mkdir -p bin
  hack/cluster/up.sh
  trap hack/cluster/down.sh EXIT
  export KUBECONFIG=${LIMPET_CLUSTER:-/var/tmp/limpet-cluster}/kubeconfig
  export LIMPET_AUDIT_LOG=${KUBECONFIG%/*}/audit.log
  images
fi
go test -tags e2e -count 1 -timeout 20m "$@" ./test/e2e
